//! `data` behaves as the plain object that `JSON.parse` of the item's text would give.

mod common;

use std::sync::Arc;

use common::items::{Fields, Tree};
use common::*;
use remora_dissect::{Item, json};
use remora_script::HostConfig;

fn text_of(item: &Item) -> String {
    let mut text = Vec::new();
    json::write_object(item, &mut text);
    String::from_utf8(text).expect("JSON text is UTF-8")
}

/// Runs `(data) => ...` on an item and on its plain copy; each call gets a fresh object.
fn compare(function: &str, item: Arc<Item>) {
    let env = [("TEXT".to_owned(), text_of(&item))].into();
    let code = format!(
        "const f = {function};
         const show = (f, data) => {{ try {{ return String(f(data)) }} catch (e) {{ return 'threw ' + e.name }} }};
         function onItemCaptured(data) {{
             console.log(show(f, data));
             console.log(show(f, JSON.parse(TEXT)));
         }}"
    );
    let lines = start_with(HostConfig { env, ..config() }, &code).item_lines(item);
    assert_eq!(lines.len(), 2, "{function}: {lines:?}");
    assert_eq!(lines[0], lines[1], "{function}: as `data`, then as a plain object");
    assert_eq!(lines[0].starts_with("threw"), function.contains("use strict"), "{function}: {lines:?}");
}

#[test]
fn data_behaves_as_a_plain_object() {
    let functions = [
        // Reading.
        "(d) => [d.id, d.index, d.tls, d.timestamp, d.startTime, d.elapsedTime, d.error, d.nothing].join()",
        "(d) => d.response.status + d.request.path + d.request.pathSegments[1] + d.request.pathSegments.length",
        "(d) => d.response.headers['Content-Type'] + d.request.queryString.bucket + d.response.headers.X",
        "(d) => d.response.content.text + d.protocol.ports + d.src.ip + d.dst.port + d.node.name",
        "(d) => d.request === d.request && d.request.headers === d.request.headers && d['response'] === d.response",
        "(d) => { const { request: { method }, ...rest } = d; return method + Object.keys(rest) }",
        "(d) => d.src.pod === null && d.request.postData === undefined && d.toString === Object.prototype.toString",
        "(d) => typeof d + typeof d.request + Array.isArray(d) + Array.isArray(d.request.pathSegments) + String(d)",
        "(d) => Object.prototype.toString.call(d) + (d instanceof Object) + (Object.getPrototypeOf(d) === Object.prototype)",
        "(d) => d.constructor === Object && d.__proto__ === Object.prototype && d?.request?.missing?.deeper",
        // Objects of objects.
        "(d) => JSON.stringify(d.response.headers) + Object.keys(d.request.headers) + JSON.stringify({ ...d.request.headers })",
        "(d) => { d.response.headers.X = 1; delete d.response.headers['Content-Type']; return JSON.stringify(d) }",
        "(d) => { const h = d.request.headers; h.Host = 'x'; return JSON.stringify([d.request, h, d]) }",
        "(d) => { const h = d.request.headers; d.extra = 1; h.Host = 'x'; return JSON.stringify([d.request, h, d]) }",
        "(d) => { d.request.headers = { a: 1 }; return JSON.stringify(d) + d.request.headers.a }",
        "(d) => { const { content } = d.response; content.text = 'y'; return JSON.stringify(d) + content.size }",
        "(d) => d.request.headers.nothing + ('Host' in d.request.headers) + Object.isFrozen(Object.freeze(d.response.headers))",
        // Listing.
        "(d) => Object.keys(d) + ' ' + Object.keys(d.request) + Object.keys(d.response.headers)",
        "(d) => { let names = ''; for (const name in d) names += name + ' '; return names }",
        "(d) => Object.entries(d.response).flat(3).join()",
        "(d) => JSON.stringify({ ...d }) + JSON.stringify({ ...d.request, extra: 1 })",
        "(d) => JSON.stringify(Object.assign({}, d, { id: 'mine' }))",
        "(d) => 'id' in d && 'request' in d && !('postData' in d.request) && !('nothing' in d) && 'toString' in d",
        "(d) => d.hasOwnProperty('id') + ',' + d.hasOwnProperty('toString') + Object.hasOwn(d.request, 'method')",
        "(d) => JSON.stringify(Object.getOwnPropertyDescriptor(d, 'index'))",
        "(d) => Reflect.ownKeys(d).length + ' ' + Object.values(d).length",
        // Serialising.
        "(d) => JSON.stringify(d)",
        "(d) => JSON.stringify(d.request) + JSON.stringify(d.response) + JSON.stringify(d.src)",
        "(d) => d.response.status + JSON.stringify(d)",
        "(d) => { d.request.headers; return JSON.stringify(d) }",
        "(d) => JSON.stringify(d, null, 2) + JSON.stringify(d, ['id', 'request', 'path']) + JSON.stringify([d])",
        "(d) => JSON.stringify({ data: d, status: d.response.status })",
        "(d) => JSON.stringify(d, (key, value) => key === 'headers' ? undefined : value)",
        "(d) => { Object.prototype.toJSON = function () { return 'T' }; try { return JSON.stringify(d) } finally { delete Object.prototype.toJSON } }",
        // Writing.
        "(d) => { d.id = 'new'; return d.id + JSON.stringify(d) }",
        "(d) => { d.extra = 1; d.another = 2; d.extra = 3; return Object.keys(d) + JSON.stringify(d) }",
        "(d) => { delete d.request; return d.request + ('request' in d) + JSON.stringify(d) }",
        "(d) => delete d.nothing && delete d.id && delete d.id && Object.keys(d)",
        "(d) => { d.request.path = '/x'; delete d.request.headers; return d.request.path + JSON.stringify(d) }",
        "(d) => { d.response.headers['X-New'] = 'y'; delete d.response.headers.Date; return JSON.stringify(d) }",
        "(d) => { d.request.pathSegments.push('z'); d.response.status++; return JSON.stringify(d) }",
        "(d) => { const r = d.response; d.response = { status: 1 }; return r.status + JSON.stringify(d) }",
        "(d) => { const r = d.request; Object.keys(d); return (d.request === r) + JSON.stringify(d) }",
        "(d) => { d.index = undefined; d.tls = null; return d.index + JSON.stringify(d) }",
        "(d) => { Object.defineProperty(d, 'id', { get() { return 'got' } }); return d.id + JSON.stringify(d) }",
        "(d) => { Object.freeze(d); d.id = 'no'; d.more = 1; return Object.isFrozen(d) + JSON.stringify(d) }",
        "(d) => { 'use strict'; Object.freeze(d); d.id = 'no' }",
        "(d) => { Object.seal(d); delete d.id; return Object.isSealed(d) + Object.isExtensible(d) + d.id }",
        "(d) => { Object.setPrototypeOf(d, { inherited: 'i' }); return d.inherited + d.id + Object.keys(d) }",
        "(d) => { const child = Object.create(d); child.id = 'child'; return child.id + d.id + child.index + Object.keys(child) }",
        "(d) => { d.__proto__ = { inherited: 'i' }; return d.inherited + Object.keys(d) }",
        "(d) => { d[Symbol.toPrimitive] = () => 'primitive'; d[0] = 'zero'; return `${d}` + d[0] + Object.keys(d)[0] }",
        "(d) => { d.self = d; return d.self.self === d && d.self.id }",
        "(d) => { const m = new Map([[d, 1]]), w = new WeakSet([d]); return m.get(d) + String(w.has(d)) }",
    ];
    for function in functions {
        compare(function, items::http(3, "/a/b", 200));
    }
    compare("(d) => d.request.postData.text + Object.keys(d.request)", items::post(0, "/a", 201));
}

