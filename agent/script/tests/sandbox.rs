//! What scripts cannot reach.

mod common;

use common::*;

/// Evaluates an expression at top level.
fn evaluate(expression: &str) -> String {
    start(&format!("console.log({expression})")).lines().join("\n")
}

#[test]
fn only_the_language_and_the_helpers_are_global() {
    let names = evaluate("Object.getOwnPropertyNames(globalThis).sort().join(' ')");
    let foreign: Vec<_> = names.split(' ').filter(|name| !LANGUAGE.contains(name)).collect();
    assert_eq!(
        foreign,
        [
            "chatgpt",
            "console",
            "env",
            "file",
            "jobs",
            "kfl",
            "pcap",
            "prometheus",
            "test",
            "utils",
            "vendor",
            "wrapper"
        ]
    );
    assert_eq!(evaluate("Object.getOwnPropertySymbols(globalThis).length"), "0");
    for name in
        ["Deno", "__bootstrap", "bootstrap", "gc", "SharedArrayBuffer", "Atomics", "WebAssembly", "ops"]
    {
        assert_eq!(
            evaluate(&format!("typeof {name} + ('{name}' in globalThis)")),
            "undefinedfalse",
            "{name}"
        );
    }
    for name in ["process", "require", "setTimeout", "fetch", "queueMicrotask", "performance", "std", "os"] {
        assert_eq!(evaluate(&format!("typeof {name}")), "undefined", "{name}");
    }
    assert_eq!(
        evaluate("Object.getOwnPropertyNames(console) + Object.getOwnPropertyNames(test)"),
        "log,error,clearpass,fail"
    );
}

/// ECMAScript 2026, annex B included, without the ways to shared memory.
const LANGUAGE: &[&str] = &[
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "AsyncDisposableStack",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Boolean",
    "DataView",
    "Date",
    "DisposableStack",
    "Error",
    "EvalError",
    "FinalizationRegistry",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "Function",
    "Infinity",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Set",
    "String",
    "SuppressedError",
    "Symbol",
    "SyntaxError",
    "TypeError",
    "URIError",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "eval",
    "globalThis",
    "isFinite",
    "isNaN",
    "parseFloat",
    "parseInt",
    "undefined",
    "unescape",
];

#[test]
fn helpers_are_frozen_but_their_names_can_be_reused() {
    let running = start(
        "console.log = () => {}; test.pass = null; env.x = 1; delete console.error; test.pass.hidden = 1;
         console.log(typeof test.pass, env.x, typeof console.error, test.pass.hidden);
         var seen = [Object.isFrozen(console), Object.isFrozen(test), Object.isFrozen(env), Object.isFrozen(test.fail)];
         console.log(seen.join());",
    );
    assert_eq!(running.lines(), ["function undefined function undefined", "true,true,true,true"]);
    let running =
        start("const log = console.log; var test = 1; let env = 2; console = 3; log(test, env, console)");
    assert_eq!(running.lines(), ["1 2 3"]);
}

/// Code made at run time, whatever leads to it, runs in the script's own world.
#[test]
fn functions_made_of_text_see_the_same_globals() {
    let sources = [
        "console.log.constructor",
        "test.pass.constructor",
        "({}).constructor.constructor",
        "(function* () {}).constructor.constructor",
        "JSON.stringify.constructor",
        "ArrayBuffer.constructor",
        "Object.getPrototypeOf(Promise.resolve(1).then).constructor",
    ];
    for source in sources {
        let expression = format!(
            "{source}('return typeof Deno + typeof __bootstrap + typeof op_console + typeof ops + (globalThis === this)')()"
        );
        assert_eq!(evaluate(&expression), "undefinedundefinedundefinedundefinedtrue", "{source}");
    }
    assert_eq!(evaluate("(0, eval)('typeof Deno + typeof globalThis.Deno')"), "undefinedundefined");
}

#[test]
fn stack_traces_lead_nowhere() {
    let running = start(
        "Error.prepareStackTrace = (error, sites) => sites;
         const reached = new Set();
         const look = (sites) => {
             if (!Array.isArray(sites)) { return }
             for (const site of sites) {
                 for (const name of ['getThis', 'getFunction']) {
                     const value = typeof site[name] === 'function' ? site[name]() : undefined;
                     if (value !== undefined && value !== null && value !== globalThis) reached.add(String(value).slice(0, 60));
                 }
             }
         };
         const spy = { toString() { look(new Error('spy').stack); return 'spied' } };
         console.log(spy);
         test.pass(new Proxy({}, { set() { look(new Error('set').stack); return true } }));
         JSON.stringify({ toJSON() { look(new Error('json').stack); return 1 } });
         new ArrayBuffer({ valueOf() { look(new Error('buffer').stack); return 1 } });
         function onItemCaptured(data) {
             look(new Error('hook').stack);
             Object.setPrototypeOf(data, new Proxy({}, { get(target, name) { look(new Error('get').stack) } }));
             data.unknown;
             console.log([...reached].filter((text) => /op_|ops|states|Handler|native code/.test(text)).join(';') || 'nothing');
         }",
    );
    let lines = running.item_lines(items::http(0, "/", 200));
    assert_eq!(lines, ["spied", "nothing"]);
}

#[test]
fn the_stack_of_an_error_names_the_script_alone() {
    let stack =
        evaluate("(() => { try { test.pass(Object.freeze({})); null.x } catch (e) { return e.stack } })()");
    assert!(stack.contains("test.js:1") && !stack.contains("remora:"), "{stack}");
    let running = start("function onItemCaptured() { console.log(new Error('x').stack) }");
    let stack = running.item_lines(items::http(0, "/", 200)).join("\n");
    assert!(stack.contains("onItemCaptured (test.js:1:") && !stack.contains("ext:core"), "{stack}");
}

#[test]
fn modules_are_not_loaded() {
    let running = start(
        "for (const name of ['ext:core/mod.js', 'ext:core/ops', 'file:///etc/passwd', './x.js', 'data:text/javascript,1'])
             import(name).then(() => console.log('loaded', name), (error) => console.log(String(error)));",
    );
    let refused = "TypeError: import() is not available to scripts";
    assert_eq!(running.lines(), [refused; 5]);
}

#[test]
fn items_of_other_calls_cannot_be_forged() {
    let running = start(
        "function onItemCaptured(data) {
             const other = JSON.parse(JSON.stringify(data));
             other.id = other.id.replace(/-\\d+$/, '-0'); other.index = 0;
             test.fail(other); test.fail({ __proto__: data }); test.fail(new Proxy(data, {})); test.fail();
         }",
    );
    let item = items::http(1, "/", 200);
    running.items([item.clone()]);
    assert!(!item.failed());
    assert_eq!(running.recorder.verdicts(), []);
}
