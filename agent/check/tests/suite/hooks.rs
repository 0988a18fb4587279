use remora_check::{Options, Severity, Surface, check};

use crate::{findings, suggestion, table};

#[test]
fn hooks_are_no_findings_however_they_are_defined() {
    table([
        ("function onItemCaptured(data) {}", &[]),
        ("async function onItemCaptured(data) {}", &[]),
        ("const onItemCaptured = (data) => {};", &[]),
        ("let onItemCaptured = data => {};", &[]),
        ("var onPacketCaptured = function (info) {};", &[]),
        ("globalThis.onPacketCaptured = function () {};", &[]),
        ("this['onItemCaptured'] = () => {};", &[]),
        ("onItemCaptured = function (data) {};", &[]),
    ]);
}

#[test]
fn misspelt_hooks_are_found_however_they_are_defined() {
    table([
        ("function onItemCapture(data) {}", &["1:10 unknown-hook"]),
        ("function* onItemCapture(data) {}", &["1:11 unknown-hook"]),
        ("const onPacketcaptured = (info) => {};", &["1:7 unknown-hook"]),
        ("let OnItemCaptured = data => {};", &["1:5 unknown-hook"]),
        ("var onItemcaptured = function () {}", &["1:5 unknown-hook"]),
        ("onItemsCaptured = function (data) {};", &["1:1 unknown-hook"]),
        ("globalThis.onItemCapured = wrap(f);", &["1:12 unknown-hook"]),
        ("this.onItemCapured = function () {};", &["1:6 unknown-hook"]),
        ("this['onItemCapured'] = function () {};", &["1:7 unknown-hook"]),
        ("if (env.X) { function onItemCapture(data) {} }", &["1:23 unknown-hook"]),
        ("var a = 1, onJobPased = function () {};", &["1:12 unknown-hook"]),
    ]);
    assert_eq!(suggestion("function onItemCapture() {}").unwrap(), "did you mean onItemCaptured?");
    assert_eq!(suggestion("onPacketcaptured = () => 1").unwrap(), "did you mean onPacketCaptured?");
    assert_eq!(suggestion("function onJobsFailed() {}").unwrap(), "did you mean onJobFailed?");
}

#[test]
fn what_only_resembles_a_hook_is_left_alone() {
    table([
        // Used by the script itself.
        ("function onItemCapture(d) {}\nfunction onItemCaptured(d) { onItemCapture(d); }", &[]),
        ("function onItem(d) {}\njobs.schedule('a', '* * * * * *', onItem)", &[]),
        ("function onItem(d) {}\nglobalThis.onItem(1)", &[]),
        // Not at the top level.
        ("(function () { function onItemCapture(d) {} })()", &[]),
        ("{ const onItemCapture = (d) => {}; }", &[]),
        ("function setup() { this.onItemCapture = 1; }", &[]),
        ("const o = { onItemCapture(d) {} };", &[]),
        ("class C { onItemCapture() {} }", &[]),
        // No function.
        ("var onItemCapture = 5;", &[]),
        ("var onlyErrors = function () {};", &[]),
        ("function once() {}", &[]),
        ("let onItemCapture;", &[]),
    ]);
}

#[test]
fn a_function_named_like_an_event_is_a_warning_that_lists_the_hooks() {
    let found = findings("function onResponse(data) {}");
    assert_eq!((found.len(), found[0].severity, found[0].code), (1, Severity::Warning, "unknown-hook"));
    let suggestion = found[0].suggestion.as_deref().unwrap();
    assert!(suggestion.contains("onItemCaptured") && !suggestion.contains("onHubAction"), "{suggestion}");
}

#[test]
fn parameters_that_no_argument_reaches_are_found() {
    table([
        ("function onItemCaptured(data, context) {}", &["1:31 hook-parameters"]),
        ("const onItemCaptured = (data, a, b) => {}", &["1:31 hook-parameters"]),
        ("function onJobPassed(tag, cron, limit) {}", &[]),
        ("function onJobPassed(tag, cron, limit, more) {}", &["1:40 hook-parameters"]),
        ("function onItemCaptured({ request }, { x }) {}", &["1:38 hook-parameters"]),
        ("function onItemCaptured(data, state = {}) {}", &[]),
        ("function onItemCaptured(data, ...rest) {}", &[]),
        ("function onItemCaptured(/* data */) {}", &[]),
    ]);
    let surface = Surface::new().hook("onTick", 0);
    let found = check("onTick = now => now;", &surface, &Options::default());
    assert_eq!((found.len(), found[0].column), (1, 10));
}

#[test]
fn a_hook_that_nothing_calls_yet_is_a_note() {
    let found = findings("function onHubAction(action, object) {}");
    assert_eq!((found.len(), found[0].severity, found[0].code), (1, Severity::Note, "hook-not-called"));
}
