//! AMQP 0-9-1 against its ground truth, and conversations made by hand: damaged, hostile, joined late.

mod golden_support;
mod talk;

use golden_support::{Public, carries, fixtures, replay};
use remora_dissect::{Direction, Item, Limits};
use serde_json::Value;
use talk::{Talk, as_json};

const PORT: u16 = 5672;

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(channel.to_be_bytes());
    bytes.extend(u32::try_from(payload.len()).expect("a frame fits").to_be_bytes());
    bytes.extend(payload);
    bytes.push(0xce);
    bytes
}

fn method(channel: u16, class: u16, id: u16, arguments: &[u8]) -> Vec<u8> {
    let mut payload = class.to_be_bytes().to_vec();
    payload.extend(id.to_be_bytes());
    payload.extend(arguments);
    frame(1, channel, &payload)
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).expect("a short text")];
    bytes.extend(text.as_bytes());
    bytes
}

fn declare(channel: u16, queue: &str) -> Vec<u8> {
    method(channel, 50, 10, &[&[0, 0], &text(queue)[..], &[0], &[0; 4]].concat())
}

fn declare_ok(channel: u16, queue: &str, messages: u32) -> Vec<u8> {
    method(channel, 50, 11, &[&text(queue)[..], &messages.to_be_bytes(), &[0; 4]].concat())
}

fn publish(channel: u16, key: &str, body: &[u8], piece: usize) -> Vec<u8> {
    let mut bytes = method(channel, 60, 40, &[&[0, 0, 0], &text(key)[..], &[0]].concat());
    let size = (body.len() as u64).to_be_bytes();
    bytes.extend(frame(2, channel, &[&[0, 60, 0, 0], &size[..], &[0, 0]].concat()));
    body.chunks(piece).for_each(|part| bytes.extend(frame(3, channel, part)));
    bytes
}

/// A connection whose beginning was seen.
fn begun() -> Talk {
    let mut talk = Talk::open(PORT);
    talk.client(b"AMQP\0\0\x09\x01");
    talk
}

fn assert_failures(items: &[Value], count: usize) {
    let failures = items.iter().filter(|item| item["error"]["type"] == "dissection").count();
    assert_eq!(failures, count, "{items:#?}");
}

/// Methods in the order in which items of them come, with the argument that tells them apart.
fn truth() -> Vec<Value> {
    let text = std::fs::read_to_string(fixtures().join("amqp/amqp.gt.jsonl")).expect("the truth is there");
    text.lines().map(|line| serde_json::from_str(line).expect("the truth is JSON")).collect()
}

fn base64_length(text: &Value) -> usize {
    let text = text.as_str().expect("a body is a text");
    text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()
}

