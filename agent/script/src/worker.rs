//! A script's thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use remora_vendor::Cancel;

use crate::call::JobRun;
use crate::config::{HostConfig, Observer};
use crate::console::Console;
use crate::event::Event;
use crate::isolate::Isolate;
use crate::jobs::{Jobs, Staging};
use crate::queue::{CALLS_IN_A_ROW, Queue, Wants, Work};
use crate::services::Services;
use crate::stats::Counters;
use crate::watchdog::{Lost, Pulse, Watchdog, Watched};

/// What a script's thread and the rest of the host both know of one version of a script.
pub(crate) struct Shared {
    /// Of this version; later ones have greater numbers.
    pub(crate) id: u64,
    /// The script's place among the scripts.
    pub(crate) place: u32,
    pub(crate) name: String,
    pub(crate) config: Arc<HostConfig>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) console: Arc<Console>,
    /// These two stay with the script from version to version.
    pub(crate) counters: Arc<Counters>,
    pub(crate) queue: Arc<Queue>,
    /// Lives as long as the process: the thread may be lost while it is in use.
    pub(crate) pulse: &'static Pulse,
    /// Calls begun before the share the script works on.
    calls_before: AtomicU64,
    /// Of this version alone: the next one begins anew.
    abandoned: AtomicBool,
    /// The host is ending: calls that are cut now have not failed.
    pub(crate) stopping: Arc<AtomicBool>,
    /// Ends its requests.
    pub(crate) cancel: Cancel,
    loaded: Mutex<Option<Loaded>>,
    ended: Mutex<bool>,
    end: Condvar,
}

/// Takes the outcome of loading a script.
pub(crate) type Loaded = Box<dyn FnOnce(Result<Ready, String>) + Send>;

/// A version that has loaded and waits for its turn.
pub(crate) struct Ready {
    pub(crate) wants: Wants,
    pub(crate) staging: Staging,
}

/// What a new version starts from.
pub(crate) struct Version {
    pub(crate) id: u64,
    pub(crate) place: u32,
    pub(crate) name: String,
    /// Of the version before, where there was one that has not been abandoned.
    pub(crate) queue: Option<Arc<Queue>>,
    pub(crate) counters: Arc<Counters>,
}

impl Shared {
    pub(crate) fn new(
        version: Version,
        config: Arc<HostConfig>,
        observer: Arc<dyn Observer>,
        jobs: Arc<Jobs>,
        loaded: Loaded,
    ) -> Self {
        let Version { id, place, name, queue, counters } = version;
        let console = Console::new(&name, &config, Arc::clone(&observer), Arc::clone(&counters));
        let new_queue = || Arc::new(Queue::new(config.queue_events, config.queue_bytes, id));
        Self {
            id,
            place,
            queue: queue.unwrap_or_else(new_queue),
            console: Arc::new(console),
            name,
            config,
            observer,
            jobs,
            counters,
            pulse: Box::leak(Box::default()),
            calls_before: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            stopping: Arc::default(),
            cancel: Cancel::new(),
            loaded: Mutex::new(Some(loaded)),
            ended: Mutex::new(false),
            end: Condvar::new(),
        }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The script cannot be stopped: nothing waits for it any more. Its thread stays where it is.
    pub(crate) fn abandon(&self, reason: &str) {
        if self.abandoned.swap(true, Ordering::Relaxed) {
            return;
        }
        self.console.error(&format!("abandoned: {reason}; it gets no more events"));
        self.give_up();
        self.jobs.remove_owner(self.id);
        if let Some(loaded) = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).take() {
            loaded(Err(reason.to_owned()));
        }
        self.set_ended();
    }

    /// Gives up the queue and the rest of the current share, and counts what is lost: all but the calls begun.
    fn give_up(&self) {
        let lost = self.queue.abandon(self.id);
        let begun = self.counters.calls.load(Ordering::Relaxed) - self.calls_before.load(Ordering::Relaxed);
        Counters::add(&self.counters.shed, lost.waiting + lost.current.saturating_sub(begun));
    }

