//! What `redact` replaces, in the item and inside its payloads, and what it leaves.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use remora_kfl::{Macros, Query, Redacted};
use serde_json::{Value, json};

fn redact(query: &str, item: &Value) -> (Value, Redacted) {
    let mut item = item.clone();
    let redacted = Query::compile(query, &Macros::default()).unwrap().redact(&mut item, 0);
    (item, redacted)
}

fn redacted(path: &str, item: &Value) -> Value {
    let paths = format!("redact({})", Value::from(path));
    redact(&paths, item).0
}

#[test]
fn paths_lead_to_what_is_replaced() {
    let item = json!({
        "a": { "b": 1, "c": { "b": [2, 3] } }, "list": [{ "b": 4 }, { "d": 5 }], "x-y": 6, "http": 7,
    });
    for (path, expected) in [
        ("a", json!({ "a": "[REDACTED]", "list": [{ "b": 4 }, { "d": 5 }], "x-y": 6, "http": 7 })),
        (
            "a.c.b[1]",
            json!({ "a": { "b": 1, "c": { "b": [2, "[REDACTED]"] } }, "list": [{ "b": 4 }, { "d": 5 }], "x-y": 6, "http": 7 }),
        ),
        (
            "..b",
            json!({ "a": { "b": "[REDACTED]", "c": { "b": "[REDACTED]" } }, "list": [{ "b": "[REDACTED]" }, { "d": 5 }], "x-y": 6, "http": 7 }),
        ),
        (
            "list.*.b",
            json!({ "a": { "b": 1, "c": { "b": [2, 3] } }, "list": [{ "b": "[REDACTED]" }, { "d": 5 }], "x-y": 6, "http": 7 }),
        ),
        (
            "a.*",
            json!({ "a": { "b": "[REDACTED]", "c": "[REDACTED]" }, "list": [{ "b": 4 }, { "d": 5 }], "x-y": 6, "http": 7 }),
        ),
        (
            "[\"x-y\"]",
            json!({ "a": { "b": 1, "c": { "b": [2, 3] } }, "list": [{ "b": 4 }, { "d": 5 }], "x-y": "[REDACTED]", "http": 7 }),
        ),
        (
            "http",
            json!({ "a": { "b": 1, "c": { "b": [2, 3] } }, "list": [{ "b": 4 }, { "d": 5 }], "x-y": 6, "http": "[REDACTED]" }),
        ),
        ("*", json!({ "a": "[REDACTED]", "list": "[REDACTED]", "x-y": "[REDACTED]", "http": "[REDACTED]" })),
        ("no.such.path", item.clone()),
        ("a.json().b", item.clone()),
    ] {
        assert_eq!(redacted(path, &item), expected, "{path}");
    }
}

