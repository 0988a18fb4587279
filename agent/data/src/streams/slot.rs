//! What is known of one stream while its pcap is kept, and its packets on their way to the disk.

use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::{FILE_HEADER_BYTES, RECORD_HEADER_BYTES, Resolution, record_header};

use super::config::StreamCounters;
use super::id::StreamId;
use super::store::SNAPLEN;
use crate::quota::charge;

pub(super) struct Slot {
    pub(super) id: StreamId,
    pub(super) link: LinkType,
    /// When the last packet came.
    pub(super) last: Timestamp,
    /// Whole records.
    buffer: Vec<u8>,
    packets: u64,
    /// Bytes of the file, once the disk has done what it was given.
    given: u64,
    /// Whether the disk was given anything of this stream.
    pub(super) is_given: bool,
    /// What the counters hold of the stream: disk and memory.
    charged: u64,
    held: u64,
}

impl Slot {
    pub(super) fn new(id: StreamId, link: LinkType, last: Timestamp) -> Self {
        let given = FILE_HEADER_BYTES as u64;
        Self { id, link, last, buffer: Vec::new(), packets: 0, given, is_given: false, charged: 0, held: 0 }
    }

    /// Size of the file once all is written.
    pub(super) fn bytes(&self) -> u64 {
        self.given + self.buffer.len() as u64
    }

    #[inline]
    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    #[inline]
    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        let kept = &packet.data[..kept_bytes(packet)];
        self.buffer.extend_from_slice(&record_header(packet, kept.len() as u32, Resolution::Nanos));
        self.buffer.extend_from_slice(kept);
        self.packets += 1;
    }

    /// Takes the records and how many they are, and goes on with an empty buffer.
    pub(super) fn give(&mut self, next: Vec<u8>) -> (Vec<u8>, u64) {
        self.given += self.buffer.len() as u64;
        self.is_given = true;
        (std::mem::replace(&mut self.buffer, next), std::mem::take(&mut self.packets))
    }

    /// Gives up the records; how many they are.
    pub(super) fn discard(&mut self) -> u64 {
        self.buffer.clear();
        std::mem::take(&mut self.packets)
    }

    /// Frees the memory of an empty buffer.
    pub(super) fn free(&mut self) {
        self.buffer.shrink_to_fit();
    }

    /// Brings the counters up to date with what the stream takes; whether it takes more than before.
    #[inline]
    pub(super) fn settle(&mut self, counters: &mut StreamCounters) -> bool {
        let (charged, held) = (charge(self.bytes()), self.buffer.capacity() as u64);
        let grew = charged > self.charged || held > self.held;
        counters.disk_bytes = counters.disk_bytes + charged - self.charged;
        counters.buffer_bytes = counters.buffer_bytes + held - self.held;
        (self.charged, self.held) = (charged, held);
        grew
    }

    /// Takes the stream out of the counters.
    pub(super) fn settle_gone(&self, counters: &mut StreamCounters) {
        counters.disk_bytes -= self.charged;
        counters.buffer_bytes -= self.held;
    }
}

fn kept_bytes(packet: &Packet<'_>) -> usize {
    packet.data.len().min(SNAPLEN as usize)
}

/// Size of a packet's record.
#[inline]
pub(super) fn record_bytes(packet: &Packet<'_>) -> usize {
    RECORD_HEADER_BYTES + kept_bytes(packet)
}
