//! How late jobs begin: 1,000 jobs, all due every second, for five seconds; and what the next time of a cron text costs.
//!
//! `cargo bench -p remora-jobs`. Lateness is from the tick to the hand-over, by the wall clock; what else the machine does
//! shows in the worst values.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use remora_jobs::{
    Clock, Cron, DateTime, JobId, OwnerId, Run, Runner, Scheduler, SchedulerConfig, SystemClock, Tz, Utc,
};

const JOBS: usize = 1_000;
const SECONDS: usize = 5;
const ROUNDS: u32 = 100_000;

/// A job, its tick, and when it was handed over.
type Start = (JobId, DateTime<Utc>, DateTime<Utc>);

struct Stopwatch {
    clock: SystemClock,
    runs: Mutex<Sender<Start>>,
}

impl Runner for Stopwatch {
    fn start(&self, run: &Run) -> bool {
        let due = run.due.unwrap();
        self.runs.lock().unwrap().send((run.id, due, self.clock.wall())).is_ok()
    }
}

fn main() {
    jitter();
    next_after();
}

fn jitter() {
    let (sender, runs) = channel();
    let runner = Stopwatch { clock: SystemClock::default(), runs: Mutex::new(sender) };
    let scheduler = Scheduler::new(SchedulerConfig::default(), Arc::new(runner));
    for job in 0..JOBS {
        scheduler.schedule(OwnerId(1), &format!("job {job}"), "* * * * * *", None).unwrap();
    }
    let mut late = Vec::with_capacity(JOBS * SECONDS);
    let mut first = None;
    let mut before = cpu();
    while late.len() < JOBS * SECONDS {
        let (id, due, now) = runs.recv().unwrap();
        assert!(scheduler.begin(id));
        scheduler.finished(id, true);
        // The first tick may come while the jobs are being scheduled.
        if due > *first.get_or_insert(due) {
            late.push((now - due).to_std().unwrap());
        } else {
            before = cpu();
        }
    }
    let busy = cpu() - before;
    let missed = scheduler.stats().missed;
    late.sort_unstable();
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
    println!("{JOBS} jobs at once each second for {SECONDS} s, missed {missed}");
    println!("  lateness p50 {:?}, p99 {:?}, max {:?}", at(0.5), at(0.99), at(1.0));
    println!(
        "  processor time {busy:?}, hand-over and report included: {:.2} % of one core",
        busy.as_secs_f64() / SECONDS as f64 * 100.0
    );
}

fn next_after() {
    println!("next time of a cron text");
    for text in
        ["* * * * * *", "*/5 * * * * *", "0 30 9 * * MON-FRI", "0 0 0 29 2 *", "0 0 0 13 * 5", "@every 5s"]
    {
        for zone in [Tz::UTC, Tz::Europe__Berlin] {
            let cron = Cron::parse(text, zone).unwrap();
            let mut at = "2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
            let start = Instant::now();
            for _ in 0..ROUNDS {
                at = cron.next_after(at).unwrap_or_default();
            }
            println!("  {:>6} ns  {text}, {zone}", start.elapsed().as_nanos() / u128::from(ROUNDS));
        }
    }
}

/// Processor time of the process.
fn cpu() -> Duration {
    // SAFETY: the call fills the structure, which is plain numbers.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage
    };
    let of = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1_000);
    of(usage.ru_utime) + of(usage.ru_stime)
}
