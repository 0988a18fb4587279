//! What hostile items cost, and that `redact` hides too much rather than too little where it gives up.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use remora_kfl::caps::{
    MAX_DEPTH, MAX_PAYLOAD_BYTES, MAX_STEPS, MAX_VALUE_DEPTH, MAX_XML_DEPTH, MAX_XML_ELEMENTS,
};
use remora_kfl::{Macros, Query};
use serde_json::{Value, json};

fn query(text: &str) -> Query {
    Query::compile(text, &Macros::default()).unwrap()
}

/// `{"a":{"a":… 1}}`.
fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
}

fn nested_json(levels: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}

#[test]
fn what_lies_too_deep_counts_as_missing() {
    let depth = MAX_VALUE_DEPTH as usize;
    let under = |levels: usize| (0..levels).fold(json!({ "found": 1 }), |inner, _| json!({ "a": inner }));
    let search = query("..found == 1");
    assert!(search.matches(&under(depth), 0));
    let deep = under(depth + 1);
    let outcome = search.evaluate(&deep, 0);
    assert!(!outcome.matched && outcome.cut);
    // What lies elsewhere is still found.
    let both = json!({ "a": deep, "b": { "found": 1 } });
    assert!(search.matches(&both, 0));
    // And a list that is too deep to be compared equals nothing.
    let list = (0..depth + 2).fold(json!(1), |inner, _| json!([inner]));
    assert!(!query("a == b").matches(&json!({ "a": list.clone(), "b": list }), 0));
}

#[test]
fn searches_inside_searches_come_to_an_end() {
    let chain = "..a".repeat(20);
    for (text, item) in [
        (format!("{chain} == 2"), nested(100)),
        (format!("body.json(){chain} == 2"), json!({ "body": nested_json(5_000) })),
        ("a == b".to_owned(), json!({ "a": vec![1; 3_000], "b": vec![1; 3_000] })),
        ("a >= b".to_owned(), json!({ "a": vec![1; 3_000], "b": vec![1; 3_000] })),
        (
            "body.json() == other.json()".to_owned(),
            json!({ "body": json!(vec![1; 100_000]).to_string(), "other": json!(vec![1; 100_000]).to_string() }),
        ),
        (vec!["body.json().x == 2"; 500].join(" or "), json!({ "body": nested_json(500_000) })),
    ] {
        let query = query(&text);
        let outcome = query.evaluate(&item, 0);
        assert!(outcome.cut || text == "a == b", "{}", text.chars().take(40).collect::<String>());
    }
}

#[test]
fn deep_json_does_not_use_up_the_stack() {
    let item = json!({ "body": "[".repeat(2_000_000), "closed": format!("{}{}", "[".repeat(500_000), "]".repeat(500_000)) });
    assert!(!query("body.json()").matches(&item, 0));
    assert!(query("closed.json()").matches(&item, 0));
    assert!(!query("closed.json() == closed.json()").matches(&item, 0));
    assert!(!query("closed.json() == 1").matches(&item, 0));
    assert!(!query("closed.json()..a").matches(&item, 0));
}

#[test]
fn large_payloads_count_as_none() {
    let text = |bytes: usize| json!({ "body": format!("\"{}\"", "x".repeat(bytes - 2)) });
    assert!(query("body.json()").matches(&text(MAX_PAYLOAD_BYTES), 0));
    assert!(!query("body.json()").matches(&text(2 * MAX_PAYLOAD_BYTES), 0));
    let elements = |count: usize| json!({ "body": format!("<r>{}</r>", "<a/>".repeat(count - 1)) });
    assert!(query("body.xml()").matches(&elements(MAX_XML_ELEMENTS), 0));
    assert!(!query("body.xml()").matches(&elements(MAX_XML_ELEMENTS + 1), 0));
    let depth =
        |levels: usize| json!({ "body": format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels)) });
    assert!(query("body.xml()").matches(&depth(MAX_XML_DEPTH), 0));
    assert!(!query("body.xml()").matches(&depth(MAX_XML_DEPTH + 1), 0));
    let attributes = format!("<a {}/>", (0..60_000).map(|at| format!("a{at}='' ")).collect::<String>());
    assert!(!query("body.xml()").matches(&json!({ "body": attributes }), 0));
}

#[test]
fn redact_hides_whole_what_it_cannot_look_into() {
    let secret =
        |levels: usize| (0..levels).fold(json!({ "secret": "s3cr3t" }), |inner, _| json!({ "a": inner }));
    let hides = |path: &str, mut item: Value, cut: bool| {
        let redacted = query(&format!("redact(\"{path}\")")).redact(&mut item, 0);
        assert!(redacted.values >= 1 && redacted.cut == cut, "{path}: {redacted:?}");
        assert!(!item.to_string().contains("s3cr3t"), "{path}");
    };
    hides("..secret", secret(100), false);
    hides("..secret", secret(MAX_VALUE_DEPTH as usize + 5), true);
    let json = |levels: usize| json!({ "body": format!("{}{{\"secret\":\"s3cr3t\"}}{}", "[".repeat(levels), "]".repeat(levels)) });
    hides("body.json()..secret", json(100), false);
    hides("body.json()..secret", json(100_000), true);
    let xml = |levels: usize| json!({ "body": format!("{}<secret>s3cr3t</secret>{}", "<a>".repeat(levels), "</a>".repeat(levels)) });
    hides("body.xml()..secret", xml(100), false);
    hides("body.xml()..secret", xml(MAX_XML_DEPTH), true);
    let large = format!("{{\"secret\":\"s3cr3t\",\"fill\":\"{}\"}}", "x".repeat(2 * MAX_PAYLOAD_BYTES));
    hides("body.json().secret", json!({ "body": large }), true);
    // Searches inside searches: the budget ends before they do.
    let chain = format!("{}.b", "..a".repeat(20));
    let mut item = nested(100);
    assert!(query(&format!("redact(\"{chain}\")")).redact(&mut item, 0).cut);
}

#[test]
fn the_deepest_query_on_the_deepest_item_fits_a_small_stack() {
    let path = vec!["a"; MAX_STEPS].join(".");
    let item = nested(MAX_STEPS + 60);
    let searched = json!({ "a": nested(MAX_VALUE_DEPTH as usize - 1) });
    let left = format!("{path}{}", format!(" == {path}").repeat(MAX_DEPTH));
    let right = format!("{}{path}{}", "a == (".repeat(MAX_DEPTH / 2), ")".repeat(MAX_DEPTH / 2));
    let tests = format!("{}{path}{}", "a..b.contains(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    let minus = format!("{}..a == ..a{}", "-(".repeat(MAX_DEPTH / 2 - 1), ")".repeat(MAX_DEPTH / 2 - 1));
    let chain = format!("..a{}", " == ..a".repeat(MAX_DEPTH));
    for text in [left, right, tests, minus, chain] {
        let query = query(&text);
        query.matches(&item, 0);
        query.matches(&searched, 0);
    }
}
