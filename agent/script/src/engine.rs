//! The engine of this process, and the threads its instances run on.

use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};

use deno_core::{JsRuntime, v8};

type Body = Box<dyn FnOnce() + Send>;
type Request = (String, Body, Sender<std::io::Result<()>>);

/// V8 flags, for all instances of the process.
///
/// `--no-turbofan`: in code compiled by TurboFan some endless loops have no interrupt check left, so that they can
/// neither be ended at the time limit nor at the heap limit. Maglev's code keeps its checks. Hooks that read
/// items lose less than a tenth of their speed by this, tight arithmetic about half (`benches/hooks`).
#[cfg(feature = "v8")]
const FLAGS: &str = "--no-turbofan";

/// Threads V8 uses for all instances together, to compile and to collect garbage beside the scripts.
const BACKGROUND_THREADS: u32 = 2;

/// V8's own limit is just below 1 MiB, QuickJS's 1 MiB; the rest is for the host's frames below and above.
const STACK_BYTES: usize = 8 << 20;

/// Threads that use a V8 instance must descend from the thread that initialised V8: where the processor has memory
/// protection keys, others cannot write to V8's code pages. So one thread, which lives as long as the process,
/// initialises it and starts all others.
static SPAWNER: LazyLock<Mutex<Sender<Request>>> = LazyLock::new(|| {
    let (sender, requests) = channel::<Request>();
    let body = move || {
        initialise();
        for (name, body, reply) in requests {
            let thread = std::thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(body);
            // Whoever asked may have gone; the thread runs all the same.
            let _ = reply.send(thread.map(drop));
        }
    };
    if let Err(error) = std::thread::Builder::new().name("script-engine".into()).spawn(body) {
        tracing::error!(%error, "no thread for the script engine");
    }
    Mutex::new(sender)
});

fn initialise() {
    #[cfg(feature = "v8")]
    {
        crate::fatal::install();
        v8::V8::set_flags_from_string(FLAGS);
    }
    // V8's own platform: deno_core's leaves an instance's tasks to deno_core's event loop, which is not run here.
    let platform = v8::new_default_platform(BACKGROUND_THREADS, false).make_shared();
    JsRuntime::init_platform(Some(platform));
}

/// Runs `body` on a new thread that may use the engine.
///
/// # Errors
/// The operating system's, when it has no thread left.
pub(crate) fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let (reply, answer) = channel();
    let sender = SPAWNER.lock().unwrap_or_else(PoisonError::into_inner);
    let gone = || std::io::Error::other("the script engine's thread has ended");
    sender.send((name, Box::new(body), reply)).map_err(|_| gone())?;
    drop(sender);
    answer.recv().map_err(|_| gone())?
}
