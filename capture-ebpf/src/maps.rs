//! The maps and globals of the programs; the agent finds them by the names in `capture_common`.

use aya_ebpf::{
    Global,
    btf_maps::{ArrayOfMaps, PerCpuArray, RingBuf},
    macros::btf_map,
};
use capture_common::{CpuCounters, MAX_SNAPLEN};

/// What the agent replaces by rings of the size it wants: an inner map may differ from its template in `max_entries`.
///
/// <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/kernel/bpf/map_in_map.c?h=v6.1.192#n84>
type Ring = RingBuf<u8, 4096>;

/// One ring per possible CPU, so that no two CPUs wait for one ring's lock. The agent sets the number of entries.
#[btf_map]
pub static RINGS: ArrayOfMaps<Ring, 1> = ArrayOfMaps::new();

#[btf_map]
pub static COUNTERS: PerCpuArray<CpuCounters, 1> = PerCpuArray::new();

#[unsafe(no_mangle)]
pub static SNAPLEN: Global<u32> = Global::new(MAX_SNAPLEN);

#[unsafe(no_mangle)]
pub static WAKEUP_BYTES: Global<u64> = Global::new(1 << 20);

/// Nothing is copied while this is 0: a node has many interfaces, attaching takes a while, and nobody reads yet.
///
/// The only mutable global, so it is all of `.bss`, by which name the agent knows it.
#[unsafe(no_mangle)]
pub static mut RUNNING: u32 = 0;
