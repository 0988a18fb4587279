//! `onItemQueried`: what is shown in an item's place.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::*;
use remora_script::{HostConfig, Overflow, Verdict};

/// What is shown for a GET of `/a` answered with 200, asked for by the filter `http`.
fn shown(code: &str) -> (Running, Option<serde_json::Value>) {
    let running = start(code);
    let reply = ask(&running);
    (running, reply)
}

fn ask(running: &Running) -> Option<serde_json::Value> {
    let mut replies = running.query(&[items::http(0, "/a", 200)], "http");
    assert_eq!(replies.len(), 1);
    replies.remove(0).map(|text| serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn an_object_that_is_returned_is_shown_instead() {
    let (running, reply) =
        shown("function onItemQueried(data, filter) { return { path: data.request.path, filter } }");
    assert_eq!(reply.unwrap(), serde_json::json!({ "path": "/a", "filter": "http" }));
    assert!(running.host.wants_queries() && !running.host.wants_items());
    assert_eq!(running.stats().calls, 1);
}

#[test]
fn a_changed_item_is_shown_as_changed_and_stays_as_it_was() {
    let running = start(
        "function onItemQueried(data) { data.request.path = '/hidden'; delete data.response; data.extra = 1; return data }",
    );
    let item = items::http(4, "/a", 200);
    let reply = running.query(std::slice::from_ref(&item), "").remove(0).unwrap();
    let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(
        (&reply["request"]["path"], &reply["index"], &reply["extra"]),
        (&"/hidden".into(), &4.into(), &1.into())
    );
    assert!(reply.get("response").is_none());
    let mut text = Vec::new();
    remora_dissect::json::write_object(item.as_ref(), &mut text);
    assert!(!String::from_utf8(text).unwrap().contains("hidden"));
}

#[test]
fn anything_but_an_object_leaves_the_item_as_it_is() {
    for value in [
        "",
        "undefined",
        "null",
        "0",
        "1",
        "true",
        "'text'",
        "Symbol('s')",
        "7n",
        "() => 1",
        "data",
        "{ toJSON() {} }",
    ] {
        let (running, reply) = shown(&format!("function onItemQueried(data) {{ return {value} }}"));
        assert_eq!(reply, None, "{value}");
        assert_eq!((running.lines().len(), running.stats().errors), (0, 0), "{value}");
    }
}

#[test]
fn an_answer_may_be_a_promise() {
    let replying = [
        "async function onItemQueried(data) { return { a: 1 } }",
        "async function onItemQueried(data) { for (let n = 0; n < 9; n++) await n; return { a: 1 } }",
        "const onItemQueried = () => Promise.resolve({ a: 1 })",
    ];
    for code in replying {
        let (_, reply) = shown(code);
        assert_eq!(reply, Some(serde_json::json!({ "a": 1 })), "{code}");
    }
    for code in [
        "async function onItemQueried(data) { await null }",
        "async function onItemQueried(data) { return data }",
        "const onItemQueried = () => new Promise(() => {})",
    ] {
        let (running, reply) = shown(code);
        assert_eq!((reply, running.stats().errors), (None, 0), "{code}");
    }
}

#[test]
fn a_failure_leaves_the_item_as_it_is_and_is_told_once() {
    for (body, reason) in [
        ("throw new Error('no')", "Error: no (test.js:1:"),
        ("return Promise.reject(new Error('no'))", "Error: no (test.js:1:"),
        ("for (;;) {}", "ended: it ran longer than"),
        ("const a = { b: 1 }; a.a = a; return a", "TypeError: "),
        ("return { n: 1n }", "TypeError: "),
    ] {
        let code = format!(
            "let first = true; function onItemQueried(data) {{ if (!first) return {{ a: 1 }}; first = false; {body} }}"
        );
        let (running, reply) = shown(&code);
        assert_eq!(reply, None, "{body}");
        let lines = running.lines();
        assert_eq!(lines.len(), 1, "{body}: {lines:?}");
        assert!(lines[0].starts_with(&format!("error: (hook=onItemQueried) {reason}")), "{body}: {lines:?}");
        let stats = running.stats();
        assert_eq!(stats.errors + stats.timeouts, 1, "{body}");
        assert_eq!(ask(&running), Some(serde_json::json!({ "a": 1 })), "the next one: {body}");
    }
}

#[test]
fn of_several_scripts_the_last_that_answers_counts() {
    // The first two take longer than the rest.
    let slow = |name: &str| {
        format!(
            "function onItemQueried(data) {{ let n = 0; for (let i = 0; i < 1e5; i++) n += i; return {{ from: '{name}', n }} }}"
        )
    };
    let scripts = [
        ("a.js", slow("a")),
        ("b.js", slow("b")),
        ("c.js", "function onItemQueried() { return { from: 'c' } }".to_owned()),
        ("d.js", "function onItemQueried() {}".to_owned()),
        ("e.js", "function onItemQueried() { throw 1 }".to_owned()),
        ("f.js", "function onItemCaptured() { return { from: 'f' } }".to_owned()),
    ];
    let scripts: Vec<_> = scripts.iter().map(|(name, code)| (*name, code.as_str())).collect();
    let running = try_start(config(), &scripts).ok().unwrap();
    let items: Vec<_> = (0..20).map(|index| items::http(index, "/", 200)).collect();
    let replies = running.query(&items, "");
    assert_eq!(replies, vec![Some(r#"{"from":"c"}"#.to_owned()); 20]);
}

#[test]
fn marks_alone_mark_the_item_and_replace_nothing() {
    for (code, passed) in [
        ("function onItemQueried(data) { return test.pass(data) }", true),
        (
            "function onItemQueried(data) { return data.response.status === 200 ? test.fail(data) : test.pass(data) }",
            false,
        ),
        ("async function onItemQueried(data) { return test.pass(data) }", true),
    ] {
        let running = start(code);
        let item = items::http(5, "/", 200);
        let replies = running.query(std::slice::from_ref(&item), "");
        assert_eq!(replies, [None], "{code}");
        assert_eq!((item.passed(), item.failed()), (passed, !passed), "{code}");
        let verdict = if passed { Verdict::Passed } else { Verdict::Failed };
        assert_eq!(running.recorder.verdicts(), [(5, verdict)]);
    }
    let (_, reply) = shown("function onItemQueried(data) { data.mark = 1; return test.fail(data) }");
    let reply = reply.unwrap();
    assert_eq!((&reply["failed"], &reply["mark"]), (&true.into(), &1.into()));
}

#[test]
fn queries_wait_even_where_events_are_shed() {
    let config = HostConfig { queue_events: 2, overflow: Overflow::Shed, ..config() };
    let running = start_with(config, "function onItemQueried(data) { return { index: data.index } }");
    let items: Vec<_> = (0..200).map(|index| items::http(index, "/", 200)).collect();
    let replies = running.query(&items, "");
    for (index, reply) in replies.iter().enumerate() {
        assert_eq!(reply.as_deref(), Some(&*format!("{{\"index\":{index}}}")));
    }
    assert_eq!((running.stats().calls, running.stats().shed), (200, 0));
}

#[test]
fn where_no_script_asks_for_queries_nothing_is_replaced() {
    let (running, reply) = shown("function onItemCaptured(data) { console.log('captured') }");
    assert!(!running.host.wants_queries());
    assert_eq!((reply, running.lines().len()), (None, 0));
    assert!(running.query(&[], "").is_empty());
}
