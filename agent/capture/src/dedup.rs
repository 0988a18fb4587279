//! Tells whether a packet was seen already on another interface of the node: on a pod's veth and the bridge behind it, on
//! a bond and its member.
//!
//! A packet is known by what the way through the node does not change: from the network header on, without the hop limit,
//! traffic class and checksums. What comes a second time by the same interface in the same direction is no copy but a
//! retransmission or a twin, and stays. The first sight is the one kept: it is in order of time already, and on the way
//! out it is the one closest to the process.
//!
//! The hash is keyed at random, so that nobody can make a packet that hides another. The table has a fixed size; what it
//! forgets early is counted.

use std::hash::BuildHasher;

use capture_common::Direction;
use foldhash::quality::RandomState;
use remora_packet::LinkType;

use crate::link;

/// Packets remembered. Copies follow within a millisecond mostly, in which even a million packets per second leave room.
pub const DEDUP_ENTRIES: usize = 1 << 14;
const WAYS: usize = 4;
/// Nanoseconds are counted in units of 2^16 (66 µs), which fit 32 bits for three days.
const TIME_SHIFT: u32 = 16;
/// Bytes from the network header on that make up a packet's identity: all headers and what comes after them first.
const IDENTITY: usize = 128;

#[derive(Clone, Copy)]
struct Sight {
    identity: u64,
    time: u32,
    /// Interface and direction.
    place: u32,
}

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Set([Sight; WAYS]);

pub(crate) struct Dedup {
    sets: Box<[Set]>,
    hasher: RandomState,
    window: u32,
    forgotten: u64,
}

impl Dedup {
    /// `window`: nanoseconds between the first sight and the last copy.
    pub(crate) fn new(window: u64) -> Self {
        let never = Sight { identity: 0, time: 0, place: 0 };
        let sets = vec![Set([never; WAYS]); DEDUP_ENTRIES / WAYS].into_boxed_slice();
        let window = u32::try_from(window >> TIME_SHIFT).unwrap_or(u32::MAX);
        Self { sets, hasher: RandomState::default(), window, forgotten: 0 }
    }

    /// Sights forgotten before their window was over, to make room: copies of these may have been delivered.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether the frame is a copy of one seen elsewhere at most a window before `time`.
    pub(crate) fn is_copy(
        &mut self,
        link: LinkType,
        frame: &[u8],
        interface: u32,
        direction: Direction,
        time: u64,
    ) -> bool {
        let identity = self.identity(link, frame);
        let place = interface << 1 | direction as u32;
        let time = (time >> TIME_SHIFT) as u32;
        let Set(set) = &mut self.sets[identity as usize % (DEDUP_ENTRIES / WAYS)];
        // A little older than now is also what comes a little too late.
        let age = |sight: &Sight| time.wrapping_sub(sight.time).min(sight.time.wrapping_sub(time));
        if let Some(sight) =
            set.iter_mut().find(|sight| sight.identity == identity && age(sight) <= self.window)
        {
            if sight.place == place {
                sight.time = time;
            }
            return sight.place != place;
        }
        let mut oldest = 0;
        for way in 1..WAYS {
            if age(&set[way]) > age(&set[oldest]) {
                oldest = way;
            }
        }
        self.forgotten += u64::from(set[oldest].identity != 0 && age(&set[oldest]) <= self.window);
        set[oldest] = Sight { identity, time, place };
        false
    }

    fn identity(&self, link: LinkType, frame: &[u8]) -> u64 {
        let Some(network) = link::network_header(link, frame) else {
            return self.hasher.hash_one((frame.len(), &frame[..frame.len().min(IDENTITY)]));
        };
        let packet = &frame[network..];
        let mut known = [0; IDENTITY];
        let length = stated_length(packet).map_or(packet.len(), |stated| stated.min(packet.len()));
        let kept = length.min(IDENTITY);
        known[..kept].copy_from_slice(&packet[..kept]);
        forget_what_changes(&mut known, kept);
        self.hasher.hash_one((length, known))
    }
}

/// Bytes of an IP packet by its own account: a short Ethernet frame is padded on some interfaces only. `None` where it has
/// no say, being longer than 16 bits can tell (BIG TCP).
fn stated_length(packet: &[u8]) -> Option<usize> {
    let field =
        |at: usize| packet.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_be_bytes(*bytes)));
    let length = match packet.first()? >> 4 {
        4 => field(2)?,
        6 => match field(4)? {
            0 => 0,
            payload => 40 + payload,
        },
        _ => 0,
    };
    (length > 0).then_some(length)
}

