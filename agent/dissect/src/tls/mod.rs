//! TLS and SSL: handshakes (RFC 8446, RFC 5246, RFC 6101), over TCP, and with the secrets of a session what it carries.
//!
//! An item is a handshake. What follows it is passed over by the lengths of its records, or decrypted; what follows TLS in the same
//! stream (after StopTLS of LDAP, or a proxy's handshake) is handed on.

mod certificate;
mod cipher_suites;
mod connection;
mod decrypt;
pub(crate) mod fingerprint;
pub(crate) mod handshake;
pub(crate) mod hello;
pub(crate) mod kept;
mod message;
mod names;
mod record;

pub use decrypt::{KeyLogError, KeyLogFault, Secrets};

use crate::item::{Filter, Summary};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};

pub static TLS: Protocol = Protocol {
    name: "tlsx",
    version: "1.3",
    abbr: "TLS",
    long_name: "Transport Layer Security",
    macro_name: "tlsx",
    background_color: "#1d4ed8",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc8446",
    ports: &["443", "8443"],
    layer4: "tcp",
    priority: 1,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &TLS,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &TLS, summarize };

/// Certain of a hello. Other records look like TLS: where a capture joins a connection, to keep others from it.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    record::look(bytes)
}

/// The row of a handshake: what the client asks for, whom it asks, the alert that ended it.
pub(crate) fn summarize(item: &Item) -> Summary<'_> {
    let draft = &item.draft;
    let of_request = |name| draft.request.as_ref().and_then(|side| side.get(name));
    let of_response = |name| draft.response.as_ref().and_then(|side| side.get(name));
    let text = |value| if let Some(Value::Str(text)) = value { Some(text) } else { None };
    let code = |alert| match alert {
        Some(Value::Object(alert)) => match alert.get("code") {
            Some(Value::Int(code)) => Some(code),
            _ => None,
        },
        _ => None,
    };
    let mut summary = Summary::default();
    if let Some(kind) = text(of_request("type")) {
        (summary.method, summary.method_filter) = (kind, Filter::Field("request.type"));
    } else if let Some(kind) = text(of_response("type")) {
        (summary.method, summary.method_filter) = (kind, Filter::Field("response.type"));
    }
    if let Some(name) = text(of_request("sni")) {
        (summary.summary, summary.summary_filter) = (name, Filter::Field("request.sni"));
    } else if let Some(info) = text(of_response("info")) {
        (summary.summary, summary.summary_filter) = (info, Filter::Field("response.info"));
    }
    if let Some(code) = code(of_response("alert")) {
        (summary.status, summary.status_filter) = (code, Filter::Field("response.alert.code"));
    } else if let Some(code) = code(of_request("alert")) {
        (summary.status, summary.status_filter) = (code, Filter::Field("request.alert.code"));
    }
    summary
}
