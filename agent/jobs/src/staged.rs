//! Jobs of a script that is being loaded: scheduled in one go once it has loaded, forgotten if it has not.

use std::sync::Arc;

use crate::error::JobError;
use crate::job::{Job, JobId, OwnerId, Removed};
use crate::scheduler::{Scheduled, Scheduler};
use crate::tag::normalise;

/// The owner of staged jobs, until [`Scheduler::commit`] names it.
const NOBODY: OwnerId = OwnerId(u64::MAX);

/// A list of jobs that are not scheduled yet. Dropping it leaves everything as it was.
///
/// Jobs have their final numbers, so that a script's functions can be kept under them from the start. No job is due
/// before the commit, and times count from it.
pub struct Staged {
    scheduler: Scheduler,
    jobs: Vec<(JobId, Job)>,
}

impl Staged {
    pub(crate) fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, jobs: Vec::new() }
    }

    /// Adds a job, in place of a staged one with the same tag. Its owner is [`OwnerId`] `u64::MAX` until the commit.
    ///
    /// # Errors
    /// As [`Scheduler::schedule`], but for what only the commit can know: the total of jobs, and a shutdown.
    pub fn schedule(&mut self, tag: &str, cron: &str, limit: Option<u64>) -> Result<Scheduled, JobError> {
        let (id, job) = self.scheduler.job(NOBODY, tag, cron, limit)?;
        let tag = Arc::clone(&job.tag);
        let replaced = self.take(&tag);
        let most = self.scheduler.jobs_per_owner();
        // A job that replaces another is not one more.
        if self.jobs.len() >= most {
            return Err(JobError::OwnerFull { limit: most });
        }
        self.jobs.push((id, job));
        Ok(Scheduled { id, tag, replaced })
    }

    /// Takes a staged job out again. None if none has the tag.
    ///
    /// # Errors
    /// The tag cannot be one.
    pub fn remove(&mut self, tag: &str) -> Result<Option<Removed>, JobError> {
        Ok(self.take(&normalise(tag)?))
    }

    /// Takes all staged jobs out again.
    pub fn remove_all(&mut self) -> Vec<Removed> {
        self.jobs.drain(..).map(|(id, job)| job.removed(id)).collect()
    }

    /// The tags in the order of scheduling.
    pub fn list(&self) -> Vec<String> {
        self.jobs.iter().map(|(_, job)| job.tag.to_string()).collect()
    }

    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(crate) fn into_jobs(self, owner: OwnerId) -> Vec<(JobId, Job)> {
        let named = |(id, job)| (id, Job { owner, ..job });
        self.jobs.into_iter().map(named).collect()
    }

    fn take(&mut self, tag: &str) -> Option<Removed> {
        let at = self.jobs.iter().position(|(_, job)| &*job.tag == tag)?;
        let (id, job) = self.jobs.remove(at);
        Some(job.removed(id))
    }
}
