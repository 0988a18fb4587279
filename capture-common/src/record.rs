/// Which way a packet passed the interface, seen from the node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Direction {
    Ingress = 0,
    Egress = 1,
}

/// What stands before the bytes of a packet in a ring buffer record; the rest of the record is the packet.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordHeader {
    /// Nanoseconds of `CLOCK_BOOTTIME` when the program saw the packet.
    pub time: u64,
    /// The kernel's index of the interface.
    pub interface: u32,
    /// Bytes the packet has, a VLAN tag the network card took out included; the record may hold fewer.
    pub length: u32,
    /// `PACKET_HOST` (0), `PACKET_BROADCAST` (1) ... as in `linux/if_packet.h`.
    pub packet_type: u32,
    /// A [`Direction`] as a number.
    pub direction: u32,
}

impl RecordHeader {
    pub const SIZE: usize = size_of::<Self>();

    /// Splits a record into its header and the packet's bytes; `None` where it is shorter than a header.
    pub fn split(record: &[u8]) -> Option<(Self, &[u8])> {
        let (header, packet) = record.split_first_chunk::<{ Self::SIZE }>()?;
        let word =
            |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (time, _) = header.split_first_chunk::<8>()?;
        let header = Self {
            time: u64::from_ne_bytes(*time),
            interface: word(8),
            length: word(12),
            packet_type: word(16),
            direction: word(20),
        };
        Some((header, packet))
    }

    /// Only the time of a record: what the merge of several rings needs of each.
    pub fn time_of(record: &[u8]) -> Option<u64> {
        record.first_chunk::<8>().map(|time| u64::from_ne_bytes(*time))
    }

    pub fn direction(&self) -> Direction {
        if self.direction == Direction::Egress as u32 { Direction::Egress } else { Direction::Ingress }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_splits_at_the_header() {
        let mut record = [0; RecordHeader::SIZE + 3];
        record[..8].copy_from_slice(&7u64.to_ne_bytes());
        record[8..12].copy_from_slice(&3u32.to_ne_bytes());
        record[12..16].copy_from_slice(&1500u32.to_ne_bytes());
        record[16..20].copy_from_slice(&4u32.to_ne_bytes());
        record[20..24].copy_from_slice(&1u32.to_ne_bytes());
        record[24..].copy_from_slice(b"abc");
        let (header, packet) = RecordHeader::split(&record).unwrap();
        assert_eq!(
            header,
            RecordHeader { time: 7, interface: 3, length: 1500, packet_type: 4, direction: 1 }
        );
        assert_eq!(header.direction(), Direction::Egress);
        assert_eq!(packet, b"abc");
        assert_eq!(RecordHeader::time_of(&record), Some(7));
    }

    #[test]
    fn a_record_shorter_than_its_header_is_none() {
        assert!(RecordHeader::split(&[0; RecordHeader::SIZE - 1]).is_none());
        assert!(RecordHeader::time_of(&[0; 7]).is_none());
    }
}
