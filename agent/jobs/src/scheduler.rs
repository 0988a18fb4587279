//! The scheduler as its users see it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use chrono_tz::Tz;

use crate::clock::{Clock, SystemClock};
use crate::cron::{CRON_TEXT_LIMIT, Cron};
use crate::error::JobError;
use crate::job::{Job, JobId, JobRecord, OwnerId, Removed, Run};
use crate::staged::Staged;
use crate::table::{Stats, Trigger};
use crate::tag::normalise;
use crate::thread::{Shared, State, Thread};

/// Takes runs to the threads of their owners.
pub trait Runner: Send + Sync {
    /// Puts the run into the owner's queue. False if that takes no more, or the owner is gone; the run counts as missed.
    ///
    /// Called on the scheduler's thread, or on the one that asked for the run; must not block. The owner's thread then
    /// calls [`Scheduler::begin`] and [`Scheduler::finished`] for it.
    fn start(&self, run: &Run) -> bool;
}

/// How a scheduler works.
#[derive(Clone)]
pub struct SchedulerConfig {
    /// The zone of cron texts that name none.
    pub zone: Tz,
    /// The most jobs of one owner, `scripting.limits.jobsPerScript` in its error.
    pub jobs_per_owner: usize,
    /// The most jobs of all owners, `scripting.limits.jobs` in its error.
    pub jobs_total: usize,
    pub clock: Arc<dyn Clock>,
    /// Whether a thread of the scheduler's own fires the jobs. Without it they are due in [`Scheduler::tick`].
    pub thread: bool,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            jobs_per_owner: 1_024,
            jobs_total: 16_384,
            clock: Arc::new(SystemClock::default()),
            thread: true,
        }
    }
}

/// A job that was scheduled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scheduled {
    pub id: JobId,
    /// The normalised tag.
    pub tag: Arc<str>,
    /// The job that had the tag until now, perhaps another owner's.
    pub replaced: Option<Removed>,
}

/// What came of asking for a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Triggered {
    /// It was handed to the owner.
    Started,
    /// A run was waiting already, or one will follow the running one. There is never more than one waiting.
    Coalesced,
    /// The job's last run goes on: its limit allows no other.
    Exhausted,
    /// The owner did not take it.
    Refused,
}

/// The jobs of all scripts of this process.
///
/// Handles are cheap to clone. The thread begins with the first job and ends with [`Scheduler::shutdown`] or with the
/// last handle. A [`Runner`] must not own a handle, or there is no last one.
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
    /// Ends the thread when the last handle is dropped; the thread itself has only `shared`.
    thread: Arc<Thread>,
}

impl Scheduler {
    pub fn new(config: SchedulerConfig, runner: Arc<dyn Runner>) -> Self {
        let shared = Arc::new(Shared::new(config, runner));
        let thread = Arc::new(Thread::new(Arc::clone(&shared)));
        Self { shared, thread }
    }

    /// Schedules a job, in place of the one that has the tag. It is first due at the next time of `cron`.
    ///
    /// A `limit` of zero is none.
    ///
    /// # Errors
    /// The tag or the cron text is wrong, there are too many jobs, the thread cannot be started, or the scheduler was
    /// shut down.
    pub fn schedule(
        &self,
        owner: OwnerId,
        tag: &str,
        cron: &str,
        limit: Option<u64>,
    ) -> Result<Scheduled, JobError> {
        let (id, job) = self.job(owner, tag, cron, limit)?;
        let tag = Arc::clone(&job.tag);
        let replaced = self.add(vec![(id, job)], None)?.pop();
        Ok(Scheduled { id, tag, replaced })
    }

    /// The start of a list of jobs to be scheduled in one go with [`Scheduler::commit`].
    pub fn stage(&self) -> Staged {
        Staged::new(self.clone())
    }

    /// Schedules the staged jobs for `owner`, all of them or none. With `replaces`, that owner's jobs are removed in the
    /// same moment. Returns what was removed: its jobs, and those of others that had the same tags.
    ///
    /// # Errors
    /// As [`Scheduler::schedule`]; nothing has changed then.
    pub fn commit(
        &self,
        owner: OwnerId,
        staged: Staged,
        replaces: Option<OwnerId>,
    ) -> Result<Vec<Removed>, JobError> {
        self.add(staged.into_jobs(owner), replaces)
    }

    /// Removes a job. A run that goes on ends by itself, one that waits will not begin.
    ///
    /// # Errors
    /// There is no such job.
    pub fn remove(&self, tag: &str) -> Result<Removed, JobError> {
        let (mut state, id) = self.find(tag)?;
        state.table.remove(id).ok_or_else(|| JobError::Unknown { tag: tag.to_owned() })
    }

    /// Removes all jobs of all owners.
    pub fn remove_all(&self) -> Vec<Removed> {
        self.shared.lock().table.remove_all()
    }

    /// Removes the jobs of a script that is no more.
    pub fn remove_owner(&self, owner: OwnerId) -> Vec<Removed> {
        self.shared.lock().table.remove_owner(owner)
    }

    /// The tags of all jobs, in the order they were scheduled. A job that replaced another stands where it came itself.
    pub fn list(&self) -> Vec<String> {
        self.shared.lock().table.tags()
    }

