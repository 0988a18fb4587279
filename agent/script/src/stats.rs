//! Counters of one script, written by its thread and read by anyone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a script has done so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ScriptStats {
    pub script: String,
    /// Hook calls begun.
    pub calls: u64,
    /// Runs of its jobs begun.
    pub jobs: u64,
    /// Calls that ended in an exception, and rejected promises nobody handled.
    pub errors: u64,
    /// Calls ended at the time limit.
    pub timeouts: u64,
    /// Calls ended at the heap limit.
    pub heap_overflows: u64,
    /// Events dropped because the script's queue was full, or because the script had been abandoned.
    pub shed: u64,
    /// Console lines dropped by the rate limit.
    pub console_suppressed: u64,
    /// The script could not be stopped; it gets no events any more.
    pub abandoned: bool,
    /// Time spent on batches of events.
    pub busy: Duration,
}

/// One writer thread per counter but `shed`; readers may see a moment between two of them.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) jobs: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) heap_overflows: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) console_suppressed: AtomicU64,
    pub(crate) busy_nanos: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, script: &str, abandoned: bool) -> ScriptStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ScriptStats {
            script: script.to_owned(),
            calls: get(&self.calls),
            jobs: get(&self.jobs),
            errors: get(&self.errors),
            timeouts: get(&self.timeouts),
            heap_overflows: get(&self.heap_overflows),
            shed: get(&self.shed),
            console_suppressed: get(&self.console_suppressed),
            abandoned,
            busy: Duration::from_nanos(get(&self.busy_nanos)),
        }
    }
}
