//! When jobs run and when they do not, with a clock that stands still until it is moved.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{A, B, Bench, at};
use remora_jobs::{JobError, TagError, Triggered, Tz};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_job_runs_first_at_its_next_tick_and_not_at_once() {
    let bench = Bench::new();
    bench.schedule("Every Third", "*/3 * * * * *", None);
    bench.scheduler.tick();
    assert!(bench.runs().is_empty());
    assert_eq!(bench.seconds(2), [""; 0]);
    assert_eq!(bench.seconds(1), ["every-third"]);
    assert_eq!(bench.seconds(9), ["every-third"; 3]);
    assert_eq!(bench.job("every-third").runs, 4);
    assert_eq!(bench.job("every-third").missed, 0);
}

#[test]
fn a_run_says_whose_it_is_and_what_the_hooks_are_told() {
    let bench = Bench::new();
    let scheduled = bench.scheduler.schedule(B, "Push Data", " @every 5s ", Some(7)).unwrap();
    assert_eq!(&*scheduled.tag, "push-data");
    assert_eq!(scheduled.replaced, None);
    bench.pass(5 * SECOND);
    let [run] = &bench.runs()[..] else { panic!("one run") };
    assert_eq!((run.owner, run.id, run.limit), (B, scheduled.id, Some(7)));
    assert_eq!((&*run.tag, &*run.cron), ("push-data", "@every 5s"));
    assert_eq!(run.due, Some(at("2026-03-01T12:00:05Z")));
}

#[test]
fn a_record_follows_a_job_from_tick_to_report() {
    let bench = Bench::new();
    bench.schedule("job", "0 * * * * *", None);
    let idle = bench.job("job");
    assert_eq!((idle.last_run, idle.next_run), (None, Some(at("2026-03-01T12:01:00Z"))));
    assert_eq!((idle.runs, idle.pending, idle.running), (0, false, false));
    bench.pass(60 * SECOND);
    let pending = bench.job("job");
    assert_eq!((pending.runs, pending.pending, pending.running), (1, true, false));
    assert_eq!(pending.last_run, None);
    bench.clock.pass(2 * SECOND);
    assert!(bench.scheduler.begin(pending.id));
    let running = bench.job("job");
    assert_eq!((running.pending, running.running), (false, true));
    assert_eq!(running.last_run, Some(at("2026-03-01T12:01:02Z")));
    assert_eq!(running.next_run, Some(at("2026-03-01T12:02:00Z")));
    assert_eq!(bench.scheduler.finished(running.id, false), None);
    let over = bench.job("job");
    assert_eq!((over.pending, over.running, over.failed), (false, false, 1));
    assert_eq!(bench.scheduler.stats().failed, 1);
}

#[test]
fn ticks_of_a_busy_job_are_skipped_and_counted() {
    let bench = Bench::new();
    bench.schedule("slow", "* * * * * *", None);
    bench.pass(SECOND);
    let run = bench.runs().remove(0);
    bench.pass(SECOND);
    assert!(bench.scheduler.begin(run.id));
    bench.pass(SECOND);
    bench.pass(SECOND);
    assert!(bench.runs().is_empty(), "it must not overlap itself");
    bench.scheduler.finished(run.id, true);
    assert!(bench.runs().is_empty(), "skipped ticks are not made up for");
    assert_eq!(bench.job("slow").missed, 3);
    bench.pass(SECOND);
    assert_eq!(bench.tags(), ["slow"]);
    assert_eq!((bench.job("slow").runs, bench.scheduler.stats().missed), (2, 3));
}

#[test]
fn a_scheduler_that_comes_late_runs_a_job_once_and_counts_the_rest() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    bench.pass(Duration::from_millis(4_500));
    assert_eq!(bench.work(), ["job"]);
    assert_eq!(bench.job("job").missed, 3);
    assert_eq!(bench.job("job").next_run, Some(at("2026-03-01T12:00:05Z")));
}

#[test]
fn a_run_that_the_owner_does_not_take_counts_as_missed() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", Some(1));
    bench.runner.full.store(true, Ordering::Relaxed);
    bench.pass(SECOND);
    let job = bench.job("job");
    assert_eq!((job.runs, job.missed, job.pending, job.last_run), (0, 1, false, None));
    assert_eq!(bench.scheduler.run("job").unwrap(), Triggered::Refused);
    assert_eq!((bench.scheduler.stats().refused, bench.scheduler.stats().runs), (2, 0));
    bench.runner.full.store(false, Ordering::Relaxed);
    assert_eq!(bench.seconds(3), ["job"], "its only run is still to come");
}

