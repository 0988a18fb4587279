//! Apache Kafka (<https://kafka.apache.org/protocol>), from 0.8 to 4.2.
//!
//! A request names its API and version, a response only the request it answers. Bodies of seven APIs are decoded by the
//! tables in `messages`; of the others the header is. Record batches are read through their compression.

mod apis;
mod budget;
mod compression;
mod connection;
mod errors;
mod field;
mod header;
mod kept;
mod lz4;
mod marks;
mod messages;
mod note;
mod records;
mod schema;
mod session;
mod sides;
mod snappy;
mod summary;
mod survey;
mod topics;
mod wire;

use crate::{Direction, Kind, Over, Probe, Protocol, Registration};
use compression::Output;
use header::{Look, look};

pub static PROTOCOL: Protocol = Protocol {
    name: "kafka",
    version: "12",
    abbr: "KAFKA",
    long_name: "Apache Kafka Protocol",
    macro_name: "kafka",
    background_color: "#000000",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://kafka.apache.org/protocol",
    ports: &["9092"],
    layer4: "tcp",
    priority: 2,
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize: summary::summarize };

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe, create: |_| Box::<connection::Connection>::default() },
};

/// Undoes one raw LZ4 block, up to `limit` bytes. The second is whether that is all of it.
pub(crate) fn unpack_lz4_block(input: &[u8], limit: usize) -> (Vec<u8>, bool) {
    let mut output = Output::new(limit);
    let result = lz4::block(input, 0, &mut output);
    (output.into_bytes(), result.is_ok())
}

/// The same for raw Snappy.
pub(crate) fn unpack_snappy(input: &[u8], limit: usize) -> (Vec<u8>, bool) {
    let mut output = Output::new(limit);
    let result = snappy::raw(input, &mut output);
    (output.into_bytes(), result.is_ok())
}

/// Ports that brokers listen on by convention.
const PORTS: std::ops::RangeInclusive<u16> = 9092..=9094;

/// A whole request header with known key and version, before a body that can be its. Certain only on a broker's port:
/// there is no magic number.
fn probe(_direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    match look(bytes, true) {
        Look::Header(header) if !note::fits(&header, bytes) => Probe::No,
        Look::Header(_) if PORTS.contains(&server_port) => Probe::Certain,
        Look::Header(_) => Probe::Likely,
        Look::More => Probe::Unsure,
        Look::No(_) => Probe::No,
    }
}
