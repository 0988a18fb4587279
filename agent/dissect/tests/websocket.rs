//! WebSocket: the fixture against what its client wrote down, and conversations made by hand.

mod golden_support;
mod talk;

use flate2::{Compress, Compression, FlushCompress};
use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Item, Limits};
use serde_json::Value;
use talk::{Talk, as_json};

fn websocket(items: Vec<Item>) -> Vec<Value> {
    items.iter().filter(|item| item.draft.protocol.name == "ws").map(as_json).collect()
}

#[test]
fn every_message_of_the_fixture_is_found() {
    let folder = fixtures().join("websocket");
    let text = std::fs::read_to_string(folder.join("websocket.gt.jsonl")).expect("the ground truth is there");
    let truth = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("ground truth is JSON"));
    // A pong lies in its ping's item.
    let truth: Vec<Value> =
        truth.filter(|line| line["proto"] == "websocket" && line["opcode"] != "pong").collect();
    let items = websocket(replay(&folder.join("websocket.pcap"), Limits::default()).items);
    let is_new = |item: &Value| {
        let port = if item["dst"]["port"] == "8765" { &item["src"]["port"] } else { &item["dst"]["port"] };
        port.as_str().and_then(|port| port.parse::<u64>().ok())
    };
    for expected in &truth {
        let from_client = expected["dir"] == "c2s";
        let count = |of: &dyn Fn(&Value) -> bool| items.iter().filter(|item| of(item)).count();
        let found = count(&|item| {
            let request = &item["request"];
            is_new(item) == expected["conn"].as_u64()
                && (item["dst"]["port"] == "8765") == from_client
                && request["opcode"] == expected["opcode"]
                && (expected["payload"].is_null() || request["payloadLength"] == expected["payload"])
                && (expected["code"].is_null() || request["closeCode"] == expected["code"])
                && (expected["deflate"].is_null() || request["compressed"] == expected["deflate"])
        });
        let twins = truth.iter().filter(|line| *line == expected).count();
        assert_eq!(found, twins, "{expected}");
    }
    assert!(items.len() >= truth.len(), "{} items for {} messages", items.len(), truth.len());
    for item in &items {
        assert!(item["error"].is_null(), "{item}");
        let request = &item["request"];
        assert_eq!(request["masked"], item["dst"]["port"] == "8765", "{item}");
        if request["opcode"] == "ping" {
            assert_eq!(item["response"]["opcode"], "pong");
            assert_eq!(item["response"]["payloadData"], request["payloadData"]);
        }
        if request["path"] == "/frag" && request["opcode"] == "text" && request["masked"] == true {
            assert_eq!(request["payloadData"], "one two three");
            assert!(request["fragments"].as_u64() > Some(2));
        }
    }
    // What the client's library closed with and the script did not write down.
    assert!(items.len() - truth.len() <= 3, "{} items for {} messages", items.len(), truth.len());
}

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
const REQUEST: &str =
    "GET /chat?room=1 HTTP/1.1\r\nHost: h.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const ACCEPT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n";

