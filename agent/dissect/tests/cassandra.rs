//! CQL: the fixture against its ground truth, and conversations made by hand.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

const PORT: u16 = 9042;

fn message(version: u8, code: u8, stream: i16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![version, 0];
    bytes.extend(stream.to_be_bytes());
    bytes.push(code);
    bytes.extend(u32::try_from(body.len()).expect("it fits").to_be_bytes());
    bytes.extend(body);
    bytes
}

fn string(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("it fits");
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

fn long_string(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("it fits");
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

fn startup() -> Vec<u8> {
    let body = [&[0, 1][..], &string("CQL_VERSION"), &string("3.0.0")].concat();
    message(4, 1, 0, &body)
}

fn ready() -> Vec<u8> {
    message(0x84, 2, 0, &[])
}

fn query(stream: i16, text: &str) -> Vec<u8> {
    message(4, 7, stream, &[&long_string(text)[..], &[0, 1, 0]].concat())
}

fn void(stream: i16) -> Vec<u8> {
    message(0x84, 8, stream, &[0, 0, 0, 1])
}

/// A statement with one variable and one column, both `shop.items.id int`.
fn prepared(stream: i16) -> Vec<u8> {
    let table = [string("shop"), string("items"), string("id"), vec![0, 9]].concat();
    let variables = [&[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0][..], &table].concat();
    let columns = [&[0, 0, 0, 1, 0, 0, 0, 1][..], &table].concat();
    message(0x84, 8, stream, &[&[0, 0, 0, 4, 0, 2, 0xab, 0xcd][..], &variables, &columns].concat())
}

fn prepare(stream: i16, text: &str) -> Vec<u8> {
    message(4, 9, stream, &long_string(text))
}

fn execute(stream: i16) -> Vec<u8> {
    message(4, 10, stream, &[0, 2, 0xab, 0xcd, 0, 1, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7])
}

/// A row without its columns.
fn row(stream: i16) -> Vec<u8> {
    let body = [0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 8];
    message(0x84, 8, stream, &body)
}

fn open() -> Talk {
    let mut talk = Talk::open(PORT);
    talk.client(&startup()).server(&ready()).items();
    talk
}

fn error(item: &Value) -> &str {
    item["error"]["type"].as_str().unwrap_or("")
}

#[test]
fn the_fixture_is_what_was_said() {
    let folder = fixtures().join("cassandra");
    let replay = replay(&folder.join("cassandra.pcap"), Limits::default());
    let mut items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    for line in fs::read_to_string(folder.join("cassandra.gt.jsonl")).unwrap().lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let fits = |item: &Value| {
            let (request, response) = (&item["request"], &item["response"]);
            let ends = [&item["src"]["port"], &item["dst"]["port"]];
            let same = |name: &str, value: &Value| truth[name].is_null() || truth[name] == *value;
            item["protocol"]["name"] == "cassandra"
                && ends.contains(&&truth["port"])
                && request["opcode"] == truth["opcode"]
                && request["stream"] == truth["stream"]
                && request["version"] == truth["version"]
                && same("query", &request["query"])
                && same("kind", &response["kind"])
                && same("rows", &response["rowCount"])
                && same("event", &request["eventType"])
                && same("error", &response["error"]["code"])
                && (truth["rows"].is_null()
                    || response["rows"].as_array().map(Vec::len)
                        == truth["rows"].as_u64().and_then(|rows| usize::try_from(rows).ok()))
        };
        let place = items.iter().position(fits).unwrap_or_else(|| panic!("no item for {line}: {items:#?}"));
        assert_eq!(error(&items.remove(place)), "", "{line}");
    }
    assert!(items.is_empty(), "{items:#?}");
}

#[test]
fn executions_have_the_text_and_the_types_of_what_was_prepared() {
    let mut talk = open();
    talk.client(&prepare(1, "SELECT id FROM items WHERE id > ?")).server(&prepared(1));
    talk.client(&execute(2)).server(&row(2));
    let items = talk.items();
    assert_eq!(items[1]["request"]["query"], "SELECT id FROM items WHERE id > ?");
    assert_eq!(items[1]["request"]["values"], json!({ "id": 7 }));
    assert_eq!(items[1]["response"]["rows"], json!([{ "id": 8 }]));
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn what_was_prepared_is_not_known_after_a_loss() {
    for direction in Direction::BOTH {
        let mut talk = open();
        talk.client(&prepare(1, "SELECT id FROM items WHERE id > ?")).server(&prepared(1)).items();
        talk.lose(direction, 100);
        talk.client(&execute(2)).server(&row(2));
        let items = talk.finish();
        let item = items.iter().find(|item| item["request"]["opcode"] == "EXECUTE").unwrap();
        assert_eq!(item["request"]["query"], Value::Null);
        assert_eq!(item["request"]["values"], Value::Null);
        assert_eq!(item["request"]["valueCount"], 1);
        assert_eq!(item["response"]["rowCount"], 1);
        assert_eq!(item["response"]["rows"], Value::Null);
    }
}

#[test]
fn a_response_is_not_put_to_another_request_of_its_stream() {
    let mut talk = open();
    talk.client(&query(1, "SELECT 1"));
    talk.lose(Direction::ToClient, u32::try_from(void(1).len()).unwrap());
    talk.lose(Direction::ToServer, u32::try_from(query(1, "SELECT 2").len()).unwrap());
    talk.server(&void(1));
    for item in talk.finish() {
        assert_ne!(error(&item), "", "{item:#}");
    }
}

#[test]
fn a_response_before_its_request_waits_for_it() {
    let mut talk = open();
    talk.server(&void(3)).client(&query(3, "SELECT 3"));
    let items = talk.items();
    assert_eq!(items.len(), 1);
    assert_eq!((error(&items[0]), &items[0]["response"]["kind"]), ("", &json!("VOID")));
}

#[test]
fn a_connection_joined_later_is_read_on_the_port_only() {
    let mut talk = Talk::new(PORT);
    talk.client(&query(1, "SELECT 1")).server(&void(1));
    let items = talk.finish();
    assert_eq!(items[0]["request"]["query"], "SELECT 1");
    let mut talk = Talk::new(4_000);
    talk.client(&query(1, "SELECT 1")).server(&void(1));
    assert!(talk.finish().iter().all(|item| item["protocol"]["name"] != "cassandra"));
}

#[test]
fn what_is_no_message_is_said_once() {
    let mut talk = open();
    talk.client(&[0xee; 200]).client(&[0xee; 200]).client(&query(5, "SELECT 5")).server(&void(5));
    let items = talk.items();
    assert_eq!(items.len(), 2, "{items:#?}");
    assert_eq!(error(&items[0]), "dissection");
    assert_eq!((error(&items[1]), &items[1]["request"]["query"]), ("", &json!("SELECT 5")));
}

#[test]
fn claimed_counts_cost_nothing() {
    let mut talk = open();
    let claims: [&[u8]; 4] = [
        // Rows without columns, and many columns.
        &[0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
        &[0, 0, 0, 2, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff],
        &[0, 0, 0, 2, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0],
        &[0, 0, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff],
    ];
    for (stream, claim) in (1..).zip(claims) {
        talk.client(&query(stream, "SELECT 1")).server(&message(0x84, 8, stream, claim));
    }
    let items = talk.items();
    assert_eq!(items.len(), 4);
    assert_eq!(items[0]["response"]["rowCount"], 0x7fff_ffff);
    assert_eq!(items[0]["error"], Value::Null);
    assert!(items[1..].iter().all(|item| error(item) == "dissection"), "{items:#?}");
}

#[test]
fn lists_and_values_are_cut_and_say_so() {
    let limits = Limits { value_bytes: 8, list_entries: 2, ..Limits::default() };
    let mut talk = Talk::with_limits(PORT, limits).handshake();
    talk.client(&startup()).server(&ready()).items();
    talk.client(&query(1, "SELECT something")).server(&void(1));
    let items = talk.items();
    let cut = json!({ "value": "SELECT s", "size": 16, "truncated": true });
    assert_eq!(items[0]["request"]["query"], cut);
}
