//! LDAP conversations: what is paired, what is marked, and what is nobody's.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::{Talk, as_json};

/// A BER element.
fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    [&[tag, 0x82], &length[..], &content].concat()
}

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, id], operation])
}

fn text(text: &str) -> Vec<u8> {
    element(4, &[text.as_bytes()])
}

fn result(tag: u8, code: u8) -> Vec<u8> {
    element(tag, &[&[0x0a, 1, code], &text(""), &text("")])
}

fn search(id: u8) -> Vec<u8> {
    let fixed = [0x0a, 1, 2, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    let filter = element(0x87, &[b"cn"]);
    message(id, &element(0x63, &[&text("dc=x"), &fixed, &filter, &element(0x30, &[])]))
}

fn entry(id: u8, dn: &str) -> Vec<u8> {
    let attribute = element(0x30, &[&text("userPassword"), &element(0x31, &[&text("secret")])]);
    message(id, &element(0x64, &[&text(dn), &element(0x30, &[&attribute])]))
}

fn done(id: u8) -> Vec<u8> {
    message(id, &result(0x65, 0))
}

fn bind(id: u8) -> Vec<u8> {
    message(id, &element(0x60, &[&[2, 1, 3], &text("cn=a"), &element(0x80, &[b"secret"])]))
}

fn extended(id: u8, oid: &str) -> Vec<u8> {
    message(id, &element(0x77, &[&element(0x80, &[oid.as_bytes()])]))
}

const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
const HELLO: [u8; 9] = [0x16, 3, 1, 0, 4, 1, 0, 0, 0];

fn of_ldap(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().filter(|item| item["protocol"]["name"] == "ldap").collect()
}

#[test]
fn the_capture_gives_what_its_clients_asked() {
    let folder = fixtures().join("ldap");
    let replay = replay(&folder.join("ldap.pcap"), Limits::default());
    let items = of_ldap(replay.items.iter().map(as_json).collect());
    let truth = fs::read_to_string(folder.join("ldap.gt.jsonl")).expect("the ground truth is there");
    let mut streams: Vec<&Value> = items.iter().map(|item| &item["stream"]).collect();
    streams.dedup();
    assert_eq!(streams.len(), truth.lines().count());
    for (line, stream) in truth.lines().zip(streams) {
        let truth: Value = serde_json::from_str(line).expect("JSON");
        let of_run: Vec<&Value> = items.iter().filter(|item| item["stream"] == *stream).collect();
        assert!(of_run.iter().all(|item| item["error"].is_null()));
        // The run's last operation that has a response.
        let last = of_run.iter().rev().find(|item| !item["response"].is_null()).expect("a response");
        assert_eq!(last["response"]["resultCode"], truth["result"], "{line}");
        let request = &last["request"];
        for (name, field) in [("filter", "filter"), ("newrdn", "newRdn"), ("base", "dn")] {
            if let Some(expected) = truth.get(name) {
                assert_eq!(request[field], *expected, "{line}");
            }
        }
        if let Some(dn) = truth.get("bind_dn") {
            assert_eq!(of_run[0]["request"]["dn"], *dn);
            assert_eq!(of_run[0]["request"]["credentials"], "***");
        }
        let entries: i64 = of_run.iter().filter_map(|item| item["response"]["entryCount"].as_i64()).sum();
        assert_eq!(entries, truth.get("entries").and_then(Value::as_i64).unwrap_or(0), "{line}");
        if let Some(searches) = truth.get("searches").and_then(Value::as_u64) {
            let found = of_run.iter().filter(|item| item["request"]["type"] == "Search Request").count();
            assert_eq!(found as u64, searches);
        }
    }
}

#[test]
fn a_search_is_one_item_and_secrets_are_not_shown() {
    let mut talk = Talk::open(389);
    talk.client(&bind(1)).server(&message(1, &result(0x61, 0)));
    talk.client(&[search(2), search(3)].concat());
    talk.server(&[entry(3, "cn=b"), entry(2, "cn=a"), entry(3, "cn=c"), done(3), done(2)].concat());
    talk.client(&message(4, &[0x42, 0])).close();
    let items = of_ldap(talk.finish());
    assert_eq!(items.len(), 4, "{items:?}");
    assert!(items.iter().all(|item| item["error"].is_null() && !item.to_string().contains("secret")));
    let third = items.iter().find(|item| item["request"]["messageId"] == 3).expect("the second search");
    assert_eq!(third["response"]["entryCount"], 2);
    assert_eq!(third["response"]["entries"][1]["dn"], "cn=c");
    assert_eq!(third["response"]["entries"][0]["attributes"]["userPassword"], json!(["***"]));
    assert_eq!(third["base"]["method"], "Search Request");
    assert_eq!((&third["base"]["summary"], &third["request"]["filter"]), (&json!("dc=x"), &json!("(cn=*)")));
}

#[test]
fn after_start_tls_the_stream_is_handed_on() {
    // The client's hello is captured before the response.
    let mut talk = Talk::open(389);
    talk.client(&extended(1, START_TLS)).client(&HELLO).server(&message(1, &result(0x78, 0))).close();
    let items = talk.finish();
    assert_eq!(items[0]["request"]["name"], "StartTLS");
    assert_eq!(of_ldap(items).len(), 1);
    // Refused, it goes on.
    let mut talk = Talk::open(389);
    talk.client(&extended(1, START_TLS)).client(&search(2));
    talk.server(&message(1, &result(0x78, 2))).server(&done(2)).close();
    let items = of_ldap(talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(
        (&items[0]["response"]["result"], &items[0]["response"]["success"]),
        (&json!("protocolError"), &json!(false))
    );
}

#[test]
fn an_abandoned_search_is_no_error() {
    let mut talk = Talk::open(389);
    talk.client(&search(1)).client(&message(2, &[0x50, 1, 1])).close();
    let items = of_ldap(talk.finish());
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
}

#[test]
fn a_search_with_lost_entries_is_marked() {
    let mut talk = Talk::open(389);
    talk.client(&search(1)).server(&done(1)).client(&search(2)).server(&entry(2, "cn=a"));
    talk.lose(Direction::ToClient, 500).server(&done(2)).client(&search(3)).server(&done(3)).close();
    let items = of_ldap(talk.finish());
    assert_eq!(items.len(), 3, "{items:?}");
    let errors: Vec<bool> = items.iter().map(|item| !item["error"].is_null()).collect();
    assert_eq!(errors, [false, true, false], "{items:?}");
}

#[test]
fn a_capture_that_joins_pairs_by_id_whatever_it_missed() {
    let mut talk = Talk::new(389);
    talk.server(&entry(7, "cn=a")).server(&done(7)).client(&search(8)).server(&done(8)).close();
    let items = of_ldap(talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!((&items[0]["request"], &items[0]["error"]["type"]), (&Value::Null, &json!("pair-not-found")));
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn bytes_that_are_not_allowed_are_one_error_with_its_place() {
    let mut talk = Talk::open(389);
    let first = search(1);
    talk.client(&first)
        .client(b"what is this")
        .client(b"and this")
        .client(&search(2))
        .server(&done(2))
        .close();
    let items = of_ldap(talk.finish());
    let failures: Vec<_> = items.iter().filter(|item| item["error"]["type"] == "dissection").collect();
    assert_eq!(failures.len(), 1, "{items:?}");
    let place = format!("at byte {}", first.len());
    assert!(failures[0]["error"]["msg"].as_str().expect("a text").contains(&place), "{items:?}");
    assert!(items.iter().any(|item| item["request"]["messageId"] == 2 && item["error"].is_null()));
}

#[test]
fn a_malformed_operation_says_where() {
    let mut talk = Talk::open(389);
    let bad =
        message(2, &element(0x66, &[&text("cn=a"), &element(0x30, &[&element(0x30, &[&[0x0a, 1, 9]])])]));
    talk.client(&search(1)).client(&bad).server(&done(1)).server(&message(2, &result(0x67, 2))).close();
    let items = of_ldap(talk.finish());
    let item = items.iter().find(|item| item["request"]["messageId"] == 2).expect("the change");
    assert_eq!((&item["error"]["type"], &item["request"]["dn"]), (&json!("dissection"), &json!("cn=a")));
}

#[test]
fn cldap_answers_in_one_datagram() {
    let mut talk = Talk::new(389);
    talk.datagram(Direction::ToServer, &search(1));
    talk.datagram(Direction::ToClient, &[entry(1, ""), done(1)].concat());
    let items = of_ldap(talk.finish());
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!((&items[0]["response"]["entryCount"], &items[0]["error"]), (&json!(1), &Value::Null));
    assert_eq!(items[0]["protocol"]["abbr"], "CLDAP");
}

#[test]
fn other_protocols_are_left_alone() {
    // SNMP over TCP, Kerberos over TCP, nothing at all.
    let snmp = element(0x30, &[&[2, 1, 1], &text("public"), &element(0xa0, &[&[2, 1, 1]])]);
    for bytes in [snmp, [&[0, 0, 0, 9, 0x6a][..], &[0x30; 8]].concat(), vec![0x30; 64]] {
        let mut talk = Talk::open(389);
        talk.client(&bytes).server(&bytes).close();
        assert!(of_ldap(talk.finish()).is_empty());
    }
}

#[test]
fn hostile_lengths_and_endless_answers_hold_no_memory() {
    let mut talk = Talk::open(389);
    talk.client(&search(1))
        .client(&[0x30, 0x84, 3, 0xff, 0xff, 0xff, 2, 1, 2, 0x63, 0x84, 3, 0xff, 0xff, 0xf6]);
    for _ in 0..300 {
        talk.client(&[0; 20_000]);
    }
    let many: Vec<u8> = (0..100).flat_map(|_| entry(1, "cn=a,dc=x")).collect();
    for _ in 0..200 {
        talk.server(&many);
    }
    assert!(talk.memory() < 4 << 20, "{}", talk.memory());
    talk.server(&done(1)).close();
    let items = of_ldap(talk.finish());
    let item = items.iter().find(|item| item["response"]["entryCount"] == 20_000).expect("the search");
    assert_eq!(item["response"]["truncated"], true);
    assert!(item["response"]["entries"].as_array().expect("a list").len() <= 1_000);
}
