use remora_check::{Options, Severity, Surface, check};

use crate::{findings, suggestion, table};

#[test]
fn members_that_do_not_exist_are_found() {
    table([
        ("vendor.slak('u', 'p', 't', 'c')", &["1:8 unknown-member"]),
        ("console.warn('x')", &["1:9 unknown-member"]),
        ("file.read('x')", &["1:6 unknown-member"]),
        ("jobs.scheduler.pause()", &["1:16 unknown-member"]),
        ("vendor?.slak('x')", &["1:9 unknown-member"]),
        ("vendor['slak']('x')", &["1:9 unknown-member"]),
        ("globalThis.vendor.slak('x')", &["1:19 unknown-member"]),
        ("new vendor.Slack('x')", &["1:12 unknown-member"]),
        ("function f() { return () => console.warn(1) }", &["1:37 unknown-member"]),
        ("`${console.info(1)}`", &["1:12 unknown-member"]),
        ("vendor.kafka.send(1)", &["1:8 unknown-member"]),
        ("console\n  // here\n  .wran(1)", &["3:4 unknown-member"]),
    ]);
}

#[test]
fn members_that_exist_are_no_findings() {
    table([
        ("console.log('a', 1, {}); console.error(); console.clear()", &[]),
        ("vendor.s3.put(1, 2, 3); vendor.gcs.clear(1, 2); vendor['s3'].clear(1, 2, 3, 4)", &[]),
        ("jobs.scheduler.isRunning(); jobs.schedule('a', 'b', f, 1, 2, 3)", &[]),
        ("console.log.apply(console, [1]); vendor.slack.length", &[]),
        ("vendor.hasOwnProperty('slack'); console.toString()", &[]),
        ("[1, 2].forEach(console.log); var s = vendor.s3; const { log } = console;", &[]),
        ("vendor[name](1); vendor[name].put(1); vendor[`s${3}`]; console['lo' + 'g'](1)", &[]),
        ("env.ANYTHING.length; env['x y']; Object.keys(env)", &[]),
        ("data.console.warn(1); ({ vendor: 1 }).vendor; x = { console: 1 }", &[]),
        ("typeof vendor.kafka", &[]),
    ]);
}

#[test]
fn suggestions_name_what_was_meant() {
    for (source, expected) in [
        ("vendor.slak(1)", "did you mean vendor.slack?"),
        ("console.warn(1)", "did you mean console.error?"),
        ("console.debug(1)", "did you mean console.log?"),
        ("jobs.scheduler.pause()", "did you mean jobs.scheduler.stop?"),
        ("jobs.shcedule(1)", "did you mean jobs.schedule?"),
        ("vendor.s3.upload(1)", "did you mean vendor.s3.put?"),
        ("file.snapshot()", "did you mean pcap.snapshot?"),
        ("test.assert(1)", "test has pass, fail"),
    ] {
        assert_eq!(suggestion(source).as_deref(), Some(expected), "{source}");
    }
}

#[test]
fn a_call_is_an_error_and_a_question_a_warning() {
    for (source, expected) in [
        ("vendor.kafka(1)", &[Severity::Error][..]),
        ("var f = vendor.kafka", &[Severity::Warning]),
        ("vendor.kafka?.(1)", &[Severity::Warning]),
        ("if (vendor.kafka) vendor.kafka(1)", &[Severity::Warning, Severity::Warning]),
        ("if (typeof vendor.kafka === 'function') vendor.kafka(1)", &[Severity::Warning]),
    ] {
        let found: Vec<_> = findings(source).iter().map(|found| found.severity).collect();
        assert_eq!(found, expected, "{source}");
    }
}

#[test]
fn names_that_the_script_declares_are_its_own() {
    table([
        ("var vendor = {}; vendor.slak(1)", &[]),
        ("vendor.slak(1); var vendor;", &[]),
        ("const file = open(); file.read()", &[]),
        ("function console() {} console.warn(1)", &[]),
        ("class test {} test.it()", &[]),
        ("function f(file) { file.read() }", &[]),
        ("function f({ a: [file] = [], ...test }) { file.read(); test.it() }", &[]),
        ("function f(a = 1, file = 2) { file.read() }", &[]),
        ("file => file.read()", &[]),
        ("(a, ...file) => file.read()", &[]),
        ("try {} catch (test) { test.it() }", &[]),
        ("try {} catch ({ test }) { test.it() }", &[]),
        ("for (const file of files) file.read()", &[]),
        ("for (var file in files) {} file.read()", &[]),
        ("for (let jobs = 0; ;) jobs.x()", &[]),
        ("for (file of files) file.read()", &[]),
        ("(function test() { test.it() })", &[]),
        ("(class test { m() { test.it() } })", &[]),
        ("file = open(); file.read()", &[]),
        ("[file, { a: test = 1 }] = x; file.read(); test.it()", &[]),
        ("with (o) { file.read() }", &[]),
        ("if (1) { var file = 1 } file.read()", &[]),
        ("switch (1) { case 1: let file; default: file.read() }", &[]),
        ("({ m(file) { file.read() } })", &[]),
        ("var vendor = 1; globalThis.vendor.slak()", &[]),
    ]);
}

