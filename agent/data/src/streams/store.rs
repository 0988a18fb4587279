//! All streams' files: which there are, in what order they go, and how much they take.

use std::io;
use std::sync::Arc;

use cap_std::fs::Dir;
use hashbrown::HashMap;
use remora_packet::{LinkType, Packet, Timestamp};

use super::config::{StreamCounters, StreamsConfig};
use super::file::{Opened, StreamFile, record_bytes};
use super::id::StreamId;
use super::order::Order;
use super::{FOLDER, Kept};
use crate::quota::BLOCK_BYTES;

/// A stream's buffer is written when it has so many bytes.
const STREAM_BUFFER_BYTES: usize = 64 << 10;

pub(super) struct Store {
    pub(super) dir: Arc<Dir>,
    pub(super) config: StreamsConfig,
    pub(super) now: Timestamp,
    /// Whether anybody said yet what time it is.
    pub(super) has_time: bool,
    pub(super) slots: HashMap<StreamId, u32, foldhash::fast::FixedState>,
    /// `None` where a slot is free.
    pub(super) files: Vec<Option<StreamFile>>,
    pub(super) free: Vec<u32>,
    /// All streams, by their last packet.
    pub(super) recent: Order,
    /// Those that ended, by when.
    pub(super) finished: Order,
    /// Those that hold memory for a buffer, by their last packet.
    pub(super) buffered: Order,
    /// Those whose file is open, by its last use.
    pub(super) open: Order,
    pub(super) counters: StreamCounters,
    told_link: bool,
    told_error: bool,
}

impl Store {
    pub(super) fn new(dir: Dir, mut config: StreamsConfig) -> Self {
        config.open_files = config.open_files.max(1);
        config.total_bytes = config.total_bytes.max(2 * BLOCK_BYTES);
        config.stream_bytes = config.stream_bytes.min(config.total_bytes / 2);
        Self {
            dir: Arc::new(dir),
            config,
            now: Timestamp::default(),
            has_time: false,
            slots: HashMap::default(),
            files: Vec::new(),
            free: Vec::new(),
            recent: Order::new(),
            finished: Order::new(),
            buffered: Order::new(),
            open: Order::new(),
            counters: StreamCounters::default(),
            told_link: false,
            told_error: false,
        }
    }

    pub(super) fn dir(&self) -> Arc<Dir> {
        self.dir.clone()
    }

    pub(super) fn ids(&self) -> Vec<StreamId> {
        self.slots.keys().copied().collect()
    }

    pub(super) fn counters(&self) -> StreamCounters {
        StreamCounters {
            streams: self.slots.len() as u64,
            open_files: self.open.len() as u64,
            ..self.counters
        }
    }

    pub(super) fn packet(&mut self, id: StreamId, packet: &Packet<'_>) {
        let slot = match self.slots.get(&id) {
            Some(slot) => *slot,
            None => self.begin(id, packet),
        };
        let Some(file) = &mut self.files[slot as usize] else { return };
        file.last = self.now;
        self.recent.touch(slot);
        self.finished.remove(slot);
        if file.link != packet.link {
            let first = file.link;
            return self.other_link(id, first, packet.link);
        }
        let record = record_bytes(packet);
        if file.bytes() + record as u64 > self.config.stream_bytes {
            self.counters.packets_over_stream_bytes += 1;
            return;
        }
        if file.buffered() + record > STREAM_BUFFER_BYTES && file.is_behind() {
            let _ = self.write(slot);
        }
        let Some(file) = &mut self.files[slot as usize] else { return };
        file.push(packet);
        self.counters.packets += 1;
        self.buffered.touch(slot);
        if file.settle(&mut self.counters) {
            self.make_room(slot);
        }
    }

    #[cold]
    fn begin(&mut self, id: StreamId, packet: &Packet<'_>) -> u32 {
        self.counters.begun += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.files.push(None);
            self.files.len() as u32 - 1
        });
        self.files[slot as usize] = Some(StreamFile::new(id, packet.link, self.now));
        self.slots.insert(id, slot);
        slot
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

    pub(super) fn finish(&mut self, id: StreamId) {
        let Some(&slot) = self.slots.get(&id) else { return };
        self.write_and_free(slot);
        if let Some(file) = &mut self.files[slot as usize] {
            file.file = None;
            self.open.remove(slot);
            self.finished.touch(slot);
        }
    }

    /// Writes what the disk lacks of a stream's file.
    pub(super) fn complete(&mut self, id: StreamId) -> Option<io::Result<Kept>> {
        let slot = *self.slots.get(&id)?;
        if self.files[slot as usize].as_ref()?.is_behind()
            && let Err(error) = self.write(slot)
        {
            return Some(Err(error));
        }
        let file = self.files[slot as usize].as_ref()?;
        Some(Ok(Kept { id, bytes: file.written() }))
    }

    pub(super) fn remove_for_script(&mut self, id: StreamId) -> io::Result<bool> {
        let Some(slot) = self.slots.get(&id).copied() else { return Ok(false) };
        self.counters.removed_by_scripts += 1;
        self.remove(slot).map(|()| true)
    }

    pub(super) fn detach(&mut self, id: StreamId, to: &Dir, path: &str) -> io::Result<()> {
        let slot = self.slots.get(&id).copied().ok_or(io::ErrorKind::NotFound)?;
        self.complete(id).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?;
        self.dir.rename(id.to_string(), to, path)?;
        self.counters.removed_by_scripts += 1;
        self.forget(slot);
        Ok(())
    }

    pub(super) fn write_and_free(&mut self, slot: u32) {
        let Some(file) = &mut self.files[slot as usize] else { return };
        if file.is_behind() {
            let _ = self.write(slot);
        }
        let Some(file) = &mut self.files[slot as usize] else { return };
        file.free();
        file.settle(&mut self.counters);
        self.buffered.remove(slot);
    }

    /// Writes a stream's buffer. Where that fails, the packets in it are lost and counted.
    fn write(&mut self, slot: u32) -> io::Result<()> {
        let result = self.open(slot).and_then(|()| match &mut self.files[slot as usize] {
            Some(file) => file.write(),
            None => Ok(()),
        });
        if let Some(file) = &mut self.files[slot as usize] {
            if let Err(error) = &result {
                self.counters.write_errors += 1;
                self.counters.packets_lost += file.discard();
                if !self.told_error {
                    self.told_error = true;
                    tracing::error!(
                        stream = %file.id, %error,
                        "cannot write a stream's pcap in {FOLDER}/; its packets are lost, further errors are only counted"
                    );
                }
            }
            file.settle(&mut self.counters);
        }
        result
    }

    /// Opens a stream's file if it is closed, and for that closes the one longest unused where there are too many.
    fn open(&mut self, slot: u32) -> io::Result<()> {
        if !self.open.contains(slot) {
            while self.open.len() >= self.config.open_files
                && let Some(unused) = self.open.first()
            {
                self.open.remove(unused);
                if let Some(file) = &mut self.files[unused as usize] {
                    file.file = None;
                }
            }
            if let Some(file) = &mut self.files[slot as usize]
                && file.open(&self.dir)? == Opened::Anew
            {
                self.counters.restarted += 1;
            }
        }
        self.open.touch(slot);
        Ok(())
    }
}
