//! The jobs and the rules for them, without thread, lock and clock: every call is told the time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::JobError;
use crate::job::{Job, JobId, JobRecord, OwnerId, Phase, Removed, Run};

/// Ticks that are counted at one look at the clock, of all jobs together, when the scheduler comes late, as after the
/// clock was set forwards. Beyond this many the rest is skipped without being counted.
pub const COUNTED_AT_ONCE: u64 = 100_000;

/// How far the wall clock may fall behind the monotonic one between two looks before it counts as set back. Clocks that
/// are kept right by the network are slewed by less.
const SET_BACK: TimeDelta = TimeDelta::seconds(1);

/// Dead entries in the heap, besides as many as there are jobs, before it is built anew.
const DEAD_ENTRIES: usize = 64;

/// How many jobs there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) owner: usize,
    pub(crate) total: usize,
}

/// What has happened since the scheduler was made. Numbers only grow, but for `jobs`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Jobs there are now.
    pub jobs: u64,
    /// Runs handed to owners.
    pub runs: u64,
    /// Runs that ended with an exception.
    pub failed: u64,
    /// Ticks and triggers without a run, see [`JobRecord::missed`](crate::JobRecord::missed).
    pub missed: u64,
    /// Of these, those whose owner took no more runs.
    pub refused: u64,
    /// Times the wall clock was found to be set back.
    pub set_back: u64,
}

/// What came of asking for a run.
#[derive(Debug)]
pub(crate) enum Trigger {
    Run(Run),
    Coalesced,
    Exhausted,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// In order of scheduling.
    jobs: BTreeMap<JobId, Job>,
    tags: HashMap<Arc<str>, JobId>,
    per_owner: HashMap<OwnerId, usize>,
    /// Entries whose time is not the `next` of their job are dead, and skipped when they come up.
    due: BinaryHeap<Reverse<(DateTime<Utc>, JobId)>>,
    caps: Caps,
    stopped: bool,
    /// Both clocks at the last look.
    seen: Option<(DateTime<Utc>, Duration)>,
    stats: Stats,
}

impl Table {
    pub(crate) fn new(caps: Caps) -> Self {
        Self {
            jobs: BTreeMap::new(),
            tags: HashMap::new(),
            per_owner: HashMap::new(),
            due: BinaryHeap::new(),
            caps,
            stopped: false,
            seen: None,
            stats: Stats::default(),
        }
    }

