//! The bytes the kernel programs write and the agent reads: one record per packet, one block of counters per CPU.
//!
//! Both sides run on one machine, so numbers are in its own byte order.
#![no_std]
#![forbid(unsafe_code)]

mod counters;
mod record;

pub use counters::CpuCounters;
pub use record::{Direction, RecordHeader};

/// Most bytes of a packet the programs copy: tcpdump's default, which is the most it takes too.
///
/// A full GSO packet has 65,549 bytes with its Ethernet header and arrives complete; BIG TCP may reach 512 KiB, and what
/// it has beyond this is cut off, visibly ([`RecordHeader::length`]).
///
/// <https://www.tcpdump.org/manpages/tcpdump.1.html>
pub const MAX_SNAPLEN: u32 = 262_144;

/// Name of the array that holds one ring buffer per possible CPU, at the CPU's number.
pub const RINGS: &str = "RINGS";
/// Name of the per-CPU array whose only value is [`CpuCounters`].
pub const COUNTERS: &str = "COUNTERS";
/// Name of the global (`u32`) that caps the bytes copied of a packet; 1 to [`MAX_SNAPLEN`].
pub const SNAPLEN: &str = "SNAPLEN";
/// Name of the global (`u64`): a producer wakes the reader each time it has written so many bytes, even where the
/// reader is awake or waits on purpose for more.
pub const WAKEUP_BYTES: &str = "WAKEUP_BYTES";
/// Name of the section, and so of the map, with the one variable (`u32`) that is 1 while packets are to be copied.
pub const RUNNING: &str = ".bss";
/// Name of the program attached to ingress.
pub const INGRESS: &str = "remora_ingress";
/// Name of the program attached to egress.
pub const EGRESS: &str = "remora_egress";
