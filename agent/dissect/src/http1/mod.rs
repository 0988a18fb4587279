//! HTTP/1.0 and HTTP/1.1 (RFC 1945, RFC 9110, RFC 9112).
//!
//! A head is parsed where it lies in the segment and kept as one buffer together with its body; headers, cookies,
//! query strings and decoded bodies are made only when somebody reads them.

mod chunked;
mod connection;
mod exchange;
mod framing;
mod head;
mod message;
mod pairing;
mod recovery;
mod start_line;
mod upgrade;

use crate::{Direction, Over, Probe, Protocol, Registration};

pub static HTTP_1_0: Protocol = Protocol {
    name: "http",
    version: "1.0",
    abbr: "HTTP",
    long_name: "Hypertext Transfer Protocol -- HTTP/1.0",
    macro_name: "http",
    background_color: "#326de6",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc1945",
    ports: &["80", "443", "8080"],
    layer4: "tcp",
    priority: 0,
};

pub static HTTP_1_1: Protocol = Protocol {
    version: "1.1",
    long_name: "Hypertext Transfer Protocol -- HTTP/1.1",
    reference_link: "https://datatracker.ietf.org/doc/html/rfc9112",
    ..HTTP_1_0
};

pub const REGISTRATION: Registration = Registration {
    protocol: &HTTP_1_1,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

/// Certain of a whole request line or the fixed part of a status line. The port says nothing: HTTP is spoken on any.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    let empty = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if empty == bytes.len() && empty <= MAX_EMPTY { Probe::Unsure } else { start_line::look(&bytes[empty..]) }
}

/// Line ends before the first message; a stream that begins with more of them is something else.
const MAX_EMPTY: usize = 16;