    /// All that is known of all jobs, in the order of [`Scheduler::list`].
    pub fn jobs(&self) -> Vec<JobRecord> {
        self.shared.lock().table.records()
    }

    pub fn stats(&self) -> Stats {
        self.shared.lock().table.stats()
    }

    /// Runs a job now, whether or not the scheduler is stopped; its ticks stay as they are. The run counts for the limit.
    /// While the job is running, one run is remembered and follows at once.
    ///
    /// # Errors
    /// There is no such job.
    pub fn run(&self, tag: &str) -> Result<Triggered, JobError> {
        let (mut state, id) = self.find(tag)?;
        let trigger = state.table.trigger(id).ok_or_else(|| JobError::Unknown { tag: tag.to_owned() })?;
        drop(state);
        Ok(self.triggered(trigger))
    }

    /// Runs all jobs now, as [`Scheduler::run`] does; returns how many were handed to their owners.
    pub fn run_all(&self) -> usize {
        let mut state = self.shared.lock();
        let ids: Vec<JobId> = state.table.ids().collect();
        let triggers: Vec<Trigger> = ids.into_iter().filter_map(|id| state.table.trigger(id)).collect();
        drop(state);
        let started = triggers.into_iter().map(|trigger| self.triggered(trigger));
        started.filter(|&triggered| triggered == Triggered::Started).count()
    }

    /// Whether jobs are run when they are due. True from the beginning, even without jobs.
    pub fn is_running(&self) -> bool {
        let state = self.shared.lock();
        !state.ended && state.table.is_running()
    }

    /// Goes on after [`Scheduler::stop`]: each job is due at its next time from now. Otherwise does nothing.
    pub fn start(&self) {
        let mut state = self.shared.lock();
        state.table.start(self.shared.config.clock.wall());
        self.shared.wake_for(&mut state);
    }

    /// No job is due until [`Scheduler::start`]. Jobs stay, can be added, removed and run by hand; runs that were handed
    /// to owners before go on. What would have been due meanwhile is not counted as missed.
    pub fn stop(&self) {
        self.shared.lock().table.stop();
    }

    /// The owner's thread is about to call the function of a run. False if it must not: the job was removed or replaced,
    /// or the scheduler was shut down.
    #[must_use]
    pub fn begin(&self, id: JobId) -> bool {
        let now = self.shared.config.clock.wall();
        self.shared.lock().table.begin(id, now)
    }

    /// The function has returned, or thrown if not `passed`. Gives the job back if its limit is reached: it was removed.
    pub fn finished(&self, id: JobId, passed: bool) -> Option<Removed> {
        let (removed, again) = self.shared.lock().table.finished(id, passed);
        if let Some(run) = again {
            self.shared.hand_over(&run);
        }
        removed
    }

    /// Fires what is due by now. For schedulers without a thread, and for whoever knows that the clock was set: the thread
    /// would notice within a minute.
    pub fn tick(&self) {
        self.shared.look();
    }

    /// Ends the thread and waits for it; nothing fires any more, and all jobs are gone. Must not be called while holding
    /// what [`Runner::start`] waits for.
    pub fn shutdown(&self) {
        self.thread.end();
    }

    /// A job, checked but not scheduled.
    pub(crate) fn job(
        &self,
        owner: OwnerId,
        tag: &str,
        cron: &str,
        limit: Option<u64>,
    ) -> Result<(JobId, Job), JobError> {
        let tag = normalise(tag)?;
        let cron = Cron::parse(cron, self.shared.config.zone)
            .map_err(|error| JobError::Cron { cron: shortened(cron), error })?;
        let id = JobId(self.shared.ids.fetch_add(1, Ordering::Relaxed));
        Ok((id, Job::new(owner, tag, cron, limit)))
    }

    pub(crate) fn jobs_per_owner(&self) -> usize {
        self.shared.config.jobs_per_owner
    }

    fn add(&self, jobs: Vec<(JobId, Job)>, replaces: Option<OwnerId>) -> Result<Vec<Removed>, JobError> {
        if self.shared.config.thread && !jobs.is_empty() {
            self.thread.ensure()?;
        }
        let now = self.shared.config.clock.wall();
        let mut state = self.shared.lock();
        if state.ended {
            return Err(JobError::ShutDown);
        }
        let removed = state.table.add(jobs, replaces, now)?;
        self.shared.wake_for(&mut state);
        Ok(removed)
    }

    fn find(&self, tag: &str) -> Result<(MutexGuard<'_, State>, JobId), JobError> {
        let tag = normalise(tag)?;
        let state = self.shared.lock();
        match state.table.find(&tag) {
            Some(id) => Ok((state, id)),
            None => Err(JobError::Unknown { tag: tag.to_string() }),
        }
    }

    fn triggered(&self, trigger: Trigger) -> Triggered {
        match trigger {
            Trigger::Run(run) if self.shared.hand_over(&run) => Triggered::Started,
            Trigger::Run(_) => Triggered::Refused,
            Trigger::Coalesced => Triggered::Coalesced,
            Trigger::Exhausted => Triggered::Exhausted,
        }
    }
}

/// The text for an error message, which has a bound too.
fn shortened(cron: &str) -> String {
    match cron.char_indices().nth(CRON_TEXT_LIMIT) {
        Some((end, _)) => format!("{}...", &cron[..end]),
        None => cron.to_owned(),
    }
}