#[test]
fn a_declaration_elsewhere_does_not_count() {
    table([
        ("function f(file) {} file.read()", &["1:26 unknown-member"]),
        ("{ let file; } file.read()", &["1:20 unknown-member"]),
        ("function f() { var file = 1; file = 2 } file.read()", &["1:46 unknown-member"]),
        ("(function test() {}); test.it()", &["1:28 unknown-member"]),
        ("for (const file of []) {} file.read()", &["1:32 unknown-member"]),
        ("x = { file: 1 }; o.file = 2; file.read()", &["1:35 unknown-member"]),
        ("file: for (;;) file.read()", &["1:21 unknown-member"]),
        ("const { file: f } = o; file.read()", &["1:29 unknown-member"]),
        ("(a = file.read()) => a", &["1:11 unknown-member"]),
    ]);
}

#[test]
fn argument_counts_are_compared_where_the_text_shows_them() {
    table([
        ("test.pass()", &["1:6 too-few-arguments"]),
        ("test.pass(a, b)", &["1:6 too-many-arguments"]),
        ("vendor.slackBot(a, b, c, d)", &["1:8 too-few-arguments"]),
        ("vendor.s3.put(a)", &["1:11 too-few-arguments"]),
        ("vendor.webhook(a, b, c, d, e)", &["1:8 too-many-arguments"]),
        ("jobs.schedule('a', 'b')", &["1:6 too-few-arguments"]),
        ("jobs.list(1)", &["1:6 too-many-arguments"]),
        ("vendor.slackBot(a, /* b, */ c, d, e)", &["1:8 too-few-arguments"]),
        ("vendor.slack(a, b, c, d, e, f)", &["1:8 too-many-arguments"]),
        ("vendor.slackBot(a, b, c, d, e, )", &[]),
        ("vendor.slackBot(...a)", &[]),
        ("vendor.slackBot(a, b, c, d, e, ...f)", &[]),
        ("vendor.slackBot(f(a, b, c), [d, e], g => (h, i), { j, k }, l)", &[]),
        ("var f = vendor.slackBot", &[]),
        ("vendor.slackBot?.()", &[]),
    ]);
    let messages: Vec<_> =
        ["test.pass()", "jobs.schedule()", "jobs.list(1)", "kfl.validate()", "pcap.snapshot(1, 2, 3)"]
            .map(|source| findings(source).remove(0).message)
            .into();
    assert_eq!(
        messages,
        [
            "test.pass needs 1 argument, and is called with 0",
            "jobs.schedule needs at least 3 arguments, and is called with 0",
            "jobs.list takes no arguments, and is called with 1",
            "kfl.validate needs 1 to 2 arguments, and is called with 0",
            "pcap.snapshot takes 0 to 2 arguments, and is called with 3",
        ]
    );
}

#[test]
fn objects_are_no_functions_and_cannot_be_changed() {
    table([
        ("vendor('x')", &["1:1 not-callable"]),
        ("vendor.s3('x')", &["1:8 not-callable"]),
        ("console.log = f", &["1:9 frozen-helper"]),
        ("console.warn = console.log", &["1:9 frozen-helper"]),
        ("delete vendor.slack", &["1:15 frozen-helper"]),
        ("x = [console.log] = [1]", &["1:14 frozen-helper"]),
    ]);
}

#[test]
fn keys_of_env_are_compared_with_those_that_are_set() {
    let surface = Surface::documented();
    let keys = ["SLACK_WEBHOOK".to_owned(), "process".to_owned()];
    let options = Options { env: Some(&keys) };
    let found = check(
        "env.SLACK_WEBHOK; env['OTHER']; env.SLACK_WEBHOOK.x; typeof env.NONE; env[k]; process",
        &surface,
        &options,
    );
    let found: Vec<_> =
        found.iter().map(|found| (found.column, found.severity, found.suggestion.as_deref())).collect();
    assert_eq!(
        found,
        [(5, Severity::Note, Some("did you mean env.SLACK_WEBHOOK?")), (24, Severity::Note, None)]
    );
    assert!(check("env.X", &surface, &Options { env: Some(&[]) }).len() == 1);
    assert!(findings("env.X").is_empty());
}