#[test]
fn only_what_the_evaluation_reaches_is_redacted() {
    let item = json!({ "a": 1, "b": 2, "c": 3 });
    let all = json!({ "a": "[REDACTED]", "b": "[REDACTED]", "c": 3 });
    for (query, expected) in [
        ("false and redact(\"a\")", item.clone()),
        ("true or redact(\"a\")", item.clone()),
        ("redact(\"a\") and false and redact(\"c\")", json!({ "a": "[REDACTED]", "b": 2, "c": 3 })),
        ("redact(\"a\") and c == 3 and redact(\"b\")", all.clone()),
        ("redact(\"a\", \"b\")", all),
    ] {
        assert_eq!(redact(query, &item).0, expected, "{query}");
    }
    let query =
        Query::compile("redact(\"a\") and redact(\"b\", \"c\") and c == 4", &Macros::default()).unwrap();
    let outcome = query.evaluate(&item, 0);
    let paths: Vec<String> = outcome.redactions().map(ToString::to_string).collect();
    assert_eq!((outcome.matched, paths), (false, vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
}

#[test]
fn json_keeps_all_but_the_value() {
    let text = "{ \"big\": 12345678901234567890.10, \"k\" : [ 1,{\"secret\":{\"x\":[]}} ], \"secret\":null,\n \"z\":\"\\u0041\" }";
    let expected = "{ \"big\": 12345678901234567890.10, \"k\" : [ 1,{\"secret\":\"[REDACTED]\"} ], \"secret\":\"[REDACTED]\",\n \"z\":\"\\u0041\" }";
    let item = json!({ "body": text });
    assert_eq!(redacted("body.json()..secret", &item), json!({ "body": expected }));
    assert_eq!(redacted("body.json().k[0]", &item)["body"], json!(text.replace("[ 1,", "[ \"[REDACTED]\",")));
    assert_eq!(redacted("body.json()", &item), json!({ "body": "[REDACTED]" }));
    assert_eq!(redacted("body.json().missing", &item), item);
    let inside = json!({ "body": r#"[{"a":{"a":1,"b":{"a":2}}},{"a":3}]"# });
    assert_eq!(redacted("body.json()..a", &inside)["body"], r#"[{"a":"[REDACTED]"},{"a":"[REDACTED]"}]"#);
    let twice = json!({ "body": r#"{"a":1,"b":2,"a":3}"# });
    assert_eq!(redacted("body.json().a", &twice)["body"], r#"{"a":"[REDACTED]","b":2,"a":"[REDACTED]"}"#);
}

#[test]
fn base64_is_encoded_again() {
    let item = json!({ "body": STANDARD.encode("{\"user\":\"ann\",\"id\":1}") });
    let body = redacted("body.json().user", &item)["body"].as_str().unwrap().to_owned();
    assert_eq!(STANDARD.decode(body).unwrap(), b"{\"user\":\"[REDACTED]\",\"id\":1}");
    let item = json!({ "body": STANDARD.encode("<a><b>1</b></a>") });
    let body = redacted("body.xml().a.b", &item)["body"].as_str().unwrap().to_owned();
    assert_eq!(STANDARD.decode(body).unwrap(), b"<a><b>[REDACTED]</b></a>");
}

#[test]
fn payloads_inside_payloads_are_reached() {
    let inner = r#"{"secret":"s","text":"quoted \" text"}"#;
    let outer = json!({ "list": [inner, "<x><secret>1</secret></x>"] }).to_string();
    let item = json!({ "body": outer });
    let after = redacted("body.json().list[0].json().secret", &item);
    let body: Value = serde_json::from_str(after["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["list"][0], r#"{"secret":"[REDACTED]","text":"quoted \" text"}"#);
    let after = redacted("body.json().list.*.xml()..secret", &item);
    let body: Value = serde_json::from_str(after["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["list"], json!([inner, "<x><secret>[REDACTED]</secret></x>"]));
}

#[test]
fn xml_keeps_all_but_the_value() {
    let text = "<?xml version=\"1.0\"?>\n<a x=\"1&amp;2\"><b y='2'>one<c/>two &amp; three</b><b/><d><!-- c --><e>5</e></d><f> </f></a>";
    let item = json!({ "body": text });
    for (path, from, to) in [
        ("body.xml().a[\"-x\"]", "x=\"1&amp;2\"", "x=\"[REDACTED]\""),
        ("body.xml().a.d", "<d><!-- c --><e>5</e></d>", "<d>[REDACTED]</d>"),
        ("body.xml()..e", "<e>5</e>", "<e>[REDACTED]</e>"),
        ("body.xml().a.b[0][\"#text\"]", "one<c/>two &amp; three", "[REDACTED]<c/>"),
        ("body.xml().a.b", "<b y='2'>one<c/>two &amp; three</b>", "<b y='[REDACTED]'>[REDACTED]</b>"),
        ("body.xml().a.d.e.json()", "<e>5</e>", "<e>[REDACTED]</e>"),
        ("body.xml().a.g", "", ""),
    ] {
        assert_eq!(redacted(path, &item)["body"], text.replacen(from, to, 1), "{path}");
    }
}

#[test]
fn replaced_values_are_counted() {
    let item = json!({ "a": [{ "n": 1 }, { "n": 2 }], "body": "{\"n\":3,\"m\":{\"n\":4}}" });
    let (_, redacted) = redact("redact(\"a..n\") and redact(\"body.json()..n\", \"missing\")", &item);
    assert_eq!(redacted, Redacted { values: 4, cut: false });
}