    /// Takes all of `jobs` or none, in place of those of `replaced` and of those with the same tags. Returns what was
    /// removed: first the jobs of `replaced`, then those of others whose tags were taken.
    pub(crate) fn add(
        &mut self,
        jobs: Vec<(JobId, Job)>,
        replaced: Option<OwnerId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Removed>, JobError> {
        let going = |job: &Job, owner: Option<OwnerId>| {
            Some(job.owner) != replaced && owner.is_none_or(|owner| job.owner == owner)
        };
        let same_tag = |owner: Option<OwnerId>| {
            let old =
                jobs.iter().filter_map(|(_, job)| self.tags.get(&job.tag).and_then(|id| self.jobs.get(id)));
            old.filter(|old| going(old, owner)).count()
        };
        let of = |owner: OwnerId| self.per_owner.get(&owner).copied().unwrap_or(0);
        let Some(owner) = jobs.first().map(|(_, job)| job.owner) else {
            return Ok(replaced.map(|owner| self.remove_owner(owner)).unwrap_or_default());
        };
        let left = if replaced == Some(owner) { 0 } else { of(owner) };
        if left - same_tag(Some(owner)) + jobs.len() > self.caps.owner {
            return Err(JobError::OwnerFull { limit: self.caps.owner });
        }
        if self.jobs.len() - replaced.map_or(0, of) - same_tag(None) + jobs.len() > self.caps.total {
            return Err(JobError::Full { limit: self.caps.total });
        }
        let mut removed = replaced.map(|owner| self.remove_owner(owner)).unwrap_or_default();
        for (id, mut job) in jobs {
            removed.extend(self.tags.get(&job.tag).copied().and_then(|old| self.remove(old)));
            if !self.stopped {
                job.next = job.cron.next_after(now);
            }
            self.due.extend(job.next.map(|next| Reverse((next, id))));
            self.tags.insert(Arc::clone(&job.tag), id);
            *self.per_owner.entry(job.owner).or_default() += 1;
            self.jobs.insert(id, job);
        }
        self.bury();
        Ok(removed)
    }

    pub(crate) fn find(&self, tag: &str) -> Option<JobId> {
        self.tags.get(tag).copied()
    }

    pub(crate) fn remove(&mut self, id: JobId) -> Option<Removed> {
        let job = self.jobs.remove(&id)?;
        self.tags.remove(&job.tag);
        if let Some(count) = self.per_owner.get_mut(&job.owner) {
            *count -= 1;
            if *count == 0 {
                self.per_owner.remove(&job.owner);
            }
        }
        Some(job.removed(id))
    }

    pub(crate) fn remove_all(&mut self) -> Vec<Removed> {
        self.tags.clear();
        self.per_owner.clear();
        self.due.clear();
        std::mem::take(&mut self.jobs).into_iter().map(|(id, job)| job.removed(id)).collect()
    }

    pub(crate) fn remove_owner(&mut self, owner: OwnerId) -> Vec<Removed> {
        if !self.per_owner.contains_key(&owner) {
            return Vec::new();
        }
        let ids: Vec<JobId> = self.ids().filter(|id| self.jobs[id].owner == owner).collect();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// In order of scheduling.
    pub(crate) fn ids(&self) -> impl Iterator<Item = JobId> {
        self.jobs.keys().copied()
    }

    pub(crate) fn tags(&self) -> Vec<String> {
        self.jobs.values().map(|job| job.tag.to_string()).collect()
    }

    pub(crate) fn records(&self) -> Vec<JobRecord> {
        self.jobs.iter().map(|(&id, job)| job.record(id)).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats { jobs: self.jobs.len() as u64, ..self.stats }
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.stopped
    }

    /// No more ticks. What the jobs have missed meanwhile is not counted: nothing was due.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        self.due.clear();
        self.jobs.values_mut().for_each(|job| job.next = None);
    }

    pub(crate) fn start(&mut self, now: DateTime<Utc>) {
        if self.stopped {
            self.stopped = false;
            self.plan_all(now);
        }
    }

    /// Hands out a run for each job that is due.
    pub(crate) fn tick(&mut self, now: DateTime<Utc>, monotonic: Duration) -> Vec<Run> {
        if self.was_set_back(now, monotonic) {
            self.stats.set_back += 1;
            self.plan_all(now);
        }
        let mut runs = Vec::new();
        let mut countable = COUNTED_AT_ONCE;
        while let Some(&Reverse((due, id))) = self.due.peek() {
            if due > now {
                break;
            }
            self.due.pop();
            let Some(job) = self.jobs.get_mut(&id).filter(|job| job.next == Some(due)) else { continue };
            let (next, mut missed) = advance(job, due, now, &mut countable);
            job.next = next;
            if job.phase == Phase::Idle {
                runs.push(job.hand_over(id, Some(due)));
                self.stats.runs += 1;
            } else {
                missed += 1;
            }
            job.missed += missed;
            self.stats.missed += missed;
            self.due.extend(job.next.map(|next| Reverse((next, id))));
        }
        runs
    }

    /// When the next job is due, perhaps earlier if entries are dead.
    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.due.peek().map(|&Reverse((due, _))| due)
    }

    /// A run that was asked for.
    pub(crate) fn trigger(&mut self, id: JobId) -> Option<Trigger> {
        let job = self.jobs.get_mut(&id)?;
        let exhausted = job.exhausted();
        Some(match (&mut job.phase, exhausted) {
            (Phase::Pending, _) => Trigger::Coalesced,
            (_, true) => Trigger::Exhausted,
            (Phase::Running { again }, false) => {
                *again = true;
                Trigger::Coalesced
            }
            (Phase::Idle, false) => {
                self.stats.runs += 1;
                Trigger::Run(job.hand_over(id, None))
            }
        })
    }

    /// The owner did not take a run: as if it had never been handed over, but missed.
    pub(crate) fn refused(&mut self, id: JobId, now: DateTime<Utc>) {
        self.stats.runs -= 1;
        self.stats.missed += 1;
        self.stats.refused += 1;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let exhausted = job.exhausted();
        job.runs = job.runs.saturating_sub(1);
        job.missed += 1;
        job.phase = Phase::Idle;
        if exhausted && !self.stopped {
            job.next = job.cron.next_after(now);
            self.due.extend(job.next.map(|next| Reverse((next, id))));
        }
    }

