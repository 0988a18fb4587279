//! SMTP conversations: what is paired, what is marked, and what is nobody's.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::{Talk, as_json};

const GREETING: &[u8] = b"220 mx ESMTP\r\n";

fn of_smtp(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().filter(|item| item["protocol"]["name"] == "smtp").collect()
}

/// A connection after EHLO, and its items from then on.
fn greeted() -> Talk {
    let mut talk = Talk::open(2525);
    talk.server(GREETING).client(b"EHLO me\r\n").server(b"250-mx\r\n250 SIZE 1\r\n");
    assert_eq!(of_smtp(talk.items()).len(), 2);
    talk
}

#[test]
fn the_capture_gives_its_mails() {
    let folder = fixtures().join("smtp");
    let replay = replay(&folder.join("smtp.pcap"), Limits::default());
    let items = of_smtp(replay.items.iter().map(as_json).collect());
    let mails: Vec<_> = items.iter().filter(|item| item["request"]["command"] == "MAIL").collect();
    let truth = fs::read_to_string(folder.join("smtp.gt.jsonl")).expect("the ground truth is there");
    assert_eq!(mails.len(), truth.lines().count());
    for (line, mail) in truth.lines().zip(mails) {
        let truth: Value = serde_json::from_str(line).expect("JSON");
        let request = &mail["request"];
        assert_eq!((&request["from"], &request["recipients"]), (&truth["mail_from"], &truth["rcpt"]));
        assert_eq!(request["subject"], truth["subject"], "{mail}");
        assert_eq!(mail["response"]["code"], truth["result"]);
        assert_eq!(mail["error"], Value::Null);
    }
    assert!(items.iter().all(|item| item["error"].is_null()));
}

