//! The examples that KFL v1 was checked with, row by row: those that hold here, and those that differ, with the reason.

use remora_kfl::{Macros, Query};
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    Match,
    NoMatch,
    /// With an error that begins so.
    Error(&'static str),
}
use Expected::{Error, Match, NoMatch};

fn check(row: &str, query: &str, item: &Value, expected: Expected) {
    let found = Query::compile(query, &Macros::default()).map(|query| query.matches(item, NOW));
    match (found, expected) {
        (Ok(found), Match | NoMatch) => assert_eq!(found, expected == Match, "row {row}: {query}"),
        (Err(error), Error(start)) => {
            assert!(error.to_string().starts_with(start), "row {row}: {query}: {error}");
        }
        (found, expected) => panic!("row {row}: {query}: {found:?} is not {expected:?}"),
    }
}

fn car() -> Value {
    json!({ "id": 114905, "model": "Camaro", "name": "Chevrolet", "x": "Chevrolet", "year": 2021,
            "brand": { "name": "Chevrolet" } })
}

fn lists() -> Value {
    json!({ "a": [{ "b": 1 }, { "b": 2 }] })
}

fn http() -> Value {
    json!({
        "protocol": { "name": "http", "abbr": "HTTP" },
        "request": { "headers": { "X": "1" } },
        "response": { "status": 500 },
    })
}

fn body(text: &str) -> Value {
    json!({ "response": { "body": text } })
}

const BRAND: &str = r#"{"brand":{"name":"Chevrolet"}}"#;
const BRAND_BASE64: &str = "eyJicmFuZCI6eyJuYW1lIjoiQ2hldnJvbGV0In19";
const BOOKS: &str = "<bookstore><book><title>Everyday Italian</title></book>\
                     <book lang=\"en\"><title>Harry Potter</title></book></bookstore>";

