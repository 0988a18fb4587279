//! `pcap.snapshot`: many captures merged into one, in order of time.
//!
//! An external merge sort. The inputs are read one after the other into a bounded buffer; a full buffer is sorted and
//! written to a temporary file, a run; the runs are merged, several at once, until one is left. So any number of inputs
//! needs one open file, packets out of order within an input come out in order, and what fits into the buffer needs no
//! temporary file at all. Packets of the same time keep the order of their inputs, and of their place in them.

mod input;
mod link;
mod merge;
mod run;

use std::io::{self, BufWriter, Write};

use remora_packet::{LinkType, Packet};
use remora_pcap::{PcapWriteError, PcapWriter, Resolution};

use crate::error::{FileError, Reason};
use crate::files::GoOn;
use crate::temporary::{Temporary, names_of_time};
use crate::{Files, Streams};
use input::Inputs;
use run::Sorter;

/// The helper's name in errors.
const HELPER: &str = "pcap.snapshot";

/// The most bytes kept of one packet; longer ones no tool would read.
const SNAPLEN: u32 = remora_pcap::USUAL_MAX_PACKET_BYTES;

/// What making a snapshot may take.
#[derive(Clone, Debug)]
pub struct SnapshotConfig {
    /// Bytes of packets sorted in memory at a time.
    pub sort_bytes: usize,
    /// Runs merged, and so temporary files open, at once; besides them the capture being read and the file being written
    /// are open. At least 2.
    pub open_files: usize,
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self { sort_bytes: 16 << 20, open_files: 32 }
    }
}

/// A snapshot that was made, and what is not in it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Snapshot {
    /// Relative to the data directory: `<unix seconds>.pcap`.
    pub path: String,
    /// The link type of the file.
    pub link: u32,
    /// Captures read.
    pub files: u64,
    /// Packets in it.
    pub packets: u64,
    /// Packets left out because captures of several link types became one of raw IP, and these hold no IP packet.
    pub packets_not_ip: u64,
    /// Packets left out because they are longer than any tool reads (256 KiB).
    pub packets_too_long: u64,
    /// Captures that end within a packet or are damaged, and pcaps whose last packets the disk refused; what comes before
    /// is in the snapshot.
    pub files_cut: u64,
    /// Files that are no captures.
    pub files_unreadable: u64,
    /// Selected names that are not there, the first [`MAX_NAMES_TOLD`] of them.
    pub missing: Vec<String>,
    /// How many selected names are not there.
    pub files_missing: u64,
}

/// The most names in [`Snapshot::missing`].
pub const MAX_NAMES_TOLD: usize = 20;

/// `pcap.snapshot`: merges the pcaps of streams, or the captures (`*.pcap`, `*.pcapng`) of the folder `dir`, into one new
/// classic pcap in the data directory, in order of time, with nanoseconds.
///
/// `selected` names the captures to merge, with or without `.pcap`, with or without folders before them; without it all
/// are. Names that are not there are left out and told; it is an error if none is there. Of a stream, everything up to
/// now is in it. Captures of one link type keep it. Of several they become raw IP, without their link headers.
///
/// The file gets its name when it is complete. It counts, as do temporary files, in the bytes that scripts may take.
pub fn snapshot(
    files: &Files,
    streams: &Streams,
    config: &SnapshotConfig,
    selected: Option<&[String]>,
    dir: Option<&str>,
    go_on: GoOn<'_>,
) -> Result<Snapshot, FileError> {
    let mut make = || -> Result<Snapshot, Reason> {
        let mut made = Snapshot::default();
        let inputs = Inputs::new(files, streams, selected, dir, &mut made)?;
        let mut sorter = Sorter::new(files, config);
        inputs.read(&mut sorter, &mut made, go_on)?;
        finish(files, sorter, made, go_on)
    };
    let mut result = make();
    if matches!(result, Err(Reason::Quota { .. })) && files.recount() {
        result = make();
    }
    result.map_err(|reason| FileError::new(HELPER, dir.unwrap_or(crate::FOLDER), reason))
}

fn finish(
    files: &Files,
    sorter: Sorter<'_>,
    mut made: Snapshot,
    go_on: GoOn<'_>,
) -> Result<Snapshot, Reason> {
    let links = sorter.links();
    let link = links.output();
    let output = Temporary::new(&files.shared.dir, &files.shared.quota)?;
    let mut writer = PcapWriter::new(
        BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, output),
        link,
        SNAPLEN,
        Resolution::Nanos,
    )
    .map_err(plain)?;
    sorter.merge(go_on, &mut |packet| {
        let packet = match links.is_mixed() {
            true => match link::raw(packet) {
                Some(packet) => packet,
                None => {
                    made.packets_not_ip += 1;
                    return Ok(());
                }
            },
            false => *packet,
        };
        made.packets += 1;
        writer.write(&packet).map_err(plain)
    })?;
    let mut output = writer.into_inner();
    output.flush()?;
    let output = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    made.link = link.0;
    made.path = output.keep_as_new(names_of_time("", ".pcap"))?.ok_or(Reason::NoFreeName)?;
    Ok(made)
}

const OUTPUT_BUFFER_BYTES: usize = 64 << 10;

fn plain(error: PcapWriteError) -> io::Error {
    match error {
        PcapWriteError::Write(error) => error,
        error => io::Error::other(error),
    }
}

/// Which link types were seen.
#[derive(Clone, Copy, Default)]
struct Links {
    first: Option<LinkType>,
    is_mixed: bool,
}

impl Links {
    fn see(&mut self, packet: &Packet<'_>) {
        self.is_mixed |= *self.first.get_or_insert(packet.link) != packet.link;
    }

    fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    /// Of nothing, a capture of Ethernet is made.
    fn output(&self) -> LinkType {
        if self.is_mixed { LinkType::RAW } else { self.first.unwrap_or(LinkType::ETHERNET) }
    }
}
