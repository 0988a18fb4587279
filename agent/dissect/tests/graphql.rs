//! GraphQL over HTTP/1 and WebSocket: the fixture against what its client wrote down, and conversations made by hand.

mod golden_support;
mod talk;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::{Talk, as_json};

fn truth() -> Vec<Value> {
    let path = fixtures().join("graphql/graphql.gt.jsonl");
    let text = std::fs::read_to_string(path).expect("the ground truth is there");
    text.lines().map(|line| serde_json::from_str(line).expect("ground truth is JSON")).collect()
}

fn items() -> Vec<Value> {
    let replay = replay(&fixtures().join("graphql/graphql.pcap"), Limits::default());
    replay.items.iter().map(as_json).collect()
}

#[test]
fn every_operation_of_the_fixture_is_found() {
    let items: Vec<Value> = items()
        .into_iter()
        .filter(|item| item["protocol"]["name"] == "http" && item["response"]["status"] != 101)
        .collect();
    let truth: Vec<Value> = truth().into_iter().filter(|line| line["transport"].is_null()).collect();
    assert_eq!(items.len(), truth.len());
    for (item, expected) in items.iter().zip(&truth) {
        assert!(item["error"].is_null(), "{item}");
        let (request, response) = (&item["request"], &item["response"]);
        assert_eq!(request["method"], expected["method"]);
        assert_eq!(request["path"], expected["path"]);
        assert_eq!(response["status"], expected["status"]);
        if expected["proto"] == "http1" {
            assert_eq!(item["protocol"]["abbr"], "HTTP", "{expected}");
            assert!(request["graphql"].is_null() && response["graphql"].is_null(), "{expected}");
            continue;
        }
        let protocol = &item["protocol"];
        assert_eq!((&protocol["abbr"], &protocol["version"]), (&json!("GQL"), &json!("1.1")), "{expected}");
        assert_eq!(protocol["macro"], "gql");
        let (asked, answered) = (&request["graphql"], &response["graphql"]);
        assert_eq!(asked["operationType"], expected["operation"], "{expected}");
        assert_eq!(asked["operationName"], expected["operation_name"], "{expected}");
        assert_eq!(asked["variables"], expected["variables"], "{expected}");
        match &expected["root_fields"] {
            Value::Null => assert_eq!(asked["syntaxError"], true, "{expected}"),
            fields => assert_eq!(&asked["fields"], fields, "{expected}"),
        }
        if let Some(errors) = expected["errors"].as_u64() {
            assert_eq!(answered["errors"].as_array().map(Vec::len), Some(errors as usize), "{expected}");
            assert_eq!(answered["hasData"], expected["has_data"], "{expected}");
        }
    }
}

#[test]
fn every_operation_over_websocket_is_found() {
    let items: Vec<Value> = items().into_iter().filter(|item| item["protocol"]["name"] == "ws").collect();
    assert!(items.iter().all(|item| item["error"].is_null()));
    let of = |kind: &str, name: &Value| -> Vec<&Value> {
        let graphql = items.iter().map(|item| &item["request"]["graphql"]);
        graphql.filter(|graphql| graphql["type"] == kind && graphql["operationName"] == *name).collect()
    };
    let truth: Vec<Value> = truth().into_iter().filter(|line| !line["transport"].is_null()).collect();
    assert_eq!(truth.len(), 2);
    for expected in truth {
        let name = &expected["operation_name"];
        let [subscribe] = of("subscribe", name)[..] else { panic!("{name} is not found once") };
        assert_eq!(subscribe["operationType"], expected["operation"]);
        assert_eq!(subscribe["fields"], expected["root_fields"]);
        assert_eq!(of("next", name).len() as u64, expected["next_messages"].as_u64().unwrap_or(1));
        assert!(of("next", name).iter().all(|next| next["id"] == subscribe["id"] && next["hasData"] == true));
        assert!(of("complete", name).len() <= 1);
    }
}

/// One exchange's item.
fn exchange(request: &str, body: &str, response: &str) -> Value {
    let mut talk = Talk::open(80);
    talk.client(format!("{request}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    talk.server(format!("{head}Content-Length: {}\r\n\r\n{response}", response.len()).as_bytes());
    let mut items = talk.finish();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

const POST: &str = "POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";

#[test]
fn batches_and_persisted_queries() {
    let item = exchange(
        POST,
        r#"[{"query":"{ a }"},{"query":"mutation M { b }"}]"#,
        r#"[{"data":{"a":1}},{"data":null,"errors":[{"message":"no"}]}]"#,
    );
    assert_eq!(item["protocol"]["abbr"], "GQL");
    assert_eq!(item["request"]["graphql"][1]["operationName"], "M");
    assert_eq!(item["response"]["graphql"][0], json!({"errors": [], "hasData": true}));
    assert_eq!(item["response"]["graphql"][1], json!({"errors": [{"message": "no"}], "hasData": false}));

    let persisted =
        r#"{"operationName":"P","extensions":{"persistedQuery":{"version":1,"sha256Hash":"abc"}}}"#;
    let item = exchange(POST, persisted, r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#);
    assert_eq!(item["request"]["graphql"], json!({"operationName": "P", "persistedQuery": "abc"}));
    assert_eq!(item["response"]["graphql"]["errors"][0]["message"], "PersistedQueryNotFound");

    let item = exchange(&POST.replace("1.1", "1.0"), r#"{"query":"{ a }"}"#, "not JSON");
    assert_eq!((&item["protocol"]["abbr"], &item["protocol"]["version"]), (&json!("GQL"), &json!("1.0")));
    assert_eq!(item["response"]["graphql"], json!({"errors": [], "hasData": false}));

    let item = exchange(POST, r#"{"query":{"term":{"user":"{ a }"}}}"#, r#"{"errors":false}"#);
    assert_eq!(item["protocol"]["abbr"], "HTTP");
    assert!(item["response"]["graphql"].is_null());
}

#[test]
fn what_is_shown_is_capped_and_says_so() {
    let query = format!("{{ f(a: \\\"{}\\\") }}", "x".repeat(100_000));
    let list = vec!["1"; 2_000].join(",");
    let body = format!(
        r#"{{"query":"{query}","variables":{{"list":[{list}],"deep":{}1{}}}}}"#,
        "[".repeat(60),
        "]".repeat(60)
    );
    let item = exchange(POST, &body, "{}");
    let graphql = &item["request"]["graphql"];
    assert_eq!(graphql["truncated"], true);
    assert_eq!(graphql["fields"], json!(["f"]));
    let limits = Limits::default();
    assert_eq!(graphql["query"].as_str().map(str::len), Some(limits.value_bytes));
    assert_eq!(graphql["variables"]["list"].as_array().map(Vec::len), Some(limits.list_entries));
}

#[test]
fn a_body_with_a_hole_is_marked() {
    let mut talk = Talk::open(80);
    let body = r#"{"query":"query Q { a b c d e f g }","variables":{"a":1}}"#;
    talk.client(format!("{POST}Content-Length: {}\r\n\r\n{}", body.len(), &body[..20]).as_bytes());
    talk.lose(Direction::ToServer, 10).client(&body.as_bytes()[30..]);
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    let items = talk.finish();
    assert_eq!(items[0]["error"]["type"], "dissection", "{items:?}");
}
