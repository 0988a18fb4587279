//! V8's fatal errors that a script can bring about.
//!
//! V8 ends the process where JavaScript asks for an array longer than it has sizes for, such as
//! `'x'.repeat(2 ** 28).split('')`, without asking any of its handlers
//! (<https://crbug.com/1201626>): it prints "Fatal error with no security impact" and raises SIGTRAP on the script's
//! thread. Here that signal stops the thread for good, and the watchdog abandons the script. Fatal errors that mean a
//! broken invariant still end the process.

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};

use deno_core::v8;

thread_local! {
    /// Where to tell that this thread is lost; null on threads that run no script.
    static LOST: Cell<*const AtomicBool> = const { Cell::new(null()) };
    /// V8 has found itself broken.
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// Messages of errors that go through V8's handler and are of the same kind.
const HARMLESS: [&str; 2] = ["Fatal JavaScript invalid", "Invalid size"];

/// Once per process, before V8 is initialised.
pub(crate) fn install() {
    v8::V8::set_fatal_error_handler(|_file: &str, _line: i32, message: &str| {
        BROKEN.set(!HARMLESS.iter().any(|harmless| message.starts_with(harmless)));
    });
    // SAFETY: the handler is async-signal-safe: it touches thread-locals that need neither initialisation nor
    // destruction, an atomic, and calls `pause`, `signal` and `raise`, which POSIX allows.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_trap as extern "C" fn(c_int) as usize;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut());
    }
}

/// Marks the calling thread as one that runs a script. `lost` is set when it stops for good.
pub(crate) fn guard(lost: &'static AtomicBool) {
    LOST.set(lost);
}

extern "C" fn on_trap(signal: c_int) {
    let lost = LOST.get();
    if lost.is_null() || BROKEN.get() {
        // SAFETY: both are async-signal-safe.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
        return;
    }
    // SAFETY: not null, so set by `guard` from a reference that lives as long as the process.
    unsafe { &*lost }.store(true, Ordering::Release);
    loop {
        // SAFETY: async-signal-safe.
        unsafe { libc::pause() };
    }
}
