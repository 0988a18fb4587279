//! Copies a packet into the ring of the CPU it passes on.
//!
//! A ring record of a size known only at run time comes from `bpf_ringbuf_reserve_dynptr` (Linux 5.19,
//! <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/kernel/bpf/ringbuf.c?h=v6.1.192#n586>). A dynptr gives
//! out slices of constant length only, so the packet is copied in pieces whose lengths are powers of two; the last piece
//! overlaps the one before it instead of being cut into ever smaller ones. A 66-byte ACK takes two pieces, a 1,514-byte
//! frame four, a full GSO packet two. `bpf_skb_load_bytes` reads the parts of a packet that are not in its linear buffer too:
//! <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/net/core/filter.c?h=v6.1.192#n1749>.

use core::mem::MaybeUninit;

use aya_ebpf::{
    bindings::{__sk_buff, BPF_RB_FORCE_WAKEUP, bpf_dynptr},
    helpers::generated::{
        bpf_dynptr_data, bpf_get_smp_processor_id, bpf_ktime_get_boot_ns, bpf_ringbuf_discard_dynptr,
        bpf_ringbuf_reserve_dynptr, bpf_ringbuf_submit_dynptr, bpf_skb_load_bytes,
    },
    programs::TcContext,
};
use aya_log_ebpf::warn;
use capture_common::{CpuCounters, Direction, RecordHeader};

use crate::maps::{COUNTERS, RINGS, RUNNING, SNAPLEN, WAKEUP_BYTES};

const HEADER: u32 = RecordHeader::SIZE as u32;
const ETHERNET_HEADER: u32 = 14;
const ETHERNET_ADDRESSES: u32 = 12;
const VLAN_TAG: u32 = 4;

/// The kernel keeps a VLAN tag outside the packet's bytes where the network card took it out or is to put it in.
struct VlanTag {
    protocol: u32,
    control: u32,
}

#[inline(always)]
pub fn packet(ctx: &TcContext, direction: Direction) {
    // SAFETY: a word that programs only read; the agent writes it in one store.
    if unsafe { (&raw const RUNNING).read_volatile() } == 0 {
        return;
    }
    let Some(counters) = COUNTERS.get_ptr_mut(0) else { return };
    // SAFETY: the value belongs to this CPU, and TC programs run with bottom halves off, so nothing else writes it.
    let counters = unsafe { &mut *counters };
    let skb = ctx.skb.skb;
    // SAFETY: the kernel hands every program a valid context; loads of its fields are rewritten by the verifier.
    let (bytes, tag, interface, packet_type) = unsafe {
        let tag = VlanTag { protocol: (*skb).vlan_proto, control: (*skb).vlan_tci };
        let tagged = (*skb).vlan_present != 0 && (*skb).len >= ETHERNET_HEADER;
        ((*skb).len, if tagged { Some(tag) } else { None }, (*skb).ifindex, (*skb).pkt_type)
    };
    let length = if tag.is_some() { bytes + VLAN_TAG } else { bytes };
    counters.packets += 1;
    counters.bytes += u64::from(length);

    // SAFETY: takes nothing, only reads a clock.
    let time = unsafe { bpf_ktime_get_boot_ns() };
    let header = RecordHeader { time, interface, length, packet_type, direction: direction as u32 };
    match deliver(skb, &header, tag, counters) {
        Ok(()) => {}
        Err(Undelivered::RingFull) => {
            counters.lost_packets += 1;
            counters.lost_bytes += u64::from(length);
        }
        Err(Undelivered::Unreadable) => {
            // Once per CPU: packets like this come in numbers, and the counter tells how many.
            if counters.unreadable_packets == 0 {
                warn!(ctx, "a packet of {} bytes on interface {} could not be read", length, interface);
            }
            counters.unreadable_packets += 1;
        }
        Err(Undelivered::NoRing) => {
            if counters.unreadable_packets == 0 {
                warn!(ctx, "this CPU has no ring buffer");
            }
            counters.unreadable_packets += 1;
        }
    }
}

enum Undelivered {
    RingFull,
    Unreadable,
    NoRing,
}

