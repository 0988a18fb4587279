//! Diameter: the fixture against its ground truth, and conversations made by hand.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

const REQUEST: u8 = 0x80;

fn message(flags: u8, command: u32, id: u32, avps: &[Vec<u8>]) -> Vec<u8> {
    let avps = avps.concat();
    let mut bytes = vec![1];
    bytes.extend(&u32::try_from(20 + avps.len()).expect("it fits").to_be_bytes()[1..]);
    bytes.push(flags);
    bytes.extend(&command.to_be_bytes()[1..]);
    bytes.extend([0, 0, 0, 4]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.extend(avps);
    bytes
}

fn avp(code: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = code.to_be_bytes().to_vec();
    bytes.push(0x40);
    bytes.extend(&u32::try_from(8 + data.len()).expect("it fits").to_be_bytes()[1..]);
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn ask(id: u32) -> Vec<u8> {
    message(REQUEST, 272, id, &[avp(263, b"s;1"), avp(264, b"a.test"), avp(416, &[0, 0, 0, 1])])
}

fn answer(id: u32) -> Vec<u8> {
    message(0, 272, id, &[avp(263, b"s;1"), avp(268, &2001u32.to_be_bytes())])
}

fn error(item: &Value) -> &str {
    item["error"]["type"].as_str().unwrap_or("")
}

#[test]
fn the_fixture_is_what_its_client_did() {
    let folder = fixtures().join("diameter");
    let replay = replay(&folder.join("diameter.pcap"), Limits::default());
    // One of the connections is reset, which is an item of its own.
    let diameter = replay.items.iter().filter(|item| item.draft.protocol.name == "diameter");
    let mut items: Vec<Value> = diameter.map(talk::as_json).collect();
    let truth = fs::read_to_string(folder.join("diameter.gt.jsonl")).unwrap();
    for line in truth.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let port = truth["peer"].as_str().unwrap().rsplit(':').next().unwrap();
        let named = |item: &Value, code: u32| -> Value {
            let avps = item["request"]["avps"].as_array().unwrap();
            avps.iter().find(|avp| avp["code"] == code).cloned().unwrap_or_default()
        };
        let fits = |item: &Value| {
            let request = &item["request"];
            let end = if truth["request"] == "s2c" { &item["src"] } else { &item["dst"] };
            let kind = truth["type"].as_str().map(|kind| format!("{kind}_REQUEST"));
            request["commandName"] == truth["command"]
                && request["command"] == truth["code"]
                && item["response"]["resultCode"] == truth["result"]
                && end["port"] == port
                && (truth["session_id"].is_null() || truth["session_id"] == request["sessionId"])
                && kind.is_none_or(|kind| named(item, 416)["valueName"] == kind)
                && (truth["number"].is_null() || named(item, 415)["value"] == truth["number"])
        };
        let place = items.iter().position(fits).unwrap_or_else(|| panic!("no item for {line}"));
        let item = items.remove(place);
        assert_eq!(error(&item), "", "{line}");
        assert!(item["elapsedTime"].as_f64().unwrap() > 0.0);
        let refused = truth["note"].as_str().is_some_and(|note| note.contains("E bit"));
        assert_eq!(item["response"]["flags"]["error"], refused, "{line}");
    }
    assert!(items.is_empty(), "{items:#?}");
}

#[test]
fn values_are_shown_by_type_and_groups_with_what_is_in_them() {
    let used = avp(446, &[avp(420, &60u32.to_be_bytes()), avp(421, &1u64.to_be_bytes())].concat());
    let avps = [
        avp(263, b"s;1"),
        avp(257, &[0, 1, 192, 0, 2, 1]),
        avp(55, &[0xdf, 0, 0, 0]),
        avp(456, &[used, avp(432, &[0, 0, 0, 9])].concat()),
        avp(429, &[0xff; 4]),
        avp(4_242, b"text"),
        avp(4_243, &[0xff]),
        avp(443, &[1, 2, 3]),
        [&[0, 0, 3, 232, 0xc0, 0, 0, 16, 0, 0, 0x28, 0xaf][..], &[0, 0, 0, 1]].concat(),
    ];
    let mut talk = Talk::open(3868);
    talk.client(&message(REQUEST, 272, 1, &avps));
    let failed = avp(297, &[avp(266, &10_415u32.to_be_bytes()), avp(298, &5001u32.to_be_bytes())].concat());
    talk.server(&message(0, 272, 1, &[avp(263, b"s;1"), failed])).close();
    let items = talk.finish();
    assert_eq!((items.len(), error(&items[0])), (1, ""), "{items:#?}");
    let avps = &items[0]["request"]["avps"];
    assert_eq!(avps[0], json!({"code": 263, "name": "Session-Id", "mandatory": true, "value": "s;1"}));
    assert_eq!(avps[1]["value"], "192.0.2.1");
    assert_eq!(avps[2]["value"], 0xdf00_0000i64 - 2_208_988_800);
    assert_eq!(avps[3]["avps"][0]["avps"][1]["value"], 1);
    assert_eq!(avps[3]["avps"][1]["name"], "Rating-Group");
    assert_eq!(avps[4]["value"], -1);
    assert_eq!((&avps[5]["value"], &avps[6]["value"]), (&json!("text"), &json!("/w==")));
    assert_eq!(avps[7]["avps"], Value::Null);
    assert_eq!((&avps[8]["vendor"], &avps[8]["name"]), (&json!("3GPP"), &json!("Bearer-Usage")));
    assert_eq!(items[0]["response"]["resultCodeName"], "DIAMETER_ERROR_USER_UNKNOWN");
    assert_eq!(items[0]["base"]["statusQuery"], "response.resultCode == 5001");
    assert_eq!(items[0]["base"]["method"], "Credit-Control");
}

#[test]
fn of_what_is_said_twice_the_last_counts() {
    let result = |code: u32| avp(268, &code.to_be_bytes());
    let mut talk = Talk::open(3868);
    talk.client(&message(REQUEST, 272, 1, &[avp(264, b"a.test"), avp(263, b"s;1"), avp(264, b"b.test")]));
    talk.server(&message(0, 272, 1, &[result(2001), avp(263, &[0xff]), result(42)])).close();
    let items = talk.finish();
    let (request, response) = (&items[0]["request"], &items[0]["response"]);
    assert_eq!((&request["sessionId"], &request["originHost"]), (&json!("s;1"), &json!("b.test")));
    assert_eq!((&response["sessionId"], &response["resultCode"]), (&json!("\u{fffd}"), &json!(42)));
    // Of the last that has one.
    assert_eq!(response["resultCodeName"], "DIAMETER_SUCCESS");
}

#[test]
fn both_peers_ask_and_answers_come_in_any_order() {
    let stream = [ask(1), ask(2)].concat();
    for piece in 1..stream.len() {
        let mut talk = Talk::open(3868);
        stream.chunks(piece).for_each(|piece| {
            talk.client(piece);
        });
        talk.server(&[answer(2), ask(1), answer(1)].concat());
        talk.client(&answer(1)).close();
        let items = talk.finish();
        assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["", "", ""], "in pieces of {piece}");
        assert_eq!(items[2]["src"]["port"], "3868");
    }
}

