//! RADIUS: the fixture against its ground truth, and packets made by hand.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

fn packet(code: u8, id: u8, attributes: &[u8]) -> Vec<u8> {
    let mut bytes = vec![code, id];
    bytes.extend(u16::try_from(20 + attributes.len()).expect("it fits").to_be_bytes());
    bytes.extend([0xaa; 16]);
    bytes.extend(attributes);
    bytes
}

fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, u8::try_from(value.len() + 2).expect("it fits")], value].concat()
}

fn error(item: &Value) -> &str {
    item["error"]["type"].as_str().unwrap_or("")
}

#[test]
fn the_fixture_is_what_its_client_sent() {
    let folder = fixtures().join("radius");
    let replay = replay(&folder.join("radius.pcap"), Limits::default());
    let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    let truth = fs::read_to_string(folder.join("radius.gt.jsonl")).unwrap();
    let mut counted = 0;
    for line in truth.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let side = if truth["dir"] == "c2s" { "request" } else { "response" };
        let fits = |item: &&Value| {
            item[side]["id"] == truth["id"]
                && item[side]["codeName"] == truth["code"]
                && item["dst"]["port"].as_str() == Some(&truth["port"].to_string())
        };
        let item = items.iter().find(fits).unwrap_or_else(|| panic!("no item for {line}"));
        counted += 1;
        let Some(attributes) = truth["attrs"].as_str() else { continue };
        for told in attributes.split(", ") {
            let (name, value) = told.split_once(" = ").unwrap();
            let all = item["request"]["attributes"].as_array().unwrap();
            let inner = all.iter().filter_map(|attribute| attribute["attributes"].as_array()).flatten();
            let found = all.iter().chain(inner).find(|attribute| attribute["name"] == name);
            let found = found.unwrap_or_else(|| panic!("no {name} for {line}"));
            let value = value.trim_matches('"');
            let shown = match &found["value"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let right = shown == value || found["valueName"] == value;
            let hidden = name.ends_with("Password") && shown == "***";
            assert!(
                right || hidden || name == "Message-Authenticator" || value == "All",
                "{name} of {line}: {found}"
            );
        }
    }
    assert_eq!(counted, 26);
    // One that nobody answers: a change of authorization sent to the wrong port.
    let bad: Vec<String> = items
        .iter()
        .filter(|item| !item["error"].is_null())
        .map(|item| item["request"]["codeName"].to_string())
        .collect();
    assert_eq!(bad, ["\"CoA-Request\""]);
    assert_eq!(items.len(), 14);
    assert!(items.iter().any(|item| item["request"]["eap"]["identity"] == "bob"), "{items:#?}");
}

