//! One thread that looks at every script's running call and ends those over the time limit.
//!
//! A call costs two atomic operations and no look at a clock: the script's thread only says which call it is in, and the
//! watchdog, which looks several times per limit, measures how long it has been the same one. Time in which the call
//! waits for a helper (a web server's answer) is not the script's, and has limits of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deno_core::v8;

/// Looks per time limit; a call is ended at most this fraction of the limit late.
const LOOKS_PER_LIMIT: u32 = 20;
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// How long a call may go on, at least, after it was first asked to end, before its script is given up.
///
/// V8 looks for requests in loops when their interrupt budget is used up. In a function that has been compiled by Maglev the
/// budget is some hundred million turns, and a tight loop in it, when it runs in the interpreter again, takes seconds to
/// use them up.
const PATIENCE: Duration = Duration::from_secs(if cfg!(feature = "v8") { 5 } else { 0 });

/// The phases of a call, in the low bits of [`Pulse::state`]; the other bits number the calls.
const IDLE: u64 = 0;
const RUNNING: u64 = 1;
/// The watchdog is about to end the call.
const ENDING: u64 = 2;
/// The watchdog has asked the engine to end the call.
const ENDED: u64 = 3;
/// The call waits for a helper.
const WAITING: u64 = 4;
const PHASES: u64 = 7;

/// What a script's thread tells the watchdog.
#[derive(Default)]
pub(crate) struct Pulse {
    state: AtomicU64,
    /// The thread has stopped for good in the middle of a call, see `fatal.rs`.
    lost: AtomicBool,
}

/// Why a script is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lost {
    /// A call goes on at twice the limit, and long after it was asked to end.
    Unstoppable,
    /// The engine has failed in a call.
    Failed,
}

impl Pulse {
    /// To be set when the thread stops for good.
    #[cfg(feature = "v8")]
    pub(crate) fn lost(&self) -> &AtomicBool {
        &self.lost
    }

    /// A call into the script begins. Only the script's own thread may call this, and [`Pulse::end`] must follow.
    pub(crate) fn begin(&self) {
        let call = self.state.load(Ordering::Relaxed) | PHASES;
        self.state.store(call.wrapping_add(1) | RUNNING, Ordering::SeqCst);
    }

    /// The running call begins to wait for a helper. False when it is being ended; then it should not.
    pub(crate) fn pause(&self) -> bool {
        self.pass_on(RUNNING, WAITING)
    }

    /// The wait is over. False when the call is being ended.
    pub(crate) fn resume(&self) -> bool {
        self.pass_on(WAITING, RUNNING)
    }

