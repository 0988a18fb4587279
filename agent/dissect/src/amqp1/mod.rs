//! AMQP 1.0 (OASIS standard of 2012, ISO/IEC 19464): performatives by name, and what transfers carry.
//!
//! It shares nothing with AMQP 0-9-1 but the first four bytes of its protocol header.

mod connection;
mod performatives;
mod types;

use std::borrow::Cow;

use crate::item::{Filter, Summary};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value, amqp};

pub static AMQP_1_0: Protocol = Protocol {
    version: "1-0",
    long_name: "Advanced Message Queuing Protocol 1.0",
    reference_link: "https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html",
    ..amqp::AMQP_0_9_1
};

pub const REGISTRATION: Registration = Registration {
    protocol: &AMQP_1_0,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &AMQP_1_0, summarize };

/// Certain of its protocol header. Frames without one are likely where a known performative begins.
fn probe(direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    match bytes {
        [b'A', b'M', b'Q', b'P', 0 | 2 | 3, 1, 0, 0, ..] => Probe::Certain,
        _ if bytes.len() < 8 && b"AMQP".starts_with(&bytes[..bytes.len().min(4)]) => Probe::Unsure,
        _ => match connection::begins(direction, bytes) {
            Some(true) => Probe::Likely,
            Some(false) => Probe::No,
            None => Probe::Unsure,
        },
    }
}

fn summarize(item: &Item) -> Summary<'_> {
    let request = item.draft.request.as_deref();
    let response = item.draft.response.as_deref();
    let side = request.or(response);
    let text = |name: &str| match side.and_then(|side| side.get(name)) {
        Some(Value::Str(text)) => text,
        _ => Cow::Borrowed(""),
    };
    let method = text("method");
    let columns = match &*method {
        "open" => Some(("containerId", "request.containerId")),
        "attach" => Some(("name", "request.name")),
        "sasl init" => Some(("mechanism", "request.mechanism")),
        _ => None,
    };
    let (summary, summary_filter) = match columns {
        Some((name, field)) if request.is_some() => (text(name), Filter::Field(field)),
        Some((name, _)) => (text(name), Filter::None),
        None => (Cow::Borrowed(""), Filter::None),
    };
    let refused = |side: Option<&dyn crate::item::Message>| {
        side.and_then(|side| side.get("error")).is_some_and(|error| matches!(error, Value::Object(_)))
    };
    let (status, status_filter) = if refused(response) {
        (1, Filter::Query(Cow::Borrowed("response.error != nil")))
    } else if refused(request) {
        (1, Filter::Query(Cow::Borrowed("request.error != nil")))
    } else {
        (0, Filter::None)
    };
    let method_filter = Filter::Field(if request.is_some() { "request.method" } else { "response.method" });
    Summary { method, method_filter, summary, summary_filter, status, status_filter }
}
