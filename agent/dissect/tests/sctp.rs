//! SCTP: a capture made by hand, other people's, and what no association sends.

mod golden_support;
mod talk;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

const SCTP: u8 = 132;

fn packet(tag: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0x9c, 0x40, 0x0f, 0x1c];
    bytes.extend(tag.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(chunks.concat());
    bytes
}

fn chunk(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 3];
    bytes.extend(u16::try_from(4 + value.len()).expect("it fits").to_be_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn error(item: &Value) -> &str {
    item["error"]["type"].as_str().unwrap_or("")
}

fn row(item: &Value) -> String {
    let name = |side: &str| {
        let side = &item[side];
        ["chunkTypes", "commandName"].iter().find_map(|field| side[*field].as_str()).unwrap_or("-").to_owned()
    };
    format!("{} | {} | {}", name("request"), name("response"), error(item))
}

#[test]
fn the_fixture_is_what_was_put_into_it() {
    let replay = replay(&fixtures().join("sctp/sctp.pcap"), Limits::default());
    let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    let rows: Vec<String> = items.iter().map(row).collect();
    let expected = [
        "INIT | INIT ACK | ",
        "COOKIE ECHO, DATA | COOKIE ACK, SACK | ",
        "DATA | - | ",
        "Capabilities-Exchange | Capabilities-Exchange | ",
        "SACK | - | ",
        "DATA | - | ",
        "DATA | - | ",
        "DATA | - | ",
        "SACK, DATA | - | ",
        "Authentication-Information | Authentication-Information | ",
        "DATA | - | ",
        "HEARTBEAT | HEARTBEAT ACK, SACK | ",
        "SHUTDOWN | SHUTDOWN ACK | ",
        "SHUTDOWN COMPLETE | - | ",
        "INIT | ABORT | connection",
        "ABORT | - | connection",
    ];
    assert_eq!(rows, expected);
    let init = &items[0]["request"]["chunks"][0];
    assert_eq!((&init["initiateTag"], &init["outboundStreams"]), (&json!(0x1111_1111), &json!(10)));
    assert_eq!(init["parameters"][0], json!({"type": 5, "name": "IPv4 Address", "address": "192.0.2.1"}));
    assert_eq!(init["parameters"][2]["chunks"], json!(["FORWARD TSN", "RE-CONFIG"]));
    assert_eq!(items[0]["elapsedTime"], 2.0);
    let data = &items[10]["request"]["chunks"][0];
    assert_eq!(
        (&data["tsn"], &data["streamId"], &data["payloadProtocolName"]),
        (&json!(103), &json!(2), &json!("S1AP"))
    );
    assert_eq!(items[9]["protocol"]["layer4"], "sctp");
    assert_eq!(items[9]["request"]["userName"], "001010000000001");
    assert_eq!(items[9]["response"]["resultCode"], 5001);
    assert_eq!(items[14]["error"]["msg"], "the association was aborted: Out of Resource");
    assert_eq!(items[15]["request"]["chunks"][0]["causes"][0]["info"], "operator");
    assert_eq!(items[12]["base"]["summaryQuery"], r#"request.chunkTypes == "SHUTDOWN""#);
}

#[test]
fn what_is_not_allowed_is_one_failure_and_what_is_cut_is_marked() {
    let mut talk = Talk::new(0);
    let heartbeat = packet(7, &[chunk(4, &[0, 1, 0, 8, 1, 2, 3, 4])]);
    talk.ip(Direction::ToServer, SCTP, &heartbeat, 0);
    talk.ip(Direction::ToServer, SCTP, &packet(7, &[vec![0, 3, 0, 3]]), 0);
    talk.ip(Direction::ToServer, SCTP, &packet(7, &[chunk(1, &[0; 6])]), 0);
    talk.ip(Direction::ToServer, SCTP, &packet(7, &[chunk(0, &[0; 40])])[..30], 26);
    let items = talk.finish();
    assert_eq!(
        items.iter().map(error).collect::<Vec<_>>(),
        ["dissection", "dissection", "dissection", "pair-not-found"]
    );
    assert!(items[0]["error"]["msg"].as_str().unwrap().contains("at byte 12"), "{}", items[0]);
    assert_eq!(items[2]["gap"]["request"], 26);
}

#[test]
fn any_bytes_are_taken_and_a_flood_is_bounded() {
    let mut random = 3u64;
    let mut talk = Talk::new(0);
    for round in 0..5_000u32 {
        let mut bytes = packet(1, &[]);
        bytes.extend([(round % 200) as u8, 3, 0, 44]);
        for _ in 0..60 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.push((random >> 40) as u8);
        }
        talk.ip(Direction::ToServer, SCTP, &bytes, 0);
    }
    talk.finish();
    let mut talk = Talk::new(0);
    for round in 0..10_000u32 {
        talk.ip(Direction::ToServer, SCTP, &packet(1, &[chunk(4, &round.to_be_bytes().repeat(300))]), 0);
    }
    assert!(talk.memory() < 8 << 20, "{}", talk.memory());
}
