//! What goes when: pauses, age, and the room that disk and memory have.

use std::io;

use remora_packet::Timestamp;

use super::store::Store;

/// A stream's buffer is written when no packet came for so long.
const PAUSE_NANOS: u64 = 1_000_000_000;

/// The most buffers written, and the most files removed, in one call of [`Store::advance`].
const STEPS_PER_ADVANCE: usize = 64;

impl Store {
    pub(super) fn advance(&mut self, now: Timestamp) {
        if !self.has_time {
            self.has_time = true;
            self.now = now;
            for file in self.files.iter_mut().flatten() {
                file.last = now;
            }
        }
        self.now = self.now.max(now);
        for _ in 0..STEPS_PER_ADVANCE {
            let Some(slot) = self.buffered.first().filter(|slot| self.is_older(*slot, PAUSE_NANOS)) else {
                break;
            };
            self.write_and_free(slot);
        }
        let ttl = u64::try_from(self.config.ttl.as_nanos()).unwrap_or(u64::MAX);
        for _ in 0..STEPS_PER_ADVANCE {
            let Some(slot) = self.recent.first().filter(|slot| self.is_older(*slot, ttl)) else { break };
            self.counters.removed_by_age += 1;
            let _ = self.remove(slot);
        }
    }

    fn is_older(&self, slot: u32, nanos: u64) -> bool {
        self.files[slot as usize].as_ref().is_some_and(|file| self.now.since(file.last) >= nanos)
    }

    /// Keeps disk and memory within their bounds after a stream, which itself stays, took more of either.
    pub(super) fn make_room(&mut self, slot: u32) {
        while self.counters.buffer_bytes > self.config.buffer_bytes as u64
            && let Some(other) = self.buffered.first()
        {
            self.write_and_free(other);
        }
        while self.counters.disk_bytes > self.config.total_bytes
            && let Some(other) = self.finished.first().or(self.recent.first())
            && other != slot
        {
            self.counters.removed_by_size += 1;
            let _ = self.remove(other);
        }
    }

    /// Forgets a stream and removes its file.
    pub(super) fn remove(&mut self, slot: u32) -> io::Result<()> {
        let Some(file) = self.forget(slot) else { return Ok(()) };
        if !file.is_on_disk() {
            return Ok(());
        }
        match self.dir().remove_file(file.id.to_string()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.counters.remove_errors += 1;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn forget(&mut self, slot: u32) -> Option<super::file::StreamFile> {
        let file = self.files[slot as usize].take()?;
        file.settle_gone(&mut self.counters);
        for order in [&mut self.recent, &mut self.finished, &mut self.buffered, &mut self.open] {
            order.remove(slot);
        }
        self.slots.remove(&file.id);
        self.free.push(slot);
        Some(file)
    }
}
