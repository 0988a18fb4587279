//! Hooks, helpers and errors.

mod common;

use common::*;
use remora_packet::Timestamp;
use remora_script::{Event, HostConfig, PacketInfo, Verdict};

fn packet() -> Event {
    Event::Packet(PacketInfo {
        timestamp: Timestamp::from_nanos(1_678_675_066_172_360_504),
        capture_length: 60,
        length: 1514,
        truncated: true,
        fragmented: false,
    })
}

#[test]
fn a_packet_hook_gets_the_documented_fields() {
    let running = start("function onPacketCaptured(info) { console.log(JSON.stringify(info)) }");
    assert!(running.host.wants_packets() && !running.host.wants_items());
    running.host.deliver(vec![packet()]).wait();
    assert_eq!(
        running.lines(),
        [
            r#"{"timestamp":"2023-03-13T02:37:46.172360504Z","captureLength":60,"length":1514,"truncated":true,"fragmented":false}"#
        ]
    );
}

#[test]
fn a_hook_is_found_however_it_is_defined() {
    let definitions = [
        "function onItemCaptured(data) { console.log(data.index) }",
        "onItemCaptured = function (data) { console.log(data.index) }",
        "this.onItemCaptured = function (data) { console.log(data.index) }",
        "var onItemCaptured = (data) => console.log(data.index)",
        "let onItemCaptured = (data) => console.log(data.index)",
        "const onItemCaptured = (data) => console.log(data.index)",
        "async function onItemCaptured(data) { await null; console.log(data.index) }",
    ];
    for definition in definitions {
        let running = start(definition);
        assert!(running.host.wants_items() && !running.host.wants_packets(), "{definition}");
        assert_eq!(running.item_lines(items::http(7, "/", 200)), ["7"], "{definition}");
    }
    let running = start("var onItemCaptured = 3; function other() {}");
    assert!(!running.host.wants_items());
}

#[test]
fn hooks_are_looked_up_by_name_at_each_call() {
    let running = start(
        "var onItemCaptured = function () { console.log('first'); onItemCaptured = function () { \
         console.log('second'); onItemCaptured = undefined } }",
    );
    running.items((0..4).map(|index| items::http(index, "/", 200)));
    assert_eq!(running.lines(), ["first", "second"]);
    assert_eq!(running.stats().errors, 0);
}

#[test]
fn scripts_are_sloppy_classic_scripts() {
    let running = start(
        "undeclared = 1; this.shared = 2; var declared = 3;
         console.log(this === globalThis, globalThis.undeclared, shared, globalThis.declared, 010);
         (function () { console.log(this === globalThis) })();
         with ({ inner: 4 }) { console.log(inner) }",
    );
    assert_eq!(running.lines(), ["true 1 2 3 8", "true", "4"]);
}

#[test]
fn console_joins_the_strings_of_its_arguments() {
    let running = start(
        "console.log('a', 1, null, undefined, { x: 1 }, [1, 2], true, Symbol('s'), 2n);
         console.log(); console.error('bad', 500);",
    );
    assert_eq!(
        running.recorder.lines(),
        [
            "[test.js] a 1 null undefined [object Object] 1,2 true Symbol(s) 2",
            "[test.js] ",
            "[test.js] error: bad 500"
        ]
    );
}

#[test]
fn long_and_many_lines_are_capped_and_said_to_be() {
    let config = HostConfig { console_line_bytes: 10, ..config() };
    let running =
        start_with(config, "console.log('0123456789'); console.log('0123456789abc'); console.log('ééééééé')");
    assert_eq!(
        running.lines(),
        ["0123456789", "0123456789... (3 more characters)", "ééééé... (2 more characters)"]
    );

    let config = HostConfig { console_lines_per_second: 5.try_into().ok(), ..common::config() };
    let running = start_with(config, "for (let i = 0; i < 50; i++) console.log(i)");
    let lines = running.lines().len() as u64;
    assert!(lines >= 5, "{lines}");
    assert_eq!(lines + running.stats().console_suppressed, 50);
}

#[test]
fn test_marks_the_item_of_the_call() {
    let running = start(
        "var held;
         function onItemCaptured(data) {
             const result = data.response.status >= 500 ? test.fail(data) : test.pass(data);
             console.log(result === data, data.passed, data.failed);
             test.pass(data);
             if (held) { test.fail(held); console.log(held.failed) }
             held = data;
             console.log(test.fail({ id: data.id }).failed, test.pass(7), test.pass(null));
             test.fail({ ...data });
         }",
    );
    let (ok, bad) = (items::http(0, "/", 200), items::http(1, "/", 503));
    running.items([ok.clone(), bad.clone()]);
    assert_eq!(running.lines(), ["true true false", "true 7 null", "true false true", "true", "true 7 null"]);
    assert!(ok.passed() && !ok.failed());
    assert!(bad.passed() && bad.failed());
    assert_eq!(
        running.recorder.verdicts(),
        [(0, Verdict::Passed), (1, Verdict::Failed), (1, Verdict::Passed)]
    );
}

