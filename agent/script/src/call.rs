//! Calls into a script that no event brings.

use std::sync::Arc;

use remora_jobs::JobId;

/// A run of a job, as its hooks are told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct JobRun {
    pub(crate) id: JobId,
    pub(crate) tag: String,
    pub(crate) cron: String,
    /// 0 for no limit.
    pub(crate) limit: u64,
}

/// Something for a script's thread to do between two events.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// Run a job of this script.
    Job(Arc<JobRun>),
    /// A job of this or another script has ended, with the text of the exception if it failed: `onJobPassed`,
    /// `onJobFailed`.
    JobEnded(Arc<JobRun>, Option<Arc<str>>),
    /// A job of this script was removed: its function may go.
    Forget(JobId),
}