#[test]
fn numbers_and_strings_arrive_as_they_are() {
    let fields = || {
        Fields(vec![
            ("big", Tree::Int(1 << 40)),
            ("negative", Tree::Int(-1)),
            ("text", Tree::Str("é✓ \u{1F980} \"quoted\" \\ \u{8}\u{c}\n\u{1}\u{7f}\u{2028}")),
            ("empty", Tree::Str("")),
            ("bytes", Tree::Bytes(vec![0, 255, 16])),
            ("none", Tree::Texts(Vec::new())),
            ("constructor", Tree::Str("a field of this name")),
            ("__proto__", Tree::Str("and of this one")),
        ])
    };
    let item = || items::exchange(0, fields(), fields());
    compare("(d) => JSON.stringify(d) + JSON.stringify(d.request)", item());
    compare("(d) => { d.x = 1; return JSON.stringify(d) + JSON.stringify(d.request.text) }", item());
    compare(
        "(d) => [d.request.big, d.request.negative, d.request.text, d.request.empty, d.request.bytes].join()",
        item(),
    );
    compare("(d) => d.request.none.length + d.request.constructor + Object.keys(d.request)", item());
}

/// The host keeps items for a few hundred calls and then leaves what scripts hold its text.
#[test]
fn data_held_after_the_call_stays_valid() {
    let running = start(
        "const held = [], requests = [], touched = [];
         function onItemCaptured(data) {
             if (data.index % 100 === 0) held.push(data);
             if (data.index % 100 === 1) requests.push(data.request);
             if (data.index % 100 === 2) { data.mark = data.response.headers; touched.push(data); }
             if (data.index === 3999) {
                 console.log(held.map((d) => d.index + d.request.path + d.response.status).join());
                 console.log(requests.map((r) => r.path + r.headers.Host + r.missing).join());
                 console.log(touched.every((d) => d.mark === d.response.headers && Object.keys(d).includes('mark')));
                 console.log(held.every((d) => d.request === d.request && JSON.parse(JSON.stringify(d)).index === d.index));
                 held[3].id = 'mine'; delete held[3].src;
                 console.log(held[3].id, 'src' in held[3], held[3].dst.port, Object.keys(held[3]).length);
             }
         }",
    );
    running.items((0..4000).map(|index| items::http(index, &format!("/{index}"), 200)));
    let lines = running.lines();
    let expected: Vec<_> = (0..40).map(|n| format!("{0}/{0}200", n * 100)).collect();
    assert_eq!(lines[0], expected.join(","));
    let expected: Vec<_> = (0..40).map(|n| format!("/{}shop.example:8080undefined", n * 100 + 1)).collect();
    assert_eq!(lines[1], expected.join(","));
    assert_eq!(lines[2..4], ["true", "true"]);
    assert_eq!(lines[4], "mine false 8086 28");
}

