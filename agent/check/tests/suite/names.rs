use remora_check::{Namespace, Options, Severity, Surface, check};

use crate::{findings, suggestion, table};

#[test]
fn globals_of_other_hosts_are_found_once_each() {
    table([
        ("const fs = require('fs'); require('os')", &["1:12 foreign-global"]),
        ("setTimeout(f, 10)", &["1:1 foreign-global"]),
        ("fetch('http://h')", &["1:1 foreign-global"]),
        ("process.env.X + process.pid", &["1:1 foreign-global"]),
        ("Buffer.from('x')", &["1:1 foreign-global"]),
        ("btoa('x')", &["1:1 foreign-global"]),
        ("new XMLHttpRequest()", &["1:5 foreign-global"]),
        ("module.exports = { f }", &["1:1 foreign-global"]),
        ("x = { fetch }", &["1:7 foreign-global"]),
        ("window.x = 1", &["1:1 foreign-global"]),
    ]);
}

#[test]
fn names_of_the_scripts_own_and_optional_ones_are_left_alone() {
    table([
        ("function fetch() {} fetch()", &[]),
        ("function f(process) { process.x }", &[]),
        ("global = this; global.x = 1", &[]),
        ("if (typeof module !== 'undefined') module.exports = 1", &[]),
        ("data.process; o.fetch(); ({ require: 1 }); class A { fetch() {} }", &[]),
        ("module: for (;;) break module", &[]),
    ]);
}

#[test]
fn what_to_use_instead_exists() {
    assert_eq!(suggestion("fetch('x')").as_deref(), Some("use vendor.webhook"));
    assert_eq!(suggestion("setInterval(f, 1)").as_deref(), Some("use jobs.schedule"));
    assert_eq!(suggestion("process.env.X").as_deref(), Some("use env"));
    assert_eq!(suggestion("btoa('x')"), None);
    let found = check("fetch('x')", &Surface::new(), &Options::default());
    assert_eq!((found.len(), found[0].suggestion.as_deref()), (1, None));
    let own = Surface::new().object("crypto", Namespace::open());
    assert!(check("crypto.digest(1)", &own, &Options::default()).is_empty());
}

#[test]
fn documented_helpers_that_the_host_lacks_are_found_once_each() {
    let surface =
        Surface::new().object("console", Namespace::new().function("log", ..)).absent_object("vendor");
    let codes = |source| -> Vec<_> {
        check(source, &surface, &Options::default()).iter().map(|found| (found.column, found.code)).collect()
    };
    assert_eq!(codes("console.log(vendor.slack(1), vendor)"), [(13, "absent-helper")]);
    assert_eq!(codes("var vendor = {}; vendor.slack(1)"), []);
    assert_eq!(codes("if (typeof vendor !== 'undefined') vendor.slack(1)"), []);
    assert_eq!(codes("jobs.list()"), []);
}

#[test]
fn module_syntax_is_an_error() {
    table([
        ("import x from 'y';", &["1:1 module-syntax"]),
        ("import 'y';", &["1:1 module-syntax"]),
        ("\nexport function f() {}", &["2:1 module-syntax"]),
        ("export default 1", &["1:1 module-syntax"]),
        ("import('y')", &["1:1 module-syntax"]),
        ("import.meta.url", &["1:1 module-syntax"]),
        ("o.import('y'); o.export; ({ import: 1 })", &[]),
    ]);
    assert_eq!(findings("import 'y'")[0].severity, Severity::Error);
}

#[test]
fn sloppy_and_modern_scripts_are_understood() {
    table([
        ("var let_ = 010; with (o) { x } delete y;", &[]),
        ("#!/usr/bin/env remora\nvar yield_ = 1", &[]),
        ("a = b\n/re/g.exec(c)", &[]),
        ("x = /[/]\\/(?<n>a)/v.test(s) ? a?.b ?? c : d ** 2 ** 3", &[]),
        ("class A { #p = 1; static { this.#p; } get x() { return #p in this } }", &[]),
        ("async function f() { for await (const x of y) await x; } label: { break label }", &[]),
        ("if (a) function f() {} else function g() {}", &[]),
        ("a ||= 1; b &&= 2n; c ??= 1_000; `x${`y${1}`}`; f`t`", &[]),
        ("function f() { return new.target } try {} catch {}", &[]),
        ("var async = 1, of = 2, get = 3, static = 4; async => 1", &[]),
    ]);
}

#[test]
fn broken_syntax_is_a_note_and_the_rest_is_checked() {
    table([
        ("f(a\n  b)\nconsole.warn(1)", &["2:3 not-understood", "3:9 unknown-member"]),
        ("vendor.slack(a b)", &["1:16 not-understood"]),
    ]);
}
