//! DTLS as far as it is not encrypted: handshakes of 1.0 (RFC 4347), 1.2 (RFC 6347) and 1.3 (RFC 9147), over UDP.
//!
//! An item is a handshake, with the fields of TLS: the messages are the same but for a cookie. What differs is how they
//! come: in records that tell their number, in fragments, in any order, and again where an answer does not come in time.

mod connection;
mod current;
mod fragment;
mod messages;
mod record;

use crate::item::Transport;
use crate::tls::summarize;
use crate::{Direction, Kind, Over, Probe, Protocol, Registration};

pub static DTLS: Protocol = Protocol {
    name: "dtls",
    version: "1.3",
    abbr: "DTLS",
    long_name: "Datagram Transport Layer Security",
    macro_name: "dtls",
    background_color: "#1e40af",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc9147",
    ports: &["4433", "5684", "853", "2083", "5061"],
    layer4: "udp",
    priority: 4,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &DTLS,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe,
        create: |_| Box::new(connection::Connection::default()),
    },
};

const KIND: Kind = Kind { protocol: &DTLS, summarize };

/// Certain of a hello. Other records look like DTLS where all of the datagram is records: a capture joins there.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    record::look(bytes)
}