    fn pass_on(&self, from: u64, to: u64) -> bool {
        let call = self.state.load(Ordering::Relaxed) & !PHASES;
        self.state.compare_exchange(call | from, call | to, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// The call is over. Says whether the watchdog has asked the engine to end it; then the engine's request must be
    /// cancelled, whether or not it came in time.
    pub(crate) fn end(&self) -> bool {
        let running = self.state.load(Ordering::Relaxed) & !PHASES | RUNNING;
        let idle = running & !PHASES | IDLE;
        if self.state.compare_exchange(running, idle, Ordering::SeqCst, Ordering::Acquire).is_ok() {
            return false;
        }
        // The request must not arrive after it was cancelled, or it would end the next call.
        let ended = running & !PHASES | ENDED;
        while self.state.compare_exchange(ended, idle, Ordering::SeqCst, Ordering::Acquire).is_err() {
            std::thread::yield_now();
        }
        true
    }

    fn is_running(state: u64) -> bool {
        state & PHASES != IDLE
    }

    /// Ends the call with `request` if it still is as seen in `state`: running, waiting, or asked to end before.
    ///
    /// Asking again has its reason: a request that arrives while the engine makes an exception of a helper's error is lost
    /// with that exception when the script catches it.
    fn cut(&self, state: u64, request: impl FnOnce()) {
        if !matches!(state & PHASES, RUNNING | WAITING | ENDED) {
            return;
        }
        let ending = state & !PHASES | ENDING;
        if self.state.compare_exchange(state, ending, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            request();
            self.state.store(state & !PHASES | ENDED, Ordering::SeqCst);
        }
    }
}

/// A script under watch.
pub(crate) struct Watched {
    pub(crate) pulse: &'static Pulse,
    pub(crate) handle: v8::IsolateHandle,
    /// Called once, on the watchdog's thread.
    pub(crate) abandon: Box<dyn FnOnce(Lost) + Send>,
}

struct Entry {
    watched: Option<Watched>,
    pulse: &'static Pulse,
    seen: u64,
    /// How long the call seen has been running, without its waits.
    spent: Duration,
    looked: Instant,
    /// How often it was asked to end.
    requests: u32,
}

impl Entry {
    /// In a call that can still be ended.
    fn is_running(&self) -> bool {
        self.watched.is_some() && Pulse::is_running(self.pulse.state.load(Ordering::SeqCst))
    }
}

pub(crate) struct Watchdog {
    limit: Duration,
    entries: Mutex<Vec<Entry>>,
    wake: Condvar,
    asleep: AtomicBool,
    stop: AtomicBool,
}

impl Watchdog {
    /// A watchdog whose thread ends with [`Watchdog::stop`].
    ///
    /// # Errors
    /// The operating system's, when it has no thread left.
    pub(crate) fn start(limit: Duration) -> std::io::Result<Arc<Self>> {
        let watchdog = Arc::new(Self {
            limit: limit.max(SHORTEST_LOOK),
            entries: Mutex::default(),
            wake: Condvar::new(),
            asleep: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let thread = Arc::clone(&watchdog);
        std::thread::Builder::new().name("script-watchdog".into()).spawn(move || thread.run())?;
        Ok(watchdog)
    }

    pub(crate) fn watch(&self, watched: Watched) {
        let pulse = watched.pulse;
        self.lock().push(Entry {
            watched: Some(watched),
            pulse,
            seen: IDLE,
            spent: Duration::ZERO,
            looked: Instant::now(),
            requests: 0,
        });
    }

    /// Ends the watch over a script whose engine instance is about to go.
    pub(crate) fn release(&self, pulse: &'static Pulse) {
        self.lock().retain(|entry| !std::ptr::eq(entry.pulse, pulse));
    }

    /// Tells that a call has begun, see [`Pulse::begin`]. Cheap while the watchdog is awake.
    pub(crate) fn rouse(&self) {
        if self.asleep.load(Ordering::SeqCst) {
            let entries = self.lock();
            self.asleep.store(false, Ordering::SeqCst);
            drop(entries);
            self.wake.notify_one();
        }
    }

    pub(crate) fn stop(&self) {
        let entries = self.lock();
        self.stop.store(true, Ordering::Relaxed);
        drop(entries);
        self.wake.notify_one();
    }

    /// Ends the calls that are running or waiting, whatever their age.
    pub(crate) fn cut_all(&self) {
        for entry in self.lock().iter() {
            Self::cut_entry(entry);
        }
    }

    /// Ends the call of one script.
    pub(crate) fn cut(&self, pulse: &'static Pulse) {
        for entry in self.lock().iter().filter(|entry| std::ptr::eq(entry.pulse, pulse)) {
            Self::cut_entry(entry);
        }
    }

    fn cut_entry(entry: &Entry) {
        let Some(watched) = &entry.watched else { return };
        // A call may change between running and waiting while it is looked at; each such change is a helper's work, so
        // that few turns suffice.
        loop {
            let state = entry.pulse.state.load(Ordering::SeqCst);
            if !matches!(state & PHASES, RUNNING | WAITING) {
                return;
            }
            entry.pulse.cut(state, || {
                watched.handle.terminate_execution();
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let look = (self.limit / LOOKS_PER_LIMIT).clamp(SHORTEST_LOOK, LONGEST_LOOK);
        let mut entries = self.lock();
        while !self.stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            let mut busy = false;
            for entry in entries.iter_mut() {
                busy |= self.look(entry, now);
            }
            if busy {
                entries = self.wake.wait_timeout(entries, look).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            // Announced before the last look, so that a call that begins after that look rouses.
            self.asleep.store(true, Ordering::SeqCst);
            if !entries.iter().any(Entry::is_running) {
                entries = self
                    .wake
                    .wait_while(entries, |_| {
                        self.asleep.load(Ordering::SeqCst) && !self.stop.load(Ordering::Relaxed)
                    })
                    .unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.store(false, Ordering::SeqCst);
            if !self.stop.load(Ordering::Relaxed) {
                entries = self.wake.wait_timeout(entries, look).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Deals with one script; says whether it is in a call.
    fn look(&self, entry: &mut Entry, now: Instant) -> bool {
        let state = entry.pulse.state.load(Ordering::SeqCst);
        if !Pulse::is_running(state) {
            entry.seen = IDLE;
            return false;
        }
        let Some(watched) = &entry.watched else {
            return false;
        };
        let since = now.duration_since(std::mem::replace(&mut entry.looked, now));
        if entry.seen & !PHASES != state & !PHASES || entry.seen == IDLE {
            (entry.seen, entry.spent, entry.requests) = (state, Duration::ZERO, 0);
            return true;
        }
        if state & PHASES == WAITING {
            return true;
        }
        entry.spent += since;
        let age = entry.spent;
        let lost = match entry.pulse.lost.load(Ordering::Acquire) {
            true => Some(Lost::Failed),
            // On a machine that gives its threads no time, time alone says little.
            false => (age >= self.limit + self.limit.max(PATIENCE) && entry.requests >= LOOKS_PER_LIMIT / 2)
                .then_some(Lost::Unstoppable),
        };
        if let Some(lost) = lost {
            if let Some(watched) = entry.watched.take() {
                (watched.abandon)(lost);
            }
        } else if age >= self.limit {
            entry.requests += 1;
            entry.pulse.cut(state, || {
                watched.handle.terminate_execution();
            });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whenever a call is cut, the request has been made by the time the call's end is told of it, and none is made later.
    #[test]
    fn a_request_to_end_never_reaches_the_next_call() {
        const CALLS: usize = 200_000;
        let pulse = Pulse::default();
        let (requested, done) = (AtomicBool::new(false), AtomicBool::new(false));
        let mut cuts = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let state = pulse.state.load(Ordering::SeqCst);
                    if Pulse::is_running(state) {
                        pulse.cut(state, || requested.store(true, Ordering::SeqCst));
                    }
                }
            });
            for call in 0..CALLS {
                pulse.begin();
                for _ in 0..call % 50 {
                    std::hint::spin_loop();
                }
                let cut = pulse.end();
                assert_eq!(requested.swap(false, Ordering::SeqCst), cut, "call {call}");
                cuts += usize::from(cut);
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(!requested.load(Ordering::SeqCst));
        assert_eq!(pulse.state.load(Ordering::SeqCst), (CALLS as u64) << 3 | IDLE);
        eprintln!("{cuts} of {CALLS} calls were cut");
    }
}
