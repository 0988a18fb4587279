//! Datagrams put together from IP fragments, in whatever order they come.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::{Counters, Limits};

/// What the fragments of one datagram share: RFC 791 section 3.2, RFC 8200 section 4.5.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FragmentKey {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub id: u32,
    pub protocol: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment<'p> {
    pub key: FragmentKey,
    /// What the datagram carries; of IPv6 fragments, the first one's word counts.
    pub protocol: u8,
    /// Where the bytes belong in the datagram's payload.
    pub offset: usize,
    /// Whether another fragment follows.
    pub more: bool,
    pub data: &'p [u8],
    /// The capture did not keep all of its bytes.
    pub cut: bool,
    pub(super) depth_left: u8,
}

/// A datagram's payload, complete.
#[derive(Debug)]
pub struct Whole {
    pub key: FragmentKey,
    pub protocol: u8,
    pub payload: Vec<u8>,
    pub(super) depth_left: u8,
}

/// The longest payload an IP length field can express.
const LONGEST_DATAGRAM: usize = 65_535;

/// Bytes of heap a piece costs beside its data: its entry and the allocator's own.
const PIECE_OVERHEAD: usize = size_of::<Piece>() + 16;
const DATAGRAM_OVERHEAD: usize = 256;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

struct Piece {
    offset: usize,
    data: Box<[u8]>,
}

impl Piece {
    fn end(&self) -> usize {
        self.offset + self.data.len()
    }
}

struct Datagram {
    /// Place in the order of arrival.
    number: u64,
    begun: u64,
    protocol: Option<u8>,
    /// Known once the fragment without a successor has come.
    length: Option<usize>,
    /// Sorted, without overlap.
    pieces: Vec<Piece>,
    /// Bytes in all pieces.
    received: usize,
    fragments: u64,
    memory: usize,
}

/// Datagrams that wait for the rest of their fragments.
#[derive(Default)]
pub struct Fragments {
    datagrams: HashMap<FragmentKey, Datagram>,
    /// The same by age.
    by_age: BTreeMap<u64, FragmentKey>,
    next_number: u64,
    memory: usize,
}

impl Fragments {
    /// Bytes of heap held.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Takes a fragment in; gives the datagram when it was the last one missing. `now` is in nanoseconds on a clock
    /// that does not run backwards.
    pub fn insert(
        &mut self,
        fragment: &Fragment<'_>,
        now: u64,
        limits: &Limits,
        counters: &mut Counters,
    ) -> Option<Whole> {
        counters.fragments += 1;
        let end = fragment.offset + fragment.data.len();
        // All but the last are multiples of 8 octets, RFC 791 section 3.2.
        let misaligned = fragment.more && !fragment.data.len().is_multiple_of(8);
        if fragment.cut || fragment.data.is_empty() || misaligned || end > LONGEST_DATAGRAM {
            counters.dropped_fragments += 1;
            return None;
        }
        let datagram = self.datagrams.entry(fragment.key).or_insert_with(|| {
            self.next_number += 1;
            self.by_age.insert(self.next_number, fragment.key);
            self.memory += DATAGRAM_OVERHEAD;
            Datagram {
                number: self.next_number,
                begun: now,
                protocol: None,
                length: None,
                pieces: Vec::new(),
                received: 0,
                fragments: 0,
                memory: DATAGRAM_OVERHEAD,
            }
        });
        datagram.fragments += 1;
        let (before, accepted) = (datagram.memory, datagram.add(fragment));
        self.memory += datagram.memory - before;
        if !accepted {
            counters.dropped_fragments += 1;
        }
        if datagram.complete() {
            let datagram = self.remove(&fragment.key)?;
            return Some(Whole {
                key: fragment.key,
                protocol: datagram.protocol.unwrap_or(fragment.protocol),
                payload: datagram.join(),
                depth_left: fragment.depth_left,
            });
        }
        while self.memory > limits.fragment_bytes && self.drop_oldest(counters) {}
        None
    }

    /// A datagram began later than was said, after all others.
    pub(crate) fn delay(&mut self, key: &FragmentKey, late: u64) {
        if let Some(datagram) = self.datagrams.get_mut(key).filter(|datagram| datagram.fragments == 1) {
            datagram.begun += late;
        }
    }

    /// Drops the datagrams that have waited too long.
    pub fn expire(&mut self, now: u64, limits: &Limits, counters: &mut Counters) {
        let patience = u64::from(limits.fragment_seconds) * NANOS_PER_SECOND;
        while let Some((_, key)) = self.by_age.first_key_value() {
            let waiting = self.datagrams.get(key).is_some_and(|datagram| now < datagram.begun + patience);
            if waiting || !self.drop_oldest(counters) {
                break;
            }
        }
    }

    /// Drops what is left when no more can come.
    pub fn clear(&mut self, counters: &mut Counters) {
        while self.drop_oldest(counters) {}
    }

    fn drop_oldest(&mut self, counters: &mut Counters) -> bool {
        let Some((_, key)) = self.by_age.first_key_value().map(|(number, key)| (*number, *key)) else {
            return false;
        };
        if let Some(datagram) = self.remove(&key) {
            counters.dropped_fragments += datagram.fragments;
        }
        true
    }

    fn remove(&mut self, key: &FragmentKey) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.by_age.remove(&datagram.number);
        self.memory -= datagram.memory;
        Some(datagram)
    }
}

impl Datagram {
    /// The pieces of a whole one in a row.
    fn join(&self) -> Vec<u8> {
        let mut joined = Vec::with_capacity(self.length.unwrap_or(0));
        self.pieces.iter().for_each(|piece| joined.extend_from_slice(&piece.data));
        joined
    }

