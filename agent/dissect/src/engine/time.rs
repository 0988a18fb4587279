//! What an engine does as time passes, and whose time it is that a packet says.

use std::num::NonZeroU64;

use remora_packet::Timestamp;

use super::Engine;
use crate::Item;
use crate::decode::fragments::FragmentKey;

/// How often silent streams are looked for.
const SWEEP_NANOS: u64 = super::NANOS_PER_SECOND / 10;

/// What the latest packet belongs to, where it says a time that is yet to be believed.
pub(super) enum Doubted {
    Stream { slot: u32, number: u64, timestamp: Timestamp },
    Fragment(FragmentKey),
}

impl Engine {
    /// Lets time pass, by the clock that stamps the packets. Live, this is to be called a few times a second while no
    /// packets come.
    pub fn advance(&mut self, now: Timestamp, items: &mut Vec<Item>) {
        self.clock.set(now);
        self.doubted = None;
        self.elapse(items);
    }

    /// The latest packet came after the time that passed since, not before: nobody waited in between.
    pub(super) fn delay(&mut self, doubted: &Doubted, late: u64) {
        let (slot, number, timestamp) = match doubted {
            Doubted::Stream { slot, number, timestamp } => (*slot, *number, *timestamp),
            Doubted::Fragment(key) => return self.fragments.delay(key, late),
        };
        let stream = self.table.stream(slot);
        // It may have gone to make room.
        if stream.number != number {
            return;
        }
        stream.lag += late;
        if stream.opened == timestamp {
            stream.opened_at += late;
        }
        if let Some(timer) = stream.timer {
            let later = timer.saturating_add(late);
            stream.timer = Some(later);
            self.timers.remove(&(timer, slot));
            self.timers.insert((later, slot));
        }
        let last_seen = stream.last_seen + late;
        self.table.touch(slot, last_seen);
    }

    /// Remembers whose packet it is that the clock doubts.
    pub(super) fn doubt(&mut self, slot: u32, timestamp: Timestamp) {
        if self.clock.doubts() {
            let number = self.table.stream(slot).number;
            self.doubted = Some(Doubted::Stream { slot, number, timestamp });
        }
    }

    /// Does what time has come for. With most packets it has for nothing, which one look tells.
    #[inline]
    pub(super) fn elapse(&mut self, items: &mut Vec<Item>) {
        let now = self.clock.now();
        if now >= self.wake {
            self.look(now, items);
        }
    }

    fn look(&mut self, now: u64, items: &mut Vec<Item>) {
        while let Some(&(due, slot)) = self.timers.first() {
            if due.get() > now {
                break;
            }
            self.timers.pop_first();
            self.table.stream(slot).timer = None;
            self.run(slot, self.clock.timestamp(), items, |connection, step| {
                connection.elapse(step);
                step.sink.elapse();
            });
        }
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP_NANOS;
            self.sweep(now, items);
        }
        self.wake = self.timers.first().map_or(self.next_sweep, |(due, _)| due.get().min(self.next_sweep));
    }

    /// Sees to it that a waiting stream is looked at in time. A timer that turns out too early is set anew then.
    pub(super) fn arm(&mut self, slot: u32, due: NonZeroU64) {
        if let Some(timer) = self.table.stream(slot).timer.replace(due) {
            self.timers.remove(&(timer, slot));
        }
        self.timers.insert((due, slot));
        self.wake = self.wake.min(due.get());
    }
}