#[inline(always)]
fn deliver(
    skb: *mut __sk_buff,
    header: &RecordHeader,
    tag: Option<VlanTag>,
    counters: &mut CpuCounters,
) -> Result<(), Undelivered> {
    let snaplen = SNAPLEN.load();
    let captured = if header.length < snaplen { header.length } else { snaplen };
    // SAFETY: takes nothing.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let ring = RINGS.get(cpu).ok_or(Undelivered::NoRing)?;
    let size = HEADER + captured;

    let mut record = MaybeUninit::<bpf_dynptr>::uninit();
    let record = record.as_mut_ptr();
    // SAFETY: `ring` is a map and `record` is 16 bytes of this stack frame; the kernel initialises it even where it fails.
    if unsafe { bpf_ringbuf_reserve_dynptr(core::ptr::from_ref(ring).cast_mut().cast(), size, 0, record) }
        != 0
    {
        // SAFETY: a failed reservation must be given back too; the verifier insists.
        unsafe { bpf_ringbuf_discard_dynptr(record, 0) };
        return Err(Undelivered::RingFull);
    }
    if !fill(skb, record, header, tag, captured) {
        // SAFETY: `record` was reserved above and is given back on this path only here.
        unsafe { bpf_ringbuf_discard_dynptr(record, 0) };
        return Err(Undelivered::Unreadable);
    }
    if captured < header.length {
        counters.truncated_packets += 1;
    }
    // Without a flag the kernel wakes the reader only if it has read all there was; a reader that waits for a batch would
    // not learn that the ring fills up.
    // https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/kernel/bpf/ringbuf.c?h=v6.1.192#n493
    counters.unannounced_bytes += u64::from(size);
    let wakeup = counters.unannounced_bytes >= WAKEUP_BYTES.load();
    if wakeup {
        counters.unannounced_bytes = 0;
    }
    // SAFETY: `record` was reserved above and is handed over on this path only here.
    unsafe { bpf_ringbuf_submit_dynptr(record, if wakeup { u64::from(BPF_RB_FORCE_WAKEUP) } else { 0 }) };
    Ok(())
}

/// Writes the header and the first `captured` bytes of the packet, its tag put back where the wire has it.
#[inline(always)]
fn fill(
    skb: *mut __sk_buff,
    record: *mut bpf_dynptr,
    header: &RecordHeader,
    tag: Option<VlanTag>,
    captured: u32,
) -> bool {
    // SAFETY: `record` is a reserved ring record; the slice is checked for null and as long as what is written.
    let slice = unsafe { bpf_dynptr_data(record, 0, HEADER as _) }.cast::<RecordHeader>();
    if slice.is_null() {
        return false;
    }
    // SAFETY: records begin at a multiple of 8 bytes, and this one has room for a header.
    unsafe { slice.write(*header) };

    let shift = if tag.is_some() { VLAN_TAG } else { 0 };
    if !copy(skb, record, HEADER + shift, captured - shift) {
        return false;
    }
    let Some(tag) = tag else { return true };
    // The whole packet stands four bytes too far back: its addresses go once more where they belong, the tag behind them.
    // SAFETY: as above.
    let start = unsafe { bpf_dynptr_data(record, HEADER, (ETHERNET_ADDRESSES + VLAN_TAG) as _) }.cast::<u8>();
    if start.is_null() {
        return false;
    }
    // SAFETY: the slice has the 16 bytes written here; its offset in the ring is a multiple of 8.
    unsafe {
        let at = start.add(ETHERNET_ADDRESSES as usize).cast::<u16>();
        at.write(tag.protocol as u16);
        at.add(1).write((tag.control as u16).to_be());
        bpf_skb_load_bytes(skb.cast(), 0, start.cast(), ETHERNET_ADDRESSES) == 0
    }
}

/// Copies the first `length` bytes of the packet to offset `to` of the record.
#[inline(always)]
fn copy(skb: *mut __sk_buff, record: *mut bpf_dynptr, to: u32, length: u32) -> bool {
    let mut at = 0;
    macro_rules! pieces {
        ($($size:literal)*) => { $(
            if length & $size != 0 {
                if !piece::<$size>(skb, record, at, to) {
                    return false;
                }
                at += $size;
            }
        )* };
    }
    pieces!(0x40000 0x20000 0x10000 0x8000 0x4000 0x2000 0x1000 0x800 0x400 0x200 0x100 0x80);
    // Asking `length`, of which the verifier knows nothing, instead of `at`, which it knows on every path: a branch it can
    // foresee makes it follow each of the paths above on its own.
    // https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/kernel/bpf/verifier.c?h=v6.1.192#n10448
    if length >= 0x80 {
        return length & 0x7f == 0 || piece::<0x80>(skb, record, length - 0x80, to);
    }
    macro_rules! short_packet {
        ($($size:literal)*) => { $(
            if length >= $size {
                return piece::<$size>(skb, record, 0, to) && piece::<$size>(skb, record, length - $size, to);
            }
        )* };
    }
    short_packet!(0x40 0x20 0x10 8 4 2 1);
    true
}

/// Copies `SIZE` bytes from offset `at` of the packet, wherever its parts lie, to the same offset from `to` on.
#[inline(always)]
fn piece<const SIZE: u32>(skb: *mut __sk_buff, record: *mut bpf_dynptr, at: u32, to: u32) -> bool {
    // SAFETY: the kernel checks the slice against the record, and the load against the packet.
    unsafe {
        let slice = bpf_dynptr_data(record, to + at, SIZE as _);
        !slice.is_null() && bpf_skb_load_bytes(skb.cast(), at, slice.cast(), SIZE) == 0
    }
}
