//! What a script does to the jobs of all nodes.

use crate::error::JobError;
use crate::job::Removed;
use crate::scheduler::{Scheduler, Triggered};

/// The jobs of all nodes. What is returned is about this node's own; a node that cannot be reached is no error.
pub trait Cluster: Send + Sync {
    /// Removes the job with this tag on every node.
    ///
    /// # Errors
    /// This node has no such job.
    fn remove(&self, tag: &str) -> Result<Removed, JobError>;

    /// Removes all jobs of all nodes.
    fn remove_all(&self) -> Vec<Removed>;

    /// Runs the job with this tag on every node.
    ///
    /// # Errors
    /// This node has no such job.
    fn run(&self, tag: &str) -> Result<Triggered, JobError>;

    /// Runs all jobs of all nodes. Returns how many runs were handed over here.
    fn run_all(&self) -> usize;
}

/// A cluster of this node alone.
#[derive(Clone)]
pub struct LocalCluster {
    scheduler: Scheduler,
}

impl LocalCluster {
    pub fn new(scheduler: Scheduler) -> Self {
        Self { scheduler }
    }
}

impl Cluster for LocalCluster {
    fn remove(&self, tag: &str) -> Result<Removed, JobError> {
        self.scheduler.remove(tag)
    }

    fn remove_all(&self) -> Vec<Removed> {
        self.scheduler.remove_all()
    }

    fn run(&self, tag: &str) -> Result<Triggered, JobError> {
        self.scheduler.run(tag)
    }

    fn run_all(&self) -> usize {
        self.scheduler.run_all()
    }
}
