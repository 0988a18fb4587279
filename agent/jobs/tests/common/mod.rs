//! Clocks that stand still until they are moved, and a runner that keeps what it is given.

#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remora_jobs::{Clock, DateTime, JobRecord, OwnerId, Run, Runner, Scheduler, SchedulerConfig, Utc};

pub(crate) const A: OwnerId = OwnerId(1);
pub(crate) const B: OwnerId = OwnerId(2);

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A clock that tests move.
pub(crate) struct HandClock(Mutex<(DateTime<Utc>, Duration)>);

impl HandClock {
    pub(crate) fn new(wall: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new((at(wall), Duration::ZERO))))
    }

    /// Time passes.
    pub(crate) fn pass(&self, time: Duration) {
        let mut clock = self.0.lock().unwrap();
        clock.0 += time;
        clock.1 += time;
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set(&self, wall: &str) {
        self.0.lock().unwrap().0 = at(wall);
    }
}

impl Clock for HandClock {
    fn wall(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

#[derive(Default)]
pub(crate) struct Recorder {
    runs: Mutex<Vec<Run>>,
    pub(crate) full: AtomicBool,
}

impl Runner for Recorder {
    fn start(&self, run: &Run) -> bool {
        if self.full.load(Ordering::Relaxed) {
            return false;
        }
        self.runs.lock().unwrap().push(run.clone());
        true
    }
}

/// A scheduler without a thread, from noon on 1 March 2026, a Sunday.
pub(crate) struct Bench {
    pub(crate) clock: Arc<HandClock>,
    pub(crate) runner: Arc<Recorder>,
    pub(crate) scheduler: Scheduler,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut SchedulerConfig)) -> Self {
        let clock = HandClock::new("2026-03-01T12:00:00Z");
        let runner = Arc::new(Recorder::default());
        let mut config =
            SchedulerConfig { clock: clock.clone(), thread: false, ..SchedulerConfig::default() };
        change(&mut config);
        let scheduler = Scheduler::new(config, runner.clone());
        Self { clock, runner, scheduler }
    }

    pub(crate) fn schedule(&self, tag: &str, cron: &str, limit: Option<u64>) {
        self.scheduler.schedule(A, tag, cron, limit).unwrap();
    }

    /// What was handed over since the last look.
    pub(crate) fn runs(&self) -> Vec<Run> {
        std::mem::take(&mut self.runner.runs.lock().unwrap())
    }

    pub(crate) fn tags(&self) -> Vec<String> {
        self.runs().iter().map(|run| run.tag.to_string()).collect()
    }

    /// Seconds pass one by one; gives the tags of what ran, each run taking no time.
    pub(crate) fn seconds(&self, seconds: u32) -> Vec<String> {
        let mut tags = Vec::new();
        for _ in 0..seconds {
            self.clock.pass(Duration::from_secs(1));
            self.scheduler.tick();
            tags.extend(self.work());
        }
        tags
    }

    /// Does all that was handed over.
    pub(crate) fn work(&self) -> Vec<String> {
        let mut tags = Vec::new();
        for run in self.runs() {
            if self.scheduler.begin(run.id) {
                tags.push(run.tag.to_string());
                self.scheduler.finished(run.id, true);
            }
        }
        tags
    }

    /// Time passes at once, and the scheduler looks.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.pass(time);
        self.scheduler.tick();
    }

    pub(crate) fn job(&self, tag: &str) -> JobRecord {
        self.scheduler.jobs().into_iter().find(|job| &*job.tag == tag).unwrap()
    }
}
