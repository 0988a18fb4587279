//! SOCKS: version 4 and 4a (the memos by Ying-Da Lee), version 5 (RFC 1928) with user names and passwords (RFC 1929). What
//! follows a request that was granted is handed on.
//!
//! An item is a negotiation: the greeting, the credentials and the request of a client, with what the server answered to
//! them.

mod connection;
mod fields;
mod message;
mod names;

use crate::item::{Filter, Summary};
use crate::value::Value;
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, json};

pub static PROTOCOL: Protocol = Protocol {
    name: "socks",
    version: "5",
    abbr: "SOCKS",
    long_name: "SOCKS",
    macro_name: "socks",
    background_color: "#455a64",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc1928",
    ports: &["1080", "9050"],
    layer4: "tcp",
    priority: 4,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe, create: |_| Box::<connection::Connection>::default() },
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

/// Where nobody else is expected; the second and third are those of Tor.
const fn is_port(port: u16) -> bool {
    matches!(port, 1080 | 9050 | 9150)
}

/// Content tells, and never for certain: a greeting has three bytes. Either direction may ask, and the server never speaks
/// first.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    match message::opening(bytes) {
        Ok(_) => Probe::Likely,
        Err(error) if error.is_early() => Probe::Unsure,
        Err(_) => Probe::No,
    }
}

/// The row: the command, where to, and the status of the reply.
fn summarize(item: &Item) -> Summary<'_> {
    let of_request = |name| item.draft.request.as_deref().and_then(|side| side.get(name));
    let of_response = |name| item.draft.response.as_deref().and_then(|side| side.get(name));
    let mut summary = Summary::default();
    if let Some(Value::Str(command)) = of_request("command") {
        (summary.method, summary.method_filter) = (command, Filter::Field("request.command"));
    }
    if let (Some(Value::Str(host)), Some(Value::Int(port))) = (of_request("host"), of_request("port")) {
        let mut quoted = Vec::new();
        json::write_str(&host, &mut quoted);
        let quoted = String::from_utf8(quoted).unwrap_or_default();
        let query = format!("request.host == {quoted} and request.port == {port}");
        let is_ipv6 = matches!(of_request("addressType"), Some(Value::Str(kind)) if kind == "ipv6");
        summary.summary = if is_ipv6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") }.into();
        summary.summary_filter = Filter::Query(query.into());
    } else if let Some(Value::Str(user)) = of_request("user") {
        (summary.summary, summary.summary_filter) = (user, Filter::Field("request.user"));
    }
    let incoming = of_response("incoming");
    let incoming = if let Some(Value::Object(reply)) = &incoming { reply.get("status") } else { None };
    if let Some(Value::Int(status @ (1..=89 | 91..))) = incoming {
        (summary.status, summary.status_filter) = (status, Filter::Field("response.incoming.status"));
    } else if let Some(Value::Int(status)) = of_response("status") {
        (summary.status, summary.status_filter) = (status, Filter::Field("response.status"));
    }
    summary
}
