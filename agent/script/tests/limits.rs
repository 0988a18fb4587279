//! Scripts that mean harm: the call ends with an error line, the script goes on, the process survives.

mod common;

use std::time::{Duration, Instant};

use common::*;
use remora_script::{HostConfig, ScriptStats};

/// Runs `body` in a hook that otherwise counts its calls: the first call is healthy, the second hostile, the third
/// healthy again with the script's state kept.
fn hostile(config: HostConfig, body: &str) -> (Running, Vec<String>) {
    let running = start_with(
        config,
        &format!(
            "let calls = 0;
         function onItemCaptured(data) {{
             calls++;
             if (data.index === 1) {{ {body} }}
             console.log('calls', calls, data.index);
         }}"
        ),
    );
    running.items((0..3).map(|index| items::http(index, "/", 200)));
    let lines = running.lines();
    (running, lines)
}

/// The hostile call was ended at a limit. Returns the counters.
fn ended(config: HostConfig, body: &str) -> ScriptStats {
    let start = Instant::now();
    let (running, lines) = hostile(config, body);
    assert_eq!(lines.len(), 3, "{body}: {lines:?}");
    assert_eq!(lines[0], "calls 1 0", "{body}");
    assert!(lines[1].starts_with("error: (hook=onItemCaptured) ended: "), "{body}: {lines:?}");
    assert_eq!(lines[2], "calls 3 2", "{body}");
    let stats = running.stats();
    assert_eq!((stats.calls, stats.abandoned), (3, false), "{body}: {stats:?}");
    eprintln!("{:6} ms: {} for {body}", start.elapsed().as_millis(), &lines[1][36..]);
    stats
}

fn timed_out(body: &str) {
    let stats = ended(config(), body);
    assert_eq!((stats.timeouts, stats.heap_overflows), (1, 0), "{body}");
}

/// Ended by the heap limit, long before the time limit.
fn overflowed(body: &str) {
    let stats = ended(patient(), body);
    assert_eq!((stats.timeouts, stats.heap_overflows), (0, 1), "{body}");
}

fn patient() -> HostConfig {
    HostConfig { call_limit: Duration::from_secs(20), ..config() }
}

/// The hostile call was ended at a limit, or its allocation refused with an exception, or, where the engine cannot do
/// either, the script was abandoned. Returns the line that says so.
fn contained(body: &str) -> String {
    let start = Instant::now();
    let (running, lines) = hostile(HostConfig { call_limit: Duration::from_secs(4), ..config() }, body);
    let stats = running.stats();
    assert_eq!(lines[0], "calls 1 0", "{body}: {lines:?}");
    if stats.abandoned {
        assert_eq!(lines.len(), 2, "{body}: {lines:?}");
        assert!(lines[1].starts_with("error: abandoned: it "), "{body}: {lines:?}");
        assert_eq!((stats.calls, stats.shed), (2, 1), "{body}: {stats:?}");
    } else {
        assert_eq!(lines.len(), 3, "{body}: {lines:?}");
        assert!(lines[1].starts_with("error: (hook=onItemCaptured) "), "{body}: {lines:?}");
        assert_eq!(lines[2], "calls 3 2", "{body}: {lines:?}");
    }
    // What is delivered later is worked off or shed, and does not wait.
    running.items([items::http(9, "/", 200)]);
    assert_eq!(running.stats().shed, stats.shed + u64::from(stats.abandoned), "{body}");
    eprintln!("{:6} ms: {} for {body}", start.elapsed().as_millis(), lines[1]);
    lines[1].clone()
}

/// Contained without losing the script.
fn survived(body: &str) {
    let line = contained(body);
    assert!(!line.contains("abandoned"), "{body}: {line}");
}

#[test]
fn endless_loops_end() {
    timed_out("for (;;) {}");
    timed_out("while (true) { try { for (;;) {} } catch {} finally { for (;;) {} } }");
    timed_out("let i = 0; do { i = (i + 1) % 7 } while (i >= 0)");
    timed_out("const f = () => f; for (;;) f()()()");
    timed_out("[3, 2, 1].sort(() => { for (;;) {} })");
    timed_out("const o = { get x() { return this.x1++ }, x1: 0 }; while (o.x >= 0) {}");
    timed_out("const g = (function* () { for (;;) yield 1 })(); for (const x of g) {}");
    if cfg!(feature = "v8") {
        // In QuickJS 10,000 stack texts pass until the next look.
        timed_out("for (;;) { try { null.x } catch (e) { e.stack } }");
    }
    timed_out("for (;;) { JSON.stringify(data); data.response.status }");
    ended(config(), "'x'.repeat(1e6).replace(/x/g, () => { for (;;) {} })");
}

/// On V8 with TurboFan neither of these two could be ended.
#[test]
fn loops_that_an_optimising_compiler_strips_of_checks_end() {
    timed_out("let a = []; for (let i = 0; ; i++) { a[i % 1000] = new Array(1000).fill(1.5); }");
    overflowed("let a = []; for (let i = 0; ; i++) { a.push(new Array(1000).fill(1.5)); }");
}

#[test]
fn endless_promise_jobs_end() {
    // Each promise waits for the next, so that memory may run out first. QuickJS takes as long to undo the chain as it
    // took to make it.
    contained("const again = () => Promise.resolve().then(again); again(); return;");
    timed_out("(async () => { for (;;) await null })(); return;");
    timed_out("Promise.resolve().then(() => { for (;;) {} }); return;");
}

#[test]
fn catastrophic_regular_expressions_end() {
    timed_out("/^(a+)+$/.test('a'.repeat(40) + 'b')");
    timed_out(r"/(x+x+)+y/.exec('x'.repeat(60))");
}

