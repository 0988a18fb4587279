//! One job: what it is, what it has done, and what it is doing.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::cron::Cron;

/// Whose jobs they are: a script, or rather one loading of it. Numbers are the embedder's to give.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OwnerId(pub u64);

/// One scheduling of a job. Later ones have higher numbers; a number is never used twice, so that a job that replaces
/// another under the same tag is told apart from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JobId(pub(crate) u64);

impl JobId {
    /// The number, for maps outside of Rust.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One run of a job, on its way to the owner's thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub owner: OwnerId,
    pub id: JobId,
    pub tag: Arc<str>,
    /// The cron text, for the hooks that are told of the run.
    pub cron: Arc<str>,
    pub limit: Option<u64>,
    /// The tick that this run is for; None if it was asked for by `run` or `run_all`.
    pub due: Option<DateTime<Utc>>,
}

/// A job that is no more: its owner may let go of the function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removed {
    pub owner: OwnerId,
    pub id: JobId,
    pub tag: Arc<str>,
}

/// What a list of jobs shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobRecord {
    pub id: JobId,
    pub owner: OwnerId,
    pub tag: Arc<str>,
    pub cron: Arc<str>,
    /// The most runs, or unlimited.
    pub limit: Option<u64>,
    /// When the function was last called.
    pub last_run: Option<DateTime<Utc>>,
    /// The next tick; None while the scheduler is stopped, after the last run of a limited job was handed over, and when
    /// the calendar has ended.
    pub next_run: Option<DateTime<Utc>>,
    /// Runs handed to the owner.
    pub runs: u64,
    /// Of these, those that ended with an exception.
    pub failed: u64,
    /// Ticks without a run: the last run was not over, the owner's queue was full, or the scheduler came too late.
    pub missed: u64,
    /// The function is being called.
    pub running: bool,
    /// A run waits for the owner's thread.
    pub pending: bool,
}

/// What the job is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Idle,
    /// Handed to the owner, not begun.
    Pending,
    /// Being called; `again` if another run was asked for meanwhile.
    Running {
        again: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) owner: OwnerId,
    pub(crate) tag: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) cron: Cron,
    pub(crate) limit: Option<u64>,
    pub(crate) next: Option<DateTime<Utc>>,
    pub(crate) last: Option<DateTime<Utc>>,
    pub(crate) runs: u64,
    pub(crate) failed: u64,
    pub(crate) missed: u64,
    pub(crate) phase: Phase,
}

impl Job {
    pub(crate) fn new(owner: OwnerId, tag: Arc<str>, cron: Cron, limit: Option<u64>) -> Self {
        Self {
            owner,
            tag,
            text: cron.text().into(),
            cron,
            limit: limit.filter(|&limit| limit > 0),
            next: None,
            last: None,
            runs: 0,
            failed: 0,
            missed: 0,
            phase: Phase::Idle,
        }
    }

    /// All runs that the limit allows were handed over.
    pub(crate) fn exhausted(&self) -> bool {
        self.limit.is_some_and(|limit| self.runs >= limit)
    }

    /// Counts a run that is about to be handed to the owner.
    pub(crate) fn hand_over(&mut self, id: JobId, due: Option<DateTime<Utc>>) -> Run {
        self.runs += 1;
        self.phase = Phase::Pending;
        if self.exhausted() {
            self.next = None;
        }
        Run {
            owner: self.owner,
            id,
            tag: Arc::clone(&self.tag),
            cron: Arc::clone(&self.text),
            limit: self.limit,
            due,
        }
    }

    pub(crate) fn record(&self, id: JobId) -> JobRecord {
        JobRecord {
            id,
            owner: self.owner,
            tag: Arc::clone(&self.tag),
            cron: Arc::clone(&self.text),
            limit: self.limit,
            last_run: self.last,
            next_run: self.next,
            runs: self.runs,
            failed: self.failed,
            missed: self.missed,
            running: matches!(self.phase, Phase::Running { .. }),
            pending: matches!(self.phase, Phase::Pending | Phase::Running { again: true }),
        }
    }

    pub(crate) fn removed(&self, id: JobId) -> Removed {
        Removed { owner: self.owner, id, tag: Arc::clone(&self.tag) }
    }
}