#[test]
fn a_limited_job_is_removed_after_its_last_run_has_finished() {
    let bench = Bench::new();
    bench.schedule("twice", "* * * * * *", Some(2));
    assert_eq!(bench.seconds(1), ["twice"]);
    bench.pass(SECOND);
    let run = bench.runs().remove(0);
    assert!(bench.scheduler.begin(run.id));
    assert_eq!(bench.scheduler.list(), ["twice"]);
    assert_eq!(bench.job("twice").next_run, None);
    assert_eq!(bench.scheduler.run("twice").unwrap(), Triggered::Exhausted);
    bench.pass(5 * SECOND);
    assert_eq!(bench.job("twice").missed, 0, "no tick is due after the last run");
    let removed = bench.scheduler.finished(run.id, true).unwrap();
    assert_eq!((removed.owner, removed.id, &*removed.tag), (A, run.id, "twice"));
    assert!(bench.scheduler.list().is_empty());
    assert_eq!(bench.seconds(3), [""; 0]);
}

#[test]
fn a_limit_of_zero_is_none() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", Some(0));
    assert_eq!(bench.job("job").limit, None);
    assert_eq!(bench.seconds(5).len(), 5);
}

#[test]
fn a_tag_names_one_job_and_the_later_one_replaces_the_earlier() {
    let bench = Bench::new();
    let old = bench.scheduler.schedule(A, "the job", "* * * * * *", None).unwrap();
    bench.schedule("other", "0 0 0 1 1 *", None);
    let new = bench.scheduler.schedule(B, "The Job", "*/2 * * * * *", None).unwrap();
    let replaced = new.replaced.unwrap();
    assert_eq!((replaced.owner, replaced.id, &*replaced.tag), (A, old.id, "the-job"));
    assert_eq!(bench.scheduler.list(), ["other", "the-job"]);
    bench.pass(SECOND);
    assert!(bench.runs().is_empty());
    bench.pass(SECOND);
    assert_eq!(bench.runs()[0].owner, B);
}

#[test]
fn what_a_replaced_job_was_doing_is_no_matter_of_the_new_one() {
    let bench = Bench::new();
    let old = bench.scheduler.schedule(A, "job", "* * * * * *", Some(1)).unwrap();
    bench.pass(SECOND);
    assert!(bench.scheduler.begin(old.id));
    let new = bench.scheduler.schedule(A, "job", "* * * * * *", Some(1)).unwrap();
    assert_eq!(bench.scheduler.finished(old.id, false), None);
    let job = bench.job("job");
    assert_eq!((job.id, job.runs, job.failed), (new.id, 0, 0));
}

#[test]
fn a_job_that_was_removed_does_not_begin() {
    let bench = Bench::new();
    let job = bench.scheduler.schedule(A, "job", "* * * * * *", None).unwrap();
    bench.pass(SECOND);
    assert_eq!(bench.runs().len(), 1);
    let removed = bench.scheduler.remove("JOB").unwrap();
    assert_eq!((removed.owner, removed.id), (A, job.id));
    assert!(!bench.scheduler.begin(job.id));
    assert_eq!(bench.scheduler.finished(job.id, true), None);
    assert_eq!(bench.seconds(3), [""; 0]);
}

#[test]
fn a_job_may_be_removed_while_it_runs() {
    let bench = Bench::new();
    let job = bench.scheduler.schedule(A, "job", "* * * * * *", None).unwrap();
    bench.pass(SECOND);
    assert!(bench.scheduler.begin(job.id));
    assert_eq!(bench.scheduler.run("job").unwrap(), Triggered::Coalesced);
    bench.scheduler.remove("job").unwrap();
    bench.runs();
    assert_eq!(bench.scheduler.finished(job.id, true), None);
    assert!(bench.runs().is_empty(), "the run that was asked for is gone with the job");
}

#[test]
fn a_run_begins_once() {
    let bench = Bench::new();
    let job = bench.scheduler.schedule(A, "job", "* * * * * *", None).unwrap();
    assert!(!bench.scheduler.begin(job.id), "it was not handed over");
    assert_eq!(bench.scheduler.finished(job.id, true), None);
    bench.pass(SECOND);
    assert!(bench.scheduler.begin(job.id));
    assert!(!bench.scheduler.begin(job.id));
}

#[test]
fn unknown_tags_are_errors() {
    let bench = Bench::new();
    let unknown = bench.scheduler.remove("No Job").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no job \"no-job\"");
    assert!(matches!(bench.scheduler.run("nojob"), Err(JobError::Unknown { .. })));
    assert!(matches!(bench.scheduler.remove(""), Err(JobError::Tag(TagError::Empty))));
    assert!(matches!(bench.scheduler.schedule(A, "", "@daily", None), Err(JobError::Tag(TagError::Empty))));
}

