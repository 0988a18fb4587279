//! How long scripts take to start, and what memory they hold.

use std::sync::Arc;
use std::time::Instant;

use remora_script::{Event, HostConfig, Observer, Script, ScriptHost, Services};

use crate::{Options, common};

const SCRIPTS: usize = 50;
const ROUNDS: usize = 5;
const ITEMS: u32 = 4_000;
const BATCH: u32 = 500;

const CODE: &str = "let n = 0; function onItemCaptured(data) { n += data.response.status }";

pub(crate) fn measure(options: &Options) {
    if !options.wants("start") && !options.wants("memory") {
        return;
    }
    let start = Instant::now();
    let first = host(1);
    options.print("start of the first script", millis(start), "ms");
    let before = resident();
    let start = Instant::now();
    let many = host(SCRIPTS);
    options.print(&format!("start of {SCRIPTS} scripts"), millis(start), "ms");
    options.print("memory of an idle script", (resident() - before) / SCRIPTS as f64, "MiB");
    let items: Vec<_> = (0..BATCH).map(|index| common::items::http(index, "/api", 200)).collect();
    for _ in 0..ITEMS / BATCH {
        many.deliver(items.iter().map(|item| Event::Item(Arc::clone(item))).collect()).wait();
    }
    let name = format!("memory of a script after {ITEMS} items");
    options.print(&name, (resident() - before) / SCRIPTS as f64, "MiB");
    drop((first, many));
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let host = host(1);
            let spent = millis(start);
            drop(host);
            spent
        })
        .collect();
    times.sort_by(f64::total_cmp);
    options.print("start of one more script", times[ROUNDS / 2], "ms");
}

fn host(scripts: usize) -> ScriptHost {
    let scripts = (0..scripts).map(|number| Script::new(format!("{number}.js"), CODE)).collect();
    let observer = Arc::<common::Recorder>::default() as Arc<dyn Observer>;
    ScriptHost::start(scripts, HostConfig::default(), Services::default(), observer).unwrap()
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// MiB of memory that the process holds.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes / 1024.0
}
