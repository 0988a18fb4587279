//! All streams whose pcaps are kept: which there are, in what order they go, and how much they take.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use cap_std::fs::Dir;
use hashbrown::HashMap;
use remora_packet::{LinkType, Packet, Timestamp};

use super::config::{StreamCounters, StreamsConfig};
use super::id::StreamId;
use super::order::Order;
use super::queue::{Done, JOB_BYTES, Job, Queue};
use super::slot::{Slot, record_bytes};
use crate::quota::BLOCK_BYTES;

/// The most bytes kept of one packet: the snapshot length that every tool accepts.
pub(super) const SNAPLEN: u32 = remora_pcap::USUAL_MAX_PACKET_BYTES;

/// A stream's buffer goes to the disk when it has so many bytes.
const STREAM_BUFFER_BYTES: usize = 64 << 10;

/// Full buffers are used again, as many as this.
const MAX_SPARE: usize = 32;

pub(super) struct Store {
    pub(super) config: StreamsConfig,
    pub(super) now: Timestamp,
    /// Whether anybody said yet what time it is.
    pub(super) has_time: bool,
    numbers: HashMap<StreamId, u32, foldhash::fast::FixedState>,
    /// `None` where a slot is free.
    pub(super) slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// All streams, by their last packet.
    pub(super) recent: Order,
    /// Those that ended, by when.
    pub(super) finished: Order,
    /// Those that hold memory for a buffer, by their last packet.
    pub(super) buffered: Order,
    pub(super) counters: StreamCounters,
    pub(super) queue: Queue,
    spare: Vec<Vec<u8>>,
    told_link: bool,
}

impl Store {
    pub(super) fn new(mut config: StreamsConfig) -> Self {
        config.total_bytes = config.total_bytes.max(2 * BLOCK_BYTES);
        config.stream_bytes = config.stream_bytes.min(config.total_bytes / 2);
        Self {
            config,
            now: Timestamp::default(),
            has_time: false,
            numbers: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            recent: Order::new(),
            finished: Order::new(),
            buffered: Order::new(),
            counters: StreamCounters::default(),
            queue: Queue::new(),
            spare: Vec::new(),
            told_link: false,
        }
    }

    pub(super) fn ids(&self) -> Vec<StreamId> {
        self.numbers.keys().copied().collect()
    }

    pub(super) fn counters(&self) -> StreamCounters {
        let waiting = self.queue.bytes + self.spare.iter().map(Vec::capacity).sum::<usize>();
        StreamCounters {
            streams: self.numbers.len() as u64,
            buffer_bytes: self.counters.buffer_bytes + waiting as u64,
            ..self.counters
        }
    }

