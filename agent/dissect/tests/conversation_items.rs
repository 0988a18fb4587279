//! Conversations as items, and connections that fail.

mod talk;

use remora_dissect::{Direction, Options};
use serde_json::{Value, json};
use talk::Talk;

const SECOND: i64 = 1_000_000_000;

const ALL: Options = Options { conversations: true, connection_errors: true };
const NONE: Options = Options { conversations: false, connection_errors: false };

fn errors(items: &[Value]) -> Vec<(&str, &str, &str)> {
    items
        .iter()
        .map(|item| {
            let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
            (text("/request/state"), text("/error/type"), text("/error/msg"))
        })
        .collect()
}

#[test]
fn a_refused_connection_is_an_item() {
    let mut talk = Talk::new(80);
    let items = talk.syn().reset(Direction::ToClient).items();
    assert_eq!(errors(&items), [("refused", "connection", "the connection was refused")]);
    assert_eq!(items[0]["protocol"]["name"], "tcp");
    assert_eq!(items[0]["dst"]["port"], "80");
    assert_eq!(items[0]["base"]["method"], "refused");
    assert_eq!(items[0]["base"]["methodQuery"], r#"request.state == "refused""#);
    assert_eq!(items[0]["request"]["resetBy"], "server");
    assert!(talk.finish().is_empty());
}

#[test]
fn a_connection_without_an_answer_is_an_item_after_a_second() {
    let mut talk = Talk::new(80);
    talk.syn();
    talk.now += SECOND;
    talk.syn();
    let items = talk.finish();
    assert_eq!(errors(&items), [("timeout", "timeout", "the server did not answer the attempt to connect")]);
    // The capture may end before the answer comes.
    assert!(Talk::new(80).syn().finish().is_empty());
}

#[test]
fn a_reset_is_an_item_unless_the_connection_was_being_closed() {
    for (by, message) in [
        (Direction::ToClient, "the server reset the connection"),
        (Direction::ToServer, "the client reset the connection"),
    ] {
        let mut talk = Talk::open(9);
        talk.client(b"anything").reset(by);
        assert_eq!(errors(&talk.finish()), [("reset", "connection", message)]);
    }
    let mut talk = Talk::open(9);
    talk.client(b"anything").close().reset(Direction::ToClient);
    assert!(talk.finish().is_empty());
    let mut talk = Talk::with_options(9, NONE).handshake();
    talk.client(b"anything").reset(Direction::ToClient);
    assert!(talk.finish().is_empty());
}

#[test]
fn a_connection_is_counted_where_that_is_wanted() {
    let mut talk = Talk::with_options(80, ALL).handshake();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    talk.client(request).again(Direction::ToServer, request);
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").close();
    let items = talk.finish();
    let item = items.iter().find(|item| item["protocol"]["name"] == "tcp").expect("the conversation");
    assert_eq!(items.len(), 2);
    assert_eq!(item["error"], Value::Null);
    let request = &item["request"];
    let expected = json!({
        "state": "closed",
        "timeBegin": request["timeBegin"],
        "timeEnd": request["timeEnd"],
        "packetsSent": 4,
        "packetsReceived": 3,
        "bytesSent": 2 * 27,
        "bytesReceived": 40,
        "retransmissionsSent": 1,
        "retransmissionsReceived": 0,
        // The SYN's answer and what it carries are a millisecond apart here.
        "handshakeTime": 2,
        "protocols": ["http"],
    });
    assert_eq!(request, &expected);
    assert_eq!(item["elapsedTime"], 6);
    assert_eq!(item["requestSize"], 2 * 27 + 40);
}

#[test]
fn a_conversation_that_goes_on_at_the_end_says_so() {
    let mut talk = Talk::with_options(80, ALL).handshake();
    talk.client(b"anything");
    let items = talk.finish();
    assert_eq!(errors(&items), [("open", "-", "-")]);
}

#[test]
fn datagrams_are_counted_too() {
    let mut talk = Talk::with_options(40_001, ALL);
    talk.datagram(Direction::ToServer, b"abc").datagram(Direction::ToClient, b"defgh");
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    let item = &items[0];
    assert_eq!(
        (&item["protocol"]["name"], &item["stream"]),
        (&json!("udp"), &json!("000000000001_udp.pcap"))
    );
    let request = &item["request"];
    assert_eq!((&request["packetsSent"], &request["bytesReceived"]), (&json!(1), &json!(5)));
    assert_eq!(request.get("handshakeTime"), None);
    let mut talk = Talk::new(40_001);
    assert!(talk.datagram(Direction::ToServer, b"abc").finish().is_empty());
}