#[test]
fn a_wrong_cron_text_leaves_the_earlier_job() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    let error = bench.scheduler.schedule(A, "job", "0 0 0 30 2 *", None).unwrap_err();
    assert_eq!(error.to_string(), "cron \"0 0 0 30 2 *\": no such date: it never comes");
    let long = bench.scheduler.schedule(A, "job", &"\u{e9}".repeat(10_000), None).unwrap_err();
    assert!(long.to_string().len() < 1_000);
    assert_eq!(bench.seconds(1), ["job"]);
}

#[test]
fn removing_all_or_an_owners_jobs_says_which_they_were() {
    let bench = Bench::new();
    for (owner, tag) in [(A, "a1"), (B, "b1"), (A, "a2"), (B, "b2")] {
        bench.scheduler.schedule(owner, tag, "* * * * * *", None).unwrap();
    }
    let tags = |removed: Vec<remora_jobs::Removed>| {
        removed.iter().map(|job| job.tag.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(tags(bench.scheduler.remove_owner(A)), ["a1", "a2"]);
    assert_eq!(tags(bench.scheduler.remove_owner(A)), [""; 0]);
    assert_eq!(bench.scheduler.list(), ["b1", "b2"]);
    assert_eq!(tags(bench.scheduler.remove_all()), ["b1", "b2"]);
    assert_eq!(bench.seconds(3), [""; 0]);
    bench.schedule("a1", "* * * * * *", None);
    assert_eq!(bench.seconds(1), ["a1"]);
}

#[test]
fn a_job_runs_when_it_is_asked_to_and_keeps_its_ticks() {
    let bench = Bench::new();
    bench.schedule("job", "*/10 * * * * *", Some(2));
    assert_eq!(bench.scheduler.run("JOB").unwrap(), Triggered::Started);
    assert_eq!(bench.job("job").next_run, Some(at("2026-03-01T12:00:10Z")));
    let run = bench.runs().remove(0);
    assert_eq!(run.due, None);
    assert!(bench.scheduler.begin(run.id));
    bench.scheduler.finished(run.id, true);
    assert_eq!(bench.seconds(10), ["job"], "the run by hand counts for the limit");
    assert!(bench.scheduler.list().is_empty());
}

#[test]
fn runs_that_are_asked_for_while_a_job_is_busy_become_one() {
    let bench = Bench::new();
    bench.schedule("job", "0 0 0 1 1 *", None);
    assert_eq!(bench.scheduler.run("job").unwrap(), Triggered::Started);
    assert_eq!(bench.scheduler.run("job").unwrap(), Triggered::Coalesced);
    let run = bench.runs().remove(0);
    assert!(bench.scheduler.begin(run.id));
    assert!(!bench.job("job").pending);
    for _ in 0..3 {
        assert_eq!(bench.scheduler.run("job").unwrap(), Triggered::Coalesced);
    }
    assert!(bench.job("job").pending);
    assert!(bench.runs().is_empty());
    bench.scheduler.finished(run.id, true);
    assert_eq!(bench.work(), ["job"]);
    assert_eq!(bench.work(), [""; 0]);
    assert_eq!(bench.job("job").runs, 2);
}

#[test]
fn all_jobs_run_when_all_are_asked_to() {
    let bench = Bench::new();
    bench.schedule("b", "@yearly", None);
    bench.schedule("a", "@yearly", None);
    assert_eq!(bench.scheduler.run_all(), 2);
    assert_eq!(bench.scheduler.run_all(), 0, "both are waiting");
    assert_eq!(bench.work(), ["b", "a"]);
}

#[test]
fn a_stopped_scheduler_fires_nothing_but_runs_by_hand() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    assert!(bench.scheduler.is_running());
    bench.scheduler.stop();
    assert!(!bench.scheduler.is_running());
    bench.schedule("new", "* * * * * *", None);
    assert_eq!(bench.seconds(10), [""; 0]);
    assert_eq!(bench.job("job").next_run, None);
    assert_eq!(bench.scheduler.run("job").unwrap(), Triggered::Started);
    assert_eq!(bench.work(), ["job"]);
    bench.scheduler.start();
    bench.scheduler.start();
    assert!(bench.scheduler.is_running());
    assert_eq!(bench.seconds(1), ["job", "new"]);
    assert_eq!(bench.job("job").missed, 0, "nothing was due while it was stopped");
}

#[test]
fn a_last_run_that_is_refused_while_stopped_comes_after_the_start() {
    let bench = Bench::new();
    bench.schedule("once", "* * * * * *", Some(1));
    bench.scheduler.stop();
    bench.runner.full.store(true, Ordering::Relaxed);
    assert_eq!(bench.scheduler.run("once").unwrap(), Triggered::Refused);
    bench.runner.full.store(false, Ordering::Relaxed);
    assert_eq!(bench.seconds(2), [""; 0]);
    bench.scheduler.start();
    assert_eq!(bench.seconds(2), ["once"]);
}

#[test]
fn too_many_jobs_of_one_script_or_of_all_are_refused_by_name() {
    let bench = Bench::with(|config| {
        config.jobs_per_owner = 2;
        config.jobs_total = 3;
    });
    bench.schedule("a1", "@daily", None);
    bench.schedule("a2", "@daily", None);
    let error = bench.scheduler.schedule(A, "a3", "@daily", None).unwrap_err();
    assert!(matches!(error, JobError::OwnerFull { limit: 2 }));
    assert!(error.to_string().contains("scripting.limits.jobsPerScript"));
    bench.schedule("a2", "@hourly", None);
    bench.scheduler.schedule(B, "b1", "@daily", None).unwrap();
    let error = bench.scheduler.schedule(B, "b2", "@daily", None).unwrap_err();
    assert!(matches!(error, JobError::Full { limit: 3 }));
    assert!(error.to_string().contains("scripting.limits.jobs)"));
    // Taking another's tag makes no job more, and gives the other room.
    bench.scheduler.schedule(B, "a1", "@daily", None).unwrap();
    assert!(matches!(
        bench.scheduler.schedule(B, "a2", "@daily", None),
        Err(JobError::OwnerFull { limit: 2 })
    ));
    bench.scheduler.remove("b1").unwrap();
    bench.schedule("a3", "@daily", None);
    assert_eq!(bench.scheduler.list(), ["a2", "a1", "a3"]);
    assert_eq!(bench.scheduler.stats().jobs, 3);
}

#[test]
fn the_zone_of_the_settings_holds_for_texts_without_one() {
    let bench = Bench::with(|config| config.zone = Tz::Asia__Tokyo);
    bench.schedule("default", "0 0 9 * * *", None);
    bench.schedule("own", "TZ=Europe/Berlin 0 0 9 * * *", None);
    assert_eq!(bench.job("default").next_run, Some(at("2026-03-02T00:00:00Z")));
    assert_eq!(bench.job("own").next_run, Some(at("2026-03-02T08:00:00Z")));
}

#[test]
fn a_clock_set_forwards_fires_once_and_counts_what_was_missed() {
    let bench = Bench::new();
    bench.schedule("minutely", "0 * * * * *", None);
    bench.schedule("daily", "0 0 0 * * *", None);
    bench.scheduler.tick();
    bench.clock.set("2026-03-01T13:00:30Z");
    bench.scheduler.tick();
    assert_eq!(bench.work(), ["minutely"]);
    assert_eq!(bench.job("minutely").missed, 59);
    assert_eq!(bench.job("minutely").next_run, Some(at("2026-03-01T13:01:00Z")));
    assert_eq!(bench.job("daily").missed, 0);
    assert_eq!(bench.scheduler.stats().set_back, 0);
}

#[test]
fn years_missed_at_once_are_not_counted_to_the_end() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    bench.clock.set("2036-03-01T12:00:00.5Z");
    bench.scheduler.tick();
    assert_eq!(bench.work(), ["job"]);
    assert_eq!(bench.job("job").missed, remora_jobs::COUNTED_AT_ONCE);
    assert_eq!(bench.job("job").next_run, Some(at("2036-03-01T12:00:01Z")));
}