/// A frame whose first byte is `first`; a client's is masked.
fn frame(first: u8, direction: Direction, payload: &[u8]) -> Vec<u8> {
    let mask = direction == Direction::ToServer;
    let bit = if mask { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(bit | len as u8),
        len @ ..0x1_0000 => {
            frame.push(bit | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(bit | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    if mask {
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    } else {
        frame.extend(payload);
    }
    frame
}

fn up(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, Direction::ToServer, payload)
}

fn down(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, Direction::ToClient, payload)
}

/// An open WebSocket connection; `extensions` are header lines.
fn opened(extensions: &str) -> Talk {
    opened_with(extensions, Limits::default())
}

fn opened_with(extensions: &str, limits: Limits) -> Talk {
    let mut talk = Talk::with_limits(80, limits).handshake();
    talk.client(REQUEST.as_bytes()).server(format!("{ACCEPT}{extensions}\r\n").as_bytes());
    let items = talk.items();
    assert_eq!(items.len(), 1, "the handshake is an item before the first message");
    assert_eq!(items[0]["response"]["status"], 101);
    talk
}

/// Each item as one line: opcode, payload or close code, answer, error.
fn lines(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|item| {
            let side = |side: &Value| match &side["payloadData"] {
                Value::Null => format!("{} {}", side["opcode"].as_str().unwrap_or("-"), side["closeCode"]),
                data => {
                    format!("{} {}", side["opcode"].as_str().unwrap_or("-"), data.as_str().unwrap_or("-"))
                }
            };
            let arrow = if item["dst"]["port"] == "80" { "up" } else { "down" };
            let mut line = format!("{arrow} {}", side(&item["request"]));
            if !item["response"].is_null() {
                line += &format!(" -> {}", side(&item["response"]));
            }
            if let Some(message) = item["error"]["msg"].as_str() {
                line += &format!(", {}: {message}", item["error"]["type"].as_str().unwrap_or("-"));
            }
            line
        })
        .collect()
}

#[test]
fn messages_in_both_directions_and_any_pieces() {
    let mut bytes = up(0x01, b"frag");
    bytes.extend(up(0x89, b"between"));
    bytes.extend(up(0x00, b"men"));
    bytes.extend(up(0x80, b"ted"));
    bytes.extend(up(0x81, b""));
    bytes.extend(up(0x82, b"\xff\xfe"));
    bytes.extend(up(0x88, b"\x03\xe9bye"));
    let expected = [
        "down ping x -> pong x",
        "up text fragmented",
        "up text ",
        "up binary //4=",
        "up close 1001",
        "up ping between -> pong between",
        "down close null",
    ];
    for piece in [1, 2, 3, 7, bytes.len()] {
        let mut talk = opened("");
        talk.server(&down(0x89, b"x")).client(&up(0x8a, b"x"));
        for part in bytes.chunks(piece) {
            talk.client(part);
        }
        talk.server(&[down(0x8a, b"between"), down(0x88, b"")].concat());
        let items = talk.finish();
        assert_eq!(lines(&items), expected, "pieces of {piece}");
        let message = &items[1];
        assert_eq!(message["request"]["fragments"], 3);
        assert_eq!(message["request"]["path"], "/chat");
        assert_eq!(message["request"]["host"], "h.test");
        assert_eq!(message["base"]["methodQuery"], "request.opcode == \"text\"");
        assert_eq!(message["base"]["summaryQuery"], "request.path == \"/chat\"");
        assert_eq!(items[4]["request"]["closeReason"], "bye");
        assert_eq!(items[4]["base"]["statusQuery"], "request.closeCode == 1001");
        assert_eq!(items[3]["requestSize"], 8);
    }
}

#[test]
fn what_the_client_sends_before_the_answer_waits_for_it() {
    let mut talk = Talk::open(80);
    talk.client(&[REQUEST.as_bytes(), &up(0x81, b"early")].concat()).client(&up(0x81, b"bird"));
    assert!(talk.items().is_empty());
    talk.server(&[format!("{ACCEPT}\r\n").as_bytes(), &down(0x81, b"hi")].concat());
    let items = talk.finish();
    assert_eq!(lines(&items[1..]), ["up text early", "up text bird", "down text hi"]);
    assert!(items[0]["error"].is_null());

    // A refusal: HTTP goes on.
    let mut talk = Talk::open(80);
    talk.client(REQUEST.as_bytes()).server(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    talk.client(REQUEST.as_bytes()).client(b"GET /next HTTP/1.1\r\n\r\n");
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").server(b"HTTP/1.1 204 No\r\n\r\n");
    let paths: Vec<_> = talk.finish().iter().map(|item| item["request"]["path"].to_string()).collect();
    assert_eq!(paths, ["\"/chat\"", "\"/chat\"", "\"/next\""]);
}

#[test]
fn pings_without_pong_and_pongs_without_ping() {
    let mut talk = opened("");
    talk.client(&up(0x8a, b"heartbeat")).server(&down(0x89, b"1")).server(&down(0x89, b"2"));
    talk.client(&up(0x8a, b"2")).server(&down(0x89, b"3"));
    talk.now += 11_000_000_000;
    talk.client(&up(0x81, b"late")).server(&down(0x89, b"4")).close();
    assert_eq!(
        lines(&talk.finish()),
        [
            "up pong heartbeat",
            "down ping 1",
            "down ping 2 -> pong 2",
            "up text late",
            "down ping 3, timeout: no response: it did not come in time",
            "down ping 4, pair-not-found: no response: the connection was closed",
        ]
    );
}

struct Deflater(Compress);

impl Deflater {
    fn new() -> Self {
        Self(Compress::new(Compression::best(), false))
    }

    fn pack(&mut self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1_000);
        self.0.compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync).expect("it compresses");
        out.truncate(out.len() - 4);
        out
    }
}

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

