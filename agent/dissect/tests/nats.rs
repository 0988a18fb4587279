//! NATS: a capture against what its clients saw, and conversations by hand.

mod golden_support;
mod talk;

use std::path::Path;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::Value;
use talk::Talk;

fn capture(path: &Path) -> Vec<Value> {
    let items = replay(path, Limits::default()).items;
    items.iter().filter(|item| item.draft.protocol.name == "nats").map(talk::as_json).collect()
}

#[test]
fn what_the_clients_saw_comes_out() {
    let folder = fixtures().join("nats");
    let items = capture(&folder.join("nats.pcap"));
    let text = std::fs::read_to_string(folder.join("nats.gt.jsonl")).expect("the ground truth is there");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let fits = |item: &&Value| {
            let (request, response) = (&item["request"], &item["response"]);
            let same = |name: &str, value: &Value| line[name].is_null() || line[name] == *value;
            same("verb", &request["verb"])
                && same("subject", &request["subject"])
                && same("queueGroup", &request["queueGroup"])
                && same("payload", &request["payload"])
                && same("size", &request["size"])
                && same("reply", &response["payload"])
                && same("status", &response["status"])
                && same("verdict", &response["verb"])
                && same("message", &request["error"]["message"])
                && item["error"].is_null()
        };
        assert!(items.iter().any(|item| fits(&item)), "{line} is not there");
    }
    // The client's operation that there is not, and nothing else.
    let failed: Vec<_> = items.iter().filter(|item| !item["error"].is_null()).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["request"]["data"], "Ym9ndXMNCg==");
    assert!(!format!("{items:?}").contains("hunter2"));
}

#[test]
fn requests_have_their_replies_byte_by_byte() {
    let mut talk = Talk::open(4222);
    talk.server(b"INFO {\"tls_required\":false}\r\n");
    for byte in
        b"CONNECT {\"verbose\":false,\"Pass\":\"s3cret\",\"user\":\"u\"}\r\nPUB a _INBOX.x 4\r\nPI\r\n\r\n"
    {
        talk.client(&[*byte]);
    }
    for byte in b"HMSG _INBOX.x 1 20 22\r\nNATS/1.0\r\nA: b:c\r\n\r\nok\r\n" {
        talk.server(&[*byte]);
    }
    let items = talk.finish();
    assert_eq!(items.len(), 3, "{items:?}");
    assert_eq!(
        (&items[1]["request"]["options"]["Pass"], &items[1]["request"]["options"]["user"]),
        (&"***".into(), &"u".into())
    );
    assert_eq!(items[2]["request"]["payload"], "PI\r\n");
    assert_eq!(items[2]["response"]["headers"][0]["value"], "b:c");
    assert_eq!(items[2]["response"]["payload"], "ok");
}

#[test]
fn what_nobody_on_the_connection_asked_for_is_no_reply() {
    let message = b"MSG _INBOX.y 1 2\r\nok\r\n";
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\nSUB _INBOX.y 1\r\n").server(message).close();
    let items = talk.finish();
    assert_eq!(items.len(), 3, "{items:?}");
    assert_eq!(items[2]["request"]["payload"], "ok");
    assert!(items[2]["error"].is_null(), "{items:?}");
    // Of a connection that began before the capture nobody knows.
    let mut talk = Talk::new(4222);
    talk.server(message);
    let items = talk.finish();
    assert_eq!(items[0]["error"]["type"], "pair-not-found", "{items:?}");
}

#[test]
fn holes_in_payloads_keep_the_place_and_sizes_cost_nothing() {
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\nPUB a 10\r\nabc").lose(Direction::ToServer, 4);
    talk.client(b"hij\r\nPUB b 1\r\nx\r\n");
    let items = talk.finish();
    assert_eq!(items.len(), 3, "{items:?}");
    assert!(items[1]["gap"]["request"] == 4 && items[1]["request"]["truncated"] == true);
    assert!(items[2]["error"].is_null());
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\nPUB a 2000000000\r\n");
    (0..2_000).for_each(|_| {
        talk.client(&[b'x'; 1_400]);
    });
    assert!(talk.memory() < 1 << 20);
}

const NUID: &str = "t3PaJkkaS615EB28zEYaYL";

/// What a client that listens at a subject gets for a message with a reply subject: method, response's payload, error.
fn asked(subscription: &str, reply: &str) -> Vec<(String, Value, Value)> {
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\n").client(format!("SUB {subscription}\r\n").as_bytes());
    talk.client(format!("PUB a {reply} 1\r\n?\r\n").as_bytes());
    talk.server(format!("MSG {reply} 1 1\r\n!\r\n").as_bytes()).close();
    brief(&talk.finish()[2..])
}

