//! Packets sorted in memory, and sorted runs of them in temporary files.

use std::io::{self, BufReader, BufWriter, Read, Write};

use remora_packet::{LinkType, Packet, Timestamp};

use super::merge::merge;
use super::{Links, OUTPUT_BUFFER_BYTES, SNAPLEN, SnapshotConfig};
use crate::Files;
use crate::error::Reason;
use crate::files::GoOn;
use crate::temporary::Temporary;

/// What takes packets in order.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&Packet<'_>) -> io::Result<()>;

/// Time (8), link type (4), length on the wire (4), length kept (4).
const RECORD_HEADER_BYTES: usize = 20;

const RUN_BUFFER_BYTES: usize = 64 << 10;

/// Memory of one packet besides its bytes.
const ENTRY_BYTES: usize = size_of::<(Timestamp, usize)>();

pub(super) struct Sorter<'a> {
    files: &'a Files,
    sort_bytes: usize,
    /// The most runs merged at once.
    fan_in: usize,
    links: Links,
    /// Records one after the other.
    records: Vec<u8>,
    /// Time and place in `records` of each.
    entries: Vec<(Timestamp, usize)>,
    /// Each sorted, with how often its packets were merged. The packets of one come before those of the next where times
    /// are equal.
    runs: Vec<(u32, Run)>,
}

impl<'a> Sorter<'a> {
    pub(super) fn new(files: &'a Files, config: &SnapshotConfig) -> Self {
        Self {
            files,
            sort_bytes: config.sort_bytes,
            fan_in: config.open_files.max(2),
            links: Links::default(),
            records: Vec::new(),
            entries: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn links(&self) -> Links {
        self.links
    }

    /// Takes a packet of at most [`SNAPLEN`] bytes.
    pub(super) fn push(&mut self, packet: &Packet<'_>, go_on: GoOn<'_>) -> Result<(), Reason> {
        let memory = self.records.len() + self.entries.len() * ENTRY_BYTES;
        if memory + RECORD_HEADER_BYTES + packet.data.len() + ENTRY_BYTES > self.sort_bytes
            && !self.entries.is_empty()
        {
            self.write_run(go_on)?;
        }
        self.links.see(packet);
        self.entries.push((packet.timestamp, self.records.len()));
        let end = self.records.len() + RECORD_HEADER_BYTES + packet.data.len();
        if end > self.records.capacity() {
            // Twice as much as is needed would be too much.
            let target = (2 * self.records.capacity()).min(self.sort_bytes).max(end);
            self.records.reserve_exact(target - self.records.len());
        }
        push_record(&mut self.records, packet);
        Ok(())
    }

    fn write_run(&mut self, go_on: GoOn<'_>) -> Result<(), Reason> {
        let mut output = self.new_run()?;
        self.drain(&mut |packet| write_record(&mut output, packet))?;
        self.runs.push((0, finish(output)?));
        // Runs of the same age become one, so that every packet is written a logarithmic number of times.
        while let Some(start) = self.runs.len().checked_sub(self.fan_in)
            && self.runs[start..].iter().all(|(level, _)| *level == self.runs[start].0)
        {
            self.merge_last(start, go_on)?;
        }
        Ok(())
    }

    fn new_run(&self) -> Result<BufWriter<Temporary>, Reason> {
        let run = Temporary::new(&self.files.shared.dir, &self.files.shared.quota)?;
        Ok(BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, run))
    }

    /// Makes one run of those from `start` on.
    fn merge_last(&mut self, start: usize, go_on: GoOn<'_>) -> Result<(), Reason> {
        let mut output = self.new_run()?;
        let last = self.runs.split_off(start);
        merge(readers(&last)?, go_on, &mut |packet| write_record(&mut output, packet))?;
        let level = last.first().map_or(0, |(level, _)| level + 1);
        self.runs.push((level, finish(output)?));
        Ok(())
    }

    /// Hands out the packets in memory, in order, and forgets them.
    fn drain(&mut self, sink: Sink<'_>) -> Result<(), Reason> {
        // Places grow as packets come, so they keep the order of equal times.
        self.entries.sort_unstable();
        for (_, at) in &self.entries {
            let mut record = &self.records[*at..];
            if let Some(header) = read_header(&mut record)? {
                sink(&header.packet(&record[..header.kept]))?;
            }
        }
        self.entries.clear();
        self.records.clear();
        Ok(())
    }

    /// Hands out all packets in order.
    pub(super) fn merge(mut self, go_on: GoOn<'_>, sink: Sink<'_>) -> Result<(), Reason> {
        if self.runs.is_empty() {
            return self.drain(sink);
        }
        if !self.entries.is_empty() {
            self.write_run(go_on)?;
        }
        (self.records, self.entries) = (Vec::new(), Vec::new());
        while self.runs.len() > self.fan_in {
            self.merge_last(self.runs.len() - self.fan_in, go_on)?;
        }
        merge(readers(&self.runs)?, go_on, sink)
    }
}

/// A run's file, closed.
type Run = Temporary;

fn readers(runs: &[(u32, Run)]) -> Result<Vec<RunReader>, Reason> {
    runs.iter().map(|(_, run)| RunReader::new(run)).collect::<io::Result<_>>().map_err(Reason::from)
}

fn finish(output: BufWriter<Temporary>) -> Result<Run, Reason> {
    let mut run = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    run.close();
    Ok(run)
}

fn push_record(records: &mut Vec<u8>, packet: &Packet<'_>) {
    records.extend_from_slice(&packet.timestamp.nanos().to_le_bytes());
    for field in [packet.link.0, packet.length, packet.data.len() as u32] {
        records.extend_from_slice(&field.to_le_bytes());
    }
    records.extend_from_slice(packet.data);
}

fn write_record(output: &mut impl Write, packet: &Packet<'_>) -> io::Result<()> {
    output.write_all(&packet.timestamp.nanos().to_le_bytes())?;
    for field in [packet.link.0, packet.length, packet.data.len() as u32] {
        output.write_all(&field.to_le_bytes())?;
    }
    output.write_all(packet.data)
}

pub(super) struct Header {
    pub(super) timestamp: Timestamp,
    link: LinkType,
    length: u32,
    kept: usize,
}

impl Header {
    fn packet<'d>(&self, data: &'d [u8]) -> Packet<'d> {
        let Self { timestamp, link, length, .. } = *self;
        Packet { timestamp, link, interface: 0, length, data }
    }
}

