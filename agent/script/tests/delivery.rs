//! Queues, tickets, and scripts that are given up.

mod common;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use remora_packet::Timestamp;
use remora_script::{Event, HostConfig, Overflow, PacketInfo, ScriptHost};

fn packet(length: u32) -> Event {
    let timestamp = Timestamp::from_nanos(0);
    Event::Packet(PacketInfo {
        timestamp,
        capture_length: length,
        length,
        truncated: false,
        fragmented: false,
    })
}

fn item(index: u32) -> Event {
    Event::Item(items::http(index, "/", 200))
}

/// Busy for about `milliseconds` per call, then counts it.
fn slow(milliseconds: u32) -> String {
    format!(
        "let calls = 0;
         function onItemCaptured() {{
             const end = Date.now() + {milliseconds};
             while (Date.now() < end) {{}}
             calls++;
         }}
         function onPacketCaptured() {{ console.log(calls) }}"
    )
}

#[test]
fn a_host_without_hooks_wants_nothing() {
    let running = start("console.log('loaded')");
    assert!(!running.host.wants_packets() && !running.host.wants_items());
    assert!(running.host.deliver(vec![item(0), packet(1)]).wait_timeout(Duration::ZERO));
    assert_eq!((running.stats().calls, running.stats().shed), (0, 0));

    let running = try_start(config(), &[]).ok().unwrap();
    assert!(!running.host.wants_items() && running.host.stats().is_empty());
    running.host.deliver(vec![item(0)]).wait();
    assert!(running.host.finish(Duration::ZERO).is_empty());
}

#[test]
fn every_script_gets_the_events_it_has_a_hook_for_in_order() {
    let scripts = [
        ("items.js", "const seen = []; function onItemCaptured(d) { seen.push(d.index); if (d.index === 9) console.log(seen) }"),
        ("packets.js", "const seen = []; function onPacketCaptured(p) { seen.push(p.length); if (p.length === 9) console.log(seen) }"),
        (
            "both.js",
            "const seen = []; function onItemCaptured(d) { seen.push('i' + d.index) }
             function onPacketCaptured(p) { seen.push('p' + p.length); if (p.length === 9) console.log(seen) }",
        ),
    ];
    let running = try_start(config(), &scripts).ok().unwrap();
    for batch in 0..5 {
        let events = [batch * 2, batch * 2 + 1].into_iter().flat_map(|index| [item(index), packet(index)]);
        running.host.deliver(events.collect()).wait();
    }
    let mut lines = running.recorder.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "[both.js] i0,p0,i1,p1,i2,p2,i3,p3,i4,p4,i5,p5,i6,p6,i7,p7,i8,p8,i9,p9",
            "[items.js] 0,1,2,3,4,5,6,7,8,9",
            "[packets.js] 0,1,2,3,4,5,6,7,8,9",
        ]
    );
    let calls: Vec<_> =
        running.host.finish(Duration::from_secs(5)).into_iter().map(|stats| stats.calls).collect();
    assert_eq!(calls, [10, 10, 20]);
}

#[test]
fn a_hundred_thousand_events_pass_an_empty_hook() {
    let running = start("function onItemCaptured(data) {} function onPacketCaptured(info) {}");
    let one = items::http(0, "/", 200);
    for _ in 0..100 {
        let events = (0..500).flat_map(|index| [Event::Item(Arc::clone(&one)), packet(index)]);
        running.host.deliver(events.collect());
    }
    let stats = running.host.finish(Duration::from_secs(60)).remove(0);
    assert_eq!((stats.calls, stats.shed, stats.errors), (100_000, 0, 0));
    assert!(stats.busy > Duration::ZERO);
}

#[test]
fn a_full_queue_makes_deliver_wait_by_count_and_by_bytes() {
    let one = 1 + size_of::<Event>() + items::http(0, "/", 200).memory();
    for config in [
        HostConfig { queue_events: 2, ..config() },
        HostConfig { queue_bytes: 2 * one, ..config() },
        HostConfig { queue_bytes: 1, ..config() },
    ] {
        let running = start_with(config, &slow(20));
        let ticket = running.host.deliver((0..10).map(item).collect());
        // Two or less wait and one share of two or less is worked on, so at least six calls are over.
        let begun = running.stats().calls;
        assert!(begun >= 6, "deliver came back after {begun} calls");
        ticket.wait();
        running.host.deliver(vec![packet(0)]).wait();
        assert_eq!(running.lines(), ["10"]);
        assert_eq!(running.stats().shed, 0);
    }
}

