//! Scripts that are replaced, added and removed while the host runs.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::server::{Reply, Server};
use common::world::World;
use common::*;
use remora_script::{Event, HostConfig, Overflow, PacketInfo, Script, ScriptHost};

impl Running {
    /// Runs `code` in the stead of `test.js`.
    fn replace(&self, code: &str) {
        self.host.replace(Script::new("test.js", code)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Why `code` does not load in the stead of `test.js`.
    fn refuse(&self, code: &str) -> String {
        self.host.replace(Script::new("test.js", code)).expect_err("it loaded").to_string()
    }
}

#[test]
fn new_code_takes_over_with_globals_of_its_own_and_the_counters_go_on() {
    let running = start(
        "var kept = 'old'; globalThis.more = 1; Array.prototype.added = 1;
         function onItemCaptured(data) { console.log('old', data.index); throw new Error('old') }",
    );
    running.items([items::http(0, "/", 200)]);
    running.replace(
        "function onItemCaptured(data) { console.log('new', data.index, typeof kept, typeof more, [].added) }",
    );
    running.items([items::http(1, "/", 200)]);
    let lines = running.lines();
    assert_eq!((lines[0].as_str(), lines[2].as_str()), ("old 0", "new 1 undefined undefined undefined"));
    let stats = running.host.stats();
    assert_eq!(stats.len(), 1);
    assert_eq!((stats[0].calls, stats[0].errors, stats[0].shed), (2, 1, 0), "{stats:?}");
}

#[test]
fn each_event_reaches_one_version_and_in_order() {
    let code = |version: u32| {
        format!(
            "function onItemCaptured(data) {{ console.log({version} + ' ' + data.timestamp + ' ' + data.index) }}"
        )
    };
    let config = HostConfig { queue_events: 64, ..config() };
    let running = start_with(config, &code(0));
    let done = AtomicBool::new(false);
    let delivered = std::thread::scope(|scope| {
        let deliverer = scope.spawn(|| {
            let mut next = 0;
            while !done.load(Ordering::Relaxed) {
                let batch = (next..next + 40).map(|index| Event::Item(items::http(index, "/", 200)));
                running.host.deliver(batch.collect());
                next += 40;
            }
            next
        });
        for version in 1..=4 {
            running.replace(&code(version));
        }
        done.store(true, Ordering::Relaxed);
        deliverer.join().unwrap()
    });
    running.items([items::http(delivered, "/", 200)]);
    let seen: Vec<(u32, u32)> = running
        .lines()
        .iter()
        .map(|line| {
            let mut words = line.split(' ');
            (words.next().unwrap().parse().unwrap(), words.next_back().unwrap().parse().unwrap())
        })
        .collect();
    let indexes: Vec<_> = seen.iter().map(|(_, index)| *index).collect();
    assert_eq!(indexes, (0..=delivered).collect::<Vec<_>>());
    assert!(seen.is_sorted(), "an old version came after a new one");
    assert_eq!(seen.last().unwrap().0, 4);
    assert_eq!((running.stats().calls, running.stats().shed), (u64::from(delivered) + 1, 0));
}

#[test]
fn what_waits_while_a_script_is_replaced_is_for_the_new_code() {
    let server = Server::start(|request| match request.target.as_str() {
        "/last" => Reply::new(200, ""),
        _ => Reply::Silence,
    });
    let world = World::new(&server);
    let config = HostConfig {
        env: [("URL".to_owned(), server.url(""))].into(),
        helper_deadline: Duration::from_millis(100),
        ..config()
    };
    let running = world.start_with(
        config,
        "function onItemCaptured(data) { console.log('old', data.index); try { vendor.webhook('GET', URL) } catch {} }",
    );
    let first = running.host.deliver(vec![Event::Item(items::http(0, "/", 200))]);
    let second = running.host.deliver(vec![Event::Item(items::http(1, "/", 200))]);
    server.wait_for_requests(1);
    // The old version is in the middle of its call.
    running.replace("function onItemCaptured(data) { console.log('new', data.index) }");
    assert!(second.wait_timeout(Duration::from_secs(60)) && first.wait_timeout(Duration::from_secs(60)));
    assert_eq!(running.lines(), ["old 0", "new 1"]);
}

#[test]
fn jobs_are_those_of_the_new_code() {
    let running = start(
        "jobs.schedule('old', '@hourly', () => console.log('ran old'));
         jobs.schedule('both', '@hourly', () => console.log('ran both, old'))",
    );
    running.replace(
        "console.log('while it loads', jobs.list().sort().join());
         jobs.schedule('both', '@hourly', () => console.log('ran both, new'));
         jobs.schedule('new', '@hourly', () => console.log('ran new'));
         jobs.run('new');
         function onItemCaptured() { console.log(jobs.list().sort().join()); jobs.runAll() }
         function onPacketCaptured() {}",
    );
    running.wait_for("ran new");
    running.items([items::http(0, "/", 200)]);
    running.wait_for("ran both, new");
    let lines = running.lines();
    assert!(lines.contains(&"while it loads both,old".to_owned()), "{lines:?}");
    assert!(lines.contains(&"both,new".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line == "ran old" || line == "ran both, old"), "{lines:?}");
}

#[test]
fn code_that_does_not_load_leaves_the_old_code_as_it_was() {
    let running = start(
        "let n = 0;
         jobs.schedule('old', '@hourly', () => console.log('ran old'));
         function onItemCaptured() { console.log(++n, jobs.list().join()); jobs.run('old') }",
    );
    running.items([items::http(0, "/", 200)]);
    let refusals = [
        ("function (", "test.js: SyntaxError: "),
        (
            "jobs.schedule('new', '@hourly', () => {}); throw new Error('no')",
            "test.js: Error: no (test.js:1:",
        ),
        (
            "jobs.schedule('new', '@hourly', () => {}); jobs.run('new'); for (;;) {}",
            "test.js: ended: it ran longer than",
        ),
    ];
    for (code, reason) in refusals {
        let message = running.refuse(code);
        assert!(message.starts_with(reason), "{message}");
    }
    running.items([items::http(1, "/", 200)]);
    running.recorder.wait(|lines| lines.iter().filter(|line| line.ends_with("ran old")).count() == 2);
    let lines = running.lines();
    assert!(lines.contains(&"1 old".to_owned()) && lines.contains(&"2 old".to_owned()), "{lines:?}");
    assert_eq!(running.stats().calls, 2);
}

#[test]
fn code_with_too_many_jobs_leaves_the_old_code_as_it_was() {
    let config = HostConfig { jobs: 3, ..config() };
    let scripts = [
        ("other.js", "jobs.schedule('a', '@hourly', () => {}); jobs.schedule('b', '@hourly', () => {})"),
        (
            "test.js",
            "jobs.schedule('c', '@hourly', () => {}); function onItemCaptured(data) { console.log(data.index) }",
        ),
    ];
    let running = try_start(config, &scripts).ok().unwrap();
    for round in 0..3 {
        let message = running.refuse(
            "for (const tag of 'cd') jobs.schedule(tag, '@hourly', () => {}); function onItemCaptured() {}",
        );
        assert!(message.starts_with("test.js: all scripts together have 3 jobs"), "{message}");
        running.items((0..20).map(|index| items::http(index, "/", 200)));
        assert_eq!(running.host.stats()[1].calls, 20 * (round + 1));
    }
    running.replace("console.log(jobs.list().sort().join())");
    assert_eq!(running.lines().last().unwrap(), "a,b,c", "as seen while it loads");
}

#[test]
fn code_that_fails_while_the_old_code_works_takes_nothing_from_it() {
    let server = Server::start(|_| Reply::Silence);
    let world = World::new(&server);
    let config = HostConfig {
        env: [("URL".to_owned(), server.url(""))].into(),
        helper_deadline: Duration::from_millis(300),
        ..config()
    };
    let running = world.start_with(
        config,
        "function onItemCaptured(data) { try { vendor.webhook('GET', URL) } catch {} console.log(data.index) }",
    );
    let ticket = running
        .host
        .deliver(vec![Event::Item(items::http(0, "/", 200)), Event::Item(items::http(1, "/", 200))]);
    server.wait_for_requests(1);
    running.refuse("throw new Error('no')");
    assert!(ticket.wait_timeout(Duration::from_secs(60)));
    assert_eq!(running.lines(), ["0", "1"]);
    assert_eq!((running.stats().calls, running.stats().shed), (2, 0));
}

#[test]
fn a_job_of_the_old_code_that_runs_still_holds_up_nothing() {
    let server = Server::start(|_| Reply::Silence);
    let world = World::new(&server);
    let config = HostConfig {
        env: [("URL".to_owned(), server.url(""))].into(),
        helper_deadline: Duration::from_millis(300),
        ..config()
    };
    let running = world.start_with(
        config,
        "jobs.schedule('job', '@hourly', () => { try { vendor.webhook('GET', URL) } catch {} console.log('old job') });
         jobs.run('job');
         function onItemCaptured() {}",
    );
    server.wait_for_requests(1);
    running.replace("function onItemCaptured(data) { console.log('new', data.index) }");
    running.items([items::http(0, "/", 200)]);
    assert_eq!(running.lines()[2..], ["old job", "new 0"]);
}

#[test]
fn what_scripts_ask_for_follows_their_code() {
    let asks = |host: &ScriptHost| (host.wants_packets(), host.wants_items(), host.wants_queries());
    let running = start("function onItemCaptured() {}");
    assert_eq!(asks(&running.host), (false, true, false));
    running.replace("function onPacketCaptured() { console.log('packet') }");
    assert_eq!(asks(&running.host), (true, false, false));
    let packet = PacketInfo {
        timestamp: Default::default(),
        capture_length: 1,
        length: 1,
        truncated: false,
        fragmented: false,
    };
    running.host.deliver(vec![Event::Item(items::http(0, "/", 200)), Event::Packet(packet)]).wait();
    assert_eq!(running.lines(), ["packet"]);
    running.replace("function onItemQueried() { return { a: 1 } }");
    assert_eq!(asks(&running.host), (false, false, true));
    assert!(running.query(&[items::http(0, "/", 200)], "")[0].is_some());
    running.refuse("(");
    assert_eq!(asks(&running.host), (false, false, true));
    running.replace("// Nothing");
    assert_eq!(asks(&running.host), (false, false, false));
}

#[test]
fn a_script_of_a_new_name_runs_beside_the_others_and_can_be_removed() {
    let running = start("function onItemCaptured() { console.log('first') }");
    running
        .host
        .replace(Script::new(
            "more.js",
            "
        jobs.schedule('more', '@hourly', () => {});
        prometheus.metric('more', '', 2, 1);
        function onItemCaptured() { console.log('second') }
        function onPacketCaptured() {}",
        ))
        .unwrap();
    assert!(running.host.wants_packets());
    running.items([items::http(0, "/", 200)]);
    let mut lines = running.recorder.lines().split_off(1);
    lines.sort();
    assert_eq!(lines, ["[more.js] second", "[test.js] first"]);
    let names: Vec<_> = running.host.stats().into_iter().map(|stats| stats.script).collect();
    assert_eq!(names, ["test.js", "more.js"]);

    assert!(!running.host.remove("none.js"));
    assert!(running.host.remove("more.js") && !running.host.remove("more.js"));
    assert!(running.host.wants_items() && !running.host.wants_packets());
    assert_eq!(running.host.stats().len(), 1);
    running.items([items::http(1, "/", 200)]);
    running.replace("console.log('jobs: ' + jobs.list().length)");
    let lines = running.recorder.lines();
    assert_eq!(lines[3..], ["[test.js] first", "[test.js] jobs: 0"]);
}

/// A request for memory that V8 cannot answer; a loop inside of QuickJS that it cannot be called out of.
const STUCK: &str = if cfg!(feature = "v8") {
    "'x'.repeat(2 ** 28).split('')"
} else {
    "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)"
};

/// A script that gets stuck at the first item.
fn stuck() -> Running {
    // V8 may take some time to find out that it cannot answer, QuickJS is given up at twice the limit.
    let call_limit = if cfg!(feature = "v8") { Duration::from_secs(10) } else { CALL_LIMIT };
    let running = start_with(
        HostConfig { call_limit, overflow: Overflow::Shed, ..config() },
        &format!("jobs.schedule('old', '@hourly', () => {{}}); function onItemCaptured() {{ {STUCK} }}"),
    );
    running.items([items::http(0, "/", 200), items::http(1, "/", 200)]);
    assert!(running.stats().abandoned, "{:?} {:?}", running.stats(), running.lines());
    running
}

#[test]
fn a_script_that_was_abandoned_can_be_replaced() {
    let running = stuck();
    let stats = running.stats();
    running.replace("function onItemCaptured(data) { console.log('new', data.index, jobs.list().length) }");
    running.items([items::http(2, "/", 200)]);
    assert_eq!(running.lines().last().unwrap(), "new 2 0");
    let after = running.stats();
    assert_eq!((after.abandoned, after.calls, after.shed), (false, stats.calls + 1, stats.shed), "{after:?}");
}

#[test]
fn an_abandoned_script_stays_so_when_its_new_code_does_not_load() {
    let running = stuck();
    assert!(running.refuse("throw new Error('no')").contains("Error: no"));
    assert!(running.stats().abandoned);
    running.items([items::http(2, "/", 200)]);
    assert_eq!(running.stats().calls, 1);
}