/// `None` at the end.
fn read_header(input: &mut impl Read) -> io::Result<Option<Header>> {
    let mut header = [0; RECORD_HEADER_BYTES];
    match input.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let nanos = u64::from(field(4)) << 32 | u64::from(field(0));
    Ok(Some(Header {
        timestamp: Timestamp::from_nanos(nanos as i64),
        link: LinkType(field(8)),
        length: field(12),
        // Written by us; whoever changed the file meanwhile gets no more memory for it.
        kept: (field(16) as usize).min(SNAPLEN as usize),
    }))
}

/// Reads a run one packet after the other.
pub(super) struct RunReader {
    input: BufReader<std::fs::File>,
    data: Vec<u8>,
}

impl RunReader {
    fn new(run: &Run) -> io::Result<Self> {
        Ok(Self { input: BufReader::with_capacity(RUN_BUFFER_BYTES, run.reopen()?), data: Vec::new() })
    }

    /// The next packet's header; its bytes are in the reader until the next call.
    pub(super) fn next(&mut self) -> io::Result<Option<Header>> {
        let Some(header) = read_header(&mut self.input)? else { return Ok(None) };
        self.data.resize(header.kept, 0);
        self.input.read_exact(&mut self.data)?;
        Ok(Some(header))
    }

    pub(super) fn packet(&self, header: &Header) -> Packet<'_> {
        header.packet(&self.data)
    }
}
