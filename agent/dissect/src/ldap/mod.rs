//! LDAP: Lightweight Directory Access Protocol, version 3 (RFC 4511), and what of version 2 has the same form; over TCP,
//! and over UDP as CLDAP.
//!
//! An item is an operation: a request with its response, which for a search is all of its entries and references. After
//! StartTLS (RFC 4511, section 4.14) the stream is handed on.

mod answer;
mod connection;
mod datagrams;
mod entries;
mod exchanges;
mod filter;
mod framing;
mod kept;
mod message;
mod names;

use crate::item::{Filter, Summary, Transport};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};
use framing::Look;

pub static LDAP: Protocol = Protocol {
    name: "ldap",
    version: "3",
    abbr: "LDAP",
    long_name: "Lightweight Directory Access Protocol",
    macro_name: "ldap",
    background_color: "#0f766e",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc4511",
    ports: &["389", "3268"],
    layer4: "tcp",
    priority: 4,
};

pub static CLDAP: Protocol = Protocol {
    name: "ldap",
    version: "3",
    abbr: "CLDAP",
    long_name: "Connectionless Lightweight Directory Access Protocol",
    macro_name: "ldap",
    background_color: "#0f766e",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc1798",
    ports: &["389"],
    layer4: "udp",
    priority: 4,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &LDAP,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

pub const DATAGRAMS: Registration = Registration {
    protocol: &CLDAP,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe: probe_datagram,
        create: |_| Box::new(datagrams::Conversation::new()),
    },
};

const KIND: Kind = Kind { protocol: &LDAP, summarize };
const DATAGRAM_KIND: Kind = Kind { protocol: &CLDAP, summarize };

/// Certain where message, id, operation and the operation's first fields fit each other; the few operations that have
/// nothing to check are only likely.
fn probe(_direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    match framing::look(bytes) {
        Look::Short => Probe::Unsure,
        Look::No(_) => Probe::No,
        Look::Head(head) => match framing::is_plausible(&head, bytes) {
            Some(true) => Probe::Certain,
            Some(false) => Probe::No,
            None if is_port(server_port) && head.length <= bytes.len() as u64 => Probe::Certain,
            None => Probe::Likely,
        },
    }
}

fn probe_datagram(_direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    match framing::look(bytes) {
        Look::Head(head) => match framing::is_plausible(&head, bytes) {
            Some(true) => Probe::Certain,
            None if is_port(server_port) && connection::is_of_client(head.op) => Probe::Certain,
            _ => Probe::No,
        },
        _ => Probe::No,
    }
}

const fn is_port(port: u16) -> bool {
    matches!(port, 389 | 3268)
}

/// The row of an operation: its name, the DN it is about (the name or identifier of an extended operation), its result.
pub(crate) fn summarize(item: &Item) -> Summary<'_> {
    let draft = &item.draft;
    let of_request = |name| draft.request.as_ref().and_then(|side| side.get(name));
    let of_response = |name| draft.response.as_ref().and_then(|side| side.get(name));
    let text = |value| if let Some(Value::Str(text)) = value { Some(text) } else { None };
    let mut summary = Summary::default();
    if let Some(kind) = text(of_request("type")) {
        (summary.method, summary.method_filter) = (kind, Filter::Field("request.type"));
    } else if let Some(kind) = text(of_response("type")) {
        (summary.method, summary.method_filter) = (kind, Filter::Field("response.type"));
    }
    for (name, filter) in [("dn", "request.dn"), ("name", "request.name"), ("oid", "request.oid")] {
        if let Some(found) = text(of_request(name)) {
            (summary.summary, summary.summary_filter) = (found, Filter::Field(filter));
            break;
        }
    }
    if let Some(Value::Int(code)) = of_response("resultCode") {
        (summary.status, summary.status_filter) = (code, Filter::Field("response.resultCode"));
    } else if let Some(Value::Int(code)) = of_request("resultCode") {
        (summary.status, summary.status_filter) = (code, Filter::Field("request.resultCode"));
    }
    summary
}
