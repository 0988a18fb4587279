//! The scheduler's own thread.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{A, HandClock, at};
use remora_jobs::{Clock, JobError, Run, Runner, Scheduler, SchedulerConfig, SystemClock, Triggered};

/// Far more than a busy machine needs, but less than the thread sleeps when nobody wakes it; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

struct Channel(Mutex<Sender<Run>>);

impl Runner for Channel {
    fn start(&self, run: &Run) -> bool {
        self.0.lock().unwrap().send(run.clone()).is_ok()
    }
}

fn runner() -> (Arc<Channel>, Receiver<Run>) {
    let (sender, receiver) = channel();
    (Arc::new(Channel(Mutex::new(sender))), receiver)
}

#[test]
fn the_thread_fires_jobs_by_the_clock_of_the_machine() {
    let (runner, runs) = runner();
    let scheduler = Scheduler::new(SchedulerConfig::default(), runner);
    // The thread is asleep for a year's time when the second job wakes it.
    scheduler.schedule(A, "yearly", "0 0 0 1 1 *", None).unwrap();
    scheduler.schedule(A, "second", "* * * * * *", Some(2)).unwrap();
    for _ in 0..2 {
        let run = runs.recv_timeout(PATIENCE).unwrap();
        assert_eq!(&*run.tag, "second");
        assert!(run.due.is_some_and(|due| due <= SystemClock::default().wall()), "never before it is due");
        assert!(scheduler.begin(run.id));
        scheduler.finished(run.id, true);
    }
    assert_eq!(scheduler.list(), ["yearly"]);
}

#[test]
fn the_thread_goes_by_the_clock_it_is_given() {
    let clock = HandClock::new("2026-03-01T12:00:00Z");
    let (runner, runs) = runner();
    let config = SchedulerConfig { clock: clock.clone(), ..SchedulerConfig::default() };
    let scheduler = Scheduler::new(config, runner);
    scheduler.schedule(A, "job", "* * * * * *", None).unwrap();
    clock.pass(Duration::from_secs(5));
    let run = runs.recv_timeout(PATIENCE).unwrap();
    assert!(scheduler.begin(run.id));
    assert_eq!(run.due, Some(at("2026-03-01T12:00:01Z")));
    let job = scheduler.jobs().remove(0);
    assert_eq!((job.runs, job.missed), (1, 4));
}

#[test]
fn a_thread_that_sleeps_for_long_is_woken_when_the_clock_was_set() {
    let clock = HandClock::new("2026-03-01T12:00:00Z");
    let (runner, runs) = runner();
    let config = SchedulerConfig { clock: clock.clone(), ..SchedulerConfig::default() };
    let scheduler = Scheduler::new(config, runner);
    scheduler.schedule(A, "job", "@yearly", None).unwrap();
    clock.set("2026-12-31T23:59:59.9Z");
    scheduler.tick();
    clock.set("2027-01-01T00:00:00Z");
    assert_eq!(&*runs.recv_timeout(PATIENCE).unwrap().tag, "job");
}

#[test]
fn dropping_the_last_handle_ends_the_thread() {
    let (runner, runs) = runner();
    let scheduler = Scheduler::new(SchedulerConfig::default(), runner.clone());
    scheduler.schedule(A, "job", "@yearly", None).unwrap();
    let other = scheduler.clone();
    drop(scheduler);
    assert_eq!(other.run("job").unwrap(), Triggered::Started);
    assert!(runs.recv().is_ok());
    drop(other);
    // The thread held the runner, and was waited for.
    assert_eq!(Arc::strong_count(&runner), 1);
}

#[test]
fn nothing_fires_after_a_shutdown() {
    let (runner, runs) = runner();
    let scheduler = Scheduler::new(SchedulerConfig::default(), runner.clone());
    let job = scheduler.schedule(A, "job", "* * * * * *", None).unwrap();
    let run = runs.recv_timeout(PATIENCE).unwrap();
    scheduler.shutdown();
    assert!(!scheduler.begin(run.id));
    assert!(scheduler.finished(job.id, true).is_none());
    assert!(matches!(scheduler.schedule(A, "new", "* * * * * *", None), Err(JobError::ShutDown)));
    assert!(matches!(scheduler.run("job"), Err(JobError::Unknown { .. })));
    assert_eq!(scheduler.run_all(), 0);
    assert!(scheduler.list().is_empty() && !scheduler.is_running());
    scheduler.start();
    scheduler.tick();
    scheduler.shutdown();
    drop(scheduler);
    assert_eq!(Arc::strong_count(&runner), 1);
    drop(runner);
    // The sender is gone with the runner: what comes now is all there will ever be.
    assert!(runs.recv().is_err());
}

/// Ends its scheduler while it is given a run.
struct Ender(Mutex<Option<Scheduler>>, Mutex<Sender<()>>);

impl Runner for Ender {
    fn start(&self, _: &Run) -> bool {
        drop(self.0.lock().unwrap().take());
        self.1.lock().unwrap().send(()).unwrap();
        true
    }
}

#[test]
fn the_last_handle_may_be_dropped_on_the_schedulers_own_thread() {
    let (sender, ended) = channel();
    let runner = Arc::new(Ender(Mutex::new(None), Mutex::new(sender)));
    let scheduler = Scheduler::new(SchedulerConfig::default(), runner.clone());
    scheduler.schedule(A, "job", "* * * * * *", None).unwrap();
    *runner.0.lock().unwrap() = Some(scheduler);
    ended.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn owners_on_many_threads_lose_no_run_and_never_overlap() {
    let (runner, runs) = runner();
    let scheduler = Scheduler::new(SchedulerConfig { thread: false, ..SchedulerConfig::default() }, runner);
    scheduler.schedule(A, "job", "0 0 0 1 1 *", None).unwrap();
    let worker = {
        let scheduler = scheduler.clone();
        std::thread::spawn(move || {
            let mut done = 0_u64;
            while let Ok(run) = runs.recv() {
                if run.limit == Some(1) {
                    break;
                }
                assert!(scheduler.begin(run.id));
                assert_eq!(scheduler.jobs().iter().filter(|job| job.running).count(), 1);
                done += 1;
                scheduler.finished(run.id, true);
            }
            done
        })
    };
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let scheduler = scheduler.clone();
            std::thread::spawn(move || {
                for _ in 0..2_000 {
                    scheduler.run("job").unwrap();
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    scheduler.schedule(A, "end", "0 0 0 1 1 *", Some(1)).unwrap();
    // The end may overtake a run that follows a running one, so that is waited for.
    while scheduler.jobs()[0].running || scheduler.jobs()[0].pending {
        std::thread::yield_now();
    }
    let runs = scheduler.jobs()[0].runs;
    scheduler.run("end").unwrap();
    assert_eq!(worker.join().unwrap(), runs);
}