    /// The owner is about to call the function. False if it must not: the job is no more.
    pub(crate) fn begin(&mut self, id: JobId, now: DateTime<Utc>) -> bool {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.phase == Phase::Pending) else {
            return false;
        };
        job.phase = Phase::Running { again: false };
        job.last = Some(now);
        true
    }

    /// The function has returned. Gives the job if that was its last run, and the run that was asked for meanwhile.
    pub(crate) fn finished(&mut self, id: JobId, passed: bool) -> (Option<Removed>, Option<Run>) {
        let Some(job) = self.jobs.get_mut(&id) else { return (None, None) };
        let again = match job.phase {
            Phase::Idle => return (None, None),
            Phase::Pending => false,
            Phase::Running { again } => again,
        };
        job.phase = Phase::Idle;
        if !passed {
            job.failed += 1;
            self.stats.failed += 1;
        }
        if job.exhausted() {
            return (self.remove(id), None);
        }
        if again {
            self.stats.runs += 1;
        }
        (None, again.then(|| job.hand_over(id, None)))
    }

    fn was_set_back(&mut self, now: DateTime<Utc>, monotonic: Duration) -> bool {
        let Some((wall, then)) = self.seen.replace((now, monotonic)) else { return false };
        let passed = TimeDelta::from_std(monotonic.saturating_sub(then)).unwrap_or_default();
        wall.checked_add_signed(passed).is_some_and(|expected| now < expected - SET_BACK)
    }

    /// Computes every job's next time from `now`, whatever it was.
    fn plan_all(&mut self, now: DateTime<Utc>) {
        if self.stopped {
            return;
        }
        for job in self.jobs.values_mut() {
            job.next = if job.exhausted() { None } else { job.cron.next_after(now) };
        }
        self.rebuild();
    }

    /// Builds the heap anew when most of it is dead: jobs that replace each other leave an entry each.
    fn bury(&mut self) {
        if self.due.len() > 2 * self.jobs.len() + DEAD_ENTRIES {
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        self.due =
            self.jobs.iter().filter_map(|(&id, job)| job.next.map(|next| Reverse((next, id)))).collect();
    }
}

/// The next time after `now`, and how many there were between `due` and it, at most `countable`.
fn advance(
    job: &Job,
    due: DateTime<Utc>,
    now: DateTime<Utc>,
    countable: &mut u64,
) -> (Option<DateTime<Utc>>, u64) {
    let mut next = job.cron.next_after(due);
    let mut missed = 0;
    while next.is_some_and(|next| next <= now) {
        if *countable == 0 {
            return (job.cron.next_after(now), missed);
        }
        *countable -= 1;
        missed += 1;
        next = next.and_then(|next| job.cron.next_after(next));
    }
    (next, missed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;
    use chrono_tz::Tz;

    use super::{Caps, DEAD_ENTRIES, Table};
    use crate::cron::Cron;
    use crate::job::{Job, JobId, OwnerId};

    #[test]
    fn jobs_that_replace_each_other_leave_no_pile_of_dead_entries() {
        let mut table = Table::new(Caps { owner: 1, total: 1 });
        let now = DateTime::UNIX_EPOCH;
        let cron = Cron::parse("*/2 * * * * *", Tz::UTC).unwrap();
        for id in 0..10_000 {
            let job = Job::new(OwnerId(1), "job".into(), cron.clone(), None);
            table.add(vec![(JobId(id), job)], None, now).unwrap();
            assert!(table.due.len() <= 2 + DEAD_ENTRIES);
        }
        let runs = table.tick(now + Duration::from_secs(2), Duration::from_secs(2));
        assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [JobId(9_999)]);
    }

    #[test]
    fn what_was_removed_leaves_no_trace_of_tag_or_owner() {
        let mut table = Table::new(Caps { owner: 2, total: 2 });
        let cron = Cron::parse("@daily", Tz::UTC).unwrap();
        for id in 0..1_000 {
            let job = Job::new(OwnerId(id), format!("job {id}").into(), cron.clone(), None);
            table.add(vec![(JobId(id), job)], None, DateTime::UNIX_EPOCH).unwrap();
            assert!(table.remove(JobId(id)).is_some());
        }
        assert!(table.tags.is_empty() && table.per_owner.is_empty() && table.jobs.is_empty());
        // The entries of removed jobs go with the next one that is added.
        assert!(table.due.len() <= 2 + DEAD_ENTRIES);
    }
}
