//! The pcap of every stream, and `pcap.path`.

mod config;
mod file;
mod id;
mod order;
mod room;
mod store;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_std::fs::Dir;
use remora_packet::{Packet, Timestamp};

pub use config::{StreamCounters, StreamsConfig};
pub use id::StreamId;

use crate::Files;
use crate::error::Reason;
use store::Store;

/// The folder of the data directory that holds the pcaps of streams.
pub const FOLDER: &str = "pcaps";

#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    #[error("the packets of streams are not kept: the agent runs without it")]
    Disabled,
    #[error(
        "no pcap is kept for the stream {name:?}: there was none of this name, or it was removed after the time or for \
         the room that pcaps may take"
    )]
    Unknown { name: String },
    #[error("cannot write the pcap of the stream {name}: {source}")]
    Write { name: String, source: io::Error },
}

impl From<StreamsError> for Reason {
    fn from(error: StreamsError) -> Self {
        match error {
            StreamsError::Disabled | StreamsError::Unknown { .. } => Self::NotFound,
            StreamsError::Write { source, .. } => source.into(),
        }
    }
}

/// The packet thread's end: every packet with its stream goes in here.
///
/// A packet is copied into the stream's buffer. It is written when the buffer is full, when the stream pauses, or when
/// somebody asks for the file. Errors of the disk are counted and told once; capture goes on.
#[derive(Debug)]
pub struct StreamWriter {
    streams: Streams,
}

/// The script threads' end: asks for files. Cheap to clone.
#[derive(Clone)]
pub struct Streams {
    /// None where streams are not kept. Held for the copy of one packet, or the writing of one buffer.
    store: Option<Arc<Mutex<Store>>>,
}

/// What of a stream's file is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) id: StreamId,
    pub(crate) bytes: u64,
}

impl Streams {
    /// Takes charge of the folder [`FOLDER`] and removes what an earlier run left there: files with names of streams, no
    /// others. From then on scripts cannot write there.
    pub fn open(files: &Files, config: StreamsConfig) -> io::Result<(StreamWriter, Self)> {
        let mut streams = Self { store: None };
        if config.enabled {
            files.dir().create_dir_all(FOLDER)?;
            let dir = files.dir().open_dir(FOLDER)?;
            for entry in dir.entries()? {
                let entry = entry?;
                let name = entry.file_name();
                let is_ours = name
                    .to_str()
                    .is_some_and(|name| StreamId::parse(name).is_some_and(|id| id.to_string() == name));
                if is_ours && entry.file_type()?.is_file() {
                    dir.remove_file(&name)?;
                }
            }
            streams.store = Some(Arc::new(Mutex::new(Store::new(dir, config))));
            if files.shared.streams.set(streams.clone()).is_err() {
                return Err(io::Error::other("the streams of this data directory are open already"));
            }
            files.count()?;
        }
        Ok((StreamWriter { streams: streams.clone() }, streams))
    }

    /// `pcap.path`: the path of a stream's pcap, with all packets of the stream up to now.
    pub fn path(&self, name: &str) -> Result<String, StreamsError> {
        let kept = self.kept(name)?;
        Ok(format!("{FOLDER}/{}", kept.id))
    }

    pub fn counters(&self) -> StreamCounters {
        self.store().map(|store| store.counters()).unwrap_or_default()
    }

    /// Writes all buffers. The packet thread gets its turn between two.
    pub fn flush(&self) {
        for id in self.ids() {
            if let Some(mut store) = self.store() {
                let _ = store.complete(id);
            }
        }
    }

    /// What is kept of a stream, written to its file.
    pub(crate) fn kept(&self, name: &str) -> Result<Kept, StreamsError> {
        let mut store = self.store().ok_or(StreamsError::Disabled)?;
        let unknown = || StreamsError::Unknown { name: name.to_owned() };
        let id = StreamId::parse(name).ok_or_else(unknown)?;
        let complete = store.complete(id).ok_or_else(unknown)?;
        complete.map_err(|source| StreamsError::Write { name: id.to_string(), source })
    }

    /// All streams, in the order of their numbers.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        let mut ids = self.store().map(|store| store.ids()).unwrap_or_default();
        ids.sort_unstable();
        ids
    }

    /// The file of a stream for reading.
    pub(crate) fn open_file(&self, id: StreamId) -> io::Result<std::fs::File> {
        let dir = self.store().map(|store| store.dir()).ok_or(io::ErrorKind::NotFound)?;
        dir.open(id.to_string()).map(cap_std::fs::File::into_std)
    }

    /// Forgets a stream and removes its file; whether there was one.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        let (Some(mut store), Some(id)) = (self.store(), StreamId::parse(name)) else { return Ok(false) };
        store.remove_for_script(id)
    }

    /// Completes a stream's file, moves it and forgets the stream.
    pub(crate) fn detach(&self, name: &str, to: &Dir, path: &str) -> io::Result<()> {
        let (Some(mut store), Some(id)) = (self.store(), StreamId::parse(name)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        store.detach(id, to, path)
    }

    fn store(&self) -> Option<MutexGuard<'_, Store>> {
        self.store.as_ref().map(|store| store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("enabled", &self.store.is_some()).finish()
    }
}

impl StreamWriter {
    /// Appends a packet to its stream's pcap. The first packet decides the file's link type.
    #[inline]
    pub fn packet(&mut self, id: StreamId, packet: &Packet<'_>) {
        if let Some(mut store) = self.streams.store() {
            store.packet(id, packet);
        }
    }

    /// The stream ended: its file is completed and closed, and is among the first to go when room is needed. A late packet
    /// is still kept.
    pub fn finish(&mut self, id: StreamId) {
        if let Some(mut store) = self.streams.store() {
            store.finish(id);
        }
    }

    /// Says what time it is, in packet time; time that runs backwards stands still. Writes what streams in a pause have in
    /// their buffers, and removes pcaps whose time is over: a bounded number of each in one call, so call it for every
    /// batch of packets. With nothing to do it costs no more than a lock.
    pub fn advance(&mut self, now: Timestamp) {
        if let Some(mut store) = self.streams.store() {
            store.advance(now);
        }
    }
}

impl Drop for StreamWriter {
    /// Completes all files.
    fn drop(&mut self) {
        self.streams.flush();
    }
}
