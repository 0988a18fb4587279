//! memcached: captures against what their clients wrote down, and conversations by hand.

mod golden_support;
mod talk;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::Value;
use talk::Talk;

fn capture(name: &str) -> Vec<Value> {
    let path = fixtures().join("memcached").join(format!("{name}.pcap"));
    let items = replay(&path, Limits::default()).items;
    items.iter().filter(|item| item.draft.protocol.name == "memcached").map(talk::as_json).collect()
}

fn truth(name: &str) -> Vec<Value> {
    let path = fixtures().join("memcached").join(format!("{name}.gt.jsonl"));
    let text = std::fs::read_to_string(path).expect("the ground truth is there");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Each line of the truth is an item, in order.
fn hold_against(items: &[Value], truth: &[Value]) {
    assert_eq!(items.len(), truth.len());
    for (item, line) in items.iter().zip(truth) {
        let (request, response) = (&item["request"], &item["response"]);
        assert!(item["error"].is_null(), "{item}");
        assert_eq!(request["command"], line["command"], "{item}");
        assert_eq!(request["key"], line["key"], "{item}");
        assert_eq!(line["alone"] == true, response.is_null(), "{item}");
        for name in ["status", "value", "number"] {
            assert!(line[name].is_null() || response[name] == line[name], "{name} of {item}");
        }
        let size = if request["size"].is_null() { &response["size"] } else { &request["size"] };
        assert!(line["size"].is_null() || *size == line["size"], "{item}");
        assert!(line["stats"].is_null() || response["stats"].is_object(), "{item}");
        assert!(
            line["hits"].is_null()
                || response["values"].as_array().expect("a list").len() as u64 == line["hits"]
        );
    }
}

#[test]
fn the_binary_protocol_comes_out_as_the_client_saw_it() {
    let items = capture("memcached_binary");
    hold_against(&items, &truth("memcached_binary"));
    assert!(items.iter().all(|item| item["protocol"]["version"] == "binary"));
    assert!(!format!("{items:?}").contains("hunter2"));
}

#[test]
fn meta_commands_come_out_as_the_client_saw_them() {
    let items = capture("memcached_meta");
    let mut truth = truth("memcached_meta");
    // The answer to this quiet one is a miss, which is told.
    let at = truth.iter().rposition(|line| line["command"] == "md").expect("md is there");
    truth[at] = serde_json::json!({"command": "md", "key": "none", "status": "NF"});
    hold_against(&items, &truth);
}

#[test]
fn the_text_protocol_comes_out_as_the_client_saw_it() {
    let items = capture("memcached");
    let truth = truth("memcached");
    for (item, line) in items.iter().zip(&truth[..14]) {
        assert!(item["error"].is_null(), "{item}");
        assert_eq!(item["request"]["command"], line["cmd"]);
        let key = if line["key"].is_null() { &line["keys"][0] } else { &line["key"] };
        assert_eq!(item["request"]["key"], *key, "{item}");
        if let Some(hits) = line["hits"].as_u64() {
            assert_eq!(item["response"]["values"].as_array().unwrap().len() as u64, hits);
        }
        match line["result"].as_str() {
            Some("6") => assert_eq!(item["response"]["number"], 6),
            Some(result) => assert_eq!(item["response"]["status"], result),
            None => {}
        }
        assert_eq!(item["response"].is_null(), line["noreply"] == true);
    }
    let refused = &items[14..];
    assert!(refused.iter().any(|item| item["request"]["command"] == "bogus"));
    assert!(refused.iter().any(|item| item["response"]["error"]["code"] == "CLIENT_ERROR"), "{refused:?}");
}

#[test]
fn values_come_in_pieces_and_with_holes() {
    let mut talk = Talk::open(11211);
    for byte in b"set k 0 0 4\r\na\r\nb\r\nget k\r\n" {
        talk.client(&[*byte]);
    }
    for byte in b"STORED\r\nVALUE k 0 4\r\na\r\nb\r\nEND\r\n" {
        talk.server(&[*byte]);
    }
    talk.client(b"get k\r\n")
        .server(b"VALUE k 0 10\r\nabc")
        .lose(Direction::ToClient, 4)
        .server(b"hij\r\nEND\r\n");
    talk.client(b"get k\r\n").server(b"END\r\n");
    let items = talk.finish();
    assert_eq!(items.len(), 4, "{items:?}");
    assert_eq!(items[1]["response"]["values"][0]["value"], "a\r\nb");
    let value = &items[2]["response"]["values"][0];
    assert_eq!(
        (&value["value"], &value["size"], &value["truncated"]),
        (&"abc".into(), &10.into(), &true.into())
    );
    assert_eq!(items[2]["gap"]["response"], 4);
    assert!(items[3]["error"].is_null());
}

#[test]
fn hostile_lengths_cost_nothing() {
    let mut talk = Talk::open(11211);
    talk.client(b"set k 0 0 2000000000\r\n");
    (0..2_000).for_each(|_| {
        talk.client(&[b'x'; 1_400]);
    });
    assert!(talk.memory() < 1 << 20);
    let mut talk = Talk::open(11211);
    talk.client(b"set k 0 0 1\r\nabc\r\n").server(b"CLIENT_ERROR bad data chunk\r\n");
    talk.client(b"get k\r\n").server(b"END\r\n");
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(items[1]["error"].is_null() && items[0]["error"]["type"] == "dissection");
}

#[test]
fn other_protocols_are_left_alone() {
    for (port, client, server) in [
        (
            11211,
            &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
            &b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..],
        ),
        (25, b"quit\r\n", b"221 bye\r\n"),
        (7000, b"set x 0 0 nonsense\r\n", b"?\r\n"),
        (7000, b"\x80\x00\x00\x01\x00\x00\x00\x00\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0x", b"\x81"),
    ] {
        let mut talk = Talk::open(port);
        talk.client(client).server(server);
        assert!(talk.finish().iter().all(|item| item["protocol"]["name"] != "memcached"), "{port}");
    }
}

#[test]
fn a_first_line_in_pieces_is_recognised_as_a_whole_one_is() {
    let mut talk = Talk::open(11_211);
    talk.client(b"bogu3").client(b"\r\n").server(b"ERR").server(b"OR\r\n").close();
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["request"]["command"], &items[0]["error"]), (&"bogu3".into(), &Value::Null));
}
