//! Jobs of a script that is loaded or loaded anew, and the jobs of all nodes.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::{A, B, Bench};
use remora_jobs::{Cluster, JobError, LocalCluster, OwnerId, Triggered};

const NEW: OwnerId = OwnerId(9);

#[test]
fn staged_jobs_begin_with_the_commit_and_take_the_place_of_the_old_ones() {
    let bench = Bench::new();
    bench.schedule("kept name", "* * * * * *", None);
    bench.schedule("old only", "* * * * * *", None);
    bench.scheduler.schedule(B, "of b", "* * * * * *", None).unwrap();
    bench.scheduler.schedule(B, "taken", "* * * * * *", None).unwrap();

    let mut staged = bench.scheduler.stage();
    let kept = staged.schedule("Kept Name", "*/2 * * * * *", Some(1)).unwrap();
    let taken = staged.schedule("taken", "*/2 * * * * *", None).unwrap();
    assert_eq!(staged.list(), ["kept-name", "taken"]);
    assert_eq!(bench.seconds(1), ["kept-name", "old-only", "of-b", "taken"]);

    let removed = bench.scheduler.commit(NEW, staged, Some(A)).unwrap();
    let removed: Vec<_> = removed.iter().map(|job| (job.owner, &*job.tag)).collect();
    assert_eq!(removed, [(A, "kept-name"), (A, "old-only"), (B, "taken")]);
    assert_eq!(bench.scheduler.list(), ["of-b", "kept-name", "taken"]);
    let jobs = bench.scheduler.jobs();
    assert_eq!((jobs[1].owner, jobs[1].id, jobs[1].limit), (NEW, kept.id, Some(1)));
    assert_eq!((jobs[2].owner, jobs[2].id), (NEW, taken.id));
    assert_eq!(bench.seconds(2), ["of-b", "kept-name", "taken", "of-b"]);
}

#[test]
fn staged_jobs_that_are_dropped_change_nothing() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    let mut staged = bench.scheduler.stage();
    staged.schedule("job", "@daily", None).unwrap();
    assert!(staged.schedule("other", "every day", None).is_err());
    drop(staged);
    assert_eq!(bench.seconds(2), ["job", "job"]);
}

#[test]
fn a_commit_beyond_a_cap_changes_nothing() {
    let bench = Bench::with(|config| {
        config.jobs_per_owner = 2;
        config.jobs_total = 3;
    });
    bench.schedule("a1", "@daily", None);
    for tag in ["b1", "b2"] {
        bench.scheduler.schedule(B, tag, "@daily", None).unwrap();
    }
    let before = bench.scheduler.jobs();
    let mut staged = bench.scheduler.stage();
    staged.schedule("n1", "@daily", None).unwrap();
    staged.schedule("n2", "@daily", None).unwrap();
    assert!(matches!(staged.schedule("n3", "@daily", None), Err(JobError::OwnerFull { limit: 2 })));
    assert!(matches!(bench.scheduler.commit(NEW, staged, Some(A)), Err(JobError::Full { limit: 3 })));
    assert_eq!(bench.scheduler.jobs(), before);

    let mut staged = bench.scheduler.stage();
    staged.schedule("n1", "@daily", None).unwrap();
    assert!(matches!(bench.scheduler.commit(B, staged, None), Err(JobError::OwnerFull { limit: 2 })));
    assert_eq!(bench.scheduler.jobs(), before);

    // The old owner's jobs make room, and so do tags that are taken.
    let mut staged = bench.scheduler.stage();
    staged.schedule("n1", "@daily", None).unwrap();
    staged.schedule("b2", "@daily", None).unwrap();
    bench.scheduler.commit(NEW, staged, Some(A)).unwrap();
    assert_eq!(bench.scheduler.list(), ["b1", "n1", "b2"]);
}

#[test]
fn an_owner_may_replace_its_own_jobs() {
    let bench = Bench::with(|config| config.jobs_per_owner = 1);
    bench.schedule("a1", "@daily", None);
    let mut staged = bench.scheduler.stage();
    staged.schedule("a2", "@daily", None).unwrap();
    bench.scheduler.commit(A, staged, Some(A)).unwrap();
    assert_eq!(bench.scheduler.list(), ["a2"]);
}

#[test]
fn a_script_loaded_anew_without_jobs_loses_its_old_ones() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    let removed = bench.scheduler.commit(NEW, bench.scheduler.stage(), Some(A)).unwrap();
    assert_eq!(removed.len(), 1);
    assert!(bench.scheduler.list().is_empty());
}

#[test]
fn staged_jobs_can_be_replaced_and_removed_before_the_commit() {
    let bench = Bench::new();
    let mut staged = bench.scheduler.stage();
    let first = staged.schedule("job", "@daily", None).unwrap();
    staged.schedule("other", "@daily", None).unwrap();
    let second = staged.schedule("JOB", "@hourly", None).unwrap();
    assert_eq!(second.replaced.unwrap().id, first.id);
    assert_eq!(staged.list(), ["other", "job"]);
    assert_eq!(staged.remove("nothing").unwrap(), None);
    assert_eq!(&*staged.remove("Other").unwrap().unwrap().tag, "other");
    assert_eq!(staged.len(), 1);
    assert_eq!(staged.remove_all()[0].id, second.id);
    assert!(staged.is_empty());
}

#[test]
fn a_cluster_of_one_node_is_that_nodes_scheduler() {
    let bench = Bench::new();
    let cluster: Box<dyn Cluster> = Box::new(LocalCluster::new(bench.scheduler.clone()));
    for tag in ["a", "b", "c"] {
        bench.schedule(tag, "@daily", None);
    }
    assert_eq!(cluster.run("a").unwrap(), Triggered::Started);
    assert_eq!(cluster.run_all(), 2);
    assert_eq!(bench.work(), ["a", "b", "c"]);
    assert_eq!(&*cluster.remove("b").unwrap().tag, "b");
    assert!(matches!(cluster.remove("b"), Err(JobError::Unknown { .. })));
    assert!(matches!(cluster.run("b"), Err(JobError::Unknown { .. })));
    assert_eq!(cluster.remove_all().len(), 2);
    assert!(bench.scheduler.list().is_empty());
}