#[test]
fn a_full_queue_sheds_and_counts_where_nothing_may_wait() {
    let config = HostConfig { queue_events: 4, overflow: Overflow::Shed, ..config() };
    let scripts = [("slow.js", slow(30)), ("fast.js", slow(0))];
    let scripts: Vec<_> = scripts.iter().map(|(name, code)| (*name, code.as_str())).collect();
    let running = try_start(config, &scripts).ok().unwrap();
    let start = Instant::now();
    let tickets: Vec<_> = (0..20)
        .map(|batch| {
            thread::sleep(Duration::from_millis(2));
            running.host.deliver((0..3).map(|index| item(batch * 3 + index)).collect())
        })
        .collect();
    assert!(start.elapsed() < Duration::from_millis(60 * 30), "deliver has waited");
    tickets.iter().for_each(|ticket| ticket.wait());
    let stats = running.host.stats();
    for stats in &stats {
        assert_eq!(stats.calls + stats.shed, 60, "{stats:?}");
    }
    assert!(stats[0].shed > 0, "{stats:?}");
}

#[test]
fn tickets_complete_with_the_slowest_script() {
    let scripts = [("slow.js", slow(100)), ("fast.js", slow(0))];
    let scripts: Vec<_> = scripts.iter().map(|(name, code)| (*name, code.as_str())).collect();
    let running = try_start(config(), &scripts).ok().unwrap();
    let first = running.host.deliver(vec![item(0)]);
    let second = running.host.deliver(vec![item(1)]);
    assert!(!second.wait_timeout(Duration::from_millis(20)));
    first.wait();
    assert!(!second.wait_timeout(Duration::ZERO));
    second.wait();
    assert!(second.wait_timeout(Duration::ZERO) && first.wait_timeout(Duration::ZERO));
}

#[test]
fn finish_works_off_the_queue_or_counts_what_is_left() {
    let running = start(&slow(5));
    running.host.deliver((0..20).map(item).collect());
    let stats = running.host.finish(Duration::from_secs(30)).remove(0);
    assert_eq!((stats.calls, stats.shed), (20, 0));

    let running = start(&slow(50));
    running.host.deliver((0..50).map(item).collect());
    running.host.deliver((0..50).map(item).collect());
    let start = Instant::now();
    let stats = running.host.finish(Duration::from_millis(100)).remove(0);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(stats.shed >= 50 && stats.calls < 50, "{stats:?}");
    assert_eq!(
        running.recorder.lines(),
        Vec::<String>::new(),
        "a call that is cut at the end has not failed"
    );
}

/// The engine sees no request to end in here.
const UNSTOPPABLE: &str = if cfg!(feature = "v8") {
    "const a = [1]; a.length = 2 ** 32 - 1; a.indexOf(2);"
} else {
    "new Array(2 ** 32 - 1).join('x');"
};

#[test]
fn a_script_that_cannot_be_stopped_is_abandoned() {
    let scripts = [
        (
            "stuck.js",
            format!("function onItemCaptured(data) {{ if (data.index === 1) {{ {UNSTOPPABLE} }} }}"),
        ),
        ("sound.js", slow(0)),
    ];
    let scripts: Vec<_> = scripts.iter().map(|(name, code)| (*name, code.as_str())).collect();
    let config = HostConfig { call_limit: Duration::from_millis(300), queue_events: 4, ..config() };
    let running = try_start(config, &scripts).ok().unwrap();
    let start = Instant::now();
    // The queue is full behind the stuck call, so this waits until the script is abandoned.
    let ticket = running.host.deliver((0..50).map(item).collect());
    ticket.wait();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let stats = running.host.stats();
    assert!(stats[0].abandoned && !stats[1].abandoned, "{stats:?}");
    assert_eq!((stats[0].calls, stats[1].calls), (2, 50), "{stats:?}");
    assert_eq!(stats[0].shed, 48, "all but the two that were begun: {stats:?}");
    let lines = running.recorder.lines();
    assert_eq!(lines.len(), 1, "reported once: {lines:?}");
    assert!(
        lines[0].starts_with("[stuck.js] error: abandoned: it could not be ended at the time limit of 300ms"),
        "{lines:?}"
    );
    assert!(lines[0].ends_with("it gets no more events"), "{lines:?}");

    running.host.deliver((50..60).map(item).collect()).wait();
    let start = Instant::now();
    let stats = running.host.finish(Duration::from_secs(5));
    assert!(start.elapsed() < Duration::from_secs(2), "the stuck thread is not waited for");
    assert_eq!((stats[0].shed, stats[1].calls), (58, 60), "{stats:?}");
}

#[test]
fn top_level_code_that_cannot_be_stopped_is_a_load_error() {
    let config = HostConfig { call_limit: Duration::from_millis(200), ..config() };
    let errors = try_start(config, &[("stuck.js", UNSTOPPABLE), ("sound.js", "1")]).err().unwrap();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].script, "stuck.js");
    assert!(errors[0].message.contains("could not be ended"), "{errors:?}");
}

#[test]
fn hosts_come_and_go() {
    for round in 0..20 {
        let running = start("function onItemCaptured(data) { console.log(data.index) }");
        assert_eq!(running.item_lines(items::http(round, "/", 200)), [round.to_string()]);
        if round % 2 == 0 {
            running.host.finish(Duration::from_secs(1));
        }
    }
    fn assert_shareable<T: Send + Sync>() {}
    assert_shareable::<ScriptHost>();
}
