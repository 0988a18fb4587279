//! A script's thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::config::{HostConfig, Observer};
use crate::console::Console;
use crate::event::Event;
use crate::isolate::Isolate;
use crate::queue::{Queue, Wants};
use crate::stats::Counters;
use crate::watchdog::{Pulse, Watchdog, Watched};

/// What a script's thread and the rest of the host both know of the script.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) config: Arc<HostConfig>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) console: Arc<Console>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) queue: Queue,
    pub(crate) pulse: Arc<Pulse>,
    /// The host is ending: calls that are cut now have not failed.
    pub(crate) stopping: AtomicBool,
    ended: Mutex<bool>,
    end: Condvar,
}

/// The outcome of loading the script at `index`.
pub(crate) type Loaded = (usize, Result<Wants, String>);

impl Shared {
    pub(crate) fn new(name: String, config: Arc<HostConfig>, observer: Arc<dyn Observer>) -> Self {
        let counters = Arc::<Counters>::default();
        let console = Console::new(&name, &config, Arc::clone(&observer), Arc::clone(&counters));
        Self {
            queue: Queue::new(config.queue_events, config.queue_bytes),
            console: Arc::new(console),
            name,
            config,
            observer,
            counters,
            pulse: Arc::default(),
            stopping: AtomicBool::new(false),
            ended: Mutex::new(false),
            end: Condvar::new(),
        }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.counters.abandoned.load(Ordering::Relaxed)
    }

    /// The script cannot be stopped: nothing waits for it any more. Its thread stays where it is.
    fn abandon(&self) {
        self.counters.abandoned.store(true, Ordering::Relaxed);
        Counters::add(&self.counters.shed, self.queue.abandon());
        let limit = self.config.call_limit;
        self.console.error(&format!(
            "abandoned: it could not be ended at the time limit of {limit:?}, and gets no more events"
        ));
        self.set_ended();
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
            Counters::add(&self.0.counters.shed, self.0.queue.abandon());
        }
        self.0.set_ended();
    }
}

/// The body of the thread: loads the script, then works off its queue.
pub(crate) fn run(
    index: usize,
    code: &str,
    shared: Arc<Shared>,
    watchdog: &Arc<Watchdog>,
    loaded: Sender<Loaded>,
) {
    let _guard = EndGuard(Arc::clone(&shared));
    let mut isolate = match Isolate::new(&shared) {
        Ok(isolate) => isolate,
        Err(error) => {
            let _ = loaded.send((index, Err(error)));
            return;
        }
    };
    watchdog.watch(Watched {
        pulse: Arc::clone(&shared.pulse),
        handle: isolate.handle(),
        abandon: {
            let (shared, loaded) = (Arc::clone(&shared), loaded.clone());
            Box::new(move || {
                shared.abandon();
                // Heard only while the script is being loaded.
                let _ = loaded.send((index, Err("could not be ended at the time limit".into())));
            })
        },
    });
    watchdog.rouse();
    let result = isolate.load(code);
    let failed = result.is_err();
    if !shared.is_abandoned() && loaded.send((index, result)).is_ok() && !failed {
        work(&shared, &mut isolate, watchdog);
    }
    watchdog.release(&shared.pulse);
}

fn work(shared: &Shared, isolate: &mut Isolate, watchdog: &Watchdog) {
    while let Some((batch, range)) = shared.queue.take() {
        let start = Instant::now();
        watchdog.rouse();
        for event in &batch.events()[range] {
            match event {
                Event::Packet(packet) => isolate.call_packet(packet),
                Event::Item(item) => isolate.call_item(item),
            }
            if shared.is_abandoned() {
                return;
            }
        }
        isolate.idle();
        shared.queue.done();
        Counters::add(&shared.counters.busy_nanos, start.elapsed().as_nanos() as u64);
    }
}