    /// A run of a job has ended, with the text of the exception if it failed.
    pub(crate) fn job_ended(&self, run: &Arc<JobRun>, error: Option<String>) {
        if self.jobs.ended(run, error) {
            self.console.log(&remora_jobs::console::removed(&run.tag));
        }
    }

    /// Tells the thread to end after the running call.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.cancel.trip();
        let lost = self.queue.clear();
        Counters::add(&self.counters.shed, lost.waiting);
    }

    /// Reports how loading ended; heard once.
    fn report(&self, result: Result<Ready, String>) {
        if let Some(loaded) = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).take() {
            loaded(result);
        }
    }

    fn set_ended(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.end.notify_all();
    }

    /// Waits until the thread has ended or was abandoned, until `until` at most; says whether it came to that.
    pub(crate) fn wait_ended(&self, until: Instant) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            ended = self.end.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Whatever ends the thread, nothing waits for it afterwards.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        if !self.0.is_abandoned() {
            self.0.give_up();
        }
        self.0.report(Err("its thread ended early".into()));
        self.0.set_ended();
    }
}

/// The body of the thread: loads the script, then works off its queue.
pub(crate) fn run(code: &str, shared: Arc<Shared>, services: Arc<Services>, watchdog: &Arc<Watchdog>) {
    let _guard = EndGuard(Arc::clone(&shared));
    #[cfg(feature = "v8")]
    crate::fatal::guard(shared.pulse.lost());
    let mut isolate = match Isolate::new(&shared, services, watchdog) {
        Ok(isolate) => isolate,
        Err(error) => return shared.report(Err(error)),
    };
    watchdog.watch(Watched {
        pulse: shared.pulse,
        handle: isolate.handle(),
        abandon: {
            let shared = Arc::clone(&shared);
            Box::new(move |lost| match lost {
                Lost::Unstoppable => {
                    let limit = shared.config.call_limit;
                    shared.abandon(&format!("it could not be ended at the time limit of {limit:?}"));
                }
                Lost::Failed => shared.abandon("it asked for something larger than the engine has sizes for"),
            })
        },
    });
    let result = isolate.load(code);
    let loaded = result.is_ok();
    shared.report(result);
    if loaded && !shared.is_abandoned() {
        work(&shared, &mut isolate);
    }
    watchdog.release(shared.pulse);
}

fn work(shared: &Shared, isolate: &mut Isolate) {
    let gone = || shared.is_abandoned() || shared.stopping.load(Ordering::Relaxed);
    while let Some(work) = shared.queue.take(shared.id) {
        let start = Instant::now();
        match work {
            Work::Call(call) => {
                isolate.call(&call);
                shared.queue.call_done(shared.id);
            }
            Work::Events(batch, range) => {
                shared.calls_before.store(shared.counters.calls.load(Ordering::Relaxed), Ordering::Relaxed);
                for (event, &bytes) in batch.events()[range.clone()].iter().zip(&batch.bytes()[range]) {
                    if gone() {
                        return;
                    }
                    match event {
                        Event::Packet(packet) => isolate.call_packet(packet),
                        Event::Item(item) => isolate.call_item(item, bytes),
                        Event::Query(query) => isolate.call_query(query, bytes),
                    }
                    for _ in 0..CALLS_IN_A_ROW {
                        let Some(call) = shared.queue.take_call(shared.id) else { break };
                        if gone() {
                            return;
                        }
                        isolate.call(&call);
                        shared.queue.call_done(shared.id);
                    }
                }
                isolate.idle();
                drop(batch);
                shared.queue.done(shared.id);
            }
        }
        Counters::add(&shared.counters.busy_nanos, start.elapsed().as_nanos() as u64);
        if gone() {
            return;
        }
    }
}
