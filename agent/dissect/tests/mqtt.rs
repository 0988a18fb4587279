//! MQTT against its ground truth, and conversations made by hand: damaged, hostile, joined late.

mod golden_support;
mod talk;

use std::collections::HashMap;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::Value;
use talk::{Talk, as_json};

const PORT: u16 = 1883;
const CONNECT_4: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x1e\0\x01c";
const CONNECT_5: &[u8] = b"\x10\x0e\0\x04MQTT\x05\x02\0\x1e\0\0\x01c";

fn connected(connect: &[u8]) -> Talk {
    let mut talk = Talk::open(PORT);
    let answer: &[u8] = if connect == CONNECT_5 { b"\x20\x03\0\0\0" } else { b"\x20\x02\0\0" };
    talk.client(connect).server(answer);
    assert_eq!(talk.items().len(), 1);
    talk
}

#[test]
fn every_packet_of_the_ground_truth_is_found() {
    let replay = replay(&fixtures().join("mqtt/mqtt.pcap.gz"), Limits::default());
    let items: Vec<Value> = replay.items.iter().map(as_json).collect();
    let items: Vec<&Value> = items.iter().filter(|item| item["protocol"]["name"] == "mqtt").collect();
    // Connections by the names of their clients.
    let clients: HashMap<&str, &str> = items
        .iter()
        .filter_map(|item| Some((item["stream"].as_str()?, item["request"]["clientId"].as_str()?)))
        .collect();
    let client = |item: &Value| clients.get(item["stream"].as_str().unwrap_or("")).copied().unwrap_or("");
    let text = std::fs::read_to_string(fixtures().join("mqtt/mqtt.gt.jsonl")).expect("the truth is there");
    let mut left = items.clone();
    let mut checked = 0;
    for line in text.lines() {
        let truth: Value = serde_json::from_str(line).expect("the truth is JSON");
        let packet = truth["packet"].as_str().expect("a packet");
        if packet == "none" || truth["transport"].is_string() {
            continue;
        }
        checked += 1;
        let request =
            ["CONNECT", "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE", "DISCONNECT", "PINGREQ"].contains(&packet);
        let matches = |item: &Value| {
            let side = if request { &item["request"] } else { &item["response"] };
            let same = |ours: &Value, theirs: &Value| theirs.is_null() || ours == theirs;
            let topics = item["request"]["topics"].as_array().map(|topics| {
                let name =
                    |topic: &Value| if topic.is_string() { topic.clone() } else { topic["topic"].clone() };
                Value::from(topics.iter().map(name).collect::<Vec<_>>())
            });
            side["type"] == packet
                && client(item) == truth["client"].as_str().unwrap_or("")
                && same(&side["topic"], &truth["topic"])
                && same(&side["payloadSize"], &truth["payload"])
                && same(&side["qos"], if truth["qos"].is_array() { &Value::Null } else { &truth["qos"] })
                && same(&side["retain"], &truth["retain"])
                && same(&side["reasonCode"], &truth["rc"])
                && same(&side["keepAlive"], &truth["keepalive"])
                && same(&side["username"], &truth["username"])
                && (truth["version"].as_str().is_none_or(|version| version.starts_with("level"))
                    || side["version"] == truth["version"]
                    || !request)
                && same(&side["will"]["topic"], &truth["will"])
                && same(&topics.unwrap_or_default(), &truth["topics"])
                && (truth["dir"].is_null() || (truth["dir"] == "s2c") == (item["dst"]["port"] != "1883"))
        };
        let item = left.iter().position(|item| matches(item)).unwrap_or_else(|| panic!("no item for {line}"));
        assert!(left[item]["error"].is_null(), "{}", left[item]);
        if request
            && packet != "CONNECT"
            && packet != "SUBSCRIBE"
            && packet != "UNSUBSCRIBE"
            && packet != "PINGREQ"
        {
            left.remove(item);
        }
    }
    assert_eq!(checked, 61);
    let messages =
        |items: &[&Value]| items.iter().filter(|item| item["request"]["type"] == "PUBLISH").count();
    assert_eq!(messages(&left), 1, "only the one to auth/t is not in the truth");
    for item in items.iter().filter(|item| item["request"]["qos"].as_u64().unwrap_or(0) > 0) {
        let last = if item["request"]["qos"] == 1 { "PUBACK" } else { "PUBCOMP" };
        assert_eq!(item["response"]["type"], last);
    }
}

#[test]
fn aliases_stand_for_topics() {
    let mut talk = connected(CONNECT_5);
    let first: &[u8] = b"\x30\x09\0\x01t\x03\x23\0\x01ab";
    let second: &[u8] = b"\x30\x07\0\0\x03\x23\0\x01c";
    talk.client(first).client(second);
    let items = talk.items();
    assert_eq!((&items[1]["request"]["topic"], &items[1]["request"]["payload"]), (&"t".into(), &"c".into()));
    // What an alias stands for may have changed in what is missing.
    talk.lose(Direction::ToServer, 20).client(second);
    let items = talk.finish();
    assert_eq!(items[0]["request"]["topic"], Value::Null);
    assert_eq!(items[0]["error"]["type"], "dissection");
}

