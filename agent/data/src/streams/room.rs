//! What goes when: pauses, age, and the room that disk and memory have.

use remora_packet::Timestamp;

use super::store::Store;

/// A stream's buffer goes to the disk when no packet came for so long.
const PAUSE_NANOS: u64 = 1_000_000_000;

/// The most buffers written, and the most pcaps removed, in one call of [`Store::advance`].
const STEPS_PER_ADVANCE: usize = 256;

impl Store {
    pub(super) fn advance(&mut self, now: Timestamp) {
        if !self.has_time {
            self.has_time = true;
            self.now = now;
            for slot in self.slots.iter_mut().flatten() {
                slot.last = now;
            }
        }
        self.now = self.now.max(now);
        for _ in 0..STEPS_PER_ADVANCE {
            let Some(number) = self.buffered.first().filter(|number| self.is_older(*number, PAUSE_NANOS))
            else {
                break;
            };
            self.give_and_free(number);
        }
        let ttl = u64::try_from(self.config.ttl.as_nanos()).unwrap_or(u64::MAX);
        for _ in 0..STEPS_PER_ADVANCE {
            let Some(number) = self.recent.first().filter(|number| self.is_older(*number, ttl)) else {
                break;
            };
            self.counters.removed_by_age += 1;
            self.remove(number);
        }
    }

    fn is_older(&self, number: u32, nanos: u64) -> bool {
        self.slots[number as usize].as_ref().is_some_and(|slot| self.now.since(slot.last) >= nanos)
    }

    /// Keeps disk and memory within their bounds after a stream, which itself stays, took more of either.
    pub(super) fn make_room(&mut self, number: u32) {
        while self.counters.buffer_bytes > self.config.buffer_bytes as u64 / 2
            && let Some(other) = self.buffered.first()
        {
            self.give_and_free(other);
        }
        while self.counters.disk_bytes > self.config.total_bytes
            && let Some(other) = self.finished.first().or(self.recent.first())
            && other != number
        {
            self.counters.removed_by_size += 1;
            self.remove(other);
        }
    }
}
