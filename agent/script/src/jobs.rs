//! The jobs of all scripts: from the scheduler to the script's own thread and back.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use remora_jobs::{
    Cluster, JobError, JobId, LocalCluster, OwnerId, Removed, Run, Runner, Scheduled, Scheduler,
    SchedulerConfig, Staged,
};

use crate::call::{Call, JobRun};
use crate::config::HostConfig;
use crate::queue::{Queue, Wants};
use crate::worker::Shared;

/// Where the runs and news of a script version go.
#[derive(Clone)]
struct Route {
    queue: Arc<Queue>,
    job_ends: bool,
}

type Routes = RwLock<HashMap<OwnerId, Route>>;

pub(crate) struct Jobs {
    scheduler: Scheduler,
    /// What is meant for all nodes goes through this.
    cluster: Box<dyn Cluster>,
    routes: Arc<Routes>,
}

/// What a version's top-level code asks for. It is done once the version has loaded, and not at all if it has not.
pub(crate) struct Staging {
    pub(crate) jobs: Staged,
    pub(crate) runs: Runs,
}

/// Jobs that are to run as soon as the scripts have begun.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) all: bool,
    /// Tags of staged jobs.
    pub(crate) tags: Vec<String>,
}

/// Hands runs to the scripts' queues.
struct Router(Arc<Routes>);

fn read(routes: &Routes) -> RwLockReadGuard<'_, HashMap<OwnerId, Route>> {
    routes.read().unwrap_or_else(PoisonError::into_inner)
}

impl Runner for Router {
    fn start(&self, run: &Run) -> bool {
        let Some(route) = read(&self.0).get(&run.owner).cloned() else { return false };
        route.queue.push_call(Call::Job(Arc::new(JobRun {
            id: run.id,
            tag: run.tag.to_string(),
            cron: run.cron.to_string(),
            limit: run.limit.unwrap_or(0),
        })))
    }
}

impl Jobs {
    pub(crate) fn new(config: &HostConfig) -> Arc<Self> {
        let routes = Arc::<Routes>::default();
        let scheduler = Scheduler::new(
            SchedulerConfig {
                zone: config.jobs_zone,
                jobs_per_owner: config.jobs_per_script,
                jobs_total: config.jobs,
                ..SchedulerConfig::default()
            },
            Arc::new(Router(Arc::clone(&routes))),
        );
        let cluster = Box::new(LocalCluster::new(scheduler.clone()));
        Arc::new(Self { scheduler, cluster, routes })
    }

    /// What a version's top-level code asks for goes here while it runs.
    pub(crate) fn stage(&self) -> Staging {
        Staging { jobs: self.scheduler.stage(), runs: Runs::default() }
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    pub(crate) fn cluster(&self) -> &dyn Cluster {
        self.cluster.as_ref()
    }

    /// A version has loaded and takes the place of another, if there is one: its jobs go, the staged ones begin. Returns
    /// those that are to run at once, which the caller does when the version may take from its queue.
    ///
    /// # Errors
    /// All scripts together would have too many jobs. Then nothing has changed.
    pub(crate) fn commit(
        &self,
        shared: &Shared,
        wants: Wants,
        staging: Staging,
        replaces: Option<u64>,
    ) -> Result<Runs, JobError> {
        let owner = OwnerId(shared.id);
        let route = Route { queue: Arc::clone(&shared.queue), job_ends: wants.job_ends };
        // There before its jobs are, so that no run finds nobody.
        self.write().insert(owner, route);
        let removed = self
            .scheduler
            .commit(owner, staging.jobs, replaces.map(OwnerId))
            .inspect_err(|_| drop(self.write().remove(&owner)))?;
        self.forget(&removed);
        if let Some(before) = replaces {
            self.write().remove(&OwnerId(before));
        }
        Ok(staging.runs)
    }

    /// Runs jobs now; one that was removed meanwhile is left out.
    pub(crate) fn run(&self, runs: &Runs) {
        if runs.all {
            self.cluster.run_all();
        } else {
            runs.tags.iter().for_each(|tag| drop(self.cluster.run(tag)));
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<OwnerId, Route>> {
        self.routes.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn schedule(
        &self,
        owner: u64,
        tag: &str,
        cron: &str,
        limit: Option<u64>,
    ) -> Result<Scheduled, JobError> {
        let scheduled = self.scheduler.schedule(OwnerId(owner), tag, cron, limit)?;
        if let Some(removed) = &scheduled.replaced {
            self.forget(std::slice::from_ref(removed));
        }
        Ok(scheduled)
    }

    /// Tells the scripts whose jobs were removed.
    pub(crate) fn forget(&self, removed: &[Removed]) {
        let routes = read(&self.routes);
        for Removed { owner, id, .. } in removed {
            if let Some(route) = routes.get(owner) {
                // A queue that takes no more belongs to a script that is late or ending; its function stays until then.
                route.queue.push_call(Call::Forget(*id));
            }
        }
    }

    /// The script is no more.
    pub(crate) fn remove_owner(&self, owner: u64) {
        self.write().remove(&OwnerId(owner));
        self.scheduler.remove_owner(OwnerId(owner));
    }

    /// Whether a run that was handed over is still to be done.
    pub(crate) fn begin(&self, id: JobId) -> bool {
        self.scheduler.begin(id)
    }

    /// A run is over, with the text of the exception if it failed. Tells every script that asks for it. Returns whether
    /// it was the job's last.
    pub(crate) fn ended(&self, run: &Arc<JobRun>, error: Option<String>) -> bool {
        let removed = self.scheduler.finished(run.id, error.is_none());
        let error = error.map(Arc::from);
        for route in read(&self.routes).values().filter(|route| route.job_ends) {
            route.queue.push_call(Call::JobEnded(Arc::clone(run), error.clone()));
        }
        if let Some(removed) = &removed {
            self.forget(std::slice::from_ref(removed));
        }
        removed.is_some()
    }

    pub(crate) fn missed(&self) -> u64 {
        self.scheduler.stats().missed
    }

    pub(crate) fn shutdown(&self) {
        self.scheduler.shutdown();
    }
}
