//! SOCKS conversations: what is negotiated, what goes on behind it, what is marked, and what is nobody's.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{Public, fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::{Talk, as_json};

const GREETING: &[u8] = &[5, 1, 0];
const CHOICE: &[u8] = &[5, 0];
const CONNECT: &[u8] = b"\x05\x01\x00\x03\x08a.testab\x00\x50";
const GRANTED: &[u8] = &[5, 0, 0, 1, 192, 0, 2, 9, 0x9c, 0x40];
const GET: &[u8] = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const FOUND: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

fn named(items: &[Value], protocol: &str) -> Vec<Value> {
    items.iter().filter(|item| item["protocol"]["name"] == protocol).cloned().collect()
}

/// The items of SOCKS; all others must be of HTTP and whole.
fn negotiated(items: &[Value]) -> Vec<Value> {
    for item in items.iter().filter(|item| item["protocol"]["name"] == "http") {
        assert_eq!((&item["request"]["path"], &item["error"]), (&json!("/x"), &Value::Null), "{item}");
    }
    named(items, "socks")
}

fn of_http(items: &[Value]) -> usize {
    named(items, "http").len()
}

#[test]
fn the_capture_gives_what_was_negotiated_and_what_went_through() {
    let folder = fixtures().join("socks");
    let replay = replay(&folder.join("socks.pcap"), Limits::default());
    let items: Vec<Value> = replay.items.iter().map(as_json).collect();
    let truth = fs::read_to_string(folder.join("socks.gt.jsonl")).expect("the ground truth is there");
    let truth: Vec<Value> = truth.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(named(&items, "socks").len(), truth.len());
    for truth in truth {
        let port = truth["port"].to_string();
        let of_it: Vec<Value> = items
            .iter()
            .filter(|item| item["src"]["port"] == *port || item["dst"]["port"] == *port)
            .cloned()
            .collect();
        let item = &named(&of_it, "socks")[0];
        for (side, name, known) in [
            ("request", "version", "version"),
            ("request", "command", "command"),
            ("request", "host", "host"),
            ("request", "port", "to"),
            ("request", "user", "user"),
            ("response", "status", "status"),
        ] {
            assert_eq!(item[side][name], truth[known], "{name} of {item}");
        }
        if let Some(method) = truth.get("method") {
            assert_eq!(&item["response"]["method"], method);
        }
        assert_eq!(item["error"], Value::Null);
        let others: Vec<&Value> = of_it.iter().filter(|item| item["protocol"]["name"] != "socks").collect();
        assert_eq!(others.is_empty(), truth.get("through").is_none(), "{others:?}");
        for other in others {
            assert_eq!((&other["protocol"]["name"], &other["error"]), (&truth["through"], &Value::Null));
        }
    }
    assert!(!items.iter().any(|item| item.to_string().contains("hush")));
}

#[test]
fn a_row_says_where_to_and_selects_it() {
    let mut talk = Talk::open(1080);
    talk.client(GREETING).server(CHOICE).client(CONNECT).server(GRANTED).close();
    let items = negotiated(&talk.finish());
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(
        items[0]["base"],
        json!({
            "method": "CONNECT", "methodQuery": r#"request.command == "CONNECT""#,
            "summary": "a.testab:80",
            "summaryQuery": r#"request.host == "a.testab" and request.port == 80"#,
            "status": 0, "statusQuery": "response.status == 0",
        })
    );
    assert_eq!((&items[0]["requestSize"], &items[0]["responseSize"]), (&json!(18), &json!(12)));
    // From the request to the reply.
    assert_eq!(items[0]["elapsedTime"], 1.0);
}

#[test]
fn what_the_client_sends_before_the_reply_goes_along() {
    let mut talk = Talk::open(4444);
    talk.client(GREETING).client(CONNECT).client(GET).server(CHOICE).server(GRANTED).server(FOUND).close();
    let items = talk.finish();
    assert_eq!((negotiated(&items).len(), of_http(&items)), (1, 1), "{items:?}");
    assert_eq!(items[0]["error"], Value::Null);
}

#[test]
fn passwords_do_not_reach_items() {
    for (verdict, status, name) in [(0, json!(0), "succeeded"), (0xff, json!(255), "authentication failed")] {
        let mut talk = Talk::open(4444);
        talk.client(&[5, 2, 0, 2]).server(&[5, 2]).client(b"\x01\x02me\x06secret").server(&[1, verdict]);
        if verdict == 0 {
            talk.client(CONNECT).server(GRANTED);
        }
        talk.close();
        let items = negotiated(&talk.finish());
        assert_eq!(items.len(), 1, "{items:?}");
        assert!(!items[0].to_string().contains("secret"));
        let request = &items[0]["request"];
        assert_eq!((&request["user"], &request["password"]), (&json!("me"), &json!("***")));
        assert_eq!(request["methods"], json!([0, 2]));
        let response = &items[0]["response"];
        assert_eq!((&response["status"], &response["statusName"]), (&status, &json!(name)));
        assert_eq!((&response["method"], &items[0]["error"]), (&json!(2), &Value::Null));
    }
}