    pub(super) fn packet(&mut self, id: StreamId, packet: &Packet<'_>) {
        let number = match self.numbers.get(&id) {
            Some(number) => *number,
            None => self.begin(id, packet),
        };
        let Some(slot) = &mut self.slots[number as usize] else { return };
        slot.last = self.now;
        self.recent.touch(number);
        self.finished.remove(number);
        if slot.link != packet.link {
            let first = slot.link;
            return self.other_link(id, first, packet.link);
        }
        let record = record_bytes(packet);
        if slot.bytes() + record as u64 > self.config.stream_bytes {
            self.counters.packets_over_stream_bytes += 1;
            return;
        }
        if slot.buffered() > 0 && slot.buffered() + record > STREAM_BUFFER_BYTES {
            let next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(STREAM_BUFFER_BYTES));
            self.give(number, next);
        }
        let Some(slot) = &mut self.slots[number as usize] else { return };
        slot.push(packet);
        self.counters.packets += 1;
        self.buffered.touch(number);
        if slot.settle(&mut self.counters) {
            self.make_room(number);
        }
    }

    #[cold]
    fn begin(&mut self, id: StreamId, packet: &Packet<'_>) -> u32 {
        self.counters.begun += 1;
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.slots[number as usize] = Some(Slot::new(id, packet.link, self.now));
        self.numbers.insert(id, number);
        number
    }

    #[cold]
    fn other_link(&mut self, id: StreamId, first: LinkType, other: LinkType) {
        self.counters.packets_other_link += 1;
        if !self.told_link {
            self.told_link = true;
            tracing::warn!(
                stream = %id, kept = first.0, other = other.0,
                "a stream's packets have several link types; its pcap keeps those of the first"
            );
        }
    }

    /// Gives a stream's records to the disk, or gives them up where it has too much to do already.
    fn give(&mut self, number: u32, next: Vec<u8>) {
        let is_full = self.queue.bytes > self.config.buffer_bytes / 2;
        let Some(slot) = &mut self.slots[number as usize] else { return };
        if is_full && !self.config.wait_for_disk {
            self.counters.packets_shed += slot.discard();
            return;
        }
        self.write(number, next, false, None);
    }

    /// Gives a stream's records to the disk and frees its buffer.
    pub(super) fn give_and_free(&mut self, number: u32) {
        if self.slots[number as usize].as_ref().is_some_and(|slot| slot.buffered() > 0) {
            self.give(number, Vec::new());
        }
        let Some(slot) = &mut self.slots[number as usize] else { return };
        slot.free();
        slot.settle(&mut self.counters);
        self.buffered.remove(number);
    }

    fn write(
        &mut self,
        number: u32,
        next: Vec<u8>,
        close: bool,
        answer: Option<std::sync::mpsc::Sender<io::Result<u64>>>,
    ) {
        let Some(slot) = &mut self.slots[number as usize] else { return };
        let (id, link) = (slot.id, slot.link);
        let (records, packets) = slot.give(next);
        slot.settle(&mut self.counters);
        self.queue.push(Job::Write { slot: number, id, link, records, packets, close, answer });
    }

    pub(super) fn finish(&mut self, id: StreamId) {
        let Some(&number) = self.numbers.get(&id) else { return };
        self.give_and_free(number);
        if self.slots[number as usize].as_ref().is_some_and(|slot| slot.is_given) {
            self.write(number, Vec::new(), true, None);
        }
        self.finished.touch(number);
    }

    /// Has a stream's file completed; the answer is how long it then is.
    pub(super) fn complete(&mut self, id: StreamId) -> Option<Receiver<io::Result<u64>>> {
        let number = *self.numbers.get(&id)?;
        let (answer, receiver) = channel();
        self.write(number, Vec::new(), false, Some(answer));
        self.buffered.remove(number);
        Some(receiver)
    }

    /// Forgets a stream for a script and has its file removed.
    pub(super) fn remove_for_script(&mut self, id: StreamId) -> Option<Receiver<io::Result<()>>> {
        let number = *self.numbers.get(&id)?;
        let (answer, receiver) = channel();
        self.counters.removed_by_scripts += 1;
        self.forget(number);
        self.queue.push(Job::Remove { slot: number, answer: Some(answer) });
        Some(receiver)
    }

    /// Completes a stream's file, has it moved and forgets the stream.
    pub(super) fn detach(
        &mut self,
        id: StreamId,
        to: &Arc<Dir>,
        path: &str,
    ) -> Option<Receiver<io::Result<()>>> {
        let number = *self.numbers.get(&id)?;
        let (answer, receiver) = channel();
        self.counters.removed_by_scripts += 1;
        self.write(number, Vec::new(), true, None);
        self.forget(number);
        self.queue.push(Job::Detach { slot: number, to: to.clone(), path: path.to_owned(), answer });
        Some(receiver)
    }

    /// Forgets a stream and has its file removed.
    pub(super) fn remove(&mut self, number: u32) {
        if self.forget(number).is_some_and(|slot| slot.is_given) {
            self.queue.push(Job::Remove { slot: number, answer: None });
        }
    }

    fn forget(&mut self, number: u32) -> Option<Slot> {
        let slot = self.slots[number as usize].take()?;
        slot.settle_gone(&mut self.counters);
        for order in [&mut self.recent, &mut self.finished, &mut self.buffered] {
            order.remove(number);
        }
        self.numbers.remove(&slot.id);
        self.free.push(number);
        Some(slot)
    }

    /// The disk did a job.
    pub(super) fn done(&mut self, done: Done) {
        self.queue.bytes -= done.bytes;
        self.counters.packets_lost += done.packets_lost;
        self.counters.write_errors += done.write_errors;
        self.counters.remove_errors += done.remove_errors;
        (self.counters.restarted, self.counters.open_files) = (done.restarted, done.open_files);
        let mut spare = done.spare;
        if spare.capacity() >= STREAM_BUFFER_BYTES
            && self.spare.len() < MAX_SPARE
            && self.queue.bytes + spare.capacity() * (self.spare.len() + 1) <= self.config.buffer_bytes / 2
        {
            spare.clear();
            self.spare.push(spare);
        }
    }

    /// Whether the packet thread has to wait until the disk did more.
    pub(super) fn must_wait(&self) -> bool {
        self.config.wait_for_disk && self.queue.bytes > (self.config.buffer_bytes / 2).max(JOB_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store whose disk never does anything.
    fn stuck(wait_for_disk: bool) -> Store {
        let mut store =
            Store::new(StreamsConfig { buffer_bytes: 1 << 20, wait_for_disk, ..StreamsConfig::default() });
        for at in 0..50_000u32 {
            let packet = Packet {
                timestamp: Timestamp::from_nanos(at.into()),
                link: LinkType::ETHERNET,
                interface: 0,
                length: 100,
                data: &[0; 100],
            };
            store.packet(StreamId::tcp(u64::from(at % 100)), &packet);
            if store.must_wait() {
                break;
            }
        }
        store
    }

    #[test]
    fn a_disk_that_hangs_costs_live_capture_packets_and_no_more_memory() {
        let store = stuck(false);
        let counters = store.counters();
        assert_eq!(counters.packets, 50_000);
        assert!(counters.packets_shed > 30_000, "{counters:?}");
        assert!(counters.buffer_bytes <= (1 << 20) + 2 * STREAM_BUFFER_BYTES as u64, "{counters:?}");
        let given: u64 = store
            .queue
            .jobs
            .iter()
            .map(|job| if let Job::Write { packets, .. } = job { *packets } else { 0 })
            .sum();
        let buffered = store.slots.iter().flatten().map(|slot| slot.buffered() as u64 / 116).sum::<u64>();
        assert_eq!(given + buffered + counters.packets_shed, 50_000);
    }

    #[test]
    fn a_replay_waits_instead() {
        let mut store = stuck(true);
        assert_eq!(store.counters().packets_shed, 0);
        assert!(store.counters().packets < 50_000 && store.must_wait());
        while let Some(job) = store.queue.jobs.pop_front() {
            store.done(Done { bytes: job.bytes(), ..Done::default() });
        }
        assert!(!store.must_wait());
        assert_eq!(store.queue.bytes, 0);
    }
}
