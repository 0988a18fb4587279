//! Diameter (RFC 6733) over TCP, with credit control (RFC 8506) and what 3GPP uses it for. Over SCTP its messages come from
//! [`crate::sctp`].

mod avp;
mod connection;
mod dictionary;
pub(crate) mod message;
mod names;
mod telling;

use crate::item::{Filter, Summary};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};
use message::Header;

pub static PROTOCOL: Protocol = Protocol {
    name: "diameter",
    version: "1",
    abbr: "DIAMETER",
    long_name: "Diameter Base Protocol",
    macro_name: "diameter",
    background_color: "#5b4a8a",
    foreground_color: "#ffffff",
    font_size: 9,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc6733",
    ports: &["3868"],
    layer4: "tcp",
    priority: 7,
};

pub static SCTP_PROTOCOL: Protocol = Protocol {
    name: "diameter",
    version: "1",
    abbr: "DIAMETER",
    long_name: "Diameter Base Protocol",
    macro_name: "diameter",
    background_color: "#5b4a8a",
    foreground_color: "#ffffff",
    font_size: 9,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc6733",
    ports: &["3868"],
    layer4: "sctp",
    priority: 7,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

pub(crate) const fn kind(protocol: &'static Protocol) -> Kind {
    Kind { protocol, summarize }
}

/// A connection begins with an exchange of capabilities; one joined later with any message whose command is known and
/// whose first AVP is.
fn probe(_: Direction, _: u16, bytes: &[u8]) -> Probe {
    let Some(header) = Header::parse(bytes) else {
        let may_be = bytes.len() < message::HEADER && bytes.first() == Some(&1);
        return if may_be { Probe::Unsure } else { Probe::No };
    };
    if !header.is_known() {
        return Probe::No;
    }
    match message::begins_well(bytes, &header) {
        None => Probe::Unsure,
        Some(false) => Probe::No,
        Some(true) if header.is_capabilities_exchange() => Probe::Certain,
        Some(true) => Probe::Likely,
    }
}

/// The command, the session (or else who sends), and the result.
fn summarize(item: &Item) -> Summary<'_> {
    let (request, response) = (item.draft.request.as_deref(), item.draft.response.as_deref());
    let mut summary = Summary::default();
    let sides: [(_, [&'static str; 3]); 2] = [
        (request, ["request.commandName", "request.sessionId", "request.originHost"]),
        (response, ["response.commandName", "response.sessionId", "response.originHost"]),
    ];
    if let Some((side, [command, session, host])) =
        sides.into_iter().find_map(|(side, names)| Some((side?, names)))
    {
        if let Some(Value::Str(name)) = side.get("commandName") {
            summary.method = name;
            summary.method_filter = Filter::Field(command);
        }
        if let Some(Value::Str(id)) = side.get("sessionId") {
            summary.summary = id;
            summary.summary_filter = Filter::Field(session);
        } else if let Some(Value::Str(name)) = side.get("originHost") {
            summary.summary = name;
            summary.summary_filter = Filter::Field(host);
        }
    }
    if let Some(Value::Int(code)) = response.and_then(|response| response.get("resultCode")) {
        summary.status = code;
        summary.status_filter = Filter::Field("response.resultCode");
    }
    summary
}