#[test]
fn rows_that_are_as_in_v1() {
    let none = json!({});
    let x = |value: Value| json!({ "x": value });
    let path = |value: Value| json!({ "request": { "path": value } });
    let model_nil = json!({ "model": null });
    let b_and_x = json!({ "a": { "b": { "c": 1 } }, "x": 2 });
    let dns = json!({ "protocol": { "name": "dns", "abbr": "DNS" } });
    let gql = json!({ "protocol": { "name": "http", "abbr": "GQL" }, "response": { "status": 500 } });
    let grpc = json!({ "protocol": { "name": "http", "abbr": "gRPC" },
                       "request": { "headers": { ":path": "/a/foo/b" } } });
    let amqp = json!({ "protocol": { "name": "amqp", "abbr": "AMQP" },
                       "request": { "method": "basic publish" } });
    let rows: Vec<(&str, &str, Value, Expected)> = vec![
        ("1", "", car(), Match),
        ("2", "true and false", none.clone(), NoMatch),
        ("3", "true or false and false", none.clone(), Match),
        ("5", "(false and false) or true", none.clone(), Match),
        ("6", "true and 5", none.clone(), Match),
        ("6", "true and 0", none.clone(), NoMatch),
        ("7", "brand.name == \"Chevrolet\"", car(), Match),
        ("8", "brand[\"name\"] == \"Chevrolet\"", car(), Match),
        ("9", "brand.game == \"Chevrolet\"", car(), NoMatch),
        ("10", "brand.name != \"Ford\"", car(), Match),
        ("11", "year >= 2021", car(), Match),
        ("12", "year == \"2021\"", car(), Match),
        ("14", "year >= 1234567", json!({ "year": 1_234_567 }), Match),
        ("15", "name == r\"Che.*\"", car(), Match),
        ("16", "name == r\"^hev\"", car(), NoMatch),
        ("17", "name != r\"F.*\"", car(), Match),
        ("18", "status == r\"4.*\"", json!({ "status": 504 }), Match),
        ("19", "status == r\"^4.*\"", json!({ "status": 504 }), NoMatch),
        ("20", "x.startsWith(\"Ch\")", car(), Match),
        ("20", "x.endsWith(\"let\")", car(), Match),
        ("20", "x.contains(\"evro\")", car(), Match),
        ("21", "!x.contains(\"evro\")", car(), NoMatch),
        ("22", "x.contains(\"2\")", x(json!(1234)), Match),
        ("23", "missing != \"a\"", x(json!(1)), NoMatch),
        ("24", "!(missing)", x(json!(1)), Match),
        ("25", "(missing) or true", x(json!(1)), Match),
        ("25", "true or missing", x(json!(1)), Match),
        ("26", "x", x(json!(1)), Match),
        ("26", "x", x(json!(0)), NoMatch),
        ("26", "x", x(json!(-1)), NoMatch),
        ("26", "x", x(json!("")), NoMatch),
        ("26", "x", x(json!("0")), Match),
        ("26", "x", x(json!(null)), NoMatch),
        ("26", "x", x(json!([])), NoMatch),
        ("26", "x", x(json!([0])), Match),
        ("27", "!x", x(json!(false)), Match),
        ("28", "model == nil", model_nil.clone(), Match),
        ("28", "model != nil", model_nil, NoMatch),
        ("29", "a[1].b == 2", lists(), Match),
        ("30", "a.*.b == 2", lists(), Match),
        ("30", "a.*.b == 3", lists(), NoMatch),
        ("30", "a.*.b != 2", lists(), NoMatch),
        ("30", "a.*.b > 1", lists(), Match),
        ("32", "request.path.* == \"v1\"", path(json!(["api", "v1", "example"])), Match),
        ("33", "request.path.* > 2", path(json!([1, 2, 3])), Match),
        ("34", "request.path.* >= request.path.*", path(json!([1, 2, 3])), NoMatch),
        ("35", "a == 2", json!({ "a": [1, 2] }), Match),
        ("36", "a..z == 5", json!({ "a": { "q": { "z": 5 } } }), Match),
        ("38", "x == 2 and a[\"b\"].c == 1", b_and_x, Match),
        ("39", "http and request.headers[\"X\"] == \"1\"", http(), Match),
        ("40", "request.headers[\"X\"] == \"1\" and http", http(), Match),
        ("41", "http and response.status == 500", http(), Match),
        ("42", "http and response.status == 500", gql, NoMatch),
        ("43", "!http", dns.clone(), Match),
        ("43", "http == false", dns, Match),
        ("44", "grpc and request.headers[\":path\"] == r\".*foo.*\"", grpc, Match),
        ("45", "amqp and request.method == \"basic publish\"", amqp, Match),
        ("46", "response.body.json().brand.name == \"Chevrolet\"", body(BRAND), Match),
        ("46", "response.body.json().brand.name == \"Chevrolet\"", body(BRAND_BASE64), Match),
        ("47", "response.body.json()[0] == \"api\"", body("[\"api\",\"v1\"]"), Match),
        ("48", "response.body.json()..name == \"Chevrolet\"", body(BRAND), Match),
        ("49", "response.body.json().x == \"y\"", body("not JSON"), NoMatch),
        ("50", "response.body.xml().bookstore.book[1].title == \"Harry Potter\"", body(BOOKS), Match),
        ("51", "id == 114905 and redact(\"model\", \"brand.name\")", car(), Match),
        ("52", "id == 114906 and redact(\"model\")", car(), NoMatch),
        ("53", "redact(\"..name\") and id == 1", json!({ "id": 2, "name": "n" }), NoMatch),
        ("54", "brand.name == \"Chevrolet\" and limit(100)", car(), Match),
        (
            "55",
            "timestamp > datetime(\"10/19/2021, 6:29:02.000 PM\")",
            json!({ "timestamp": 1_634_668_524_000_i64 }),
            Match,
        ),
        ("56", "timestamp > minutes(-5)", json!({ "timestamp": NOW }), Match),
        ("57", "timestamp >= now()", json!({ "timestamp": NOW + 60_000 }), Match),
        ("58", "a > 5", json!({ "a": "6" }), Match),
        (
            "59",
            "src.ip == \"10.0.0.1\" or dst.ip == \"10.0.0.1\"",
            json!({ "src": { "ip": "10.0.0.2" }, "dst": { "ip": "10.0.0.1" } }),
            Match,
        ),
        ("60", "year == salesYear", json!({ "year": 2021, "salesYear": 2021 }), Match),
        ("60", "year == salesYear", json!({ "year": 2021, "salesYear": 2020 }), NoMatch),
        ("61", "h.x-y == \"1\"", none, Error("1:4: unexpected \"-\"")),
    ];
    for (row, query, item, expected) in rows {
        check(row, query, &item, expected);
    }
}

