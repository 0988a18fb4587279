//! Makes a capture worse, the same way each time: what a dissector may not be led astray by. Or larger, for measuring.
//!
//! Used by the tests that hold the items of a damaged capture against those of the intact one, and by
//! `cargo xtask vary`, which writes such captures for a closer look.
#![forbid(unsafe_code)]

mod copies;
mod pieces;
mod random;

use std::fmt;

pub use copies::multiply;
pub use pieces::in_pieces;
use random::Random;
use remora_packet::{LinkType, Packet, Timestamp};

/// A packet with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedPacket {
    pub timestamp: Timestamp,
    pub link: LinkType,
    pub interface: u32,
    /// On the wire.
    pub length: u32,
    pub data: Vec<u8>,
}

impl From<&Packet<'_>> for OwnedPacket {
    fn from(packet: &Packet<'_>) -> Self {
        Self {
            timestamp: packet.timestamp,
            link: packet.link,
            interface: packet.interface,
            length: packet.length,
            data: packet.data.to_vec(),
        }
    }
}

impl OwnedPacket {
    pub fn as_packet(&self) -> Packet<'_> {
        Packet {
            timestamp: self.timestamp,
            link: self.link,
            interface: self.interface,
            length: self.length,
            data: &self.data,
        }
    }
}

/// Of a hundred packets, how many are lost, moved or repeated.
const PER_CENT: u64 = 10;

/// By how many places a packet is moved at most.
const FARTHEST: u64 = 6;

/// Of a hundred packets, with how many a burst of losses begins, and how long it is at most.
const BURST_PER_CENT: u64 = 3;
const LONGEST_BURST: u64 = 21;

/// Bytes kept of each packet, as `tcpdump -s 96`.
const SNAPLEN: usize = 96;

/// A way to make a capture worse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// One packet in ten was not captured.
    Loss,
    /// One packet in ten comes up to six places later. Timestamps stay in the order of the file.
    Reorder,
    /// One packet in ten comes twice.
    Duplicates,
    /// Of each packet the first 96 bytes were kept.
    Snaplen,
    /// The first third was not captured.
    Midstream,
    /// Begins in the middle, and packets are lost, moved and repeated.
    All,
    /// So many packets in a hundred were not captured.
    LossOf(u8),
    /// Of so many packets in a row one was not captured, always the same one: which is the seed's choice.
    Every(u8),
    /// One packet in thirty was not captured, nor up to twenty that followed it.
    Bursts,
}

impl Variant {
    pub const EACH: [Self; 6] =
        [Self::Loss, Self::Reorder, Self::Duplicates, Self::Snaplen, Self::Midstream, Self::All];

    /// Worse than what a capture that is of any use may be.
    pub const HEAVY: [Self; 11] = [
        Self::LossOf(20),
        Self::LossOf(30),
        Self::LossOf(50),
        Self::Every(2),
        Self::Every(3),
        Self::Every(4),
        Self::Every(5),
        Self::Every(6),
        Self::Every(7),
        Self::Every(8),
        Self::Bursts,
    ];

    /// How many variants there are, where it does not depend on chance.
    pub const fn choices(self) -> Option<u64> {
        match self {
            Self::Snaplen | Self::Midstream => Some(1),
            Self::Every(n) => Some(n as u64),
            _ => None,
        }
    }

    /// Whether each packet has the time it had.
    pub const fn keeps_times(self) -> bool {
        !matches!(self, Self::Reorder | Self::All)
    }

    /// The variant of a capture that `seed` picks; the same seed gives the same one.
    pub fn apply(self, packets: &[OwnedPacket], seed: u64) -> Vec<OwnedPacket> {
        let mut random = Random::new(seed);
        let packets = packets.to_vec();
        match self {
            Self::Loss => lose(packets, PER_CENT, &mut random),
            Self::Reorder => reorder(packets, &mut random),
            Self::Duplicates => repeat(packets, &mut random),
            Self::Snaplen => cut(packets),
            Self::Midstream => join_late(packets),
            Self::All => {
                let packets = lose(join_late(packets), PER_CENT, &mut random);
                repeat(reorder(packets, &mut random), &mut random)
            }
            Self::LossOf(per_cent) => lose(packets, per_cent.into(), &mut random),
            Self::Every(n) => lose_every(packets, n.max(1).into(), seed),
            Self::Bursts => lose_bursts(packets, &mut random),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loss => "loss",
            Self::Reorder => "reorder",
            Self::Duplicates => "duplicates",
            Self::Snaplen => "snaplen",
            Self::Midstream => "midstream",
            Self::All => "all",
            Self::LossOf(per_cent) => return write!(f, "loss-{per_cent}"),
            Self::Every(n) => return write!(f, "every-{n}"),
            Self::Bursts => "bursts",
        })
    }
}

fn lose(mut packets: Vec<OwnedPacket>, per_cent: u64, random: &mut Random) -> Vec<OwnedPacket> {
    packets.retain(|_| !random.chance(per_cent));
    packets
}

