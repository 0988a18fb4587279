//! The two clocks of the scheduler.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta, Utc};

/// Where the scheduler reads the time.
pub trait Clock: Send + Sync {
    /// The wall clock, which may be set to any time at any moment.
    fn wall(&self) -> DateTime<Utc>;

    /// Time since any fixed moment, by a clock that nobody sets. What the wall clock does besides is a jump.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> DateTime<Utc> {
        let epoch = DateTime::<Utc>::UNIX_EPOCH;
        // A clock before 1970 is not set at all; counting from 1970 is as good as any.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        TimeDelta::from_std(since).ok().and_then(|since| epoch.checked_add_signed(since)).unwrap_or(epoch)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
