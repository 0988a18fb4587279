//! One stream's file and what is on its way there.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use cap_std::fs::{Dir, OpenOptions};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::{RECORD_HEADER_BYTES, Resolution, file_header, record_header};

use super::config::StreamCounters;
use super::id::StreamId;
use crate::quota::charge;

/// The most bytes kept of one packet: the snapshot length that every tool accepts.
pub(crate) const SNAPLEN: u32 = remora_pcap::USUAL_MAX_PACKET_BYTES;

pub(super) struct StreamFile {
    pub(super) id: StreamId,
    pub(super) link: LinkType,
    /// When the last packet came.
    pub(super) last: Timestamp,
    /// Whole records, and before the first the file header.
    buffer: Vec<u8>,
    buffered_packets: u64,
    /// Bytes of the file on the disk: always up to the end of a record.
    written: u64,
    pub(super) file: Option<File>,
    /// What the counters hold of the file: disk and memory.
    charged: u64,
    held: u64,
}

/// How writing began.
#[derive(PartialEq, Eq)]
pub(super) enum Opened {
    AsLeft,
    /// Somebody removed or cut the file.
    Anew,
}

impl StreamFile {
    pub(super) fn new(id: StreamId, link: LinkType, last: Timestamp) -> Self {
        let mut file = Self {
            id,
            link,
            last,
            buffer: Vec::new(),
            buffered_packets: 0,
            written: 0,
            file: None,
            charged: 0,
            held: 0,
        };
        file.begin();
        file
    }

    fn begin(&mut self) {
        self.written = 0;
        self.buffer.extend_from_slice(&file_header(self.link, SNAPLEN, Resolution::Nanos));
    }

    /// Size of the file once all is written.
    pub(super) fn bytes(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    #[inline]
    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn is_on_disk(&self) -> bool {
        self.written > 0 || self.file.is_some()
    }

    /// Brings the counters up to date with what the file takes; whether it takes more than before.
    #[inline]
    pub(super) fn settle(&mut self, counters: &mut StreamCounters) -> bool {
        let (charged, held) = (charge(self.bytes()), self.buffer.capacity() as u64);
        let grew = charged > self.charged || held > self.held;
        counters.disk_bytes = counters.disk_bytes + charged - self.charged;
        counters.buffer_bytes = counters.buffer_bytes + held - self.held;
        (self.charged, self.held) = (charged, held);
        grew
    }

    /// Takes the file out of the counters.
    pub(super) fn settle_gone(&self, counters: &mut StreamCounters) {
        counters.disk_bytes -= self.charged;
        counters.buffer_bytes -= self.held;
    }

    #[inline]
    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        let kept = &packet.data[..kept_bytes(packet)];
        self.buffer.extend_from_slice(&record_header(packet, kept.len() as u32, Resolution::Nanos));
        self.buffer.extend_from_slice(kept);
        self.buffered_packets += 1;
    }

    /// Makes the file ready to be written to.
    pub(super) fn open(&mut self, dir: &Dir) -> io::Result<Opened> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if self.written == 0 {
            options.create(true).truncate(true);
        }
        let name = self.id.to_string();
        let (file, opened) = match dir.open_with(&name, &options) {
            Ok(file) => {
                let file = file.into_std();
                let length = file.metadata()?.len();
                let opened = if length < self.written { Opened::Anew } else { Opened::AsLeft };
                if length > self.written {
                    file.set_len(self.written)?;
                }
                (file, opened)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.written > 0 => {
                (dir.open_with(&name, options.create(true).truncate(true))?.into_std(), Opened::Anew)
            }
            Err(error) => return Err(error),
        };
        if opened == Opened::Anew {
            file.set_len(0)?;
            let records = std::mem::take(&mut self.buffer);
            self.begin();
            self.buffer.extend_from_slice(&records);
        }
        self.file = Some(file);
        Ok(opened)
    }

    /// Writes the buffer to the open file. Where that fails the file stays as it was.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::ErrorKind::NotFound.into()) };
        if let Err(error) = file.write_all_at(&self.buffer, self.written) {
            // The next attempt writes at the same place; until then the file ends with a whole record.
            let _ = file.set_len(self.written);
            return Err(error);
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffered_packets = 0;
        Ok(())
    }

    /// Gives up what is in the buffer; how many packets.
    pub(super) fn discard(&mut self) -> u64 {
        self.buffer.clear();
        if self.written == 0 {
            self.begin();
        }
        std::mem::take(&mut self.buffered_packets)
    }

    /// Frees the memory that the buffer does not need.
    pub(super) fn free(&mut self) {
        self.buffer.shrink_to_fit();
    }

    /// Whether the disk lacks something of the file.
    pub(super) fn is_behind(&self) -> bool {
        self.buffered_packets > 0 || self.written == 0
    }
}

fn kept_bytes(packet: &Packet<'_>) -> usize {
    packet.data.len().min(SNAPLEN as usize)
}

/// Size of a packet's record.
#[inline]
pub(super) fn record_bytes(packet: &Packet<'_>) -> usize {
    RECORD_HEADER_BYTES + kept_bytes(packet)
}
