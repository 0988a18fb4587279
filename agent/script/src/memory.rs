//! The memory of a script: a heap that ends calls before it is full, and a budget for buffers outside of it.

use std::cell::Cell;
use std::rc::Rc;

use deno_core::{JsRuntime, v8};

/// How an instance is created whose heap may grow to `limit` bytes.
pub(crate) fn create_params(limit: usize) -> v8::CreateParams {
    let params = v8::CreateParams::default().heap_limits(0, limit);
    #[cfg(feature = "v8")]
    let params = params
        .array_buffer_allocator(buffers::allocator(limit))
        .set_max_young_generation_size_in_bytes(YOUNG_BYTES)
        .set_initial_young_generation_size_in_bytes(YOUNG_BYTES);
    params
}

/// V8's least: three semi-spaces of 1 MiB. Most of what hooks make is garbage when they return, so that collections stay
/// cheap, and the less it spreads over memory the better the caches hold it.
#[cfg(feature = "v8")]
const YOUNG_BYTES: usize = 3 << 20;

/// Has V8 collect its young generation, after which what a script does not hold is known to be gone. There is no way to
/// ask for it, so the generation is filled up, until something put there before is gone. It costs what survives it, which
/// is little: an item's object rarely outlives its call.
#[cfg(feature = "v8")]
pub(crate) fn collect_young(runtime: &mut JsRuntime) {
    const FILLER: usize = 64 << 10;
    let canary = {
        deno_core::scope!(scope, runtime);
        let canary = v8::Object::new(scope);
        v8::Weak::new(scope, canary)
    };
    // Twice the generation's size: it may have grown.
    for _ in 0..2 * YOUNG_BYTES / FILLER {
        if canary.is_empty() {
            return;
        }
        deno_core::scope!(scope, runtime);
        v8::Array::new(scope, (FILLER / size_of::<usize>()) as i32);
    }
}

/// The heap has reached its limit.
pub(crate) struct Hit {
    /// So much of it could not be freed that every call would reach it again.
    pub(crate) is_full: bool,
}

/// The heap limit of a script. Used by its thread alone.
pub(crate) struct Heap {
    limit: usize,
    overdraft: usize,
    hit: Rc<Cell<bool>>,
}

impl Heap {
    /// `exhausted` is called, and the thread stops for good, where V8 would take the whole process down: the heap needs
    /// more than limit and overdraft although the running call was asked to end.
    pub(crate) fn new(
        limit: usize,
        overdraft: usize,
        runtime: &mut JsRuntime,
        exhausted: Box<dyn Fn()>,
    ) -> Self {
        #[cfg(feature = "v8")]
        exhaustion::watch(runtime.v8_isolate(), exhausted);
        // QuickJS throws an exception instead.
        #[cfg(feature = "quickjs")]
        drop(exhausted);
        let heap = Self { limit, overdraft, hit: Rc::default() };
        heap.arm(runtime);
        heap
    }

    /// Has the engine end the running call when the heap reaches its limit.
    fn arm(&self, runtime: &mut JsRuntime) {
        let handle = runtime.v8_isolate().thread_safe_handle();
        let hit = Rc::clone(&self.hit);
        let most = self.limit.saturating_add(self.overdraft);
        runtime.add_near_heap_limit_callback(move |current, _| {
            hit.set(true);
            handle.terminate_execution();
            current.max(most)
        });
    }

    /// Whether the heap has reached its limit since the last question. If so it is cleaned up and set back; the running
    /// call must be over.
    pub(crate) fn take_hit(&self, runtime: &mut JsRuntime) -> Option<Hit> {
        if !self.hit.replace(false) {
            return None;
        }
        let isolate = runtime.v8_isolate();
        isolate.cancel_terminate_execution();
        isolate.low_memory_notification();
        runtime.remove_near_heap_limit_callback(self.limit);
        self.arm(runtime);
        // V8 has a call that needs little go on beside a heap that is full.
        #[cfg(feature = "v8")]
        let is_full = false;
        // QuickJS ends a call as soon as an eighth of the limit is left. Where it ends one in the middle of some built-in
        // functions (`Array.prototype.concat`), it never frees what they worked on.
        #[cfg(feature = "quickjs")]
        let is_full =
            runtime.v8_isolate().get_heap_statistics().used_heap_size() >= self.limit - self.limit / 8;
        Some(Hit { is_full })
    }
}

/// V8's last word: after its out-of-memory handler returns it aborts the process. So it does not return. The thread and
/// the heap as it is are lost, which is what the limits leave of it.
#[cfg(feature = "v8")]
mod exhaustion {
    use std::cell::OnceCell;
    use std::ffi::c_char;

    use deno_core::v8;

    thread_local! {
        static EXHAUSTED: OnceCell<Box<dyn Fn()>> = const { OnceCell::new() };
    }

    pub(super) fn watch(isolate: &mut v8::Isolate, exhausted: Box<dyn Fn()>) {
        // A thread has one isolate in its life.
        EXHAUSTED.with(|cell| drop(cell.set(exhausted)));
        isolate.set_oom_error_handler(out_of_memory);
    }

    unsafe extern "C" fn out_of_memory(_location: *const c_char, _details: &v8::OomDetails) {
        EXHAUSTED.with(|cell| {
            if let Some(exhausted) = cell.get() {
                exhausted();
            }
        });
        loop {
            std::thread::park();
        }
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
