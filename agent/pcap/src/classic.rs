//! Classic pcap: <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/>

use std::io::Read;

use remora_packet::{LinkType, Packet, Timestamp};

use crate::buffer::Buffer;
use crate::error::{Damage, Part, PcapError};
use crate::order::ByteOrder;
use crate::{MAX_PACKET_BYTES, USUAL_MAX_PACKET_BYTES};

pub(crate) const FILE_HEADER_BYTES: usize = 24;

/// Above the link type's 26 bits are how many bytes of frame check sequence each frame has; they go through as a trailer.
const LINK_TYPE_BITS: u32 = 0x03ff_ffff;

#[derive(Clone, Copy)]
pub(crate) struct Magic {
    order: ByteOrder,
    nanos_per_unit: i64,
    record_header_bytes: usize,
}

/// Which of the record header's two lengths is which.
#[derive(Clone, Copy)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// Written both ways under one version; the captured length is the smaller one.
    SmallerIsCaptured,
}

pub(crate) struct Classic {
    magic: Magic,
    lengths: Lengths,
    link: LinkType,
    /// Above it a captured length means that what is read is no record header.
    limit: u32,
}

pub(crate) fn magic(first: &[u8]) -> Option<Magic> {
    let number = *first.first_chunk()?;
    for (order, number) in
        [(ByteOrder::Little, u32::from_le_bytes(number)), (ByteOrder::Big, u32::from_be_bytes(number))]
    {
        let (nanos_per_unit, record_header_bytes) = match number {
            0xa1b2_c3d4 => (1_000, 16),
            0xa1b2_3c4d => (1, 16),
            // Alexey Kuznetzov's patched libpcap: interface index, protocol and packet type follow the usual four fields.
            0xa1b2_cd34 => (1_000, 24),
            _ => continue,
        };
        return Some(Magic { order, nanos_per_unit, record_header_bytes });
    }
    None
}

impl Classic {
    /// Takes the file header's [`FILE_HEADER_BYTES`].
    pub(crate) fn new(magic: Magic, header: &[u8]) -> Result<Self, PcapError> {
        let order = magic.order;
        // The same versions, with the same order of lengths, as libpcap's sf-pcap.c.
        let lengths = match (order.u16(header, 4), order.u16(header, 6)) {
            (2, 0..=2) | (543, 0) => Lengths::WireFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            (2, 4) => Lengths::CapturedFirst,
            (major, minor) => {
                return Err(PcapError::UnsupportedVersion { offset: 4, format: "pcap", major, minor });
            }
        };
        let limit = match order.u32(header, 16) {
            snaplen if snaplen > i32::MAX as u32 => USUAL_MAX_PACKET_BYTES,
            snaplen => snaplen.clamp(USUAL_MAX_PACKET_BYTES, MAX_PACKET_BYTES),
        };
        Ok(Self { magic, lengths, link: LinkType(order.u32(header, 20) & LINK_TYPE_BITS), limit })
    }

    #[inline]
    pub(crate) fn next<'b, R: Read>(
        &self,
        buffer: &'b mut Buffer<R>,
    ) -> Result<Option<Packet<'b>>, PcapError> {
        let Magic { order, nanos_per_unit, record_header_bytes } = self.magic;
        let have = require(buffer, record_header_bytes)?;
        if have < record_header_bytes {
            return if have == 0 { Ok(None) } else { Err(truncated(buffer, Part::RecordHeader)) };
        }
        let header = buffer.unread();
        let seconds = i64::from(order.u32(header, 0));
        // Some writers put a million microseconds or more here; they count all the same.
        let nanos = seconds * 1_000_000_000 + i64::from(order.u32(header, 4)) * nanos_per_unit;
        let (first, second) = (order.u32(header, 8), order.u32(header, 12));
        let (captured, wire) = match self.lengths {
            Lengths::WireFirst => (second, first),
            Lengths::SmallerIsCaptured if first > second => (second, first),
            Lengths::CapturedFirst | Lengths::SmallerIsCaptured => (first, second),
        };
        if captured > self.limit {
            let damage = Damage::PacketLength { bytes: captured, limit: self.limit };
            return Err(PcapError::Corrupt { offset: buffer.offset(), damage });
        }
        let record = record_header_bytes + captured as usize;
        if require(buffer, record)? < record {
            return Err(truncated(buffer, Part::RecordData));
        }
        Ok(Some(Packet {
            timestamp: Timestamp::from_nanos(nanos),
            link: self.link,
            interface: 0,
            length: wire.max(captured),
            data: &buffer.take(record)[record_header_bytes..],
        }))
    }
}

#[inline]
pub(crate) fn require<R: Read>(buffer: &mut Buffer<R>, count: usize) -> Result<usize, PcapError> {
    buffer.require(count).map_err(|error| read_error(buffer, error))
}

#[cold]
fn read_error<R: Read>(buffer: &Buffer<R>, error: std::io::Error) -> PcapError {
    let offset = buffer.offset();
    PcapError::from_read(error, offset, offset + buffer.unread().len() as u64)
}

#[cold]
pub(crate) fn truncated<R: Read>(buffer: &Buffer<R>, part: Part) -> PcapError {
    let offset = buffer.offset();
    PcapError::Truncated { offset, end: offset + buffer.unread().len() as u64, part }
}
