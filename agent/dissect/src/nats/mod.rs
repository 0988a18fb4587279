//! NATS: the client protocol of the NATS server with its headers
//! (<https://docs.nats.io/reference/reference-protocols/nats-protocol> and ADR-4), over TCP.
//!
//! An item is a message in one direction; PING has its PONG, a request its reply, and the CONNECT of a verbose client the
//! server's verdict.

mod body;
mod connection;
mod inbox;
mod line;
mod options;
mod replies;
mod resync;

use crate::item::{Filter, Message, Summary};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};

const PORT: u16 = 4222;

pub static NATS: Protocol = Protocol {
    name: "nats",
    version: "1",
    abbr: "NATS",
    long_name: "NATS client protocol",
    macro_name: "nats",
    background_color: "#27aae1",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://docs.nats.io/reference/reference-protocols/nats-protocol",
    ports: &["4222"],
    layer4: "tcp",
    priority: 12,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &NATS,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &NATS, summarize };

/// Certain of the two lines that carry an object, which every connection begins with; a message in the middle of one is
/// likely. Keep-alives say nothing: others have the same, so on NATS's own port what follows them counts.
fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let mut rest = bytes;
    if server_port == PORT {
        while let Some(after) =
            [&b"PING\r\n"[..], b"PONG\r\n", b"+OK\r\n"].iter().find_map(|idle| rest.strip_prefix(*idle))
        {
            rest = after;
        }
    }
    let verbs: &[&[u8]] = match direction {
        Direction::ToServer => &[b"CONNECT {", b"PUB ", b"HPUB ", b"SUB "],
        Direction::ToClient => &[b"INFO {", b"MSG ", b"HMSG "],
    };
    for verb in verbs {
        if verb.starts_with(rest) && rest.len() < verb.len() {
            return if rest.is_empty() && bytes.is_empty() { Probe::No } else { Probe::Unsure };
        }
        if !rest.starts_with(verb) {
            continue;
        }
        if verb.ends_with(b"{") {
            return Probe::Certain;
        }
        return match memchr::memchr(b'\n', &rest[..rest.len().min(resync::LONGEST_MESSAGE_LINE)]) {
            Some(end) if resync::is_telling(direction, &rest[..=end]) => Probe::Likely,
            None if rest.len() < resync::LONGEST_MESSAGE_LINE && resync::is_printable(rest) => Probe::Unsure,
            _ => Probe::No,
        };
    }
    Probe::No
}

fn summarize(item: &Item) -> Summary<'_> {
    let draft = &item.draft;
    let mut summary = Summary::default();
    if let Some(request) = &draft.request {
        if let Some(Value::Str(verb)) = request.get("verb") {
            (summary.method, summary.method_filter) = (verb, Filter::Field("request.verb"));
        }
        if let Some(Value::Str(subject)) = request.get("subject") {
            (summary.summary, summary.summary_filter) = (subject, Filter::Field("request.subject"));
        }
    }
    let is_error =
        |side: &Option<Box<dyn Message>>| side.as_ref().is_some_and(|side| side.get("error").is_some());
    if is_error(&draft.response) {
        (summary.status, summary.status_filter) = (1, Filter::Query("response.verb == \"-ERR\"".into()));
    } else if is_error(&draft.request) {
        (summary.status, summary.status_filter) = (1, Filter::Query("request.verb == \"-ERR\"".into()));
    } else if let Some(response) = &draft.response
        && let Some(Value::Int(status)) = response.get("status")
    {
        (summary.status, summary.status_filter) = (status, Filter::Field("response.status"));
    }
    summary
}