fn lose_every(packets: Vec<OwnedPacket>, n: u64, which: u64) -> Vec<OwnedPacket> {
    (0..n).cycle().zip(packets).filter(|(at, _)| *at != which % n).map(|(_, packet)| packet).collect()
}

fn lose_bursts(mut packets: Vec<OwnedPacket>, random: &mut Random) -> Vec<OwnedPacket> {
    let mut left = 0;
    packets.retain(|_| {
        if left == 0 && random.chance(BURST_PER_CENT) {
            left = 1 + random.below(LONGEST_BURST);
        }
        let lost = left > 0;
        left = left.saturating_sub(1);
        !lost
    });
    packets
}

fn reorder(mut packets: Vec<OwnedPacket>, random: &mut Random) -> Vec<OwnedPacket> {
    let times: Vec<Timestamp> = packets.iter().map(|packet| packet.timestamp).collect();
    let mut at = 0;
    while at < packets.len() {
        if random.chance(PER_CENT) {
            let distance = 1 + random.below(FARTHEST) as usize;
            let to = (at + distance).min(packets.len() - 1);
            packets[at..=to].rotate_left(1);
            // What moved up has not been looked at; the moved one is not moved again.
        }
        at += 1;
    }
    packets.iter_mut().zip(times).for_each(|(packet, time)| packet.timestamp = time);
    packets
}

fn repeat(packets: Vec<OwnedPacket>, random: &mut Random) -> Vec<OwnedPacket> {
    let mut twice = Vec::with_capacity(packets.len() + packets.len() / 5);
    for packet in packets {
        if random.chance(PER_CENT) {
            twice.push(packet.clone());
        }
        twice.push(packet);
    }
    twice
}

fn cut(mut packets: Vec<OwnedPacket>) -> Vec<OwnedPacket> {
    packets.iter_mut().for_each(|packet| packet.data.truncate(SNAPLEN));
    packets
}

fn join_late(packets: Vec<OwnedPacket>) -> Vec<OwnedPacket> {
    let first = packets.len() / 3;
    packets.into_iter().skip(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture() -> Vec<OwnedPacket> {
        (0..1_000)
            .map(|number| OwnedPacket {
                timestamp: Timestamp::from_nanos(number),
                link: LinkType::RAW,
                interface: 0,
                length: 200,
                data: (number as u32).to_be_bytes().repeat(50),
            })
            .collect()
    }

    fn numbers(packets: &[OwnedPacket]) -> Vec<u32> {
        packets
            .iter()
            .map(|packet| {
                u32::from_be_bytes([packet.data[0], packet.data[1], packet.data[2], packet.data[3]])
            })
            .collect()
    }

    #[test]
    fn each_variant_is_what_it_says() {
        let capture = capture();
        let lost = Variant::Loss.apply(&capture, 1);
        assert!((850..950).contains(&lost.len()), "{}", lost.len());
        assert!(numbers(&lost).is_sorted());

        let moved = Variant::Reorder.apply(&capture, 1);
        let mut order = numbers(&moved);
        let displaced = order.iter().enumerate().filter(|(at, number)| *at != **number as usize).count();
        assert!((150..900).contains(&displaced), "{displaced}");
        assert!(moved.is_sorted_by_key(|packet| packet.timestamp));
        order.sort_unstable();
        assert_eq!(order, numbers(&capture));

        let twice = Variant::Duplicates.apply(&capture, 1);
        assert!((1_050..1_150).contains(&twice.len()), "{}", twice.len());

        let cut = Variant::Snaplen.apply(&capture, 1);
        assert!(cut.iter().all(|packet| packet.data.len() == 96 && packet.length == 200));
        assert_eq!(numbers(&Variant::Midstream.apply(&capture, 1)).first(), Some(&333));
        assert!(Variant::All.apply(&capture, 1).len() < 750);

        let half = Variant::LossOf(50).apply(&capture, 1).len();
        assert!((450..550).contains(&half), "{half}");
        let thinned = numbers(&Variant::Every(4).apply(&capture, 6));
        assert!(thinned.len() == 750 && thinned.iter().all(|number| number % 4 != 2));
        let bursts = numbers(&Variant::Bursts.apply(&capture, 1));
        let longest = bursts.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!((600..900).contains(&bursts.len()) && longest > Some(10), "{} {longest:?}", bursts.len());
    }

    #[test]
    fn a_seed_gives_the_same_again_and_another_something_else() {
        let capture = capture();
        let random = [Variant::Loss, Variant::Reorder, Variant::Duplicates, Variant::All, Variant::Bursts];
        for variant in random.into_iter().chain([Variant::LossOf(30), Variant::Every(3)]) {
            assert_eq!(variant.apply(&capture, 7), variant.apply(&capture, 7), "{variant}");
            assert_ne!(variant.apply(&capture, 7), variant.apply(&capture, 8), "{variant}");
        }
        let all = Variant::EACH.iter().chain(&Variant::HEAVY);
        assert!(all.into_iter().all(|variant| variant.apply(&[], 1).is_empty()));
    }
}
