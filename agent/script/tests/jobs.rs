//! Jobs: scheduled at top level and in hooks, run by the clock and at once, told of, bounded, ended.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::time::{Duration, Instant};

use common::server::{Reply, Server};
use common::world::World;
use common::*;
use remora_script::HostConfig;

const ATTEMPT: &str = "const attempt = (work) => {
    try { return 'returned ' + work() } catch (error) { return (error instanceof Error) + ' ' + error.message }
};\n";

fn scripts(scripts: &[(&str, &str)]) -> Running {
    try_start(config(), scripts).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Lines of the given script, without its name.
fn of(running: &Running, script: &str) -> Vec<String> {
    let begin = format!("[{script}] ");
    running.recorder.lines().iter().filter_map(|line| Some(line.strip_prefix(&begin)?.to_owned())).collect()
}

#[test]
fn the_clock_runs_a_job_until_its_limit_is_reached() {
    let running =
        start("let n = 0; jobs.schedule('Two Times', '* * * * * *', () => console.log('run', ++n), 2)");
    running.wait_for("Removed the job: \"two-times\"");
    assert_eq!(
        running.lines(),
        [
            "Scheduled the job: \"two-times\" for cron: \"* * * * * *\" (limit: 2)",
            "run 1",
            "run 2",
            "Removed the job: \"two-times\""
        ]
    );
    let stats = running.stats();
    assert_eq!((stats.jobs, stats.calls), (2, 0));
}

#[test]
fn a_job_gets_its_arguments_and_itself() {
    let running = start(
        "const shared = { n: 0 };
         function task(object, text, nothing) {
             object.n++;
             console.log(this === task, object === shared, shared.n, text, nothing, arguments.length);
         }
         jobs.schedule('job', '@hourly', task, 0, shared, 'text', undefined);
         jobs.run('job');
         console.log('top level ends');",
    );
    running.wait_for("true true 1 text undefined 3");
    assert_eq!(
        running.lines()[..3],
        [
            "Scheduled the job: \"job\" for cron: \"@hourly\" (limit: infinite)",
            "Triggered the job: \"job\"",
            "top level ends"
        ]
    );
}

#[test]
fn run_all_at_top_level_runs_all_once_the_scripts_have_loaded() {
    let running = start(
        "jobs.schedule('a', '@hourly', () => console.log('ran a'));
         jobs.schedule('b', '@hourly', () => console.log('ran b'));
         jobs.runAll();
         jobs.schedule('c', '@hourly', () => console.log('ran c'));
         function onItemCaptured() {}",
    );
    // Runs go before events.
    let mut ran = running.item_lines(items::http(0, "/", 200)).split_off(4);
    ran.sort();
    assert_eq!(ran, ["ran a", "ran b", "ran c"]);
    assert_eq!(running.lines()[2], "All jobs are triggered.");
}

#[test]
fn a_job_of_a_hook_runs_between_two_events_of_a_batch() {
    let running = start(
        "function onItemCaptured(data) {
             console.log('item', data.index);
             if (data.index === 0) jobs.schedule('job', '@hourly', () => console.log('ran'), 2);
             if (data.index < 4) jobs.run('job');
         }",
    );
    running.items((0..4).map(|index| items::http(index, "/", 200)));
    let lines = running.lines();
    let told: Vec<_> =
        lines.iter().filter(|line| !line.starts_with("Triggered")).map(String::as_str).collect();
    assert_eq!(
        told[..7],
        [
            "item 0",
            "Scheduled the job: \"job\" for cron: \"@hourly\" (limit: 2)",
            "ran",
            "item 1",
            "ran",
            "Removed the job: \"job\"",
            "item 2"
        ]
    );
    // The limit is reached, so there is no such job any more.
    assert!(told[7].contains("Error: jobs.run: there is no job \"job\""), "{told:?}");
}

#[test]
fn a_job_with_the_same_tag_is_replaced_also_in_another_script() {
    let running = scripts(&[
        ("a.js", "jobs.schedule('Tag', '@hourly', () => console.log('a')); function onItemCaptured() {}"),
        (
            "b.js",
            "jobs.schedule('other', '@hourly', () => console.log('other')); function onItemCaptured(data) {
            if (data.index === 1) jobs.schedule('tAG', '@hourly', () => console.log('b'));
            jobs.runAll();
        }",
        ),
    ]);
    running.items([items::http(0, "/", 200)]);
    running.recorder.wait(|lines| lines.contains(&"[a.js] a".to_owned()));
    running.items([items::http(1, "/", 200), items::http(2, "/", 200)]);
    running.recorder.wait(|lines| lines.contains(&"[b.js] b".to_owned()));
    assert_eq!(of(&running, "a.js").iter().filter(|line| *line == "a").count(), 1);
}

