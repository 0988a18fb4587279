//! The agent's data directory: the files scripts handle, the pcap of every stream, snapshots, name resolution history.
//!
//! [`Files`] are the `file.*` helpers, kept inside the directory by a capability. [`StreamWriter`] takes the packets of
//! every stream on the packet thread, and [`Streams`] hands out the files to script threads. [`snapshot`] merges them, or
//! the captures in a folder, into one capture in order of time. [`NameHistory`] keeps what addresses were called.
//! There is no JavaScript in here: each helper is a function with plain arguments, and its error is what a script sees.
#![forbid(unsafe_code)]

mod error;
mod files;
mod history;
mod path;
mod quota;
mod snapshot;
mod streams;
mod temporary;
mod walk;

pub use error::{FileError, Reason};
pub use files::{FileCounters, Files, FilesConfig, GoOn};
pub use history::NameHistory;
pub use path::{MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES};
pub use quota::BLOCK_BYTES;
pub use snapshot::{MAX_NAMES_TOLD, Snapshot, SnapshotConfig, snapshot};
pub use streams::{
    FOLDER, StreamCounters, StreamId, StreamKind, StreamWriter, Streams, StreamsConfig, StreamsError,
};