#[test]
fn every_method_of_the_ground_truth_is_found() {
    let replay = replay(&fixtures().join("amqp/amqp.pcap.gz"), Limits::default());
    let items: Vec<Value> = replay.items.iter().map(as_json).collect();
    let mut left: Vec<&Value> = items.iter().filter(|item| item["protocol"]["name"] == "amqp").collect();
    let mut take = |wanted: &dyn Fn(&Value) -> bool, truth: &Value| {
        let at = left.iter().position(|item| wanted(item));
        left.remove(at.unwrap_or_else(|| panic!("no item for {truth}")))
    };
    for line in truth() {
        let name = line["method"].as_str().expect("a method").replace('.', " ");
        let from_server = line["dir"] == "s2c";
        let is = |item: &Value| {
            let (request, same) =
                (&item["request"], |ours: &Value, theirs: &Value| theirs.is_null() || ours == theirs);
            request["method"] == name.as_str()
                && (item["src"]["port"] == "5672") == from_server
                && same(&request["exchange"], &line["exchange"])
                && same(&request["queue"], &line["queue"])
                && same(&request["routingKey"], &line["routing_key"])
                && same(&request["type"], &line["type"])
                && same(&request["relyCode"], &line["reply_code"])
                && (line["error"].is_string() || same(&request["replyText"], &line["reply_text"]))
                && same(&request["properties"]["messageId"], &line["message_id"])
                && (line["reply"].as_str().is_none_or(|reply| !reply.starts_with("get"))
                    || item["response"]["method"]
                        == format!("basic {}", line["reply"].as_str().unwrap_or("")))
        };
        match name.as_str() {
            "connection start  open-ok" => {
                for name in ["connection start", "connection tune", "connection open"] {
                    take(&|item| item["request"]["method"] == name && item["error"].is_null(), &line);
                }
            }
            "heartbeat" => {}
            "protocol-header" => {
                let item = take(&|item| item["request"]["method"] == "protocol header", &line);
                assert_eq!(item["request"]["protocolId"], 3);
                assert_eq!(item["response"]["versionMinor"], 9);
            }
            _ => {
                let item = take(&is, &line);
                if let Some(size) = line["body"].as_u64() {
                    let side = if name == "basic get" { &item["response"] } else { &item["request"] };
                    assert_eq!(side["bodySize"], size, "{line}");
                    assert_eq!(base64_length(&side["body"]) as u64, size, "{line}");
                }
                if let Some(named) = line["named_by_server"].as_str() {
                    assert_eq!(item["response"]["queue"], named);
                }
                if let Some(cause) = line["cause"].as_str().filter(|cause| cause.starts_with("queue.declare"))
                {
                    let failed = take(
                        &|item| {
                            item["request"]["method"] == "queue declare"
                                && item["response"]["error"]["code"] == line["reply_code"]
                                && item["response"]["error"]["text"] == line["reply_text"]
                        },
                        &line,
                    );
                    assert_eq!(failed["base"]["status"], line["reply_code"], "{cause}");
                }
                if name != "connection close" || !from_server {
                    assert!(item["error"].is_null(), "{item}");
                }
            }
        }
    }
    // What the truth leaves out: channels that are opened after each error, their ends, and the connections that are
    // refused later.
    let rest: Vec<_> = left.iter().map(|item| item["request"]["method"].as_str().unwrap_or("")).collect();
    let known = |method: &str| {
        matches!(
            method,
            "connection start"
                | "connection tune"
                | "connection open"
                | "channel open"
                | "channel close"
                | "connection close"
                | "basic ack"
                | "basic return"
                | "confirm select"
        ) || method == "basic publish"
    };
    assert!(rest.iter().all(|method| known(method)), "{rest:?}");
    assert_eq!(rest.iter().filter(|method| **method == "basic publish").count(), 1, "to a missing exchange");
    assert_eq!(rest.iter().filter(|method| **method == "basic ack").count(), 6, "publisher confirms");
}

#[test]
fn secrets_are_not_shown() {
    let replay = replay(&fixtures().join("amqp/amqp.pcap.gz"), Limits::default());
    let mut starts = 0;
    for item in replay.items.iter().map(as_json) {
        if item["request"]["method"] == "connection start" {
            starts += 1;
            assert_eq!(item["response"]["response"], "***");
            assert_eq!(item["response"]["mechanism"], "PLAIN");
            assert!(item["response"]["user"].is_string());
        }
        assert!(!item.to_string().contains("\\u0000"));
    }
    assert_eq!(starts, 4);
}

#[test]
fn pipelined_methods_pair_in_order_and_channels_do_not_mix() {
    let mut talk = begun();
    talk.client(&[declare(1, "a"), declare(1, "b"), declare(2, "c")].concat());
    talk.server(&[declare_ok(2, "c", 3), declare_ok(1, "a", 1), declare_ok(1, "b", 2)].concat());
    let items = talk.finish();
    assert_eq!(items.len(), 3);
    for item in &items {
        assert_eq!(item["request"]["queue"], item["response"]["queue"]);
        assert!(item["error"].is_null());
    }
}

#[test]
fn contents_of_channels_interleave() {
    let mut talk = begun();
    let (first, second) = (publish(1, "one", b"0123456789", 4), publish(2, "two", b"abcdef", 3));
    let (head, tail) = first.split_at(first.len() - 10);
    talk.client(&[head, &second, tail].concat());
    // `tail` begins in the middle of a frame: channels interleave between frames only.
    let items = talk.finish();
    assert_failures(&items, items.iter().filter(|item| !item["error"].is_null()).count());

    let mut talk = begun();
    let frames = [
        &publish(1, "one", b"", 4)[..],
        &frame(1, 2, &[&[0, 60, 0, 40, 0, 0, 0], &text("two")[..], &[0]].concat()),
    ]
    .concat();
    talk.client(&frames);
    let items = talk.items();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["request"]["body"], "");
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["request"]["truncated"], true);
    assert_eq!(items[0]["error"]["msg"], "the content is not complete");
}