#[test]
fn lost_bytes_cost_the_messages_they_were_in() {
    let mut talk = Talk::open(3868);
    talk.client(&ask(1)).client(&ask(2));
    talk.cut(Direction::ToClient, &answer(1), 30);
    talk.server(&answer(2));
    talk.client(&ask(3));
    talk.lose(Direction::ToClient, 333);
    talk.client(&ask(4));
    talk.server(&answer(4)).close();
    let items = talk.finish();
    let mut rows: Vec<(u64, &str)> =
        items.iter().map(|item| (item["request"]["hopByHopId"].as_u64().unwrap(), error(item))).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(1, "dissection"), (2, ""), (3, "pair-not-found"), (4, "")], "{items:#?}");
}

#[test]
fn a_stream_joined_in_the_middle_is_understood() {
    let mut talk = Talk::new(3868);
    talk.server(&answer(1));
    talk.client(&ask(2));
    talk.server(&answer(2));
    let items = talk.finish();
    assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["pair-not-found", ""]);
}

#[test]
fn what_is_not_allowed_is_one_failure() {
    let mut talk = Talk::open(3868);
    talk.client(&ask(1)).server(&answer(1));
    let mut bad = ask(2);
    bad[25] = 0xff;
    talk.client(&bad).client(&ask(3)).server(&answer(3));
    talk.client(&[7; 100]).client(&[8; 100]);
    talk.client(&ask(4)).server(&answer(4)).close();
    let items = talk.finish();
    assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["", "dissection", "", "dissection", ""]);
    assert!(items[1]["error"]["msg"].as_str().unwrap().contains("at byte"), "{}", items[1]);
    // Groups within groups, and as many AVPs as fit.
    let mut nested = avp(420, &[0; 4]);
    (0..200).for_each(|_| nested = avp(456, &nested));
    let many = vec![avp(420, &[0; 4]); 20_000];
    let mut talk = Talk::open(3868);
    talk.client(&message(REQUEST, 272, 1, &[avp(263, b"s"), nested]));
    talk.client(&message(REQUEST, 272, 2, &[vec![avp(263, b"s")], many].concat())).close();
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    assert_eq!(items[1]["request"]["avpCount"], 20_001);
    assert_eq!(items[1]["request"]["avps"].as_array().unwrap().len(), 1_000);
}

#[test]
fn other_traffic_is_left_alone() {
    let mut random = 3u64;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..100)
            .map(|place| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if place == 0 { 1 } else { (random >> 40) as u8 }
            })
            .collect();
        let mut talk = Talk::open(3868);
        talk.client(&bytes).server(&bytes).close();
        assert_eq!(talk.finish().len(), 0);
    }
}