#[test]
fn the_second_reply_to_a_bind_opens_it() {
    let bind = b"\x04\x02\x00\x15\xcb\x00\x71\x07me\x00";
    let bound = [0, 90, 0x9c, 0x40, 198, 51, 100, 2];
    let mut talk = Talk::open(1080);
    talk.client(bind).server(&bound);
    assert!(talk.items().is_empty());
    talk.server(&[0, 90, 0, 20, 203, 0, 113, 7]).client(GET).server(FOUND).close();
    let items = talk.finish();
    assert_eq!(of_http(&items), 1);
    let items = negotiated(&items);
    let response = &items[0]["response"];
    assert_eq!((&response["boundPort"], &response["incoming"]["port"]), (&json!(40_000), &json!(20)));
    assert_eq!(items[0]["error"], Value::Null);
    // Whoever connected was refused.
    let mut talk = Talk::open(1080);
    talk.client(bind).server(&bound).server(&[0, 91, 0, 0, 0, 0, 0, 0]).close();
    let items = negotiated(&talk.finish());
    assert_eq!((&items[0]["response"]["success"], &items[0]["error"]), (&json!(false), &Value::Null));
    assert_eq!(items[0]["base"]["statusQuery"], "response.incoming.status == 91");
    // Nobody connected.
    let mut talk = Talk::open(1080);
    talk.client(bind).server(&bound).close();
    let items = negotiated(&talk.finish());
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["error"]["msg"], "no second reply: the connection was closed");
    assert_eq!(items[0]["response"]["boundHost"], "198.51.100.2");
}

#[test]
fn a_request_without_reply_comes_out_alone() {
    let mut talk = Talk::open(4444);
    talk.client(GREETING).server(CHOICE).client(CONNECT).reset(Direction::ToClient);
    let items = negotiated(&talk.finish());
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!((&items[0]["response"], &items[0]["error"]["type"]), (&Value::Null, &json!("pair-not-found")));
    assert_eq!(items[0]["request"]["host"], "a.testab");
    // Nothing but three bytes tells.
    let greeted = |port| {
        let mut talk = Talk::open(port);
        talk.client(GREETING).close();
        negotiated(&talk.finish()).len()
    };
    assert_eq!((greeted(1080), greeted(4444)), (1, 0));
}

#[test]
fn a_conversation_joined_at_its_request_is_read_and_marked() {
    let mut talk = Talk::new(1080);
    talk.client(CONNECT).server(GRANTED).client(GET).server(FOUND).close();
    let items = talk.finish();
    assert_eq!(of_http(&items), 1, "{items:?}");
    let items = negotiated(&items);
    assert_eq!(items[0]["error"]["msg"], "the greeting was not captured");
    assert_eq!((&items[0]["request"]["methods"], &items[0]["request"]["port"]), (&Value::Null, &json!(80)));
    // Behind the reply it is another protocol's.
    let mut talk = Talk::new(1080);
    talk.server(GRANTED).client(GET).server(FOUND).close();
    let items = talk.finish();
    assert_eq!((negotiated(&items).len(), of_http(&items)), (0, 1), "{items:?}");
}

#[test]
fn a_lost_answer_is_marked_and_what_follows_is_read() {
    let messages: [(Direction, &[u8]); 6] = [
        (Direction::ToServer, &[5, 1, 2]),
        (Direction::ToClient, &[5, 2]),
        (Direction::ToServer, b"\x01\x02me\x02pw"),
        (Direction::ToClient, &[1, 0]),
        (Direction::ToServer, CONNECT),
        (Direction::ToClient, GRANTED),
    ];
    for lost in 0..messages.len() {
        let mut talk = Talk::open(1080);
        for (place, (direction, bytes)) in messages.iter().enumerate() {
            if place == lost {
                talk.lose(*direction, u32::try_from(bytes.len()).expect("it is short"));
            } else {
                talk.send(*direction, bytes);
            }
        }
        talk.client(GET).server(FOUND).close();
        let items = talk.finish();
        if matches!(lost, 0 | 4) {
            // What the client asked for can't be guessed. HTTP is found behind it.
            assert!(named(&items, "socks").is_empty() && of_http(&items) > 0, "without {lost}: {items:?}");
            continue;
        }
        assert_eq!(of_http(&items), 1, "without {lost}: {items:?}");
        let items = negotiated(&items);
        assert_eq!(items.len(), 1, "without {lost}: {items:?}");
        assert!(!items[0]["error"].is_null(), "without {lost}: {items:?}");
    }
}

#[test]
fn a_longer_hole_leaves_it_to_those_who_read_what_it_carries() {
    let mut talk = Talk::open(1080);
    talk.client(GREETING).server(CHOICE).client(CONNECT).client(GET);
    talk.lose(Direction::ToClient, 500).client(GET).server(FOUND).close();
    for item in talk.finish() {
        assert!(item["protocol"]["name"] == "http" && !item["error"].is_null(), "{item}");
    }
}

