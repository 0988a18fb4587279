//! ICMP (RFC 792, RFC 950, RFC 1256, RFC 8335) and ICMPv6 (RFC 4443) with neighbour discovery (RFC 4861) and multicast
//! listener discovery (RFC 2710, RFC 3810).

mod conversation;
mod kept;
mod listener;
mod message;
mod names;
mod neighbor;
mod quoted;

use std::borrow::Cow;

use crate::item::{Filter, Summary, Transport};
use crate::{Item, Kind, Over, Probe, Protocol, Registration, Value};

pub static PROTOCOL: Protocol = Protocol {
    name: "icmp",
    version: "4",
    abbr: "ICMP",
    long_name: "Internet Control Message Protocol",
    macro_name: "icmp",
    background_color: "#7a5c2e",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc792",
    ports: &[],
    layer4: "icmp",
    priority: 5,
};

pub static PROTOCOL_6: Protocol = Protocol {
    name: "icmp",
    version: "6",
    abbr: "ICMPv6",
    long_name: "Internet Control Message Protocol for IPv6",
    macro_name: "icmp",
    background_color: "#7a5c2e",
    foreground_color: "#ffffff",
    font_size: 10,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc4443",
    ports: &[],
    layer4: "icmp",
    priority: 5,
};

/// Every packet of the protocol: IP says what it is.
pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Datagrams {
        transport: Transport::Icmp,
        probe: |_, _, _| Probe::Certain,
        create: |_| Box::new(conversation::Conversation::default()),
    },
};

const fn kind(ipv6: bool) -> Kind {
    Kind { protocol: if ipv6 { &PROTOCOL_6 } else { &PROTOCOL }, summarize }
}

/// The type's name, and what tells such messages apart: identifier and sequence number, the code's name, or the address
/// that is asked for.
fn summarize(item: &Item) -> Summary<'_> {
    let mut summary = Summary::default();
    let (side, is_request) = match (&item.draft.request, &item.draft.response) {
        (Some(request), _) => (request, true),
        (None, Some(response)) => (response, false),
        (None, None) => return summary,
    };
    if let Some(Value::Str(name)) = side.get("typeName") {
        summary.method = name;
        summary.method_filter =
            Filter::Field(if is_request { "request.typeName" } else { "response.typeName" });
    }
    if let (Some(Value::Int(id)), Some(Value::Int(sequence))) = (side.get("id"), side.get("sequence")) {
        let name = if is_request { "request" } else { "response" };
        let mut buffers = [itoa::Buffer::new(); 2];
        let [one, other] = &mut buffers;
        let (id, sequence) = (one.format(id), other.format(sequence));
        summary.summary = ["id ", id, ", sequence ", sequence].concat().into();
        let query = [name, ".id == ", id, " and ", name, ".sequence == ", sequence].concat();
        summary.summary_filter = Filter::Query(Cow::Owned(query));
        return summary;
    }
    for (name, field) in
        [("target", "request.target"), ("codeName", "request.codeName"), ("group", "request.group")]
    {
        if let Some(Value::Str(text)) = side.get(name) {
            summary.summary = text;
            summary.summary_filter = Filter::Field(field);
            break;
        }
    }
    summary
}
