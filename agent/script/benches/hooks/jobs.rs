//! How late the jobs of a script begin: a thousand, all due every second, run one after another on the script's thread.
//! `cargo bench -p remora-jobs` has the scheduler's part of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use remora_script::{HostConfig, Observer, Script, ScriptHost, Services};

use crate::{Options, common, thread_time};

const JOBS: usize = 1_000;
const SECONDS: usize = 5;
/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Milliseconds since the full second, at which each job is due. The second in which the script loads does not count. Each
/// job counts seconds by itself, and the last one's end says that all are there.
const CODE: &str = "
const late = [];
let done = 0;
for (let job = 0; job < JOBS; job++) {
  let runs = 0;
  jobs.schedule('job ' + job, '* * * * * *', () => {
    if (runs++ === 0 || runs > SECONDS + 1) return;
    late.push(Date.now() % 1000);
    if (runs === SECONDS + 1 && ++done === JOBS) {
      late.sort((a, b) => a - b);
      const at = (share) => late[Math.floor((late.length - 1) * share)];
      console.log(['late', at(0.5), at(0.99), at(1)].join(' '));
    }
  });
}
";

pub(crate) fn measure(options: &Options) {
    if !options.wants("jobs") {
        return;
    }
    let recorder = Arc::<common::Recorder>::default();
    let constants = format!("const JOBS = {JOBS}, SECONDS = {SECONDS};");
    let script = Script::new("jobs.js", format!("{constants}{CODE}"));
    let observer = Arc::clone(&recorder) as Arc<dyn Observer>;
    let host = ScriptHost::start(vec![script], HostConfig::default(), Services::default(), observer).unwrap();
    let (start, before) = (Instant::now(), thread_time("script-jobs.js"));
    let line = loop {
        let lines = recorder.lines();
        if let Some(line) = lines.iter().find_map(|line| line.strip_prefix("[jobs.js] late ")) {
            break line.to_owned();
        }
        assert!(start.elapsed() < PATIENCE, "the jobs did not end: {lines:?}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let spent = thread_time("script-jobs.js") - before;
    let runs = host.stats()[0].jobs;
    let mut late = line.split(' ').map(|value| value.parse::<f64>().unwrap());
    for name in ["p50", "p99", "max"] {
        options.print(&format!("{JOBS} jobs a second: lateness {name}"), late.next().unwrap(), "ms");
    }
    options.print(&format!("{JOBS} jobs a second: missed"), host.missed_jobs() as f64, "times");
    options.print("jobs: one run", spent.as_secs_f64() * 1e6 / runs as f64, "us");
}