/// Of these calls the host is told nothing by the hook itself.
#[test]
fn data_held_by_calls_that_throw_or_are_ended_stays_valid() {
    let running = start(
        "const held = [];
         function onItemCaptured(data) {
             if (data.index % 100 === 0) held.push(data);
             if (data.index === 0) for (;;);
             if (data.index === 3999) console.log(held.map((d) => d.index + d.request.path + d.response.status).join());
             if (data.index % 100 === 0) throw 0;
         }",
    );
    running.items((0..4000).map(|index| items::http(index, &format!("/{index}"), 200)));
    let expected: Vec<_> = (0..40).map(|n| format!("{0}/{0}200", n * 100)).collect();
    assert_eq!(running.lines().last().unwrap(), &expected.join(","));
}

/// Items are let go of although a script has seen them.
#[test]
fn the_host_keeps_no_items() {
    let running = start(
        "let n = 0; function onItemCaptured(data) { n += data.response.status + data.request.path.length }",
    );
    let items: Vec<_> = (0..4000).map(|index| items::http(index, "/", 200)).collect();
    let watched: Vec<_> = items.iter().map(Arc::downgrade).collect();
    running.items(items);
    let alive = watched.iter().filter(|item| item.strong_count() > 0).count();
    assert!(alive <= 1024, "{alive} items are alive");
}

#[test]
fn a_script_that_replaces_built_ins_gets_its_data_all_the_same() {
    let running = start(
        "Reflect.get = Reflect.ownKeys = Object.assign = Object.setPrototypeOf = JSON.parse = () => 'broken';
         Array.isArray = () => true; Proxy = Object = WeakRef = undefined;
         Array.prototype.includes = String.prototype.slice = () => 'broken';
         function onItemCaptured(data) {
             data.extra = 1;
             console.log(data.response.status, data.request.headers.Host, JSON.stringify(data).length > 1000);
             test.fail(data);
         }",
    );
    let item = items::http(0, "/", 200);
    assert_eq!(running.item_lines(item.clone()), ["200 shop.example:8080 true"]);
    assert!(item.failed());
}

/// Kubeshark handed its Go structs to scripts; its examples use their names.
#[test]
fn data_answers_to_the_names_of_go() {
    for (name, value) in [
        ("data.Request.Path", "/a/b"),
        ("data.request.Path", "/a/b"),
        ("data.Request.path", "/a/b"),
        ("data.Request.Method + data.Request.URL", "GET/a/b?bucket=shop&precision=ns"),
        ("data.Request.HTTPVersion + data.Request.PathSegments[1]", "HTTP/1.1b"),
        ("data.Request.QueryString.Bucket + data.Request.Headers.Host", "shopshop.example:8080"),
        ("data.Response.Status + data.Response.StatusText", "200OK"),
        ("data.Response.Content.MimeType", "application/json"),
        ("data.Response.Content.Text === data.response.content.text", "true"),
        ("data.Response.Headers['Content-Type']", "application/json"),
        ("data.Source.IP + ' ' + data.Destination.Port", "10.0.0.3 8086"),
        ("data.Src.IP + ' ' + data.Dst.Port", "10.0.0.3 8086"),
        ("data.Protocol.Name + data.Protocol.Abbr + data.Protocol.Ports[0]", "httpHTTP80"),
        (
            "data.Node.Name + ' ' + data.ElapsedTime + ' ' + data.Index + ' ' + data.Stream",
            "node-1 23.25 0 000000025258.pcap",
        ),
        ("data.ID === data.id && data.Passed === data.passed", "true"),
        ("data.Nothing + ' ' + data.Request.Nothing + ' ' + data.X", "undefined undefined undefined"),
        ("typeof data.Constructor + typeof data.ToString", "undefinedundefined"),
    ] {
        let lines = start(&format!(
            "function onItemCaptured(data) {{
                 console.log({name});
                 data.extra = 1;
                 console.log({name});
                 data.request.extra = 1; data.response.extra = 1;
                 console.log({name});
             }}"
        ))
        .item_lines(items::http(0, "/a/b", 200));
        assert_eq!(lines, [value; 3], "{name}, also after the object was changed");
    }
}

#[test]
fn the_names_of_go_are_no_fields_and_fields_win_over_them() {
    let running = start(
        "function onItemCaptured(data) {
             data.Request.Path;
             console.log('Request' in data, Object.keys(data).includes('Request'), JSON.stringify(data).includes('\"Request\"'));
             data.Status = 'mine'; data.status = 'other';
             console.log(data.Status, data.Request.Headers['X-None']);
             const held = data.Request;
             data.request.path = '/new';
             console.log(held.Path, data.Request.Path, data.request.Path);
         }",
    );
    assert_eq!(
        running.item_lines(items::http(0, "/a/b", 200)),
        ["false false false", "mine undefined", "/new /new /new"]
    );
}
