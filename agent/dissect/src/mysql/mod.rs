//! MySQL's and MariaDB's client/server protocol, version 10 with 4.1 packets (MySQL "Client/Server Protocol", MariaDB
//! "Clients & Utilities: protocol").
//!
//! One item a command with all of its results, and one for the login. What the packets do not tell themselves (the text
//! of a prepared statement, the types of its parameters) is remembered from those before; what depends on the
//! capabilities agreed at the login is read from the packets' own shape where the login was not seen, or left out.

mod command;
mod connection;
mod framing;
mod lenenc;
mod login;
mod names;
mod packets;
mod response;
mod rows;
mod statements;
mod values;

use std::borrow::Cow;

use crate::exchange::Kind;
use crate::item::{Filter, Summary};
use crate::{Item, Over, Protocol, Registration, Value};

pub static PROTOCOL: Protocol = Protocol {
    name: "mysql",
    version: "10",
    abbr: "MYSQL",
    long_name: "MySQL Client/Server Protocol",
    macro_name: "mysql",
    background_color: "#00618a",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html",
    ports: &["3306"],
    layer4: "tcp",
    priority: 9,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe: framing::probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

/// What is said instead of a secret.
const SECRET: &str = "***";

fn summarize(item: &Item) -> Summary<'_> {
    let (request, response) = (item.draft.request.as_ref(), item.draft.response.as_ref());
    let text = |name| match request.and_then(|request| request.get(name)) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    };
    let method = text("command");
    let (summary, summary_filter) = ["query", "schema", "database", "user"]
        .into_iter()
        .zip(["request.query", "request.schema", "request.database", "request.user"])
        .find_map(|(name, field)| text(name).map(|text| (text, Filter::Field(field))))
        .unwrap_or_default();
    let code = response.and_then(|response| match response.get("error") {
        Some(Value::Object(error)) => match error.get("code") {
            Some(Value::Int(code)) => Some(code),
            _ => None,
        },
        _ => None,
    });
    Summary {
        method_filter: if method.is_some() { Filter::Field("request.command") } else { Filter::None },
        method: method.unwrap_or_default(),
        summary,
        summary_filter,
        status: code.unwrap_or(0),
        status_filter: match code {
            Some(_) => Filter::Field("response.error.code"),
            None if response.is_some() => Filter::Query(Cow::Borrowed("response.success == true")),
            None => Filter::None,
        },
    }
}
