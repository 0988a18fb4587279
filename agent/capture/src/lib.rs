//! The live source: packets copied by kernel programs at the TC hooks of the node's interfaces.
//!
//! [`LiveSource::start`] loads and attaches; [`LiveSource::poll`] hands on packets, borrowed from the ring buffers, on the
//! caller's thread; [`LiveSource::stop`] detaches. Nothing on the way from the ring to the caller allocates or locks.

mod attach;
mod clock;
mod config;
mod dedup;
mod diagnostics;
mod error;
mod kernel;
mod link;
mod merge;
mod netlink;
mod object;
mod patterns;
mod ring;
mod source;
mod stats;
mod watch;

pub use attach::Hook;
pub use capture_common::{CpuCounters, MAX_SNAPLEN};
pub use config::{AttachMode, LiveConfig, MIN_RING_BYTES, MIN_SNAPLEN, RING_BUDGET, RING_BYTES};
pub use dedup::DEDUP_ENTRIES;
pub use error::CaptureError;
pub use source::{LiveSource, Polled};
pub use stats::LiveStats;
pub use watch::{Interface, START_PATIENCE};
