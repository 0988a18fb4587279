//! Time spent in helpers: not the script's own, bounded, and over when the host ends.

use std::time::{Duration, Instant};

use remora_script::{Event, HostConfig};
use remora_vendor::Config;

use crate::ATTEMPT;
use crate::common::server::{Reply, Server};
use crate::common::world::{World, vendor_config};
use crate::common::{CALL_LIMIT, Running, config, items};

/// Longer than a script may run and, while it runs, until it would be abandoned.
const LATE: Duration = CALL_LIMIT.saturating_mul(3);
/// More than any of these tests takes on a busy machine, less than the deadlines of [`patient`].
const SOON: Duration = Duration::from_secs(60);

/// A server that never answers, and a world whose requests end at `deadline`.
fn silent(deadline: Duration) -> (Server, World) {
    let server = Server::start(|_| Reply::Silence);
    let world = World::with(Config { deadline, ..vendor_config(&server) });
    (server, world)
}

fn env(server: &Server) -> HostConfig {
    HostConfig { env: [("URL".to_owned(), server.url(""))].into(), ..config() }
}

#[test]
fn waiting_for_a_helper_is_not_the_scripts_own_time() {
    let (server, world) = silent(LATE);
    let running = world.start_with(
        env(&server),
        &format!(
            "{ATTEMPT}let calls = 0;
             function onItemCaptured() {{ console.log(++calls, attempt(() => vendor.webhook('GET', URL + '/x'))) }}"
        ),
    );
    let start = Instant::now();
    running.items([items::http(0, "/", 200), items::http(1, "/", 200)]);
    assert!(start.elapsed() >= LATE * 2);
    let reason =
        format!("true vendor.webhook: GET {}: not done within {} s", server.url("/x"), LATE.as_secs_f64());
    assert_eq!(running.lines(), [format!("1 {reason}"), format!("2 {reason}")]);
    let stats = running.stats();
    assert_eq!((stats.timeouts, stats.errors, stats.abandoned), (0, 0, false), "{stats:?}");
}

#[test]
fn the_hosts_own_deadline_ends_a_helper_too() {
    let (server, world) = silent(Duration::from_secs(300));
    let config = HostConfig { helper_deadline: Duration::from_millis(100), ..env(&server) };
    let code = format!("{ATTEMPT}console.log(attempt(() => vendor.webhook('GET', URL)))");
    let running = world.start_with(config, &code);
    assert_eq!(running.lines(), ["true vendor.webhook: not done within 0.1 s"]);
    // The request is given up with it.
    server.wait_for_gone(1);
}

#[test]
fn the_time_limit_still_holds_for_what_comes_after_a_wait() {
    let (server, world) = silent(Duration::from_millis(100));
    let running = world.start_with(
        env(&server),
        "function onItemCaptured() { try { vendor.webhook('GET', URL) } catch { for (;;) {} } }",
    );
    running.items([items::http(0, "/", 200)]);
    assert_eq!(running.stats().timeouts, 1);
}

#[test]
fn all_waits_of_a_call_together_are_bounded_and_each_call_begins_anew() {
    let (server, world) = silent(Duration::from_millis(300));
    let config = HostConfig { helpers_per_call: Duration::from_millis(500), ..env(&server) };
    let running = world.start_with(
        config,
        &format!(
            "{ATTEMPT}function onItemCaptured() {{
                 const said = [];
                 for (let n = 0; n < 10; n++) said.push(attempt(() => vendor.webhook('GET', URL)));
                 console.log(JSON.stringify(said));
             }}"
        ),
    );
    running.items([items::http(0, "/", 200), items::http(1, "/", 200)]);
    let lines = running.lines();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let said: Vec<String> = serde_json::from_str(&line).unwrap();
        assert!(said[0].contains("not done within 0.3 s"), "{said:?}");
        let spent = "true vendor.webhook: this call has waited 500ms for helpers, which is as long as all its waits \
                     together may take";
        assert!(said[2..].iter().all(|text| text == spent), "{said:?}");
    }
}

#[test]
fn work_on_files_has_the_same_bounds() {
    let (server, world) = silent(Duration::from_millis(1));
    let config = HostConfig { helpers_per_call: Duration::ZERO, ..env(&server) };
    let running = world.start_with(
        config,
        &format!(
            "{ATTEMPT}file.write('a', 'x');
             for (const work of [() => pcap.snapshot(), () => file.tar('.'), () => file.copy('a', 'b'), () => file.delete('a')])
                 console.log(attempt(work).slice(0, 30));"
        ),
    );
    let lines = running.lines();
    assert_eq!(lines, vec!["true this call has waited 0ns "; 4]);
    assert_eq!(world.names(), ["a"]);
}

/// A host in the middle of a helper that has minutes to wait.
fn waiting() -> (Server, World, Running) {
    let (server, world) = silent(Duration::from_secs(300));
    let config = HostConfig {
        helper_deadline: Duration::from_secs(300),
        helpers_per_call: Duration::from_secs(300),
        ..env(&server)
    };
    let code =
        "function onItemCaptured() { try { vendor.webhook('GET', URL) } finally { console.log('over') } }";
    let running = world.start_with(config, code);
    running.host.deliver(vec![Event::Item(items::http(0, "/", 200)), Event::Item(items::http(1, "/", 200))]);
    server.wait_for_requests(1);
    (server, world, running)
}

#[test]
fn finishing_ends_a_wait_at_once() {
    let (server, _world, running) = waiting();
    let start = Instant::now();
    let stats = running.host.finish(Duration::ZERO).remove(0);
    assert!(start.elapsed() < SOON);
    assert_eq!((stats.calls, stats.shed, stats.abandoned), (1, 1, false), "{stats:?}");
    assert_eq!((stats.timeouts, stats.errors), (0, 0), "it has not failed: {stats:?}");
    server.wait_for_gone(1);
}

#[test]
fn dropping_the_host_ends_a_wait() {
    let (server, _world, running) = waiting();
    drop(running.host);
    server.wait_for_gone(1);
}

#[test]
fn removing_a_script_ends_its_wait() {
    let (server, _world, running) = waiting();
    assert!(running.host.remove("test.js"));
    server.wait_for_gone(1);
    assert!(!running.host.wants_items());
}

#[test]
fn a_script_that_waits_holds_up_no_other() {
    let (server, world) = silent(Duration::from_secs(300));
    let scripts = [
        ("waits.js", "function onItemCaptured() { vendor.webhook('GET', URL) }"),
        ("works.js", "function onItemCaptured(data) { console.log(data.index) }"),
    ];
    let running = crate::common::try_start_in(env(&server), world.services.clone(), &scripts).ok().unwrap();
    let items: Vec<Event> = (0..3).map(|index| Event::Item(items::http(index, "/", 200))).collect();
    let ticket = running.host.deliver(items);
    running.recorder.wait(|lines| lines.len() == 3);
    assert!(!ticket.wait_timeout(Duration::from_millis(1)), "waits.js cannot be done");
}
