//! The memory of a script: a heap that ends calls before it is full, and a budget for buffers outside of it.

use std::cell::Cell;
use std::rc::Rc;

use deno_core::JsRuntime;

#[cfg(feature = "v8")]
pub(crate) use buffers::allocator;

/// What the heap may take beyond its limit while a call is being ended. V8 takes a whole process down when a heap is
/// full, so this must be more than any script can fill between two interrupt checks.
const OVERDRAFT: usize = 4;

/// The near-heap-limit state of a script. Used by its thread alone.
pub(crate) struct Heap {
    limit: usize,
    hit: Rc<Cell<bool>>,
}

impl Heap {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, hit: Rc::default() }
    }

    /// Has the engine end the running call when the heap reaches its limit.
    pub(crate) fn arm(&self, runtime: &mut JsRuntime) {
        let handle = runtime.v8_isolate().thread_safe_handle();
        let hit = Rc::clone(&self.hit);
        let limit = self.limit;
        runtime.add_near_heap_limit_callback(move |current, _| {
            hit.set(true);
            handle.terminate_execution();
            if current >= limit.saturating_mul(OVERDRAFT) {
                give_up();
            }
            current.saturating_add(limit)
        });
    }

    /// Whether the heap has reached its limit since the last question. If so the limit is set back; the running call
    /// must be over.
    pub(crate) fn take_hit(&self, runtime: &mut JsRuntime) -> bool {
        if !self.hit.replace(false) {
            return false;
        }
        runtime.remove_near_heap_limit_callback(self.limit);
        self.arm(runtime);
        true
    }
}

/// The heap grows although the call was asked to end. Rather than let it take the machine's memory the thread stops here
/// for good; the watchdog then abandons the script.
fn give_up() -> ! {
    loop {
        std::thread::park();
    }
}

#[cfg(feature = "v8")]
mod buffers {
    use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
    use std::ffi::c_void;
    use std::ptr::null_mut;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use deno_core::v8;

    /// Bytes of `ArrayBuffer`s. V8 frees them from its own threads too.
    struct Budget {
        limit: usize,
        used: AtomicUsize,
    }

    impl Budget {
        fn reserve(&self, bytes: usize) -> bool {
            let update = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
            self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update).is_ok()
        }

        fn allocate(&self, bytes: usize, from: unsafe fn(Layout) -> *mut u8) -> *mut c_void {
            let Some(layout) = layout(bytes).filter(|_| self.reserve(bytes)) else {
                return null_mut();
            };
            // SAFETY: the layout is not of size 0.
            let data = unsafe { from(layout) };
            if data.is_null() {
                self.used.fetch_sub(bytes, Ordering::Relaxed);
            }
            data.cast()
        }
    }

    fn layout(bytes: usize) -> Option<Layout> {
        Layout::from_size_align(bytes, align_of::<u128>()).ok().filter(|layout| layout.size() > 0)
    }

    unsafe extern "C" fn zeroed(budget: &Budget, bytes: usize) -> *mut c_void {
        budget.allocate(bytes, alloc_zeroed)
    }

    unsafe extern "C" fn uninitialized(budget: &Budget, bytes: usize) -> *mut c_void {
        budget.allocate(bytes, alloc)
    }

    unsafe extern "C" fn free(budget: &Budget, data: *mut c_void, bytes: usize) {
        if let Some(layout) = layout(bytes).filter(|_| !data.is_null()) {
            // SAFETY: V8 gives back what `allocate` returned for as many bytes, once.
            unsafe { dealloc(data.cast(), layout) };
            budget.used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    unsafe extern "C" fn drop_budget(budget: *const Budget) {
        // SAFETY: the pointer comes from `Arc::into_raw` below, and V8 drops the allocator once.
        drop(unsafe { Arc::from_raw(budget) });
    }

    static VTABLE: v8::RustAllocatorVtable<Budget> = v8::RustAllocatorVtable {
        allocate: zeroed,
        allocate_uninitialized: uninitialized,
        free,
        drop: drop_budget,
    };

    /// An allocator for `ArrayBuffer`s that gives out `limit` bytes; then the script gets a `RangeError`.
    pub(crate) fn allocator(limit: usize) -> v8::UniqueRef<v8::Allocator> {
        let budget = Arc::new(Budget { limit, used: AtomicUsize::new(0) });
        // SAFETY: the vtable is for this type, and `drop_budget` takes the reference back.
        unsafe { v8::new_rust_allocator(Arc::into_raw(budget), &VTABLE) }
    }
}
