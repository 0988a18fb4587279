//! RADIUS (RFC 2865, RFC 2866, RFC 5176): authentication, accounting, and changes of authorization.

mod attribute;
mod conversation;
mod dictionary;
mod eap;
mod message;
mod values;
mod vendor;

use crate::item::{Filter, Summary, Transport};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};
use message::Header;

pub static PROTOCOL: Protocol = Protocol {
    name: "radius",
    version: "1",
    abbr: "RADIUS",
    long_name: "Remote Authentication Dial In User Service",
    macro_name: "radius",
    background_color: "#3f6f8f",
    foreground_color: "#ffffff",
    font_size: 10,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc2865",
    ports: &["1812", "1813", "3799"],
    layer4: "udp",
    priority: 6,
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe,
        create: |_| Box::new(conversation::Conversation::new()),
    },
};

/// Ports assigned to it, and those it had before.
const PORTS: [u16; 6] = [1645, 1646, 1700, 1812, 1813, 3799];

/// On a port of its own a header that fits is enough; elsewhere all attributes must be known ones, with room for their
/// values.
fn probe(_: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let known_port = PORTS.contains(&server_port);
    match Header::parse(bytes) {
        // A capture may have cut the packet.
        Some(header) if known_port && header.is_known() && header.length >= bytes.len() => Probe::Certain,
        Some(header) if header.is_known() && header.length == bytes.len() && message::is_ordinary(bytes) => {
            Probe::Likely
        }
        _ => Probe::No,
    }
}

/// The code's name, the user (or the session), and the code answered.
fn summarize(item: &Item) -> Summary<'_> {
    let (request, response) = (item.draft.request.as_deref(), item.draft.response.as_deref());
    let mut summary = Summary::default();
    let sides: [(_, &'static str, &'static str, &'static str); 2] = [
        (request, "request.codeName", "request.userName", "request.sessionId"),
        (response, "response.codeName", "response.userName", "response.sessionId"),
    ];
    if let Some((side, code, user, session)) =
        sides.into_iter().find_map(|(side, code, user, session)| Some((side?, code, user, session)))
    {
        if let Some(Value::Str(name)) = side.get("codeName") {
            summary.method = name;
            summary.method_filter = Filter::Field(code);
        }
        if let Some(Value::Str(name)) = side.get("userName") {
            summary.summary = name;
            summary.summary_filter = Filter::Field(user);
        } else if let Some(Value::Str(id)) = side.get("sessionId") {
            summary.summary = id;
            summary.summary_filter = Filter::Field(session);
        }
    }
    if let Some(Value::Int(code)) = response.and_then(|response| response.get("code")) {
        summary.status = code;
        summary.status_filter = Filter::Field("response.code");
    }
    summary
}