#[test]
fn values_are_shown_by_type_and_secrets_are_not() {
    let vendor = |id: u32, attributes: &[u8]| attribute(26, &[&id.to_be_bytes(), attributes].concat());
    let attributes = [
        attribute(1, "zoë".as_bytes()),
        attribute(2, &[7; 16]),
        attribute(6, &[0, 0, 0, 2]),
        attribute(61, &[0, 0, 0, 19]),
        attribute(64, &[1, 0, 0, 13]),
        attribute(81, b"\x01100"),
        attribute(97, &[0, 32, 0x20, 1, 0x0d, 0xb8]),
        attribute(8, &[192, 0, 2, 9]),
        attribute(8, &[192, 0]),
        vendor(9, &attribute(1, b"shell:priv-lvl=15")),
        vendor(311, &attribute(16, &[1; 34])),
        vendor(99_999, &[1, 2, 3]),
        attribute(200, b"?"),
        attribute(79, &[2, 1, 0, 9, 1]),
        attribute(79, b"abcd"),
    ];
    let mut talk = Talk::new(1812);
    talk.datagram(Direction::ToServer, &packet(1, 9, &attributes.concat()));
    talk.datagram(Direction::ToClient, &packet(11, 9, &[]));
    let items = talk.finish();
    assert_eq!((items.len(), error(&items[0])), (1, ""));
    let request = &items[0]["request"];
    let shown = &request["attributes"];
    assert_eq!(request["userName"], "zoë");
    assert_eq!(shown[1], json!({"type": 2, "name": "User-Password", "value": "***"}));
    assert_eq!((&shown[2]["value"], &shown[2]["valueName"]), (&json!(2), &json!("Framed")));
    assert_eq!(shown[3]["valueName"], "Wireless - IEEE 802.11");
    assert_eq!(
        shown[4],
        json!({"type": 64, "name": "Tunnel-Type", "tag": 1, "valueName": "VLAN", "value": 13})
    );
    assert_eq!((&shown[5]["tag"], &shown[5]["value"]), (&json!(1), &json!("100")));
    assert_eq!(shown[6]["value"], "2001:db8::/32");
    assert_eq!(shown[7]["value"], "192.0.2.9");
    assert_eq!(shown[8]["value"], "wAA=");
    assert_eq!(shown[9]["vendor"], "Cisco");
    assert_eq!(shown[9]["attributes"][0]["value"], "shell:priv-lvl=15");
    assert_eq!(shown[10]["attributes"][0]["value"], "***");
    assert_eq!((&shown[11]["vendorId"], &shown[11]["value"]), (&json!(99_999), &json!("AQID")));
    assert_eq!(shown[12]["name"], "Attr-200");
    assert_eq!(request["eap"]["identity"], "abcd");
    assert_eq!(items[0]["base"]["method"], "Access-Request");
    assert_eq!(items[0]["base"]["summary"], "zoë");
    assert_eq!(items[0]["base"]["status"], 11);
}

#[test]
fn requests_sent_again_are_one_and_unanswered_ones_time_out() {
    let mut talk = Talk::new(1813);
    let start = attribute(44, b"s-1");
    for _ in 0..3 {
        talk.datagram(Direction::ToServer, &packet(4, 1, &start));
    }
    talk.datagram(Direction::ToClient, &packet(5, 1, &[]));
    talk.datagram(Direction::ToClient, &packet(5, 1, &[]));
    talk.datagram(Direction::ToServer, &packet(4, 2, &start));
    // The answer to something else.
    talk.datagram(Direction::ToClient, &packet(2, 2, &[]));
    talk.now += 11_000_000_000;
    talk.datagram(Direction::ToServer, &packet(4, 3, &start));
    let items = talk.items();
    assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["", "pair-not-found", "timeout"], "{items:#?}");
    assert_eq!(items[0]["elapsedTime"], 3.0);
    assert_eq!(items[0]["base"]["summary"], "s-1");
}

#[test]
fn an_answer_seen_first_does_not_turn_the_conversation_round() {
    let mut talk = Talk::new(1812);
    talk.datagram(Direction::ToClient, &packet(2, 1, &[]));
    talk.datagram(Direction::ToServer, &packet(1, 2, &attribute(1, b"bob")));
    talk.datagram(Direction::ToClient, &packet(3, 2, &[]));
    let items = talk.finish();
    assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["pair-not-found", ""]);
    assert_eq!(items[0]["dst"]["port"], "1812");
    assert_eq!(items[1]["response"]["codeName"], "Access-Reject");
}

#[test]
fn what_does_not_fit_is_one_failure_or_nobodys() {
    let mut talk = Talk::new(1812);
    talk.datagram(Direction::ToServer, &packet(1, 1, &attribute(1, b"bob")));
    talk.datagram(Direction::ToServer, &packet(1, 2, &[1, 1, 0]));
    talk.datagram(Direction::ToClient, &packet(2, 1, &[]));
    let items = talk.finish();
    assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["dissection", ""]);
    assert!(items[0]["error"]["msg"].as_str().unwrap().contains("at byte 20"), "{}", items[0]);
    let mut random = 7u64;
    for round in 0..4_000 {
        let bytes: Vec<u8> = (0..60)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 40) as u8
            })
            .collect();
        let mut talk = Talk::new(if round % 2 == 0 { 1812 } else { 5_000 });
        talk.datagram(Direction::ToServer, &bytes);
        let items = talk.finish();
        assert!(items.is_empty() || round % 2 == 0, "{items:#?}");
    }
}