#[test]
fn a_body_with_a_hole_is_marked() {
    let mut talk = begun();
    let bytes = publish(1, "k", &[7; 5_000], 5_000);
    let hole = 3_000;
    talk.client(&bytes[..hole]).lose(Direction::ToServer, 500).client(&bytes[hole + 500..]);
    talk.client(&publish(1, "next", b"x", 9));
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:#?}");
    assert_eq!(items[0]["request"]["truncated"], true);
    assert!(!items[0]["error"].is_null() && !items[0]["gap"].is_null());
    assert_eq!(items[1]["request"]["routingKey"], "next");
    assert!(items[1]["error"].is_null());
}

#[test]
fn a_lost_answer_does_not_shift_those_after_it() {
    let mut talk = begun();
    talk.client(&declare(1, "a")).server(&declare_ok(1, "a", 1));
    let lost = declare_ok(1, "b", 2);
    talk.client(&declare(1, "b")).lose(Direction::ToClient, u32::try_from(lost.len()).expect("small"));
    talk.client(&declare(1, "c")).server(&declare_ok(1, "c", 3));
    for name in ["d", "e"] {
        talk.client(&declare(1, name)).server(&declare_ok(1, name, 3));
    }
    let items = talk.finish();
    for item in items.iter().filter(|item| item["error"].is_null()) {
        assert_eq!(item["request"]["queue"], item["response"]["queue"], "{items:#?}");
    }
    assert!(items.iter().any(|item| item["request"]["queue"] == "e" && item["error"].is_null()));
}

#[test]
fn a_connection_joined_late_is_recognised() {
    let mut talk = Talk::new(PORT);
    talk.server(&declare_ok(1, "before", 0));
    talk.client(&declare(1, "a")).server(&declare_ok(1, "a", 1));
    talk.client(&publish(3, "k", b"body", 9));
    let items = talk.finish();
    let whole: Vec<_> = items.iter().filter(|item| item["error"].is_null()).collect();
    assert_eq!(whole.len(), 2, "{items:#?}");
    assert_eq!(whole[0]["response"]["queue"], "a");
    assert_eq!(whole[1]["request"]["body"], "Ym9keQ==");
}

#[test]
fn other_traffic_is_left_alone() {
    for bytes in
        [&b"AMQP\x02\x01\0\0"[..], b"AMQX", &[1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 10, 0xcf], &[8; 64], &[1; 64]]
    {
        let mut talk = Talk::open(PORT);
        talk.client(bytes).server(bytes).close();
        let items = talk.finish();
        assert!(items.iter().all(|item| item["protocol"]["version"] != "0-9-1"), "{bytes:?} {items:?}");
    }
}

#[test]
fn what_makes_no_sense_is_told_once() {
    let mut talk = begun();
    talk.client(&declare(1, "a"));
    for _ in 0..5 {
        talk.client(&[0xff; 300]);
    }
    talk.client(&declare(1, "b")).server(&declare_ok(1, "b", 1));
    let items = talk.finish();
    assert_failures(&items, 1);
    assert!(
        items.iter().any(|item| item["request"]["queue"] == "b" && item["response"]["messageCount"] == 1)
    );
}

#[test]
fn hostile_sizes_cost_nothing() {
    let limits = Limits { message_bytes: 64 << 10, waiting_requests: 64, ..Limits::default() };
    let mut talk = Talk::with_limits(PORT, limits).handshake();
    talk.client(b"AMQP\0\0\x09\x01");
    for channel in 1..=2_000u16 {
        let mut bytes = publish(channel, "k", &[], 1);
        bytes.truncate(bytes.len() - 22);
        bytes.extend(frame(2, channel, &[&[0, 60, 0, 0][..], &[0xff; 8], &[0, 0]].concat()));
        bytes.extend(frame(3, channel, &[1; 9_000]));
        talk.client(&bytes);
        talk.client(&declare(channel, "q"));
    }
    assert!(talk.memory() < 4 << 20, "{}", talk.memory());
    // A table that says it is larger than its frame.
    talk.client(&method(1, 50, 10, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    assert!(!talk.finish().is_empty());
}

#[test]
fn public_captures_are_understood() {
    let Some(public) = Public::open() else { return };
    for (path, _) in public.captures().filter(|(_, protocols)| carries(protocols, "amqp")) {
        let replay = replay(&public.folder.join(path), Limits::default());
        let ours: Vec<&Item> =
            replay.items.iter().filter(|item| item.draft.protocol.name == "amqp").collect();
        let whole = ours.iter().filter(|item| item.draft.error.is_none()).count();
        eprintln!("{path}: {} items, {whole} whole", ours.len());
        assert!(whole * 10 >= ours.len() * 8 && whole > 0, "{path}");
    }
}
