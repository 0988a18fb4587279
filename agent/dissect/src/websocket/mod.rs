//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692).
//!
//! A connection comes from HTTP/1 once its handshake is accepted. Where that was not seen, frames are recognised by
//! themselves, if they are strong evidence. Frames are consumed as their bytes come; a message is decoded when its last
//! frame has ended.

mod connection;
mod frame;
mod handshake;
mod inflate;
mod message;
mod pings;
mod subprotocol;

use std::borrow::Cow;

use crate::exchange::Kind;
use crate::item::{Filter, Summary};
use crate::value::Value;
use crate::{Direction, Dissector, Item, Over, Probe, Protocol, Registration};

pub(crate) use handshake::{Extensions, Handshake, shown};

pub static WEBSOCKET: Protocol = Protocol {
    name: "ws",
    version: "13",
    abbr: "WS",
    long_name: "WebSocket",
    macro_name: "ws",
    background_color: "#2a7f62",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc6455",
    ports: &["80", "443", "8080"],
    layer4: "tcp",
    priority: 0,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &WEBSOCKET,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::joined()) },
};

static KIND: Kind = Kind { protocol: &WEBSOCKET, summarize };

/// Reads on where a handshake was accepted.
pub(crate) fn opened(handshake: Handshake) -> Box<dyn Dissector> {
    Box::new(connection::Connection::opened(handshake))
}

/// For connections whose handshake was not captured: several frames, or text.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    match frame::look(bytes, None) {
        frame::Evidence::Strong => Probe::Likely,
        frame::Evidence::Open | frame::Evidence::Weak => Probe::Unsure,
        frame::Evidence::None => Probe::No,
    }
}

/// The list row: opcode, path and close code.
fn summarize(item: &Item) -> Summary<'_> {
    let draft = &item.draft;
    let field = |name| draft.request.as_deref().and_then(|request| request.get(name));
    let text = |value| if let Some(Value::Str(text)) = value { text } else { Cow::Borrowed("") };
    let status = match field("closeCode") {
        Some(Value::Int(code)) => Some(code),
        _ => None,
    };
    let (method, method_filter) = match &draft.request {
        Some(_) => (text(field("opcode")), "request.opcode"),
        None => {
            (text(draft.response.as_deref().and_then(|response| response.get("opcode"))), "response.opcode")
        }
    };
    let summary = text(field("path"));
    Summary {
        method_filter: if method.is_empty() { Filter::None } else { Filter::Field(method_filter) },
        method,
        summary_filter: if summary.is_empty() { Filter::None } else { Filter::Field("request.path") },
        summary,
        status: status.unwrap_or(0),
        status_filter: if status.is_some() { Filter::Field("request.closeCode") } else { Filter::None },
    }
}
