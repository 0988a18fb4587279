//! The MongoDB wire protocol (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>): `OP_MSG`,
//! `OP_COMPRESSED` around any operation, and the operations before them, which servers took up to version 5.0.
//!
//! A reply names the request it answers. Where a client allows it (`exhaustAllowed`), the server goes on replying: those
//! replies are items of their own.

mod bson;
mod connection;
mod elements;
mod kept;
mod message;
mod scalars;
mod scan;
mod sides;
mod summary;
mod wire;

use crate::{Direction, Kind, Over, Probe, Protocol, Registration};
use wire::{Look, look_closely, op};

pub static PROTOCOL: Protocol = Protocol {
    name: "mongodb",
    version: "",
    abbr: "MONGO",
    long_name: "MongoDB Wire Protocol",
    macro_name: "mongodb",
    background_color: "#00684a",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/",
    ports: &["27017"],
    layer4: "tcp",
    priority: 4,
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize: summary::summarize };

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe, create: |_| Box::<connection::Connection>::default() },
};

/// Ports that servers, shards and configuration servers listen on by convention.
const PORTS: std::ops::RangeInclusive<u16> = 27_017..=27_019;

/// A header of a known operation before content that begins as its operation's must. Elsewhere than on a server's port
/// only the operations of today are beyond doubt.
fn probe(_direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    match look_closely(bytes) {
        Look::More => Probe::Unsure,
        Look::No(_) => Probe::No,
        Look::Header(header) => {
            let is_strong = matches!(header.op, op::MSG | op::COMPRESSED | op::QUERY);
            if is_strong || PORTS.contains(&server_port) { Probe::Certain } else { Probe::Likely }
        }
    }
}
