//! QUIC as far as anyone on the path can read it: the handshake in Initial packets (RFC 9000, RFC 9001, RFC 9369 and the
//! drafts from 22 on).
//!
//! An item is a handshake: the ClientHello with the ServerHello. Initial packets are protected with keys that follow from
//! what is in them; all other packets are only passed over.

mod connection;
mod crypto;
mod keys;
mod packet;
mod parameters;

use crate::item::Transport;
use crate::tls::summarize;
use crate::{Direction, Kind, Over, Probe, Protocol, Registration};

pub static QUIC: Protocol = Protocol {
    name: "quic",
    version: "1",
    abbr: "QUIC",
    long_name: "QUIC: A UDP-Based Multiplexed and Secure Transport",
    macro_name: "quic",
    background_color: "#0e7490",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc9000",
    ports: &["443", "8443"],
    layer4: "udp",
    priority: 4,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &QUIC,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe,
        create: |_| Box::new(connection::Connection::new()),
    },
};

const KIND: Kind = Kind { protocol: &QUIC, summarize };

/// Certain of a long header with a known version; short headers look like anything.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    let Ok(header) = packet::long_header(bytes) else { return Probe::No };
    let is_of_known_version = !matches!(header.kind, packet::Kind::Negotiation | packet::Kind::Other);
    if is_of_known_version && !packet::has_fixed_bit(bytes) {
        return Probe::No;
    }
    match header.kind {
        packet::Kind::Initial if header.end <= bytes.len() => Probe::Certain,
        packet::Kind::Other if connection::asks_for_versions(&header, bytes) => Probe::Likely,
        packet::Kind::Negotiation if connection::offers_versions(&header) => Probe::Likely,
        packet::Kind::Initial | packet::Kind::Negotiation | packet::Kind::Other => Probe::No,
        packet::Kind::ZeroRtt | packet::Kind::Handshake | packet::Kind::Retry => Probe::Likely,
    }
}
