//! PostgreSQL's frontend/backend protocol, versions 3.0 and 3.2 (PostgreSQL documentation, part VII, "Frontend/Backend
//! Protocol").
//!
//! One item for each query cycle: a simple query with all of its results, each `Execute` of the extended protocol with
//! the `Parse`, `Bind` and `Describe` before it, a login, a cancel request. What the messages do not tell themselves
//! (the text of a prepared statement, the types of its parameters) is remembered from those before.

mod backend;
mod columns;
mod connection;
mod cycle;
mod fields;
mod framing;
mod frontend;
mod log;
mod made;
mod operation;
mod outcome;
mod parameters;
mod request;
mod text;
mod times;
mod types;

use std::borrow::Cow;

use crate::exchange::Kind;
use crate::item::{Filter, Summary};
use crate::{Direction, Item, Over, Probe, Protocol, Registration, Value};

pub static PROTOCOL: Protocol = Protocol {
    name: "postgresql",
    version: "3",
    abbr: "PGSQL",
    long_name: "PostgreSQL Frontend/Backend Protocol",
    macro_name: "postgresql",
    background_color: "#336791",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://www.postgresql.org/docs/current/protocol.html",
    ports: &["5432"],
    layer4: "tcp",
    priority: 8,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

/// Certain of a startup message or one of the requests that can come in its place. Where the capture joins later, whole
/// messages with valid bodies, one behind the other, make it likely; the port says nothing.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    match framing::startup(bytes) {
        Probe::No if framing::is_client_chain(bytes) || framing::is_server_chain(bytes) => Probe::Likely,
        probe => probe,
    }
}

fn summarize(item: &Item) -> Summary<'_> {
    let (request, response) = (item.draft.request.as_ref(), item.draft.response.as_ref());
    let text = |name| match request.and_then(|request| request.get(name)) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    };
    let method = text("command");
    let (summary, summary_filter) = ["query", "statement", "channel", "database"]
        .into_iter()
        .zip(["request.query", "request.statement", "request.channel", "request.database"])
        .find_map(|(name, field)| text(name).map(|text| (text, Filter::Field(field))))
        .unwrap_or_default();
    let error = response.and_then(|response| match response.get("error") {
        Some(Value::Object(error)) => match error.get("code") {
            Some(Value::Str(code)) => Some(format!("response.error.code == \"{code}\"")),
            _ => Some("response.success == false".to_owned()),
        },
        _ => None,
    });
    let failed = matches!(response.and_then(|response| response.get("success")), Some(Value::Bool(false)));
    let status_filter = match (error, failed, response.is_some()) {
        (Some(query), ..) => Filter::Query(Cow::Owned(query)),
        (None, true, _) => Filter::Query(Cow::Borrowed("response.success == false")),
        (None, false, true) => Filter::Query(Cow::Borrowed("response.success == true")),
        (None, false, false) => Filter::None,
    };
    Summary {
        method_filter: if method.is_some() { Filter::Field("request.command") } else { Filter::None },
        method: method.unwrap_or_default(),
        summary,
        summary_filter,
        status: failed.into(),
        status_filter,
    }
}