    /// Keeps what is new of a fragment; false where it contradicts what came before, which then stands.
    fn add(&mut self, fragment: &Fragment<'_>) -> bool {
        let end = fragment.offset + fragment.data.len();
        let covered = self.pieces.last().map_or(0, Piece::end);
        if !fragment.more {
            if self.length.is_some_and(|length| length != end) || covered > end {
                return false;
            }
            self.length = Some(end);
        } else if self.length.is_some_and(|length| end > length) {
            return false;
        }
        if fragment.offset == 0 && self.protocol.is_none() {
            self.protocol = Some(fragment.protocol);
        }

        let mut agrees = true;
        let mut at = fragment.offset;
        let mut index = self.pieces.partition_point(|piece| piece.end() <= at);
        while at < end {
            let upto = match self.pieces.get(index) {
                Some(piece) if piece.offset <= at => {
                    let shared = piece.end().min(end);
                    let old = piece.data.get(at - piece.offset..shared - piece.offset);
                    agrees &= old == fragment.data.get(at - fragment.offset..shared - fragment.offset);
                    at = shared;
                    index += 1;
                    continue;
                }
                Some(piece) => piece.offset.min(end),
                None => end,
            };
            let data: Box<[u8]> = fragment.data[at - fragment.offset..upto - fragment.offset].into();
            self.received += data.len();
            self.memory += data.len() + PIECE_OVERHEAD;
            self.pieces.insert(index, Piece { offset: at, data });
            index += 1;
            at = upto;
        }
        agrees
    }

    /// Pieces neither overlap nor reach past the length, so their sum tells.
    fn complete(&self) -> bool {
        self.length == Some(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(id: u32, offset: usize, more: bool, data: &[u8]) -> Fragment<'_> {
        let address = IpAddr::from([192, 0, 2, 1]);
        let key = FragmentKey { source: address, destination: address, id, protocol: 17 };
        Fragment { key, protocol: 17, offset, more, data, cut: false, depth_left: 8 }
    }

    struct Case {
        fragments: Fragments,
        limits: Limits,
        counters: Counters,
    }

    impl Case {
        fn new() -> Self {
            Self { fragments: Fragments::default(), limits: Limits::default(), counters: Counters::default() }
        }

        fn insert(&mut self, fragment: Fragment<'_>, now: u64) -> Option<Vec<u8>> {
            let whole = self.fragments.insert(&fragment, now, &self.limits, &mut self.counters);
            whole.map(|whole| whole.payload)
        }
    }

    #[test]
    fn any_order_and_duplicates_make_the_datagram() {
        let mut case = Case::new();
        assert_eq!(case.insert(fragment(1, 16, false, b"tail"), 0), None);
        assert_eq!(case.insert(fragment(1, 8, true, b"89abcdef"), 0), None);
        assert_eq!(case.insert(fragment(1, 8, true, b"89abcdef"), 0), None);
        assert_eq!(case.insert(fragment(2, 0, true, b"xxxxxxxx"), 0), None);
        assert_eq!(case.insert(fragment(1, 0, true, b"01234567"), 0), Some(b"0123456789abcdeftail".to_vec()));
        assert_eq!(case.counters.dropped_fragments, 0);
        case.fragments.clear(&mut case.counters);
        assert_eq!((case.counters.dropped_fragments, case.fragments.memory()), (1, 0));
    }

    #[test]
    fn the_first_bytes_win_and_a_contradiction_is_counted() {
        let mut case = Case::new();
        assert_eq!(case.insert(fragment(1, 8, true, b"AAAAAAAA"), 0), None);
        assert_eq!(case.insert(fragment(1, 0, true, b"bbbbbbbbbbbbbbbbbbbbbbbb"), 0), None);
        assert_eq!(case.counters.dropped_fragments, 1);
        assert_eq!(case.insert(fragment(1, 24, false, b"c"), 0), Some(b"bbbbbbbbAAAAAAAAbbbbbbbbc".to_vec()));
    }

    #[test]
    fn impossible_fragments_are_dropped() {
        let mut case = Case::new();
        assert_eq!(case.insert(fragment(1, 65_528, false, b"0123456789"), 0), None);
        assert_eq!(case.insert(fragment(1, 0, true, b"123"), 0), None);
        assert_eq!(case.insert(fragment(1, 0, true, b""), 0), None);
        assert_eq!(case.insert(Fragment { cut: true, ..fragment(1, 0, true, b"12345678") }, 0), None);
        assert_eq!((case.counters.dropped_fragments, case.fragments.memory()), (4, 0));
    }

    #[test]
    fn an_end_before_known_bytes_is_no_end() {
        let mut case = Case::new();
        assert_eq!(case.insert(fragment(1, 8, true, b"89abcdef"), 0), None);
        assert_eq!(case.insert(fragment(1, 0, false, b"01234567"), 0), None);
        assert_eq!(case.counters.dropped_fragments, 1);
    }

    #[test]
    fn the_cap_drops_the_oldest_and_the_deadline_the_late() {
        let mut case = Case::new();
        case.limits.fragment_bytes = 4_096;
        for id in 0..1_000 {
            assert_eq!(case.insert(fragment(id, 0, true, &[7; 64]), u64::from(id)), None);
            assert!(case.fragments.memory() <= 4_096);
        }
        let kept = 1_000 - case.counters.dropped_fragments;
        assert!(kept > 0 && kept < 64);
        case.fragments.expire(30 * NANOS_PER_SECOND, &case.limits, &mut case.counters);
        assert_eq!(case.counters.dropped_fragments, 1_000 - kept);
        case.fragments.expire(31 * NANOS_PER_SECOND, &case.limits, &mut case.counters);
        assert_eq!((case.counters.dropped_fragments, case.fragments.memory()), (1_000, 0));
    }
}
