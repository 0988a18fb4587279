//! Counts what the code under test asks of the heap, per thread, so that tests do not see each other.

#![allow(dead_code, unreachable_pub)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    BYTES.set(BYTES.get() + change.max(0) as u64);
    LIVE.set(LIVE.get() + change);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches only thread-local numbers without
// destructors, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        count(layout.size() as isize);
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as for `alloc`; the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        count(size as isize - layout.size() as isize);
        // SAFETY: as for `alloc`; the pointer came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Allocations and reallocations so far.
pub fn calls() -> u64 {
    CALLS.get()
}

/// Bytes asked for so far, of growth the difference.
pub fn bytes() -> u64 {
    BYTES.get()
}

/// Bytes allocated now.
pub fn live() -> isize {
    LIVE.get()
}

/// Begins to measure a new peak.
pub fn reset_peak() {
    PEAK.set(LIVE.get());
}

pub fn peak() -> isize {
    PEAK.get()
}