/// Clears what routers and network cards change on the way.
fn forget_what_changes(packet: &mut [u8; IDENTITY], length: usize) {
    const TCP: u8 = 6;
    const UDP: u8 = 17;
    let (protocol, transport) = match packet[0] >> 4 {
        4 if length >= 20 => {
            packet[1] = 0;
            packet[8] = 0;
            packet[10..12].fill(0);
            let fragmented_tail = u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff != 0;
            let header = usize::from(packet[0] & 0xf) * 4;
            (if fragmented_tail { 0 } else { packet[9] }, header)
        }
        6 if length >= 40 => {
            packet[0] = 0x60;
            packet[1] &= 0x0f;
            packet[7] = 0;
            (packet[6], 40)
        }
        _ => return,
    };
    // Checksums are left to the network card on some interfaces and filled in on others.
    let checksum = match protocol {
        TCP => transport + 16,
        UDP => transport + 6,
        _ => return,
    };
    if let Some(checksum) = packet.get_mut(checksum..checksum + 2) {
        checksum.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const WINDOW: u64 = SECOND / 20;

    fn ethernet(network: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([8, 0]);
        frame.extend(network);
        frame
    }

    /// IPv4 with `payload` over TCP.
    fn tcp(identification: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let length = (40 + payload.len()) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend(identification.to_be_bytes());
        packet.extend([0x40, 0, 64, 6, 0xaa, 0xbb, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 80]);
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0x50, 0x18, 1, 0, 0x12, 0x34, 0, 0]);
        packet.extend(payload);
        packet
    }

    fn sees(dedup: &mut Dedup, frame: &[u8], interface: u32, direction: Direction, time: u64) -> bool {
        dedup.is_copy(LinkType::ETHERNET, frame, interface, direction, time)
    }

    #[test]
    fn the_second_interface_shows_a_copy() {
        let mut dedup = Dedup::new(WINDOW);
        let frame = ethernet(&tcp(1, 1, b"GET / HTTP/1.1"));
        assert!(!sees(&mut dedup, &frame, 3, Direction::Ingress, SECOND));
        assert!(sees(&mut dedup, &frame, 4, Direction::Egress, SECOND + 1));
        assert!(sees(&mut dedup, &frame, 5, Direction::Egress, SECOND + 2));
        assert!(
            sees(&mut dedup, &frame, 3, Direction::Egress, SECOND + 3),
            "the other direction is elsewhere too"
        );
    }

    #[test]
    fn routing_and_offload_do_not_make_a_new_packet() {
        let mut dedup = Dedup::new(WINDOW);
        let first = tcp(1, 1, b"GET / HTTP/1.1");
        let mut routed = first.clone();
        routed[1] = 0x10;
        routed[8] -= 1;
        routed[10..12].copy_from_slice(&[1, 2]);
        routed[36..38].copy_from_slice(&[3, 4]);
        assert!(!sees(&mut dedup, &ethernet(&first), 3, Direction::Ingress, SECOND));
        let mut frame = ethernet(&routed);
        frame[..12].fill(7);
        frame.extend([0; 6]);
        assert!(sees(&mut dedup, &frame, 4, Direction::Egress, SECOND));
        assert!(
            dedup.is_copy(LinkType::RAW, &routed, 5, Direction::Egress, SECOND),
            "no link header on a tunnel"
        );
    }

    #[test]
    fn a_retransmission_is_no_copy() {
        let mut dedup = Dedup::new(WINDOW);
        let frame = ethernet(&tcp(1, 1, b"data"));
        for sight in 0..5 {
            assert!(!sees(&mut dedup, &frame, 3, Direction::Ingress, SECOND + sight));
        }
        assert!(sees(&mut dedup, &frame, 4, Direction::Egress, SECOND + 9));
    }

    #[test]
    fn another_packet_is_no_copy() {
        let mut dedup = Dedup::new(WINDOW);
        assert!(!sees(&mut dedup, &ethernet(&tcp(1, 1, b"data")), 3, Direction::Ingress, SECOND));
        assert!(!sees(&mut dedup, &ethernet(&tcp(1, 5, b"data")), 4, Direction::Ingress, SECOND));
        assert!(!sees(&mut dedup, &ethernet(&tcp(2, 1, b"data")), 4, Direction::Ingress, SECOND));
        assert!(!sees(&mut dedup, &ethernet(&tcp(1, 1, b"date")), 4, Direction::Ingress, SECOND));
    }

    #[test]
    fn after_the_window_nothing_is_a_copy() {
        let mut dedup = Dedup::new(WINDOW);
        let frame = ethernet(&tcp(1, 1, b"data"));
        assert!(!sees(&mut dedup, &frame, 3, Direction::Ingress, SECOND));
        assert!(!sees(&mut dedup, &frame, 4, Direction::Ingress, SECOND + WINDOW + (2 << TIME_SHIFT)));
    }

    #[test]
    fn the_table_keeps_its_size_and_counts_what_it_forgets() {
        let mut dedup = Dedup::new(WINDOW);
        for sequence in 0..4 * DEDUP_ENTRIES as u32 {
            let frame = ethernet(&tcp(1, sequence, b""));
            assert!(!sees(&mut dedup, &frame, 3, Direction::Ingress, SECOND + u64::from(sequence)));
        }
        assert!(dedup.forgotten() > 0);
    }

    #[test]
    fn any_bytes_have_an_identity() {
        let mut dedup = Dedup::new(WINDOW);
        let packet = tcp(1, 1, &[b'x'; 200]);
        for length in 0..packet.len() {
            for link in [LinkType::ETHERNET, LinkType::RAW] {
                dedup.is_copy(link, &packet[..length], 3, Direction::Ingress, SECOND);
            }
        }
        let mut options = tcp(1, 1, &[b'x'; 200]);
        options[0] = 0x4f;
        dedup.is_copy(LinkType::RAW, &options, 3, Direction::Ingress, SECOND);
    }
}