#[test]
fn environment_values_are_properties_of_env_and_globals() {
    let env = [("SLACK_TOKEN", "xoxb"), ("console", "mine"), ("Array", "mine"), ("with-dash", "d")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let running = start_with(
        HostConfig { env, ..config() },
        "console.log(env.SLACK_TOKEN, SLACK_TOKEN, env.console, env.Array, typeof Array, globalThis['with-dash']);
         SLACK_TOKEN = 'changed'; env.SLACK_TOKEN = 'changed';
         console.log(SLACK_TOKEN, env.SLACK_TOKEN);",
    );
    assert_eq!(running.lines(), ["xoxb xoxb mine mine function d", "changed xoxb"]);
}

#[test]
fn an_exception_names_hook_file_and_line_and_the_script_goes_on() {
    let running = start(
        "let calls = 0;
function inner(data) {
  return data.missing.field;
}
function onItemCaptured(data) {
  calls++;
  if (data.index === 0) inner(data);
  if (data.index === 1) throw new RangeError('too far');
  if (data.index === 2) throw 'text';
  console.log('calls', calls);
}",
    );
    running.items((0..4).map(|index| items::http(index, "/", 200)));
    let lines = running.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("error: (hook=onItemCaptured) TypeError: "), "{lines:?}");
    assert!(lines[0].contains("test.js:3:"), "{lines:?}");
    assert!(
        lines[1].starts_with("error: (hook=onItemCaptured) RangeError: too far (test.js:8:"),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("error: (hook=onItemCaptured) text"), "{lines:?}");
    assert_eq!(lines[3], "calls 4");
    let stats = running.stats();
    assert_eq!((stats.calls, stats.errors, stats.timeouts), (4, 3, 0));
}

#[test]
fn load_errors_name_file_line_and_column() {
    let message = load_error("let a = 1;\nlet b = ;\n");
    assert!(message.contains("SyntaxError") && message.contains("(test.js:2:"), "{message}");
    let message = load_error("\n\nthrow new Error('not on the hub')");
    assert!(message.contains("Error: not on the hub") && message.contains("(test.js:3:"), "{message}");
    let message = load_error("import fs from 'fs'");
    assert!(message.contains("SyntaxError"), "{message}");

    let scripts = [("good.js", "console.log(1)"), ("bad.js", "x y"), ("worse.js", "null.x")];
    let errors = try_start(config(), &scripts).err().unwrap();
    let names: Vec<_> = errors.iter().map(|error| error.script.as_str()).collect();
    assert_eq!(names, ["bad.js", "worse.js"]);
}

#[test]
fn asynchronous_hooks_run_to_their_end_within_the_call() {
    let running = start(
        "async function onItemCaptured(data) {
            console.log('begin', data.index);
            await null; await new Promise((resolve) => resolve());
            if (data.index === 1) throw new Error('late');
            test.pass(data);
            console.log('end', data.index);
        }",
    );
    running.items((0..3).map(|index| items::http(index, "/", 200)));
    let lines = running.lines();
    assert_eq!(lines[..3], ["begin 0", "end 0", "begin 1"]);
    assert!(lines[3].starts_with("error: (hook=onItemCaptured) Error: late (test.js:4:"), "{lines:?}");
    assert_eq!(lines[4..], ["begin 2", "end 2"]);
    assert_eq!(running.recorder.verdicts(), [(0, Verdict::Passed), (2, Verdict::Passed)]);
    assert_eq!(running.stats().errors, 1);
}

#[test]
fn rejections_that_are_handled_are_no_errors() {
    let running = start(
        "function onItemCaptured() {
            Promise.reject(new Error('a')).catch(() => {});
            const late = Promise.reject(new Error('b'));
            Promise.resolve().then(() => late.catch(() => {}));
            Promise.reject('c');
        }",
    );
    let lines = running.item_lines(items::http(0, "/", 200));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("error: (hook=onItemCaptured) c"), "{lines:?}");
}

#[test]
fn many_rejections_are_summed_up() {
    let running = start("function onItemCaptured() { for (let i = 0; i < 100; i++) Promise.reject(i) }");
    let lines = running.item_lines(items::http(0, "/", 200));
    assert_eq!(lines.len(), 65, "{lines:?}");
    assert_eq!(lines[64], "error: (hook=onItemCaptured) 36 more promises were rejected");
}

#[test]
fn each_script_has_globals_of_its_own() {
    let code = |name| {
        format!(
            "var me = '{name}'; this.seen = (this.seen || 0) + 1; function onItemCaptured() {{ console.log(me, seen) }}"
        )
    };
    let (a, b) = (code("a"), code("b"));
    let running = try_start(config(), &[("a.js", &a), ("b.js", &b)]).ok().unwrap();
    running.items([items::http(0, "/", 200)]);
    let mut lines = running.recorder.lines();
    lines.sort();
    assert_eq!(lines, ["[a.js] a 1", "[b.js] b 1"]);
}
