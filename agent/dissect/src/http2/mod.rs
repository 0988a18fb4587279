//! HTTP/2 (RFC 9113) with header compression (RFC 7541): with prior knowledge, after `Upgrade: h2c`, and what TLS carried.
//!
//! Bodies go into their message as their frames come; everything else is read out of whole frames. Streams are paired by
//! their number, so that loss of bytes costs only what was lost: see [`hpack`] for what that means for header fields.

mod connection;
mod fields;
mod frame;
mod hpack;
mod huffman;
mod message;
mod stream;
mod streams;

use remora_packet::Timestamp;

use fields::FieldList;

use crate::http::fields::Fields;
use crate::{Direction, Dissector, Limits, Over, Probe, Protocol, Registration};

pub static HTTP_2: Protocol = Protocol {
    name: "http",
    version: "2.0",
    abbr: "HTTP/2",
    long_name: "Hypertext Transfer Protocol Version 2 (HTTP/2)",
    macro_name: "http2",
    background_color: "#244c5a",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc9113",
    ports: &["80", "443", "8080"],
    layer4: "tcp",
    priority: 0,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &HTTP_2,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

/// Certain of the client's preface and of the settings a server begins with; otherwise several frames in a row, or one
/// that fits exactly, look like it. The port says nothing: HTTP is spoken on any.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    let length = bytes.len().min(frame::PREFACE.len());
    if bytes[..length] == frame::PREFACE[..length] {
        return if length == frame::PREFACE.len() { Probe::Certain } else { Probe::Unsure };
    }
    if frame::begin_with_settings(bytes) {
        return Probe::Certain;
    }
    if frame::begin(bytes, false, &|_| false) {
        Probe::Likely
    } else if frame::may_begin_with_settings(bytes) {
        Probe::Unsure
    } else {
        Probe::No
    }
}

/// Reads on after `101 Switching Protocols` to `h2c` (RFC 7540, section 3.2). The response to the HTTP/1 request, which was
/// sent with `method`, `target` and `headers` at `time` and took `size` bytes, comes on stream 1.
pub(crate) fn after_upgrade(
    method: &[u8],
    target: &[u8],
    headers: Fields<'_>,
    time: Timestamp,
    size: u64,
    limits: &Limits,
) -> Box<dyn Dissector> {
    let mut list = FieldList::new(limits.http_headers, limits.pending_bytes);
    list.push(b":method", method, true);
    list.push(b":path", target, true);
    list.push(b":scheme", b"http", true);
    for (name, value) in headers {
        match name.to_ascii_lowercase().as_slice() {
            b"host" => list.push(b":authority", value, true),
            // They were for the next hop alone, and are in the item of the HTTP/1 request.
            b"connection" | b"upgrade" | b"http2-settings" => {}
            name => list.push(name, value, true),
        }
    }
    Box::new(connection::Connection::after_upgrade(list, time, size, limits))
}
