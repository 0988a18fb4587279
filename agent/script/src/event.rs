//! What is delivered to scripts.

use std::sync::Arc;

use remora_dissect::Item;
use remora_packet::{Packet, Timestamp};

/// The argument of `onPacketCaptured`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketInfo {
    pub timestamp: Timestamp,
    /// Bytes captured.
    pub capture_length: u32,
    /// Bytes on the wire.
    pub length: u32,
    pub truncated: bool,
    /// The packet is an IP fragment whose datagram is not complete yet.
    pub fragmented: bool,
}

impl PacketInfo {
    pub fn new(packet: &Packet<'_>, fragmented: bool) -> Self {
        Self {
            timestamp: packet.timestamp,
            capture_length: u32::try_from(packet.data.len()).unwrap_or(u32::MAX),
            length: packet.length,
            truncated: packet.truncated(),
            fragmented,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Event {
    Packet(PacketInfo),
    Item(Arc<Item>),
}

impl Event {
    /// Bytes it holds while it waits.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Packet(_) => size_of::<Self>(),
            Self::Item(item) => size_of::<Self>() + item.memory(),
        }
    }
}