fn brief(items: &[Value]) -> Vec<(String, Value, Value)> {
    let brief = |item: &Value| {
        let verb = item["request"]["verb"].as_str().unwrap_or_default().to_owned();
        (verb, item["response"]["payload"].clone(), item["error"]["type"].clone())
    };
    items.iter().map(brief).collect()
}

#[test]
fn an_inbox_is_where_the_client_listens() {
    let one_way = |verb: &str| (verb.to_owned(), Value::Null, Value::Null);
    let pair = [("PUB".to_owned(), Value::from("!"), Value::Null)];
    for (subscription, reply) in [
        ("mine.* 1", "mine.1"),
        ("mine.> 1", "mine.1.2"),
        ("mine 1", "mine"),
        (&format!("mine.{NUID} 1\r\nUNSUB 1 1"), &format!("mine.{NUID}")),
    ] {
        let items = asked(subscription, reply);
        assert_eq!(items[items.len() - 1..], pair, "{subscription} {reply}");
    }
    for (subscription, reply) in
        [("mine.* queue 1", "mine.1"), ("mine.* 1", "other.1"), ("mine.* 1\r\nUNSUB 1", "mine.1")]
    {
        let items = asked(subscription, reply);
        assert_eq!(items[items.len() - 2..], [one_way("PUB"), one_way("MSG")], "{subscription} {reply}");
    }

    // Two messages with the same: nobody knows which of them is answered.
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\nSUB mine 1\r\nPUB a mine 1\r\n?\r\nPUB b mine 1\r\n?\r\n");
    talk.server(b"MSG mine 1 1\r\n!\r\nMSG mine 1 1\r\n!\r\n").close();
    assert_eq!(brief(&talk.finish()[2..]), ["PUB", "PUB", "MSG", "MSG"].map(one_way));
}

#[test]
fn what_may_be_a_reply_is_marked_where_requests_may_be_missing() {
    let reply = format!("MSG mine.{NUID}.1 1 1\r\n!\r\n");
    let lost = |verb: &str, response: Value| (verb.to_owned(), response, Value::from("pair-not-found"));
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\n").lose(Direction::ToServer, 20);
    talk.server(reply.as_bytes()).server(b"MSG news 1 1\r\n!\r\n").close();
    assert_eq!(
        brief(&talk.finish()[1..]),
        [lost("", "!".into()), ("MSG".to_owned(), Value::Null, Value::Null)]
    );

    // Where the subscription was missed the subject speaks for itself.
    let mut talk = Talk::new(4222);
    talk.client(format!("PUB a mine.{NUID}.1 1\r\n?\r\n").as_bytes()).server(reply.as_bytes()).close();
    assert_eq!(brief(&talk.finish()), [("PUB".to_owned(), "!".into(), Value::Null)]);

    // That the reply comes tells as well; then others on the subscription may be replies too.
    let mut talk = Talk::new(4222);
    talk.client(b"PUB a mine.1 1\r\n?\r\n").server(b"MSG mine.1 7 1\r\n!\r\nMSG mine.2 7 1\r\n!\r\n");
    talk.server(b"MSG news 8 1\r\n!\r\n").close();
    let items = talk.finish();
    assert_eq!(
        brief(&items),
        [
            ("PUB".to_owned(), "!".into(), Value::Null),
            lost("", "!".into()),
            ("MSG".to_owned(), Value::Null, Value::Null)
        ]
    );

    // Another may have asked for replies to the same subject.
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\nSUB mine 1\r\n").lose(Direction::ToServer, 20);
    talk.client(b"PUB b mine 1\r\n?\r\n").server(b"MSG mine 1 1\r\n!\r\n").close();
    assert_eq!(brief(&talk.finish()[2..]), [lost("PUB", Value::Null), lost("", "!".into())]);
}

#[test]
fn a_request_is_let_go_when_its_time_is_over() {
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\nPUB a _INBOX.x 1\r\n?\r\n");
    talk.now += 9_000_000_000;
    talk.client(b"PUB b 1\r\n-\r\n");
    assert_eq!(talk.items().len(), 2);
    talk.now += 2_000_000_000;
    talk.client(b"PUB b 1\r\n-\r\n");
    let items = talk.items();
    assert_eq!(
        (&items[0]["request"]["subject"], &items[0]["error"]["type"]),
        (&"a".into(), &"timeout".into())
    );
    // The reply comes after all.
    talk.server(b"MSG _INBOX.x 1 1\r\n!\r\n").close();
    assert_eq!(brief(&talk.finish()), [("MSG".to_owned(), Value::Null, Value::Null)]);
}

