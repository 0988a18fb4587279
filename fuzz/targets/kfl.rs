//! Any text as a query, on any item.
//!
//! The input is the query, a zero byte, the item as JSON, a zero byte, and a text that the item holds as `body`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_kfl::ast::Expr;
use remora_kfl::{Error, ErrorKind, Macros, Query};
use serde_json::Value;

/// What a configuration may hold.
const CUSTOM: [(&str, &str); 2] = [("https", "tls and (http or http2)"), ("deep", "((((a == (b == c)))))")];

fn compile(text: &str) -> Result<Query, Error> {
    let macros = Macros::with_custom(CUSTOM).expect("the macros are right");
    Query::compile(text, &macros)
}

fn item(json: &[u8], body: &[u8]) -> Value {
    let mut item = serde_json::from_slice(json).unwrap_or(Value::Null);
    if !item.is_object() {
        item = serde_json::json!({ "a": item });
    }
    if let Value::Object(members) = &mut item {
        members.insert("body".to_owned(), String::from_utf8_lossy(body).into_owned().into());
    }
    item
}

fn same_tree(expr: &Expr) {
    let text = expr.to_string();
    match compile(&text) {
        Ok(again) => assert_eq!(again.expr(), expr, "{text}"),
        // Escapes and spaces may make it longer than it was.
        Err(error) => assert_eq!(error.kind, ErrorKind::Length, "{text}: {error}"),
    }
}

fn in_text(text: &str, error: &Error) {
    let line = text.split('\n').nth(error.line - 1).expect("the line is there");
    assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{text}: {error}");
}

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |&byte| byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let mut item = item(parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let query = match compile(&text) {
        Ok(query) => query,
        Err(error) => return in_text(&text, &error),
    };
    same_tree(query.expr());
    let outcome = query.evaluate(&item, 1);
    assert_eq!(outcome.matched, query.matches(&item, 1));
    let redacted = outcome.redact(&mut item);
    let again = outcome.redact(&mut item);
    // A text in a text may only be found once the one around it is replaced, never a value that was to be hidden.
    assert!(again.values <= redacted.values || again.cut || redacted.cut, "{redacted:?} {again:?}");

    // Every value under a name that is hidden everywhere is the marker.
    let hide = compile("redact(\"..a\", \"body.json()..a\")").expect("the query is right");
    hide.redact(&mut item, 1);
    for search in ["..a != \"[REDACTED]\"", "body.json()..a != \"[REDACTED]\""] {
        let search = compile(search).expect("the query is right");
        assert!(!search.matches(&item, 1), "{item}");
    }
});