#[test]
fn compressed_messages_share_a_context_until_bytes_are_missing() {
    let texts =
        ["the same words, one", "the same words, two", "the same words, three", "the same words, four"];
    for (parameters, shared) in [("", true), ("; client_no_context_takeover", false)] {
        let mut talk = opened(&DEFLATE.replace("deflate\r", &format!("deflate{parameters}\r")));
        let mut sender = Deflater::new();
        let mut frames = Vec::new();
        for text in texts {
            if !shared {
                sender = Deflater::new();
            }
            frames.push(up(0xc1, &sender.pack(text)));
        }
        talk.client(&frames[0]).client(&frames[1]);
        talk.lose(Direction::ToServer, frames[2].len() as u32);
        talk.client(&frames[3]).client(&up(0x81, b"in clear, to be read at any time"));
        let items = talk.finish();
        assert_eq!(items[0]["request"]["payloadData"], texts[0]);
        assert_eq!(items[0]["request"]["compressed"], true);
        assert_eq!(items[0]["request"]["payloadLength"], texts[0].len());
        assert_eq!(items[1]["request"]["payloadData"], texts[1]);
        let [.., late, clear] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!(clear["request"]["payloadData"], "in clear, to be read at any time");
        assert!(clear["error"].is_null());
        if shared {
            let message = "compressed with reference to messages that were not read";
            assert_eq!(late["error"]["msg"], message);
            assert_eq!(late["request"]["encoding"], "base64");
        } else {
            assert_eq!(late["request"]["payloadData"], texts[3]);
        }
    }
}

#[test]
fn large_messages_and_bombs_are_cut_and_say_so() {
    let limits = Limits { message_bytes: 10_000, ..Limits::default() };
    let mut talk = opened_with(DEFLATE, limits);
    let text = "é".repeat(20_000);
    talk.server(&down(0x81, text.as_bytes())).server(&down(0x81, b"after"));
    let bomb = Deflater::new().pack(&"0".repeat(8 << 20));
    talk.client(&up(0xc1, &bomb)).client(&up(0x81, b"after"));
    let items = talk.finish();
    let request = &items[0]["request"];
    assert_eq!((&request["payloadLength"], &request["truncated"]), (&40_000.into(), &true.into()));
    assert_eq!(request["payloadData"].as_str().map(str::len), Some(10_000));
    assert_eq!(items[1]["request"]["payloadData"], "after");
    assert_eq!(items[2]["request"]["truncated"], true);
    assert!(items[2]["request"]["payloadData"].as_str().map(str::len) <= Some(bomb.len() * 200));
    assert_eq!(items[3]["request"]["payloadData"], "after");
}

#[test]
fn a_hole_costs_the_messages_it_lies_in() {
    let mut talk = opened("");
    let long = "0123456789".repeat(500);
    let bytes = down(0x81, long.as_bytes());
    talk.server(&bytes[..1_000]).lose(Direction::ToClient, 500).server(&bytes[1_500..]);
    talk.server(&down(0x81, b"next"));
    // Behind a hole that may hide a message, the next is found where a segment begins.
    let fragment = down(0x01, b"begun and never ended");
    talk.server(&fragment)
        .lose(Direction::ToClient, 30)
        .server(b"rest of something")
        .server(&down(0x81, b"found"));
    let items = talk.finish();
    assert_eq!(items[0]["gap"]["request"], 500);
    assert_eq!(items[0]["request"]["payloadLength"], 5_000);
    assert_eq!(items[0]["request"]["payloadData"].as_str(), Some(&long[..996]));
    assert_eq!(
        lines(&items[1..]),
        [
            "down text next",
            "down text begun and never ended, dissection: bytes are missing behind it",
            "down text found"
        ]
    );
}