#[test]
fn refusals_are_errors() {
    let mut talk = connected(CONNECT_5);
    talk.client(b"\x82\x07\0\x01\0\0\x01t\x01").server(b"\x90\x04\0\x01\0\x87");
    talk.client(b"\x34\x07\0\x01t\0\x02\0x").server(b"\x50\x03\0\x02\x97");
    talk.server(b"\xe0\x01\x8b");
    let items = talk.finish();
    let statuses: Vec<_> = items.iter().map(|item| item["base"]["status"].as_i64().unwrap_or(0)).collect();
    assert_eq!(statuses, [0x87, 0x97, 0x8b]);
    assert_eq!(items[1]["response"]["error"]["text"], "Quota exceeded");
    assert_eq!(items[2]["request"]["reason"], "Server shutting down");
}

#[test]
fn an_acknowledgement_with_a_hole_is_a_response() {
    let mut talk = connected(CONNECT_5);
    talk.client(b"\x82\x0b\0\x01\0\0\x01t\x01\0\x01u\x01");
    talk.server(b"\x90\x06\0\x01\0").lose(Direction::ToClient, 3).server(b"\xd0\0");
    talk.client(b"\xe0\0").close();
    let items = talk.finish();
    let sides = |item: &Value| (item["request"]["type"].clone(), item["response"]["type"].clone());
    let of_type = |name: &str| items.iter().find(|item| item["base"]["method"] == name).expect("it is there");
    assert_eq!(sides(of_type("SUBSCRIBE")), ("SUBSCRIBE".into(), Value::Null));
    let suback = of_type("SUBACK");
    assert_eq!(sides(suback), (Value::Null, "SUBACK".into()));
    assert_eq!(suback["dst"]["port"], PORT.to_string());
    assert_eq!((&suback["gap"]["response"], &suback["response"]["truncated"]), (&3.into(), &true.into()));
    assert!(suback["error"]["msg"].as_str().is_some_and(|text| text.contains("response bytes missing")));
}

#[test]
fn a_connection_joined_late_is_not_misread() {
    let mut talk = Talk::new(PORT);
    // In MQTT 5 the first two bytes behind the topic were a property length and another; here they are payload.
    talk.client(b"\x30\x06\0\x01t\0ab").client(b"\x30\x05\0\x01tzz").client(b"\x30\x05\0\x01tyy");
    let items = talk.finish();
    assert_eq!(items.len(), 3, "{items:#?}");
    assert_eq!(items[0]["request"]["payload"], Value::Null);
    assert_eq!(items[0]["error"]["type"], "dissection");
    // "zz" can't be properties.
    assert_eq!(items[1]["request"]["payload"], "zz");
    assert!(items[1]["error"].is_null());
}

#[test]
fn other_traffic_is_left_alone() {
    for (port, bytes) in [
        (PORT, &b"GET / HTTP/1.1\r\n\r\n"[..]),
        (PORT, b"0123456789012345"),
        (80, b"\xc0\0"),
        (PORT, b"\x10\x0d\0\x04MQTX"),
        (PORT, &[0x30; 64]),
    ] {
        let mut talk = Talk::open(port);
        talk.client(bytes).close();
        let items = talk.finish();
        assert!(items.iter().all(|item| item["protocol"]["name"] != "mqtt"), "{bytes:?} {items:?}");
    }
}

#[test]
fn what_makes_no_sense_is_told_once() {
    let mut talk = connected(CONNECT_4);
    for _ in 0..5 {
        talk.client(&[0xff; 100]);
    }
    talk.client(b"\x30\x05\0\x01tzz");
    let items = talk.finish();
    assert_eq!(items.iter().filter(|item| item["error"]["type"] == "dissection").count(), 1);
    assert_eq!(items[1]["request"]["payload"], "zz");
}

#[test]
fn unacknowledged_messages_stay_under_their_caps() {
    let limits = Limits { message_bytes: 16 << 10, waiting_requests: 32, ..Limits::default() };
    let mut talk = Talk::with_limits(PORT, limits).handshake();
    talk.client(CONNECT_4);
    for id in 1..=500u16 {
        let mut bytes = b"\x32\xd5\x0f\0\x01t".to_vec();
        bytes.extend(id.to_be_bytes());
        bytes.extend([b'x'; 2_000]);
        talk.client(&bytes);
    }
    assert!(talk.memory() < 1 << 20, "{}", talk.memory());
    let items = talk.finish();
    assert_eq!(items.len(), 501);
    assert!(items.iter().all(|item| item["error"]["type"] == "pair-not-found"));
}