/// The payloads of all items.
fn payloads(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["request"]["payload"].as_str()).collect()
}

#[test]
fn lines_in_a_payload_are_none_after_a_gap() {
    let begin = b"CONNECT {\"verbose\":false}\r\n";
    // The line that says how long the payload is, and its beginning, are missing.
    let after = |rest: &[&[u8]]| {
        let mut talk = Talk::open(4222);
        talk.client(begin).lose(Direction::ToServer, 40);
        rest.iter().for_each(|bytes| {
            talk.client(bytes);
        });
        talk.finish()
    };
    let real = &b"PUB b 4\r\nreal\r\n"[..];
    for payload in [
        &b"see:\r\nPUB a 4\r\nfake\r\nand so on\r\n"[..],
        b"see:\r\nPUB a 4\r\nfake\r\n\r\n",
        b"see:\r\nPUB a 4\r\nfake\r\nPUB a 9\r\nfake\r\n",
        b"see:\r\nPUB a 4\r\nfake\r\n",
        b"see:\r\nPING\r\nSUB fake 1\r\n\r\n",
        // At the beginning of a segment.
        b"PING\r\nand so on\r\n",
        b"SUB fake 1\r\n\r\n",
        b"PUB a 4\r\nfake\r\nand so on\r\n",
        b"PUB a 4\r\nfake\r\n\r\n",
        b"PUB a 99999999\r\nfake\r\n\r\n",
    ] {
        let shown = String::from_utf8_lossy(payload);
        // All in a segment, and in two.
        for pieces in
            [&[&[payload, real, real, real].concat()[..]][..], &[payload, &[real, real, real].concat()]]
        {
            let items = after(pieces);
            assert_eq!(
                items.iter().filter(|item| !item["error"].is_null()).count(),
                0,
                "{shown:?}: {items:#?}"
            );
            let payloads = payloads(&items);
            let all_real = payloads.iter().all(|payload| *payload == "real");
            assert!(
                all_real && !payloads.is_empty() && items.len() == 1 + payloads.len(),
                "{shown:?}: {items:#?}"
            );
        }
    }
}

#[test]
fn sizes_that_are_no_numbers_are_errors() {
    for size in [&b"9999999999"[..], b"4294967296", &[0xff; 64], b"1x", b"12345678901234567890123"] {
        let mut talk = Talk::open(4222);
        talk.client(&[b"CONNECT {\"verbose\":false}\r\nPUB a ", size, b"\r\n"].concat()).close();
        let items = talk.finish();
        assert_eq!(items[1]["error"]["type"], "dissection", "{items:?}");
    }
}

#[test]
fn other_protocols_are_left_alone() {
    for (port, client, server) in [
        (6379, &b"PING\r\n"[..], &b"+PONG\r\n"[..]),
        (6379, b"INFO\r\n", b"$3\r\na:1\r\n"),
        (11211, b"get a\r\n", b"END\r\n"),
        (25, b"NOOP\r\n", b"250 ok\r\n"),
        (1863, b"SYN 1 0\r\n", b"MSG 4 N 5\r\nabcdeMSG 4 N 1\r\na"),
    ] {
        let mut talk = Talk::open(port);
        talk.client(client).server(server).close();
        let items = talk.finish();
        assert!(items.iter().all(|item| item["protocol"]["name"] != "nats"), "{items:?}");
    }
}

#[test]
fn tls_is_handed_on() {
    let mut talk = Talk::open(4222);
    talk.server(b"INFO {\"tls_required\":true}\r\n").client(&[0x16, 3, 1, 0, 4, 1, 0, 0, 0]).close();
    let items = talk.finish();
    assert_eq!(items.iter().filter(|item| item["protocol"]["name"] == "nats").count(), 1, "{items:?}");
}

#[test]
fn subscriptions_stay_under_their_cap() {
    let mut talk = Talk::open(4222);
    talk.client(b"CONNECT {\"verbose\":false}\r\n");
    for sid in 0..20_000 {
        talk.client(format!("SUB {}.* {sid}\r\n", "s".repeat(100)).as_bytes());
        talk.items();
    }
    assert!(talk.memory() < 2 << 20, "{}", talk.memory());
}