#[test]
fn memory_hogs_end() {
    overflowed("const a = []; for (;;) a.push({ a: [1, 2, 3] })");
    overflowed("const a = []; for (;;) a.push('x'.repeat(1000) + a.length)");
    overflowed("const m = new Map(); for (let i = 0; ; i++) m.set(i, [i])");
    if cfg!(feature = "v8") {
        overflowed("let s = []; for (;;) s = [s, s.concat(s)]");
    } else {
        // Where QuickJS ends it in the middle of `concat` it never frees what that worked on.
        contained("let s = []; for (;;) s = [s, s.concat(s)]");
    }
    overflowed(
        "const f = () => { const b = new Array(1000); return () => b }; let a = []; for (;;) a.push(f())",
    );
    overflowed("const held = []; for (;;) held.push(JSON.parse(JSON.stringify(data)))");
}

#[test]
fn single_huge_allocations_are_survived() {
    survived("let s = 'abc'; for (;;) s += s + '1'");
    survived("let n = 1n; for (;;) n = n * n + 3n ** 1000n");
    survived("const f = () => f(); f()");
    survived("const f = () => [...[1]].map(f); f()");
    survived("const t = []; for (let i = 0; ; i++) t.push(Symbol.for('s' + i))");
}

#[test]
fn buffers_outside_the_heap_are_bounded() {
    survived("new ArrayBuffer(2 ** 33)");
    survived("new Uint8Array(1e9).fill(1)");
    survived("const a = []; for (;;) a.push(new Uint8Array(1e6).fill(7))");
    survived("const a = []; for (;;) a.push(new ArrayBuffer(1e7))");
    survived(
        "const b = new ArrayBuffer(1, { maxByteLength: 2 ** 32 }); b.resize(2 ** 32); new Uint8Array(b).fill(1); throw new Error(b.byteLength)",
    );
    survived(
        "const a = []; for (;;) { const b = new ArrayBuffer(1e7, { maxByteLength: 1e7 }); new Uint8Array(b).fill(1); a.push(b) }",
    );
    survived("const a = []; for (;;) a.push(new Uint8Array(1e6).buffer.transfer(5e6))");
}

/// V8 has no answer to some of these but to end the process; the host lets it end the script's thread instead.
#[test]
fn allocations_beyond_the_overdraft_do_not_end_the_process() {
    contained("const s = 'x'.repeat(2 ** 29 - 100); s.charCodeAt(5) + s.split('').length");
    contained("'x'.repeat(2 ** 28).split('')");
    contained("Array.from({ length: 1e9 })");
    contained("[...'x'.repeat(1e8)]");
    contained("JSON.parse('[' + '1,'.repeat(2e7) + '1]')");
    contained("new Function('return [' + '1,'.repeat(5e6) + ']')()");
}

/// The heap is usable again after each overflow, and what a script had stored is still there.
#[test]
fn a_script_goes_on_after_many_overflows() {
    let running = start(
        "let kept = 'kept';
         function onItemCaptured(data) { const a = []; if (data.index % 2) for (;;) a.push(new Array(100).fill(data.index)); kept += '.' }
         function onPacketCaptured() { console.log(kept) }",
    );
    running.items((0..20).map(|index| items::http(index, "/", 200)));
    let stats = running.stats();
    assert_eq!(stats.heap_overflows + stats.timeouts, 10, "{stats:?}");
    let packet = remora_script::PacketInfo {
        timestamp: Default::default(),
        capture_length: 0,
        length: 0,
        truncated: false,
        fragmented: false,
    };
    running.host.deliver(vec![remora_script::Event::Packet(packet)]).wait();
    assert_eq!(running.lines().last().unwrap(), "kept..........");
}

#[test]
fn top_level_code_has_the_same_limits() {
    let start = Instant::now();
    assert!(load_error("for (;;) {}").starts_with("ended: it ran longer than"));
    let hog = load_error("const a = []; for (;;) a.push([1])");
    assert!(
        ["ended: it ", "it asked for something larger", "it could not be ended", "it has filled its heap"]
            .iter()
            .any(|said| hog.starts_with(said)),
        "{hog}"
    );
    assert!(load_error("(async () => { for (;;) await 1 })()").starts_with("ended: it ran longer than"));
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn other_scripts_do_not_notice() {
    let scripts = [
        ("bad.js", "function onItemCaptured() { for (;;) {} }"),
        ("good.js", "let n = 0; function onItemCaptured() { n++; if (n === 50) console.log('done') }"),
    ];
    let running = try_start(config(), &scripts).ok().unwrap();
    let ticket =
        running.host.deliver((0..50).map(|i| remora_script::Event::Item(items::http(i, "/", 200))).collect());
    let end = Instant::now() + CALL_LIMIT * 3;
    while !running.recorder.lines().contains(&"[good.js] done".to_owned()) {
        assert!(Instant::now() < end, "{:?}", running.recorder.lines());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!ticket.wait_timeout(Duration::from_millis(1)), "bad.js cannot be done yet");
    let stats = running.host.finish(Duration::ZERO);
    assert_eq!(stats[1].calls, 50);
    assert!(stats[0].shed + stats[0].calls <= 50, "{stats:?}");
}

/// The watchdog sleeps while no call runs; one that begins as it falls asleep must not be missed.
#[test]
fn every_call_of_a_batch_is_watched() {
    let config = HostConfig { call_limit: CALL_LIMIT / 20, ..config() };
    let running = start_with(config, "function onItemCaptured() { for (;;) {} }");
    let start = Instant::now();
    let ticket =
        running.host.deliver((0..60).map(|i| remora_script::Event::Item(items::http(i, "/", 200))).collect());
    assert!(ticket.wait_timeout(Duration::from_secs(60)), "{:?}", running.stats());
    eprintln!("60 endless calls in {:?}", start.elapsed());
}
