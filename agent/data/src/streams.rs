//! The pcap of every stream, and `pcap.path`.

mod config;
mod disk;
mod id;
mod order;
mod queue;
mod room;
mod slot;
mod store;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use cap_std::fs::Dir;
use remora_packet::{Packet, Timestamp};

pub use config::{StreamCounters, StreamsConfig};
pub use id::{StreamId, StreamKind};

use crate::Files;
use crate::error::Reason;
use disk::Disk;
use queue::Shared;
use store::Store;

/// The folder of the data directory that holds the pcaps of streams.
pub const FOLDER: &str = "pcaps";

/// Why `pcap.path` has no path to give; what a script sees.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    #[error("pcap.path: the packets of streams are not kept: the agent runs without it")]
    Disabled,
    #[error(
        "pcap.path: no pcap is kept for the stream {name:?}: there was none of this name, or it was removed after the \
         time or for the room that pcaps may take"
    )]
    Unknown { name: String },
    #[error("pcap.path: cannot write the pcap of the stream {name}: {source}")]
    Write { name: String, source: io::Error },
}

impl From<StreamsError> for Reason {
    fn from(error: StreamsError) -> Self {
        match error {
            StreamsError::Disabled => Self::NotKept,
            StreamsError::Unknown { .. } => Self::NotFound,
            StreamsError::Write { source, .. } => source.into(),
        }
    }
}

/// The packet thread's end: every packet with its stream goes in here.
///
/// A packet is copied into the stream's buffer. A thread of the streams' own writes the buffer when it is full, when the
/// stream pauses, or when somebody asks for the file. Errors of the disk are counted and told once; capture goes on.
#[derive(Debug)]
pub struct StreamWriter {
    streams: Streams,
}

/// The script threads' end: asks for files. Cheap to clone.
#[derive(Clone)]
pub struct Streams {
    /// None where streams are not kept.
    owner: Option<Arc<Owner>>,
}

/// Ends the disk's thread with the last who could give it work.
struct Owner {
    dir: Arc<Dir>,
    /// Locked for the copy of a packet into its buffer, never while the disk works.
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
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
        let mut streams = Self { owner: None };
        if config.enabled {
            // Before anything of theirs is cleared away.
            if files.shared.streams.get().is_some() {
                return Err(already_open());
            }
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
            let dir = Arc::new(dir);
            let disk = Disk::new(dir.clone(), config.open_files);
            let shared = Arc::new(Shared::new(Store::new(config)));
            let thread = std::thread::Builder::new().name("pcaps".to_owned()).spawn({
                let shared = shared.clone();
                move || shared.run(disk)
            })?;
            streams.owner = Some(Arc::new(Owner { dir, shared, thread: Some(thread) }));
            if files.shared.streams.set(streams.clone()).is_err() {
                return Err(already_open());
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

    /// Whether the packets of streams are kept.
    pub fn is_enabled(&self) -> bool {
        self.owner.is_some()
    }

    pub fn counters(&self) -> StreamCounters {
        self.shared().map(|shared| shared.with(|store| store.counters())).unwrap_or_default()
    }

    /// Has all buffers written and waits for it.
    pub fn flush(&self) {
        let Some(shared) = self.shared() else { return };
        // One after the other, so that the packet thread gets its turn between two.
        for id in self.ids() {
            if let Some(answer) = shared.with(|store| store.complete(id)) {
                let _ = answer.recv();
            }
        }
    }

    /// What is kept of a stream, written to its file.
    pub(crate) fn kept(&self, name: &str) -> Result<Kept, StreamsError> {
        let shared = self.shared().ok_or(StreamsError::Disabled)?;
        let unknown = || StreamsError::Unknown { name: name.to_owned() };
        let id = StreamId::parse(name).ok_or_else(unknown)?;
        let answer = shared.with(|store| store.complete(id)).ok_or_else(unknown)?;
        match answer.recv().unwrap_or_else(|_| Err(ended())) {
            Ok(bytes) => Ok(Kept { id, bytes }),
            Err(source) => Err(StreamsError::Write { name: id.to_string(), source }),
        }
    }

    /// All streams, in the order of their numbers.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        let mut ids = self.shared().map(|shared| shared.with(|store| store.ids())).unwrap_or_default();
        ids.sort_unstable();
        ids
    }

    /// The file of a stream for reading.
    pub(crate) fn open_file(&self, id: StreamId) -> io::Result<std::fs::File> {
        let owner = self.owner.as_ref().ok_or(io::ErrorKind::NotFound)?;
        owner.dir.open(id.to_string()).map(cap_std::fs::File::into_std)
    }

    /// Forgets a stream and removes its file; whether there was one.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        let (Some(shared), Some(id)) = (self.shared(), StreamId::parse(name)) else { return Ok(false) };
        match shared.with(|store| store.remove_for_script(id)) {
            Some(answer) => answer.recv().unwrap_or_else(|_| Err(ended())).map(|()| true),
            None => Ok(false),
        }
    }

    /// Completes a stream's file, moves it and forgets the stream.
    pub(crate) fn detach(&self, name: &str, to: &Arc<Dir>, path: &str) -> io::Result<()> {
        let (Some(shared), Some(id)) = (self.shared(), StreamId::parse(name)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let answer = shared.with(|store| store.detach(id, to, path)).ok_or(io::ErrorKind::NotFound)?;
        answer.recv().unwrap_or_else(|_| Err(ended()))
    }

    fn shared(&self) -> Option<&Shared> {
        self.owner.as_ref().map(|owner| &*owner.shared)
    }
}

fn already_open() -> io::Error {
    io::Error::other("the streams of this data directory are open already")
}

fn ended() -> io::Error {
    io::Error::other("the thread that writes pcaps has ended")
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // It is told to end, and what it could not do it has told.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("enabled", &self.owner.is_some()).finish()
    }
}

impl StreamWriter {
    /// Appends a packet to its stream's pcap. The first packet decides the file's link type.
    #[inline]
    pub fn packet(&mut self, id: StreamId, packet: &Packet<'_>) {
        if let Some(shared) = self.streams.shared() {
            shared.with_room(|store| store.packet(id, packet));
        }
    }

    /// The stream ended: its file is completed and closed, and is among the first to go when room is needed. A late packet
    /// is still kept.
    pub fn finish(&mut self, id: StreamId) {
        if let Some(shared) = self.streams.shared() {
            shared.with_room(|store| store.finish(id));
        }
    }

    /// Says what time it is, in packet time; time that runs backwards stands still. Writes what streams in a pause have in
    /// their buffers, and removes pcaps whose time is over: a bounded number of each in one call, so call it for every
    /// batch of packets. With nothing to do it costs no more than a lock.
    pub fn advance(&mut self, now: Timestamp) {
        if let Some(shared) = self.streams.shared() {
            shared.with_room(|store| store.advance(now));
        }
    }
}

impl Drop for StreamWriter {
    /// Completes all files.
    fn drop(&mut self) {
        self.streams.flush();
    }
}
