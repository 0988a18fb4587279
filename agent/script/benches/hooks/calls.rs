//! CPU time of the script's thread per call of a hook, and of what hooks call. The figures are the best of several
//! rounds; other work on the machine changes them little, because they are CPU time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use remora_dissect::Item;
use remora_script::{Event, HostConfig, Observer, PacketInfo, Script, ScriptHost, Services};

use crate::{Options, common, thread_time};

const EVENTS: usize = 80_000;
/// As the agent delivers them.
const BATCH: usize = 128;
const ROUNDS: usize = 3;

const EMPTY: &str = "function onItemCaptured(data) {}";

/// A name, the hook, and how often it does what is measured; 0 for the call itself. Of all others the empty call is
/// taken off.
const HOOKS: [(&str, &str, usize); 17] = [
    ("packet, empty", "function onPacketCaptured(info) {}", 0),
    ("packet, counts bytes", "let n = 0; function onPacketCaptured(info) { n += info.length }", 0),
    ("item, empty", EMPTY, 0),
    ("item, one field", "let n = 0; function onItemCaptured(data) { n += data.response.status }", 0),
    (
        "item, five fields",
        "let n = 0; function onItemCaptured(data) { n += data.response.status + data.request.path.length \
         + data.request.method.length + data.elapsedTime + data.src.ip.length }",
        0,
    ),
    (
        "item, ten fields",
        "let n = 0; function onItemCaptured(data) { n += data.response.status + data.request.path.length \
         + data.request.method.length + data.elapsedTime + data.src.ip.length + data.dst.port.length \
         + data.protocol.abbr.length + data.timestamp + data.size + data.response.headers['Content-Type'].length }",
        0,
    ),
    (
        "item, one header",
        "let n = 0; function onItemCaptured(data) { n += data.response.headers['Content-Type'].length }",
        0,
    ),
    ("item, test.pass", "function onItemCaptured(data) { test.pass(data) }", 0),
    ("item, stringify", "let n = 0; function onItemCaptured(data) { n += JSON.stringify(data).length }", 0),
    ("item, all fields", "let n = 0; function onItemCaptured(data) { n += Object.keys(data).length }", 0),
    (
        "item, computes",
        "let n = 0; function onItemCaptured(data) { let h = 0; const s = data.request.path; \
         for (let i = 0; i < 2000; i++) h = (h * 31 + s.charCodeAt(i % s.length)) | 0; n += h }",
        0,
    ),
    (
        "op: test.pass, told already",
        "function onItemCaptured(data) { for (let i = 0; i < 20; i++) test.pass(data) }",
        20,
    ),
    (
        "op: console.log, over its rate",
        "function onItemCaptured(data) { for (let i = 0; i < 20; i++) console.log('a line') }",
        20,
    ),
    (
        "kfl.match of the item, one condition",
        "let n = 0; function onItemCaptured(data) { for (let i = 0; i < 5; i++) \
         n += kfl.match('response.status == 200', data) }",
        5,
    ),
    (
        "kfl.match of the item, three conditions",
        "let n = 0; function onItemCaptured(data) { for (let i = 0; i < 5; i++) \
         n += kfl.match('http and response.status == 200 and request.path.startsWith(\"/\")', data) }",
        5,
    ),
    (
        "kfl.match of a small object",
        "let n = 0; const plain = { response: { status: 200 }, request: { path: '/' } }; \
         function onItemCaptured(data) { for (let i = 0; i < 5; i++) n += kfl.match('response.status == 200', plain) }",
        5,
    ),
    (
        "kfl.match of a copy of the item",
        "let n = 0, plain; function onItemCaptured(data) { plain ??= JSON.parse(JSON.stringify(data)); \
         n += kfl.match('response.status == 200', plain) }",
        1,
    ),
];

pub(crate) fn measure(options: &Options, items: &[Arc<Item>]) {
    let mut empty = None;
    for (name, code, times) in HOOKS.into_iter().filter(|(name, ..)| options.wants(name)) {
        let mut micros = best(code, items);
        if times > 0 {
            let empty = *empty.get_or_insert_with(|| best(EMPTY, items));
            micros = (micros - empty).max(0.0) / times as f64;
        }
        options.print(name, micros, "us");
    }
}

fn best(code: &str, items: &[Arc<Item>]) -> f64 {
    let best = (0..ROUNDS).map(|_| round(code, items)).min().unwrap();
    best.as_secs_f64() * 1e6 / EVENTS as f64
}

fn round(code: &str, items: &[Arc<Item>]) -> Duration {
    // The thread of the round before may not have ended yet, so each has a name of its own.
    static ROUND: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}.js", ROUND.fetch_add(1, Ordering::Relaxed));
    let thread = format!("script-{name}");
    let recorder = Arc::<common::Recorder>::default();
    let config = HostConfig { console_lines_per_second: NonZeroU32::new(1), ..HostConfig::default() };
    let host = ScriptHost::start(
        vec![Script::new(name, code)],
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
    // Held by the caller as well, so that freeing an item is nobody's cost.
    let mut next = items.iter().cycle();
    let mut event = || match host.wants_packets() {
        true => packet.clone(),
        false => Event::Item(Arc::clone(next.next().unwrap())),
    };
    let start = thread_time(&thread);
    let mut last = None;
    for _ in 0..EVENTS / BATCH {
        last = Some(host.deliver((0..BATCH).map(|_| event()).collect()));
    }
    last.unwrap().wait();
    let spent = thread_time(&thread) - start;
    assert_eq!(host.finish(Duration::from_secs(1))[0].calls, EVENTS as u64);
    spent
}