#[test]
fn rows_that_differ_from_v1() {
    let x = |value: Value| json!({ "x": value });
    let precedence = "`and` binds tighter than `or`";
    let missing = "a missing path is falsy where it stands, and takes nothing around it along";
    let not = "`!` negates what is true, whatever it is";
    let word = "a macro is a whole word at the start of a path";
    let rows = [
        ("4", "false and false or true", json!({}), NoMatch, Match, precedence),
        ("13", "year == 1234567", json!({ "year": 1_234_567 }), NoMatch, Match, "numbers are exact"),
        ("24", "!missing", x(json!(1)), NoMatch, Match, missing),
        ("25", "missing or true", x(json!(1)), NoMatch, Match, missing),
        ("26", "x", x(json!({ "y": 1 })), NoMatch, Match, "an object is true, so that `error` works"),
        ("27", "!x", x(json!(1)), Match, NoMatch, not),
        ("27", "!x", x(json!(0)), NoMatch, Match, not),
        ("27", "!x", x(json!("a")), Match, NoMatch, not),
        ("31", "a[*].b == 2", lists(), NoMatch, Match, "[*] is a wildcard as .* is"),
        (
            "37",
            "a[\"b\"].c == 1 and x == 2",
            json!({ "a": { "b": { "c": 1 } }, "x": 2 }),
            NoMatch,
            Match,
            "a dot behind a bracket goes on with the path",
        ),
        ("43", "not http", json!({ "protocol": { "abbr": "DNS" } }), NoMatch, Match, "`not` exists"),
        (
            "62",
            "a[\"b\"][\"c\"] == 1",
            json!({ "a": { "b": { "c": 1 } } }),
            Error("1:7"),
            Match,
            "brackets chain",
        ),
        (
            "63",
            "request.httpVersion == \"1\"",
            json!({ "request": { "httpVersion": "1" } }),
            Error(""),
            Match,
            word,
        ),
        ("64", "http && dns", http(), Error("1:6"), NoMatch, "`&&` and `||` exist"),
        (
            "65",
            "a == r\"\\d+\"",
            json!({ "a": "x12" }),
            Error("1:8"),
            Match,
            "a regular expression takes a backslash as is",
        ),
    ];
    for (row, query, item, v1, expected, reason) in rows {
        assert_ne!(v1, expected, "row {row} does not differ: {reason}");
        check(row, query, &item, expected);
    }
}

#[test]
fn row_51_redacts_both_and_52_nothing_and_53_although_it_does_not_match() {
    let run = |text: &str, mut item: Value| {
        Query::compile(text, &Macros::default()).unwrap().redact(&mut item, NOW);
        item
    };
    let car = json!({ "id": 114905, "model": "Camaro", "brand": { "name": "Chevrolet" } });
    let redacted = json!({ "id": 114905, "model": "[REDACTED]", "brand": { "name": "[REDACTED]" } });
    assert_eq!(run("id == 114905 and redact(\"model\", \"brand.name\")", car.clone()), redacted);
    assert_eq!(run("id == 114906 and redact(\"model\")", car.clone()), car);
    let deep = json!({ "id": 2, "name": "a", "list": [{ "name": { "first": "b" } }] });
    let hidden = json!({ "id": 2, "name": "[REDACTED]", "list": [{ "name": "[REDACTED]" }] });
    assert_eq!(run("redact(\"..name\") and id == 1", deep), hidden);
}

#[test]
fn row_54_limits_to_a_hundred() {
    let limit = |text: &str| Query::compile(text, &Macros::default()).unwrap().limit();
    assert_eq!(limit("brand.name == \"Chevrolet\" and limit(100)"), Some(100));
    assert_eq!(limit("(a or limit(3)) and limit(100)"), Some(3), "the first one counts");
    assert_eq!(limit("a"), None);
}

#[test]
fn queries_of_the_documentation_match_what_they_are_for() {
    let http = json!({
        "protocol": { "name": "http", "abbr": "HTTP" },
        "node": { "name": "minikube" },
        "src": { "name": "payment", "namespace": "ns1" },
        "dst": { "name": "catalogue", "namespace": "ns2" },
        "error": null,
        "request": { "method": "PUT", "path": "/catalogue", "headers": { "Accept": "application/json; q=1" } },
        "response": { "status": 500, "content": { "text": "eyJzb21lIjp7InBhdGgiOiJzb21ldmFsdWUifX0=" } },
    });
    let kafka = json!({ "protocol": { "name": "kafka" }, "dst": { "namespace": "" },
                        "response": { "payload": { "errorCode": 2 } } });
    let error = json!({ "protocol": { "name": "tcp" }, "error": { "type": "connection", "msg": "reset" } });
    let segments = json!({ "request": { "path": ["api", "v1"] } });
    let any_of_five = "(http and request.method == \"PUT\") or (amqp and request.queue.startsWith(\"test\")) or \
        (kafka and response.payload.errorCode == 2) or (redis and request.key == \"example\") or \
        (grpc and request.headers[\":path\"] == r\".*foo.*\")";
    let errors = "response.status > 400 or error or icmp or tcp";
    for (query, matching, other) in [
        ("http and request.path == \"/catalogue\"", &http, &kafka),
        ("http and request.headers[\"Accept\"] == r\"application/json.*\"", &http, &kafka),
        (any_of_five, &http, &error),
        (any_of_five, &kafka, &segments),
        ("response.content.text.json().some.path == \"somevalue\"", &http, &kafka),
        ("node.name == \"minikube\"", &http, &kafka),
        ("src.namespace == \"ns1\" and dst.namespace == \"ns2\"", &http, &kafka),
        ("dst.namespace == \"\"", &kafka, &http),
        (errors, &http, &kafka),
        (errors, &error, &segments),
        ("error", &error, &http),
        ("!error", &http, &error),
        ("src.name == \"payment\" and response.status == 500", &http, &kafka),
        ("request.path[1] == \"v1\"", &segments, &http),
    ] {
        check("documentation", query, matching, Match);
        check("documentation", query, other, NoMatch);
    }
}