#[test]
fn a_pipelined_mail_is_one_item() {
    let mut talk = greeted();
    talk.client(b"MAIL FROM:<a@x> SIZE=9\r\nRCPT TO:<b@x>\r\nRCPT TO:<c@x>\r\nDATA\r\n")
        .server(b"250 ok\r\n250 ok\r\n550 5.1.1 nobody\r\n354 go\r\n")
        .client(b"Subject: a\r\n b\r\n\r\n..dot\r\n.\r")
        .client(b"\nQUIT\r\n")
        .server(b"250 2.0.0 queued\r\n221 bye\r\n")
        .close();
    let items = of_smtp(talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    let mail = &items[0];
    assert_eq!(mail["error"], Value::Null);
    assert_eq!(mail["request"]["parameters"], json!({"SIZE": "9"}));
    assert_eq!(mail["request"]["subject"], "a b");
    assert_eq!(mail["request"]["body"], ".dot\r\n");
    assert_eq!(mail["response"]["recipients"][1]["enhancedCode"], "5.1.1");
    assert_eq!(mail["response"]["code"], 250);
    assert_eq!(mail["base"]["summary"], "a@x");
    assert_eq!(items[1]["request"]["command"], "QUIT");
}

#[test]
fn chunks_are_a_message() {
    let mut talk = greeted();
    talk.client(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nBDAT 14\r\nSubject: a\r\n\r\nBDAT 4 LAST\r\n.\r\nQ")
        .server(b"250 ok\r\n250 ok\r\n250 14 octets\r\n250 done\r\n")
        .close();
    let items = of_smtp(talk.finish());
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!((&items[0]["request"]["body"], &items[0]["request"]["size"]), (&json!(".\r\nQ"), &json!(18)));
    assert_eq!((&items[0]["response"]["text"], &items[0]["error"]), (&json!("done"), &Value::Null));
}

#[test]
fn credentials_are_not_shown() {
    let mut talk = greeted();
    talk.client(b"AUTH LOGIN\r\n")
        .server(b"334 VXNlcm5hbWU6\r\n")
        .client(b"c2VjcmV0\r\n")
        .server(b"334 UGFzc3dvcmQ6\r\n")
        .client(b"c2VjcmV0\r\n")
        .server(b"235 2.7.0 ok\r\n")
        .client(b"AUTH PLAIN c2VjcmV0\r\n")
        .server(b"503 already\r\n")
        .close();
    let items = of_smtp(talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(items.iter().all(|item| !item.to_string().contains("c2VjcmV0") && item["error"].is_null()));
    assert_eq!(items[0]["response"]["challenges"], 2);
    assert_eq!(items[0]["request"]["mechanism"], "LOGIN");
}

#[test]
fn after_starttls_the_stream_is_handed_on() {
    let hello = [0x16, 3, 1, 0, 4, 1, 0, 0, 0];
    let mut talk = greeted();
    talk.client(b"STARTTLS\r\n").client(&hello).server(b"220 go\r\n").close();
    let items = talk.finish();
    assert_eq!(items[0]["response"]["code"], 220);
    assert!(items.iter().skip(1).all(|item| item["protocol"]["name"] != "smtp"), "{items:?}");
    // Refused, it goes on.
    let mut talk = greeted();
    talk.client(b"STARTTLS\r\n").server(b"454 no\r\n").client(b"NOOP\r\n").server(b"250 ok\r\n").close();
    assert_eq!(of_smtp(talk.finish()).len(), 2);
}

#[test]
fn a_client_that_does_not_wait_for_the_greeting() {
    let mut talk = Talk::open(25);
    talk.client(b"EHLO me\r\n").server(b"220 mx\r\n250 mx\r\n").close();
    let items = of_smtp(talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(items[1]["response"]["code"], 250);
}

#[test]
fn what_is_lost_is_marked() {
    // The end of a message, and more.
    let mut talk = greeted();
    talk.client(b"MAIL FROM:<a@x>\r\n").server(b"250 ok\r\n");
    talk.client(b"RCPT TO:<b@x>\r\n").server(b"250 ok\r\n");
    talk.client(b"DATA\r\n").server(b"354 go\r\n").client(b"Subject: a\r\n\r\nbody\r\n");
    talk.lose(Direction::ToServer, 5_000)
        .server(b"250 queued\r\n")
        .client(b"QUIT\r\n")
        .server(b"221 bye\r\n");
    talk.close();
    let items = of_smtp(talk.finish());
    assert!(!items[0]["error"].is_null() && items[0]["gap"]["request"] == 5_000, "{items:?}");
    assert_eq!(items[0]["request"]["truncated"], true);

    // A reply: what waits comes out, and nothing pairs by guess.
    let mut talk = greeted();
    talk.client(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nRCPT TO:<c@x>\r\n").lose(Direction::ToClient, 8);
    talk.server(b"250 ok\r\n550 no\r\n").client(b"RSET\r\n").server(b"250 ok\r\n").close();
    for item in of_smtp(talk.finish()) {
        assert!(!item["error"].is_null() || item["request"]["command"] == "RSET", "{item}");
    }
}

#[test]
fn bytes_that_are_not_allowed_are_one_error_with_its_place() {
    let mut talk = greeted();
    talk.server(b"nonsense\r\n").server(b"more nonsense\r\n").close();
    let items = of_smtp(talk.finish());
    assert_eq!(items.len(), 1, "{items:?}");
    assert!(items[0]["error"]["msg"].as_str().expect("a text").contains("at byte 34"), "{items:?}");
}

#[test]
fn other_protocols_are_left_alone() {
    let mut talk = Talk::open(21);
    talk.server(b"220 welcome\r\n").client(b"USER a\r\n").server(b"331 password\r\n").close();
    assert!(of_smtp(talk.finish()).is_empty());
    let mut talk = Talk::open(9);
    talk.server(b"220 x\r\n").close();
    assert!(of_smtp(talk.finish()).is_empty());
}

#[test]
fn hostile_sizes_hold_no_memory() {
    let mut talk = greeted();
    talk.client(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nBDAT 18446744073709551615\r\n");
    for _ in 0..200 {
        talk.client(&[b'x'; 20_000]);
    }
    assert!(talk.memory() < 1 << 20, "{}", talk.memory());
    talk.close();
    assert!(of_smtp(talk.finish()).iter().all(|item| !item["error"].is_null()));
    let mut talk = greeted();
    (0..50_000).for_each(|_| {
        talk.server(b"250-\r\n");
    });
    assert!(talk.memory() < 1 << 20, "{}", talk.memory());
}
