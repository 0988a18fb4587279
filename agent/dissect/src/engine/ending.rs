//! How conversations end: by themselves, in silence, to make room, with the input.

use super::conversation::{Conclusion, Facts};
use super::{Engine, NANOS_PER_SECOND};
use crate::flow::Shelf;
use crate::{End, Item};

/// How long a finished connection is remembered, so that its late packets do not count as a new one.
const CLOSED_NANOS: u64 = 5 * NANOS_PER_SECOND;

impl Engine {
    /// The input has ended: hands out what is unfinished, stream by stream in the order of their numbers.
    pub fn finish(&mut self, items: &mut Vec<Item>) {
        for slot in self.table.by_number() {
            self.end(slot, End::Input, items);
        }
        self.table.clear();
        self.doubted = None;
        self.timers.clear();
        self.fragments.clear(&mut self.counters);
        self.held = 0;
    }

    /// A connection is over: only its place in the table is kept, for a moment.
    pub(super) fn close(&mut self, slot: u32) {
        let stream = self.table.stream(slot);
        self.counters.unknown_streams += u64::from(stream.dissection.unknown());
        stream.dissection.release();
        self.held -= std::mem::take(&mut stream.held);
        if let Some(timer) = stream.timer.take() {
            self.timers.remove(&(timer, slot));
        }
        self.table.shelve(slot, Shelf::Closed);
    }

    /// Ends a conversation, if it has not ended yet.
    pub(super) fn end(&mut self, slot: u32, end: End, items: &mut Vec<Item>) {
        match self.table.stream(slot).shelf() {
            Shelf::Closed => {}
            Shelf::Datagram => {
                let timestamp = self.clock.timestamp();
                self.run(slot, timestamp, items, |_, step| step.sink.end_datagrams(end));
                self.conclude(slot, Conclusion::Left, items);
            }
            Shelf::Light | Shelf::Heavy => {
                let timestamp = self.clock.timestamp();
                self.run(slot, timestamp, items, |connection, step| connection.finish(end, step));
                self.conclude(slot, Conclusion::Left, items);
            }
        }
    }

    /// A conversation is over: makes an item of it where one is wanted.
    pub(super) fn conclude(&mut self, slot: u32, conclusion: Conclusion, items: &mut Vec<Item>) {
        let age = self.clock.now();
        let stream = self.table.stream(slot);
        let tally = stream.tally.take();
        let facts = Facts {
            transport: stream.transport(),
            opened: stream.opened,
            age: age - stream.opened_at,
            connection: &stream.connection,
            tally: tally.as_deref(),
        };
        if let Some(draft) = facts.item(conclusion, self.options) {
            self.outlet.drafts.push(draft);
            self.outlet.emit(stream, &mut self.counters, items);
        }
    }

    pub(super) fn evict(&mut self, slot: u32, items: &mut Vec<Item>) {
        let counted = self.table.stream(slot).shelf() != Shelf::Closed;
        self.counters.evicted_streams += u64::from(counted);
        self.end(slot, End::Evicted, items);
        self.table.remove(slot);
    }

    /// The stream to let go when there are too many: one that is over, else the silent for longest, where UDP
    /// conversations go before connections because they have no end of their own.
    pub(super) fn most_dispensable(&mut self) -> Option<u32> {
        if let Some(slot) = self.table.oldest(Shelf::Closed).or_else(|| self.table.oldest(Shelf::Datagram)) {
            return Some(slot);
        }
        let candidates = [Shelf::Light, Shelf::Heavy].map(|shelf| self.table.oldest(shelf));
        candidates.into_iter().flatten().min_by_key(|slot| self.table.stream(*slot).last_seen)
    }

    /// Lets go what was silent for too long.
    pub(super) fn sweep(&mut self, now: u64, items: &mut Vec<Item>) {
        self.fragments.expire(now, &self.limits, &mut self.counters);
        for shelf in Shelf::ALL {
            let patience = match shelf {
                Shelf::Closed => CLOSED_NANOS,
                Shelf::Datagram => u64::from(self.limits.datagram_idle_seconds) * NANOS_PER_SECOND,
                Shelf::Light | Shelf::Heavy => u64::from(self.limits.stream_idle_seconds) * NANOS_PER_SECOND,
            };
            while let Some(slot) = self.table.oldest(shelf) {
                if now < self.table.stream(slot).last_seen.saturating_add(patience) {
                    break;
                }
                let connection = matches!(shelf, Shelf::Light | Shelf::Heavy);
                self.counters.idle_streams += u64::from(connection);
                self.end(slot, End::Evicted, items);
                self.table.remove(slot);
            }
        }
    }

    /// Lets go what was silent for longest until all the rest fits.
    pub(super) fn make_room(&mut self, items: &mut Vec<Item>) {
        while self.held > self.limits.total_bytes {
            let candidates = [Shelf::Heavy, Shelf::Datagram].map(|shelf| self.table.oldest(shelf));
            let oldest =
                candidates.into_iter().flatten().min_by_key(|slot| self.table.stream(*slot).last_seen);
            let Some(slot) = oldest else { break };
            self.evict(slot, items);
        }
    }
}
