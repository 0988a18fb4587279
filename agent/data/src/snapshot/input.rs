//! Which captures go into a snapshot, and their packets.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use cap_std::fs::Dir;
use remora_pcap::{PcapError, PcapReader};

use super::run::Sorter;
use super::{MAX_NAMES_TOLD, SNAPLEN, Snapshot};
use crate::error::Reason;
use crate::files::GoOn;
use crate::path::Relative;
use crate::streams::StreamId;
use crate::{FOLDER, Files, Streams, StreamsError};

/// How many packets are read between two questions whether to go on; at most 16 MiB.
pub(super) const PACKETS_PER_QUESTION: u64 = 64;

/// Endings of the files in a folder that are captures.
const ENDINGS: [&str; 2] = [".pcap", ".pcapng"];

pub(super) enum Inputs<'a> {
    /// Streams are many, so only their numbers are held; each file is completed when its turn comes.
    Streams(&'a Streams, Vec<StreamId>),
    Folder(Arc<Dir>, Vec<String>),
}

impl<'a> Inputs<'a> {
    pub(super) fn new(
        files: &Files,
        streams: &'a Streams,
        selected: Option<&[String]>,
        dir: Option<&str>,
        made: &mut Snapshot,
    ) -> Result<Self, Reason> {
        // Scripts may also say where streams are.
        let is_streams =
            |dir: &&str| streams.is_enabled() && Relative::place(dir).is_ok_and(|at| at.as_str() == FOLDER);
        let dir = dir.filter(|dir| !is_streams(dir));
        if dir.is_none() && !streams.is_enabled() {
            return Err(Reason::NotKept);
        }
        let mut missing = |name: &String| {
            made.files_missing += 1;
            if made.missing.len() < MAX_NAMES_TOLD {
                made.missing.push(name.clone());
            }
        };
        let inputs = match dir {
            None => {
                let mut ids = streams.ids();
                if let Some(selected) = selected {
                    let known: HashSet<StreamId> = ids.into_iter().collect();
                    ids = Vec::new();
                    for name in selected {
                        match StreamId::parse(name).filter(|id| known.contains(id)) {
                            Some(id) => ids.push(id),
                            None => missing(name),
                        }
                    }
                    ids.sort_unstable();
                    ids.dedup();
                }
                Self::Streams(streams, ids)
            }
            Some(dir) => {
                let place = Relative::place(dir)?;
                if !files.dir().metadata(place.open_name())?.is_dir() {
                    return Err(Reason::NotAFolder);
                }
                let folder = files.dir().open_dir(place.open_name())?;
                let mut names = captures(&folder)?;
                if let Some(selected) = selected {
                    let mut chosen = HashSet::new();
                    for name in selected {
                        match find(&names, name) {
                            Some(found) => drop(chosen.insert(found)),
                            None => missing(name),
                        }
                    }
                    let mut at = 0..;
                    names.retain(|_| at.next().is_some_and(|at| chosen.contains(&at)));
                }
                Self::Folder(Arc::new(folder), names)
            }
        };
        if made.files_missing > 0 && inputs.is_empty() {
            return Err(Reason::NoneSelected { names: made.missing.join(", "), count: made.files_missing });
        }
        Ok(inputs)
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Streams(_, ids) => ids.is_empty(),
            Self::Folder(_, names) => names.is_empty(),
        }
    }

    pub(super) fn read(
        &self,
        sorter: &mut Sorter<'_>,
        made: &mut Snapshot,
        go_on: GoOn<'_>,
    ) -> Result<(), Reason> {
        match self {
            Self::Streams(streams, ids) => {
                for id in ids {
                    let name = id.to_string();
                    let mut kept = streams.kept(&name);
                    if matches!(kept, Err(StreamsError::Write { .. })) {
                        // Its last packets are lost; those before are there.
                        made.files_cut += 1;
                        kept = streams.kept(&name);
                    }
                    // Without a file, or removed for its age since the list was made.
                    let Ok(kept) = kept else { continue };
                    match streams.open_file(*id) {
                        Ok(file) => read_capture(file.take(kept.bytes), sorter, made, go_on)?,
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Self::Folder(folder, names) => {
                for name in names {
                    match folder.open(name).map(cap_std::fs::File::into_std) {
                        Ok(file) => read_capture(up_to_now(file)?, sorter, made, go_on)?,
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    }
}

/// A file that is being written, or is the snapshot of another script, has an end all the same.
fn up_to_now(file: File) -> io::Result<io::Take<File>> {
    let bytes = file.metadata()?.len();
    Ok(file.take(bytes))
}

fn captures(folder: &Dir) -> Result<Vec<String>, Reason> {
    let mut names = Vec::new();
    for entry in folder.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if ENDINGS.iter().any(|ending| name.ends_with(ending)) && entry.file_type()?.is_file() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The position among the sorted `names` of what a script calls `name`.
fn find(names: &[String], name: &str) -> Option<usize> {
    let base = name.rsplit_once('/').map_or(name, |(_, base)| base);
    let position = |name: &str| names.binary_search_by(|other| other.as_str().cmp(name)).ok();
    position(base).or_else(|| ENDINGS.iter().find_map(|ending| position(&format!("{base}{ending}"))))
}

fn read_capture<R: Read>(
    input: R,
    sorter: &mut Sorter<'_>,
    made: &mut Snapshot,
    go_on: GoOn<'_>,
) -> Result<(), Reason> {
    if !go_on() {
        return Err(Reason::Cancelled);
    }
    let mut reader = match PcapReader::new(input) {
        Ok(reader) => reader,
        Err(PcapError::Read { source, .. }) => return Err(source.into()),
        Err(_) => {
            made.files_unreadable += 1;
            return Ok(());
        }
    };
    made.files += 1;
    let mut packets = 0u64;
    loop {
        match reader.next() {
            Ok(Some(packet)) if packet.data.len() > SNAPLEN as usize => made.packets_too_long += 1,
            Ok(Some(packet)) => sorter.push(&packet, go_on)?,
            Ok(None) => return Ok(()),
            Err(PcapError::Read { source, .. }) => return Err(source.into()),
            Err(_) => {
                made.files_cut += 1;
                return Ok(());
            }
        }
        packets += 1;
        if packets.is_multiple_of(PACKETS_PER_QUESTION) && !go_on() {
            return Err(Reason::Cancelled);
        }
    }
}
