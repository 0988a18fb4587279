//! The rings of all CPUs as one sequence in order of time.
//!
//! A flow's packets pass different CPUs: a request is received on one and answered on another. Each ring is in order;
//! the earliest of their heads is the earliest of all, provided no CPU is still copying an earlier one. That is what the
//! reorder window is for: what is younger waits for the next round.

use std::{cmp::Reverse, collections::BinaryHeap};

use capture_common::RecordHeader;

use crate::ring::Ring;

pub(crate) struct Merge {
    rings: Vec<Ring>,
    /// The time of each ring's head, earliest first; only used within a drain, kept for its memory.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Merge {
    pub(crate) fn new(rings: Vec<Ring>) -> Self {
        let heads = BinaryHeap::with_capacity(rings.len());
        Self { rings, heads }
    }

    /// The time of the earliest record there is; where a ring has none, its next one wakes the reader.
    pub(crate) fn oldest(&mut self) -> Option<u64> {
        self.rings.iter_mut().filter_map(|ring| ring.peek_or_arm().map(time_of)).min()
    }

    /// Whether a ring is so full that waiting for more would risk losing it.
    pub(crate) fn pressed(&self) -> bool {
        self.rings.iter().any(|ring| ring.filled() >= ring.size() / 4)
    }

    /// Hands on every record up to the time `horizon`, in order; the number of records.
    pub(crate) fn drain(&mut self, horizon: u64, mut on_record: impl FnMut(&[u8])) -> u64 {
        self.heads.clear();
        for (number, ring) in self.rings.iter_mut().enumerate() {
            if let Some(time) = due(ring, horizon) {
                self.heads.push(Reverse((time, number)));
            }
        }
        let mut records = 0;
        while let Some(Reverse((_, number))) = self.heads.pop() {
            // Bursts pass one CPU: as long as this ring's head stays the earliest, the heap is left alone.
            let until = self.heads.peek().map_or(horizon, |Reverse((time, _))| *time);
            let ring = &mut self.rings[number];
            while let Some(record) = ring.peek() {
                let time = time_of(record);
                if time > until {
                    if time <= horizon {
                        self.heads.push(Reverse((time, number)));
                    }
                    break;
                }
                on_record(record);
                records += 1;
                ring.advance();
                ring.publish_some();
            }
        }
        self.rings.iter_mut().for_each(Ring::publish);
        records
    }
}

fn due(ring: &mut Ring, horizon: u64) -> Option<u64> {
    ring.peek().map(time_of).filter(|time| *time <= horizon)
}

/// A record too short for a time can't come from these programs; it goes first, and its reader counts it.
fn time_of(record: &[u8]) -> u64 {
    RecordHeader::time_of(record).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::tests::{Producer, ring};

    fn merge(cpus: usize) -> (Vec<Producer>, Merge) {
        let (producers, rings) = (0..cpus).map(|_| ring()).unzip();
        (producers, Merge::new(rings))
    }

    fn times(merge: &mut Merge, horizon: u64) -> Vec<u64> {
        let mut times = Vec::new();
        let records = merge.drain(horizon, |record| times.push(time_of(record)));
        assert_eq!(records, times.len() as u64);
        times
    }

    #[test]
    fn records_of_all_rings_come_in_order_of_time() {
        let (mut producers, mut merge) = merge(3);
        // Runs of several on one CPU, then another: times 0 to 99.
        for time in 0..100u64 {
            producers[(time / 4 % 3) as usize].record(&time.to_ne_bytes(), 0);
        }
        assert_eq!(merge.oldest(), Some(0));
        assert_eq!(times(&mut merge, u64::MAX), (0..100).collect::<Vec<_>>());
        assert_eq!(merge.oldest(), None);
    }

    #[test]
    fn what_is_younger_than_the_horizon_waits_for_the_others() {
        let (mut producers, mut merge) = merge(2);
        for time in [1u64, 3, 9] {
            producers[0].record(&time.to_ne_bytes(), 0);
        }
        assert_eq!(times(&mut merge, 4), [1, 3]);
        producers[1].record(&5u64.to_ne_bytes(), 0);
        assert_eq!(merge.oldest(), Some(5));
        assert_eq!(times(&mut merge, 9), [5, 9]);
    }

    #[test]
    fn a_quarter_full_is_pressed() {
        let (mut producers, mut merge) = merge(2);
        for time in 0..63u64 {
            producers[1].record(&time.to_ne_bytes(), 0);
        }
        assert!(!merge.pressed());
        producers[1].record(&63u64.to_ne_bytes(), 0);
        assert!(merge.pressed());
        times(&mut merge, u64::MAX);
        assert!(!merge.pressed());
    }

    #[test]
    fn records_too_short_for_a_time_are_handed_on() {
        let (mut producers, mut merge) = merge(1);
        producers[0].record(b"bad", 0);
        producers[0].record(&7u64.to_ne_bytes(), 0);
        assert_eq!(times(&mut merge, u64::MAX), [0, 7]);
    }
}