#[test]
fn a_clock_set_back_moves_the_next_times_back_too() {
    let bench = Bench::new();
    bench.schedule("minutely", "0 * * * * *", None);
    bench.schedule("interval", "@every 30s", None);
    bench.pass(SECOND);
    bench.clock.set("2026-02-27T08:00:30Z");
    bench.scheduler.tick();
    assert!(bench.runs().is_empty());
    assert_eq!(bench.job("minutely").next_run, Some(at("2026-02-27T08:01:00Z")));
    assert_eq!(bench.job("interval").next_run, Some(at("2026-02-27T08:01:00Z")));
    assert_eq!(bench.scheduler.stats().set_back, 1);
    assert_eq!(bench.seconds(30), ["minutely", "interval"]);
    assert_eq!(bench.job("minutely").missed, 0);
}

#[test]
fn a_clock_slewed_by_less_than_a_second_repeats_no_tick() {
    let bench = Bench::new();
    bench.schedule("job", "* * * * * *", None);
    assert_eq!(bench.seconds(3).len(), 3);
    bench.clock.set("2026-03-01T12:00:02.5Z");
    bench.scheduler.tick();
    bench.pass(Duration::from_millis(600));
    assert_eq!(bench.tags(), [""; 0]);
    bench.pass(SECOND);
    assert_eq!(bench.tags(), ["job"]);
    assert_eq!(bench.scheduler.stats().set_back, 0);
}
