//! What a script's thread spends in helpers that wait for somebody else: a web server, a disk.
//!
//! Such time is not the script's own, so the watchdog does not count it. It has limits of its own: one for each wait,
//! and one for all waits of a call, so that a call with ever new waits ends too.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::watchdog::Pulse;

/// Why a wait was not begun, or came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum WaitError {
    #[error("this call has waited {0:?} for helpers, which is as long as all its waits together may take")]
    Spent(Duration),
    #[error("the call is being ended")]
    Ending,
}

pub(crate) struct Waits {
    pulse: &'static Pulse,
    /// For one wait.
    deadline: Duration,
    /// For the waits of one call.
    allowance: Duration,
    spent: Cell<Duration>,
    /// Tells work under way to give up.
    ending: Arc<AtomicBool>,
}

impl Waits {
    pub(crate) fn new(
        pulse: &'static Pulse,
        deadline: Duration,
        allowance: Duration,
        ending: Arc<AtomicBool>,
    ) -> Self {
        Self { pulse, deadline, allowance, spent: Cell::default(), ending }
    }

    /// A call begins.
    pub(crate) fn begin(&self) {
        self.spent.set(Duration::ZERO);
    }

    /// Does `work` while the script's clock stands still. It is given the time it may take, and must keep to it and to
    /// [`Waits::ending`].
    pub(crate) fn wait<T>(&self, work: impl FnOnce(Duration) -> T) -> Result<T, WaitError> {
        let left = self.allowance.saturating_sub(self.spent.get());
        if left.is_zero() {
            return Err(WaitError::Spent(self.allowance));
        }
        if self.is_ending() || !self.pulse.pause() {
            return Err(WaitError::Ending);
        }
        let start = Instant::now();
        let result = work(self.deadline.min(left));
        self.spent.set(self.spent.get() + start.elapsed());
        if self.pulse.resume() { Ok(result) } else { Err(WaitError::Ending) }
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }
}