#[test]
fn jobs_are_listed_and_removed() {
    let running = scripts(&[
        ("a.js", "jobs.schedule('of a', '@hourly', () => {})"),
        ("b.js", &format!("{ATTEMPT}
            jobs.schedule('x', '@hourly', () => {{}}); jobs.schedule('y', '@hourly', () => {{}});
            jobs.remove('X');
            function onItemCaptured() {{
                console.log(jobs.list().sort().join());
                jobs.remove('Of A');
                console.log(jobs.list().join());
                jobs.removeAll();
                console.log(jobs.list().length, attempt(() => jobs.remove('y')), attempt(() => jobs.run('y')));
            }}")),
    ]);
    running.items([items::http(0, "/", 200)]);
    assert_eq!(
        of(&running, "b.js")[2..],
        [
            "Removed the job: \"x\"",
            "of-a,y",
            "Removed the job: \"of-a\"",
            "y",
            "All jobs are removed.",
            "0 true jobs.remove: there is no job \"y\" true jobs.run: there is no job \"y\""
        ]
    );
}

#[test]
fn what_is_no_job_throws_with_the_reason() {
    let running = start(&format!(
        "{ATTEMPT}const task = () => {{}};
         console.log(attempt(() => jobs.schedule('a', '* * * * *', task)));
         console.log(attempt(() => jobs.schedule('a', '61 * * * * *', task)));
         console.log(attempt(() => jobs.schedule('a', '@often', task)));
         console.log(attempt(() => jobs.schedule('a', '0 0 0 30 2 *', task)));
         console.log(attempt(() => jobs.schedule('', '@hourly', task)));
         console.log(attempt(() => jobs.schedule('a', '@hourly')));
         console.log(attempt(() => jobs.schedule('a', undefined, task)));
         console.log(jobs.list().length);"
    ));
    let lines = running.lines();
    for (line, begin) in lines.iter().zip([
        "true jobs.schedule: a: cron \"* * * * *\": five fields, but six are needed, the seconds first: write \"",
        "true jobs.schedule: a: cron \"61 * * * * *\": ",
        "true jobs.schedule: a: cron \"@often\": unknown descriptor",
        "true jobs.schedule: a: cron \"0 0 0 30 2 *\": no such date: it never comes",
        "true jobs.schedule: : the tag is empty",
        "true jobs.schedule: the third argument must be a function",
        "true jobs.schedule: cron is missing",
        "0",
    ]) {
        assert!(line.starts_with(begin), "{line}, not {begin}");
    }
    assert_eq!(lines.len(), 8);
}

#[test]
fn every_script_hears_how_jobs_ended() {
    let hooks = "function onJobPassed(...args) { console.log('passed', JSON.stringify(args)) }
        function onJobFailed(tag, cron, limit, error) { console.log('failed', tag, cron, limit, error) }";
    let running = scripts(&[
        (
            "a.js",
            &format!(
                "{hooks}
            jobs.schedule('Good One', '@hourly', () => {{}}, 3);
            jobs.schedule('bad', '@daily', () => {{ throw new Error('no') }});
            jobs.schedule('late', '@daily', async () => {{ await null; throw new TypeError('later') }});"
            ),
        ),
        (
            "b.js",
            &format!(
                "{hooks} jobs.schedule('starter', '@hourly', () => {{}}); function onItemCaptured() {{ jobs.runAll() }}"
            ),
        ),
        ("deaf.js", "function onJobPassed() { throw new Error('deaf') }"),
    ]);
    running.items([items::http(0, "/", 200)]);
    for script in ["a.js", "b.js"] {
        let heard = running.recorder.wait(|lines| {
            let ours = lines.iter().filter(|line| line.starts_with(&format!("[{script}] ")));
            ours.filter(|line| line.contains("] passed") || line.contains("] failed")).count() == 4
        });
        for expected in [
            r#"passed ["good-one","@hourly",3]"#,
            r#"passed ["starter","@hourly",0]"#,
            "failed bad @daily 0 Error: no (a.js:4:",
            "failed late @daily 0 TypeError: later (a.js:5:",
        ] {
            let line = format!("[{script}] {expected}");
            assert!(heard.iter().any(|heard| heard.starts_with(&line)), "{line}: {heard:#?}");
        }
    }
    // The script itself says it, too, and what a hook of jobs throws.
    let lines = running.recorder.wait(|lines| lines.iter().any(|line| line.contains("deaf.js")));
    assert!(
        lines.iter().any(|line| line.starts_with("[a.js] error: (job=bad) Error: no (a.js:4:")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("[deaf.js] error: (hook=onJobPassed) Error: deaf")),
        "{lines:#?}"
    );
}

#[test]
fn a_job_that_never_ends_is_ended() {
    let running = start(
        "jobs.schedule('loop', '@hourly', () => { for (;;) {} }); jobs.run('loop');
         function onJobFailed(tag, cron, limit, error) { console.log(tag, error) }",
    );
    let reason = format!("ended: it ran longer than the time limit of {CALL_LIMIT:?}");
    running.wait_for(&format!("loop {reason}"));
    assert!(running.lines().contains(&format!("error: (job=loop) {reason}")), "{:?}", running.lines());
    let stats = running.stats();
    assert_eq!((stats.jobs, stats.timeouts, stats.abandoned), (1, 1, false), "{stats:?}");
}

#[test]
fn a_script_has_1024_jobs_at_most() {
    let running = start(&format!(
        "{ATTEMPT}for (let n = 0; n < 1024; n++) jobs.schedule('job' + n, '@hourly', () => {{}});
         console.log(attempt(() => jobs.schedule('more', '@hourly', () => {{}})));
         jobs.schedule('job7', '@daily', () => {{}});
         function onItemCaptured() {{
             console.log(attempt(() => jobs.schedule('more', '@hourly', () => {{}})));
             jobs.remove('job7');
             console.log(attempt(() => jobs.schedule('more', '@hourly', () => {{}})), jobs.list().length);
         }}"
    ));
    let full = "true jobs.schedule: more: the script has 1024 jobs, the most that one may have (scripting.limits.jobsPerScript)";
    let lines = running.item_lines(items::http(0, "/", 200));
    assert_eq!(lines.iter().filter(|line| *line == full).count(), 2, "{:?}", lines.last());
    assert_eq!(lines.last().unwrap(), "returned undefined 1024");
}

#[test]
fn all_scripts_together_have_a_limit_of_jobs() {
    let two = "jobs.schedule(NAME + 1, '@hourly', () => {}); jobs.schedule(NAME + 2, '@hourly', () => {})";
    let [a, b] = ["'a'", "'b'"].map(|name| two.replace("NAME", name));
    let config = HostConfig { jobs: 3, ..config() };
    let errors = try_start(config, &[("a.js", &a), ("b.js", &b)]).err().expect("it did not load");
    assert_eq!(
        errors[0].to_string(),
        "b.js: all scripts together have 3 jobs, the most there may be (scripting.limits.jobs)"
    );
}

#[test]
fn no_job_runs_once_the_host_is_finished() {
    let server = Server::start(|_| Reply::Silence);
    let world = World::new(&server);
    let running = world.start(
        &server,
        "jobs.schedule('each-second', '* * * * * *', () => console.log('ran'));
         function onItemCaptured() { console.log('waits'); vendor.webhook('GET', URL) }",
    );
    running.host.deliver(vec![remora_script::Event::Item(items::http(0, "/", 200))]);
    server.wait_for_requests(1);
    let before = running.stats().jobs;
    // A run waits behind the hook once the next one finds it there still.
    let end = Instant::now() + Duration::from_secs(60);
    while running.host.missed_jobs() == 0 {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
    let stats = running.host.finish(Duration::ZERO).remove(0);
    assert_eq!((stats.jobs, stats.abandoned), (before, false), "{stats:?}");
    assert_eq!(running.lines().last().unwrap(), "waits");
}

#[test]
fn the_clock_can_be_stopped_and_started() {
    let running = start(
        "console.log(jobs.scheduler.isRunning());
         jobs.scheduler.stop();
         console.log(jobs.scheduler.isRunning());
         jobs.schedule('each-second', '* * * * * *', () => console.log('ran'));
         jobs.schedule('other', '@hourly', () => console.log('at once'));
         jobs.run('other');
         function onItemCaptured() { jobs.scheduler.start(); console.log(jobs.scheduler.isRunning()) }",
    );
    running.wait_for("at once");
    running.items([items::http(0, "/", 200)]);
    running.wait_for("ran");
    let lines = running.lines();
    assert_eq!(lines[..2], ["true", "false"]);
    assert_eq!(lines[5..8], ["at once", "true", "ran"]);
}
