//! What a hook call costs: CPU time of the script's thread per event, for hooks that read more and more of an item.
//!
//! `cargo bench -p remora-script`, with `--no-default-features --features quickjs` for the other engine. The figures are
//! the best of several rounds; other work on the machine changes them little, because they are CPU time.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::Duration;

use remora_script::{Event, HostConfig, Observer, PacketInfo, Script, ScriptHost, Services};

const EVENTS: usize = 100_000;
const BATCH: usize = 500;
const ROUNDS: usize = 3;

const HOOKS: [(&str, &str); 10] = [
    ("packet, empty", "function onPacketCaptured(info) {}"),
    ("packet, counts bytes", "let n = 0; function onPacketCaptured(info) { n += info.length }"),
    ("item, empty", "function onItemCaptured(data) {}"),
    ("item, response.status", "let n = 0; function onItemCaptured(data) { n += data.response.status }"),
    (
        "item, five scalars",
        "let n = 0; function onItemCaptured(data) { n += data.response.status + data.request.path.length \
         + data.request.method.length + data.elapsedTime + data.src.ip.length }",
    ),
    (
        "item, one header",
        "let n = 0; function onItemCaptured(data) { n += data.response.headers['Content-Type'].length }",
    ),
    ("item, test.pass", "function onItemCaptured(data) { test.pass(data) }"),
    ("item, JSON.stringify", "let n = 0; function onItemCaptured(data) { n += JSON.stringify(data).length }"),
    ("item, all fields", "let n = 0; function onItemCaptured(data) { n += Object.keys(data).length }"),
    (
        "item, computes",
        "let n = 0; function onItemCaptured(data) { let h = 0; const s = data.request.path; \
         for (let i = 0; i < 2000; i++) h = (h * 31 + s.charCodeAt(i % s.length)) | 0; n += h }",
    ),
];

fn main() {
    let engine = if cfg!(feature = "v8") { "V8" } else { "QuickJS" };
    let item = common::items::http(0, "/api/v2/write", 200);
    let mut text = Vec::new();
    remora_dissect::json::write_object(item.as_ref(), &mut text);
    println!("{engine}, an HTTP item of {} bytes of JSON, CPU time per call", text.len());
    // A part of a name, to run only the hooks that have it.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (name, code) in HOOKS.into_iter().filter(|(name, _)| name.contains(&filter)) {
        let best = (0..ROUNDS).map(|_| round(code)).min().unwrap();
        println!("{name:24} {:8.3} us", best.as_secs_f64() * 1e6 / EVENTS as f64);
    }
}

fn round(code: &str) -> Duration {
    let recorder = Arc::<common::Recorder>::default();
    let config = HostConfig { queue_events: 4 * BATCH, ..HostConfig::default() };
    let host = ScriptHost::start(
        vec![Script::new("hook.js", code)],
        config,
        Services::default(),
        recorder as Arc<dyn Observer>,
    )
    .unwrap();
    let packet = Event::Packet(PacketInfo {
        timestamp: remora_packet::Timestamp::from_nanos(1_678_675_066_172_360_504),
        capture_length: 60,
        length: 60,
        truncated: false,
        fragmented: false,
    });
    // Held here as well, so that freeing an item is nobody's cost.
    let items: Vec<_> =
        (0..BATCH as u32).map(|index| common::items::http(index, "/api/v2/write", 200)).collect();
    let batch: Vec<Event> = items
        .iter()
        .map(|item| if host.wants_packets() { packet.clone() } else { Event::Item(Arc::clone(item)) })
        .collect();
    let start = thread_time("script-hook.js");
    let mut last = None;
    for _ in 0..EVENTS / BATCH {
        last = Some(host.deliver(batch.clone()));
    }
    last.unwrap().wait();
    let spent = thread_time("script-hook.js") - start;
    assert_eq!(host.finish(Duration::from_secs(1))[0].calls, EVENTS as u64);
    spent
}

/// CPU time of this process's thread of that name, from the scheduler's own count.
fn thread_time(name: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    for task in tasks.flatten() {
        let comm = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim() == name {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
            return Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    panic!("no thread is named {name}");
}