#[test]
fn bytes_that_are_no_frame_are_told_once() {
    let mut talk = opened("");
    talk.client(&up(0x81, b"fine"))
        .client(b"\x87not a frame")
        .client(b"\x87nor this")
        .client(&up(0x81, b"found"));
    talk.server(&down(0x80, b"continues nothing"));
    let items = talk.finish();
    let failures: Vec<_> = items
        .iter()
        .filter(|item| item["error"]["type"] == "dissection")
        .map(|item| &item["error"]["msg"])
        .collect();
    assert_eq!(items.len(), 4, "{items:?}");
    assert_eq!(failures.len(), 2);
    assert!(
        failures[0].as_str().is_some_and(|text| text.starts_with("reserved opcode at byte ")),
        "{failures:?}"
    );
    assert_eq!(items[2]["request"]["payloadData"], "found");
}

#[test]
fn a_connection_joined_in_the_middle_is_told_by_its_frames() {
    let mut talk = Talk::new(80);
    talk.client(&up(0x81, b"{\"some\": \"longer text\"}")).server(&down(0x81, b"{\"an\": \"answer\"}"));
    talk.client(&up(0x82, b"\x01\x02")).server(&down(0xc2, b"packed"));
    let items = talk.finish();
    let error = "dissection: the opening handshake was not captured";
    assert_eq!(
        lines(&items),
        [
            format!("up text {{\"some\": \"longer text\"}}, {error}"),
            format!("down text {{\"an\": \"answer\"}}, {error}"),
            format!("up binary AQI=, {error}"),
            format!("down binary cGFja2Vk, {error}"),
        ]
    );
    assert_eq!(items[0]["protocol"]["name"], "ws");
}

#[test]
fn other_protocols_are_left_to_others() {
    for (up, down) in [
        // MQTT: SUBSCRIBE twice, SUBACK.
        (
            &b"\x82\x0a\0\x01\0\x05topic\0\x82\x0a\0\x02\0\x05topik\0"[..],
            &b"\x90\x03\0\x01\0\x90\x03\0\x02\0"[..],
        ),
        (&b"\x81\xff\0\0\0\0\0\0\0\0"[..], &b"\x81"[..]),
        (&b"\x16\x03\x01\x00\x05hello"[..], &b"\x15\x03\x01\x00\x02\x02\x28"[..]),
    ] {
        let mut talk = Talk::new(80);
        talk.client(up).server(down).client(up).server(down);
        let items: Vec<_> =
            talk.finish().into_iter().filter(|item| item["protocol"]["name"] == "ws").collect();
        assert!(items.is_empty(), "{items:?}");
    }
    // It begins like one, and is not.
    let mut talk = Talk::open(80);
    talk.client(&up(0x81, b"text of more than sixteen bytes"))
        .server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let items = talk.finish();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["response"]["status"], 200);
}

#[test]
fn memory_is_bounded_by_the_caps() {
    let limits = Limits { message_bytes: 10_000, ..Limits::default() };
    let mut talk = opened_with("", limits);
    let before = talk.memory();
    talk.client(&up(0x01, &[b'x'; 50]));
    for _ in 0..2_000 {
        talk.client(&up(0x00, &[b'x'; 100])).server(&down(0x89, b"a ping"));
    }
    assert!(talk.memory() < before + 100_000, "{} after {before}", talk.memory());
    // A length near 2^63 is a claim.
    talk.server(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff").server(&[0; 1_000]);
    assert!(talk.memory() < before + 100_000);
    talk.finish();
}
