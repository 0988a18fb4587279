//! AMQP 1.0: conversations made by hand.

mod talk;

use remora_dissect::Direction;
use serde_json::{Value, json};
use talk::Talk;

const HEADER: &[u8] = b"AMQP\0\x01\0\0";
const SASL: &[u8] = b"AMQP\x03\x01\0\0";

/// A frame with a performative of `count` fields, and what follows it.
fn frame(kind: u8, channel: u8, code: u8, count: u8, fields: &[u8], payload: &[u8]) -> Vec<u8> {
    let size = u8::try_from(fields.len() + 1).expect("a short list");
    let body = [&[0, 0x53, code, 0xc0, size, count][..], fields, payload].concat();
    let length = u32::try_from(8 + body.len()).expect("a frame fits").to_be_bytes();
    [&length[..], &[2, kind, 0, channel], &body].concat()
}

fn open(name: &str) -> Vec<u8> {
    frame(0, 0, 0x10, 1, &[&[0xa1, 1], name.as_bytes()].concat(), b"")
}

fn connected() -> Talk {
    let mut talk = Talk::open(5672);
    talk.client(HEADER).server(HEADER).client(&open("c")).server(&open("s"));
    let items = talk.items();
    assert_eq!(items.len(), 1, "{items:#?}");
    assert_eq!(items[0]["protocol"]["version"], "1-0");
    assert_eq!(items[0]["base"]["summary"], "c");
    assert_eq!(items[0]["response"], json!({ "method": "open", "containerId": "s", "channel": 0 }));
    talk
}

#[test]
fn names_are_shown_and_passwords_are_not() {
    let mut talk = Talk::open(5672);
    talk.client(SASL).server(SASL);
    talk.server(&frame(1, 0, 0x40, 1, b"\xf0\0\0\0\x0e\0\0\0\x01\xb3\0\0\0\x05PLAIN", b""));
    talk.client(&frame(1, 0, 0x41, 2, b"\xa3\x05PLAIN\xa0\x07\0me\0pwd", b""));
    talk.server(&frame(1, 0, 0x44, 1, b"\x50\x01", b""));
    let items = talk.finish();
    assert_eq!(items[0]["request"]["saslServerMechanisms"], json!(["PLAIN"]));
    let init = &items[1];
    assert_eq!(
        init["request"],
        json!({ "method": "sasl init", "user": "me", "mechanism": "PLAIN", "initialResponse": "***", "channel": 0 })
    );
    assert_eq!(init["response"]["error"]["code"], 1);
    assert_eq!(init["base"]["status"], 1);
}

#[test]
fn performatives_pair_and_transfers_show_their_message() {
    let mut talk = connected();
    talk.client(&frame(0, 1, 0x11, 2, b"\x40\x43", b""));
    talk.server(&frame(0, 7, 0x11, 2, b"\x60\0\x01\x43", b""));
    let source = b"\0\x53\x28\xc0\x05\x01\xa1\x02q1";
    talk.client(&frame(0, 1, 0x12, 6, &[&b"\xa1\x01l\x43\x41\x40\x40"[..], source].concat(), b""));
    talk.server(&frame(0, 7, 0x12, 3, b"\xa1\x01l\x43\x42", b""));
    let message = b"\0\x53\x70\xc0\x02\x01\x41\0\x53\x74\xc1\x06\x02\xa1\x01k\x54\xff\0\x53\x75\xa0\x03abc";
    talk.client(&frame(0, 1, 0x14, 3, b"\x43\x43\xa0\x01t", message));
    talk.client(&frame(0, 0, 0x18, 0, b"", b""));
    talk.server(&frame(0, 0, 0x18, 1, b"\0\x53\x1d\xc0\x05\x01\xa3\x02no", b""));
    let items = talk.finish();
    let methods: Vec<_> = items.iter().map(|item| item["request"]["method"].as_str().unwrap_or("")).collect();
    assert_eq!(methods, ["begin", "attach", "transfer", "close"]);
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:#?}");
    assert_eq!(items[0]["response"]["remoteChannel"], 1);
    assert_eq!(items[1]["request"]["source"], json!({ "type": "source", "address": "q1" }));
    let transfer = &items[2]["request"];
    assert_eq!(transfer["payloadSize"], message.len());
    assert_eq!(
        transfer["message"],
        json!({
            "header": { "type": "header", "durable": true }, "applicationProperties": { "k": -1 }, "data": "YWJj",
        })
    );
    assert_eq!(items[3]["response"]["error"]["condition"], "no");
}

#[test]
fn after_a_loss_nothing_is_paired() {
    let mut talk = connected();
    talk.client(&frame(0, 0, 0x18, 0, b"", b""));
    talk.lose(Direction::ToClient, 40).server(&frame(0, 0, 0x18, 0, b"", b""));
    let items = talk.finish();
    assert!(items.iter().all(|item| item["error"]["type"] == "pair-not-found"), "{items:#?}");
}

#[test]
fn hostile_values_are_told_once() {
    let mut talk = connected();
    // An array of 2^32 - 1 nulls, and lists that nest.
    talk.client(&frame(0, 0, 0x10, 1, b"\xf0\0\0\0\x05\xff\xff\xff\xff\x40", b""));
    talk.client(&frame(0, 0, 0x10, 1, &[0; 200], b""));
    talk.client(&[0xff; 40]).client(&[0xff; 40]);
    talk.client(&frame(0, 0, 0x18, 0, b"", b""));
    let items: Vec<Value> = talk.finish();
    assert_eq!(items.iter().filter(|item| item["error"]["type"] == "dissection").count(), 1, "{items:#?}");
    assert!(items.iter().any(|item| item["request"]["method"] == "close"));
}

#[test]
fn other_traffic_is_left_alone() {
    for bytes in [&b"AMQP\0\0\x09\x01"[..], &[0; 64], &[0, 0, 0, 16, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]] {
        let mut talk = Talk::open(5672);
        talk.client(bytes).close();
        assert!(talk.finish().iter().all(|item| item["protocol"]["version"] != "1-0"));
    }
}
