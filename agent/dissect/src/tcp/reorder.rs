//! Segments that came ahead of a hole, kept by copy until it fills.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use super::Sequence;
use crate::Counters;

/// Bytes of heap a kept segment costs beside its data: its entry (the queue grows by doubling) and the allocator's own.
const SEGMENT_OVERHEAD: usize = 2 * size_of::<Held>() + 16;

pub(super) struct Held {
    pub(super) sequence: Sequence,
    pub(super) length: u32,
    /// What its sender had received from the other side when it sent this.
    pub(super) acknowledges: Option<Sequence>,
    /// When it was captured, which may be long before its turn.
    pub(super) captured: Timestamp,
    /// Empty where the capture did not keep the bytes.
    pub(super) data: Box<[u8]>,
}

impl Held {
    fn end(&self) -> Sequence {
        self.sequence.plus(self.length.into())
    }

    fn memory(&self) -> usize {
        self.data.len() + SEGMENT_OVERHEAD
    }
}

/// What to keep: bytes, or the knowledge that so many will never be seen.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Bytes(&'a [u8]),
    Missing(u32),
}

impl Content<'_> {
    fn len(&self) -> u32 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u32,
            Self::Missing(length) => *length,
        }
    }

    fn copy(&self, from: i64, to: i64) -> Box<[u8]> {
        match self {
            Self::Bytes(bytes) => bytes.get(from as usize..to as usize).unwrap_or_default().into(),
            Self::Missing(_) => Box::default(),
        }
    }
}

/// Kept segments in order, without overlap, all at or beyond the next expected number.
#[derive(Default)]
pub(super) struct Reorder {
    held: VecDeque<Held>,
    memory: usize,
}

impl Reorder {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    pub(super) fn front(&self) -> Option<&Held> {
        self.held.front()
    }

    pub(super) fn pop(&mut self) -> Option<Held> {
        let held = self.held.pop_front()?;
        self.memory -= held.memory();
        Some(held)
    }

    /// Keeps what is new of a segment. Where it overlaps what is kept, the first bytes stand.
    pub(super) fn insert(
        &mut self,
        next: Sequence,
        sequence: Sequence,
        acknowledges: Option<Sequence>,
        captured: Timestamp,
        content: Content<'_>,
        counters: &mut Counters,
    ) {
        let start = sequence.from(next);
        let end = start + i64::from(content.len());
        let mut at = start;
        let mut index = self.held.partition_point(|held| held.end().from(next) <= at);
        while at < end {
            let upto = match self.held.get(index) {
                Some(held) if held.sequence.from(next) <= at => {
                    let shared = held.end().from(next).min(end);
                    if let Content::Bytes(bytes) = content {
                        counters.duplicate_bytes += (shared - at) as u64;
                        counters.conflicting_bytes += conflicts(held, next, bytes, start, at, shared);
                    }
                    at = shared;
                    index += 1;
                    continue;
                }
                Some(held) => held.sequence.from(next).min(end),
                None => end,
            };
            let held = Held {
                sequence: next.plus(at),
                length: (upto - at) as u32,
                acknowledges,
                captured,
                data: content.copy(at - start, upto - start),
            };
            self.memory += held.memory();
            self.held.insert(index, held);
            index += 1;
            at = upto;
        }
    }
}

/// How many bytes differ between what is held and what came again, in a range of offsets from `next`.
fn conflicts(held: &Held, next: Sequence, bytes: &[u8], start: i64, from: i64, to: i64) -> u64 {
    let base = held.sequence.from(next);
    let old = held.data.get((from - base) as usize..(to - base) as usize).unwrap_or_default();
    let new = bytes.get((from - start) as usize..(to - start) as usize).unwrap_or_default();
    if old == new { 0 } else { old.iter().zip(new).filter(|(old, new)| old != new).count() as u64 }
}