#[test]
fn bytes_that_are_not_allowed_are_one_error_with_its_place() {
    let mut talk = Talk::open(4444);
    talk.client(GREETING).server(CHOICE).client(CONNECT).server(b"\x07\x00\x00\x01").server(b"more").close();
    let items = negotiated(&talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!((&items[0]["request"]["command"], &items[0]["response"]), (&json!("CONNECT"), &Value::Null));
    assert_eq!(items[1]["error"]["msg"], "another version at byte 2 of the stream");
}

#[test]
fn other_protocols_are_left_alone() {
    let conversations: [(&[u8], &[u8]); 8] = [
        // DCE/RPC.
        (b"\x05\x00\x0b\x03\x10\0\0\0\x48\0\0\0", b"\x05\x00\x0c\x03\x10\0\0\0"),
        // Answers that fit nothing.
        (GREETING, b"\x05\x01"),
        (GREETING, b"\x05"),
        (GREETING, GREETING),
        (b"\x04\x01\0\x50\xc0\0\x02\x01\0", b"\x04\x5a\0\0\0\0\0\0"),
        (b"\x04\x01\0\x50\xc0\0\x02\x01\0", b"220 mx ESMTP\r\n"),
        (CONNECT, CHOICE),
        (b"\x05\x01\x00\x00\x03SELECT 1", b"\x01\0\0\x01\x01"),
    ];
    for (asked, answer) in conversations {
        let mut talk = Talk::open(4444);
        talk.client(asked).server(answer).client(b"\x05\x01").server(b"\x05\x00").close();
        let items = talk.finish();
        assert!(negotiated(&items).is_empty(), "{asked:?}: {items:?}");
    }
}

#[test]
fn whoever_was_taken_for_it_is_read_by_others() {
    // A server of HTTP whose client sends some bytes first.
    let mut talk = Talk::new(4444);
    talk.client(GREETING).client(GET).server(FOUND).close();
    let items = talk.finish();
    assert_eq!((named(&items, "socks").len(), of_http(&items)), (0, 1), "{items:?}");
}

#[test]
fn answers_are_not_taken_for_a_greeting() {
    // The choice of a method and the answer to credentials are a greeting too, and a request begins like the choice of one.
    let mut talk = Talk::open(1080);
    talk.lose(Direction::ToServer, 3).server(&[5, 2]).client(b"\x01\x02me\x02pw").server(&[1, 0]);
    for byte in CONNECT {
        talk.client(&[*byte]);
    }
    talk.server(GRANTED).client(GET).server(FOUND).close();
    for item in talk.finish() {
        assert!(!item["error"].is_null() || item["protocol"]["name"] == "http", "{item}");
    }
}

#[test]
fn a_method_that_is_not_read_ends_the_reading() {
    let mut talk = Talk::open(1080);
    talk.client(&[5, 2, 1, 2])
        .server(&[5, 1])
        .client(b"\x01\x01\0\x04spam")
        .server(b"\x01\x01\0\x04eggs")
        .close();
    let items = talk.finish();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["response"], json!({"version": 5, "method": 1, "methodName": "GSSAPI"}));
    assert_eq!(items[0]["error"], Value::Null);
}

#[test]
fn hostile_bytes_hold_no_memory() {
    let mut talk = Talk::open(1080);
    talk.client(GREETING).server(CHOICE).client(CONNECT);
    for _ in 0..500 {
        talk.client(&[b'x'; 10_000]);
    }
    assert!(talk.memory() < 1 << 20, "{}", talk.memory());
    talk.close();
    assert!(negotiated(&talk.finish()).iter().all(|item| !item["error"].is_null()));
    // A SOCKS within a SOCKS, and so on.
    let mut talk = Talk::open(1080);
    for _ in 0..100 {
        talk.client(GREETING).server(CHOICE).client(CONNECT).server(GRANTED);
    }
    talk.close();
    assert!(negotiated(&talk.finish()).len() <= 20);
}

#[test]
fn what_goes_through_in_public_captures_is_read() {
    let Some(public) = Public::open() else { return };
    let mut found = 0;
    for (path, _) in public.captures().filter(|(path, _)| path.contains("/socks")) {
        let replay = replay(&public.folder.join(path), Limits::default());
        let items: Vec<Value> = replay.items.iter().map(as_json).collect();
        let negotiations = named(&items, "socks");
        found += usize::from(!negotiations.is_empty());
        let granted = negotiations
            .iter()
            .filter(|item| item["response"]["success"] == true && item["request"]["command"] == "CONNECT")
            .count();
        let through = items.iter().filter(|item| item["protocol"]["name"] != "socks").count();
        // What is behind RDP's is not read.
        assert!(through >= granted || path.contains("rdp"), "{path}: {through} of {granted}");
        for item in negotiations {
            eprintln!("{path}: {} {} {} {}", item["base"], item["request"], item["response"], item["error"]);
            let refused = item["response"]["success"] == false;
            assert!(
                item["error"].is_null() && (refused || item["request"]["host"].is_string()),
                "{path}: {item}"
            );
        }
    }
    assert!(found >= 9, "{found}");
}
