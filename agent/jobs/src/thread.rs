//! The table of jobs behind its lock, and the thread that looks at the clock.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::error::JobError;
use crate::job::Run;
use crate::scheduler::{Runner, SchedulerConfig};
use crate::table::{Caps, Table};

/// The longest sleep of the thread, after which it looks whether the wall clock was set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What the handles and the thread share.
pub(crate) struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    runner: Arc<dyn Runner>,
    pub(crate) config: SchedulerConfig,
    /// The next job's number.
    pub(crate) ids: AtomicU64,
}

pub(crate) struct State {
    pub(crate) table: Table,
    /// The scheduler was shut down.
    pub(crate) ended: bool,
    /// What the thread sleeps for: anything due earlier has to wake it.
    asleep_until: Option<DateTime<Utc>>,
}

/// The thread, from the first job on. Dropping this ends it.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Shared {
    pub(crate) fn new(config: SchedulerConfig, runner: Arc<dyn Runner>) -> Self {
        let caps = Caps { owner: config.jobs_per_owner, total: config.jobs_total };
        let state = State { table: Table::new(caps), ended: false, asleep_until: None };
        Self { state: Mutex::new(state), wake: Condvar::new(), runner, config, ids: AtomicU64::new(1) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in the table is left half done by a panic of a caller's clock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Without the lock, so that a runner may ask the scheduler.
    pub(crate) fn hand_over(&self, run: &Run) -> bool {
        let taken = self.runner.start(run);
        if !taken {
            let now = self.config.clock.wall();
            let mut state = self.lock();
            state.table.refused(run.id, now);
            self.wake_for(&mut state);
        }
        taken
    }

    /// Fires what is due by now, and has the thread compute anew how long to sleep.
    pub(crate) fn look(&self) {
        let mut state = self.fire(self.lock());
        state.asleep_until = None;
        self.wake.notify_one();
    }

    fn fire<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.ended {
            return state;
        }
        let runs = state.table.tick(self.config.clock.wall(), self.config.clock.monotonic());
        if runs.is_empty() {
            return state;
        }
        drop(state);
        for run in &runs {
            self.hand_over(run);
        }
        self.lock()
    }

    /// Wakes the thread if something is due before it wakes by itself.
    pub(crate) fn wake_for(&self, state: &mut State) {
        if state.asleep_until.is_some_and(|until| state.table.next_due().is_some_and(|due| due < until)) {
            state.asleep_until = None;
            self.wake.notify_one();
        }
    }

    /// The thread.
    fn fire_until_ended(&self) {
        let mut state = self.lock();
        while !state.ended {
            state = self.fire(state);
            if state.ended {
                return;
            }
            let now = self.config.clock.wall();
            let due = state.table.next_due().unwrap_or(DateTime::<Utc>::MAX_UTC);
            let sleep = (due - now).to_std().unwrap_or_default().min(LONGEST_SLEEP);
            if sleep.is_zero() {
                continue;
            }
            state.asleep_until = Some(due);
            state = self.wake.wait_timeout(state, sleep).unwrap_or_else(PoisonError::into_inner).0;
            state.asleep_until = None;
        }
    }
}

impl Thread {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, handle: Mutex::new(None) }
    }

    /// Starts the thread unless it runs.
    pub(crate) fn ensure(&self) -> Result<(), JobError> {
        let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if handle.is_none() && !self.shared.lock().ended {
            let shared = Arc::clone(&self.shared);
            let builder = std::thread::Builder::new().name("jobs".to_owned());
            *handle = Some(builder.spawn(move || shared.fire_until_ended()).map_err(JobError::Thread)?);
        }
        Ok(())
    }

    pub(crate) fn end(&self) {
        let mut state = self.shared.lock();
        state.ended = true;
        state.table.remove_all();
        self.shared.wake.notify_all();
        drop(state);
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The thread itself may drop the last handle, out of a runner.
        if let Some(handle) = handle.filter(|handle| handle.thread().id() != std::thread::current().id()) {
            // It has not panicked, unless the runner has; then there is nothing more to end.
            let _ = handle.join();
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.end();
    }
}
