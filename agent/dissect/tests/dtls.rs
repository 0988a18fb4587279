//! DTLS handshakes: captures against their ground truth, those captures with trouble put in, conversations made by hand,
//! captures of others.

mod golden_support;
mod shake;
mod talk;

use std::fs;

use golden_support::{Public, carries, fixtures, replay};
use remora_dissect::Direction::{self, ToClient, ToServer};
use remora_dissect::Limits;
use serde_json::Value;
use talk::Talk;

fn run(name: &str) -> (Vec<Value>, Vec<Value>) {
    let truth = fs::read_to_string(fixtures().join(format!("dtls/{name}.gt.jsonl"))).expect("it is there");
    let truth = truth.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let replay = replay(&fixtures().join(format!("dtls/{name}.pcap")), Limits::default());
    (replay.items.iter().map(talk::as_json).collect(), truth)
}

fn count(list: &Value) -> Value {
    list.as_array().map_or(0, Vec::len).into()
}

/// OpenSSL's names are IANA's with less in between.
fn letters(suite: &Value) -> String {
    let name = suite.as_str().unwrap_or_default().replace("TLS_", "").replace("WITH_", "");
    let name = name.replace(['_', '-'], "");
    if name.contains("CBC") { name.replace("CBC", "") } else { name }
}

#[test]
fn captures_hold_what_was_done() {
    let (items, truth) = run("dtls");
    assert_eq!(items.len(), truth.len());
    for (item, row) in items.iter().zip(&truth) {
        let (request, response) = (&item["request"], &item["response"]);
        assert_eq!(item["dst"]["port"].as_str().unwrap(), row["port"].to_string());
        assert_eq!(item["base"]["method"], "ClientHello");
        assert_eq!(request.get("sni"), row.get("sni"));
        assert!(request["ja4"].as_str().unwrap().starts_with('d'));
        assert_eq!(count(&request["certificates"]), *row.get("clientCertificates").unwrap_or(&0.into()));
        if row.get("answered").is_some() {
            assert_eq!((&item["error"]["type"], response), (&"pair-not-found".into(), &Value::Null));
        } else if let Some(alert) = row.get("alert") {
            let side = if row["by"] == "client" { request } else { response };
            assert_eq!(&side["alert"]["code"], alert);
            assert_eq!((&item["base"]["status"], &item["error"]["type"]), (alert, &"connection".into()));
        } else {
            assert_eq!(item["error"], Value::Null, "{item}");
            assert_eq!(letters(&response["cipherSuite"]), letters(&row["cipher"]));
            let version = if row["version"] == "DTLSv1" { "DTLS 1.0" } else { "DTLS 1.2" };
            assert_eq!(response["version"], version);
            assert_eq!(response["resumed"], row["resumed"]);
            assert_eq!(response["helloVerifyRequest"], true);
            assert_eq!(response.get("alpn"), row.get("alpn"));
            assert_eq!(count(&response["certificates"]), row["certificates"]);
        }
    }
}

#[test]
fn captures_of_1_3_hold_what_was_done() {
    let (items, truth) = run("dtls13");
    assert_eq!(items.len(), truth.len());
    for (item, row) in items.iter().zip(&truth) {
        let response = &item["response"];
        assert_eq!(item["dst"]["port"].as_str().unwrap(), row["port"].to_string());
        assert_eq!((&item["error"], &item["gap"]), (&Value::Null, &Value::Null));
        assert_eq!(response["version"], row["version"]);
        assert_eq!(item["request"]["ja4"].as_str().unwrap()[..3], *"dd3");
        if row["version"] == "DTLS 1.3" {
            assert_eq!(response["helloRetryRequest"], row["retry"]);
            assert_eq!(response.get("retryGroup").is_some(), row["retry"] == true && row["cookie"] == false);
        } else {
            assert_eq!(response["helloVerifyRequest"], row["cookie"]);
        }
    }
}

#[test]
fn captures_with_trouble_give_no_wrong_items() {
    for name in ["dtls", "dtls13"] {
        shake::check(&fixtures().join(format!("dtls/{name}.pcap")));
        shake::shake(&fixtures().join(format!("dtls/{name}.pcap")), 60);
    }
}

fn record(kind: u8, epoch: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a record fits").to_be_bytes();
    [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 7], &length[..], content].concat()
}

/// A fragment of a message, without record.
fn fragment(kind: u8, sequence: u16, body: &[u8], from: usize, to: usize) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).expect("a message fits").to_be_bytes()[1..].to_vec();
    let sequence = sequence.to_be_bytes().to_vec();
    let head = [vec![kind], number(body.len()), sequence, number(from), number(to - from)].concat();
    [&head, &body[from..to]].concat()
}

/// A whole message in a record of its own.
fn message(kind: u8, sequence: u16, body: &[u8]) -> Vec<u8> {
    record(22, 0, &fragment(kind, sequence, body, 0, body.len()))
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("a vector fits").to_be_bytes()[..], bytes].concat()
}

fn extension(number: u16, data: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().to_vec(), with_length(data)].concat()
}

/// The body of a ClientHello for example.test.
fn client_hello(random: u8, cookie: &[u8], more: &[u8]) -> Vec<u8> {
    let name = with_length(&[&[0][..], &with_length(b"example.test")].concat());
    let cookie = [&[u8::try_from(cookie.len()).expect("a cookie fits")], cookie].concat();
    let extensions = with_length(&[extension(0, &name), more.to_vec()].concat());
    let suites = with_length(&[0xc0, 0x2b, 0x13, 1]);
    [&[0xfe, 0xfd][..], &[random; 32], &[0], &cookie, &suites, &[1, 0], &extensions].concat()
}

fn server_hello(random: u8, cipher: u16, extensions: &[u8]) -> Vec<u8> {
    let cipher = cipher.to_be_bytes();
    [&[0xfe, 0xfd][..], &[random; 32], &[0, cipher[0], cipher[1], 0], &with_length(extensions)].concat()
}

fn hello_1_3(random: u8) -> Vec<u8> {
    let more = [extension(43, &[0xfe, 0xfc]), extension(51, &[0, 29, 0, 1, 5])].concat();
    server_hello(random, 0x1301, &more)
}

const VERIFY: [u8; 7] = [0xfe, 0xff, 4, 1, 2, 3, 4];
const COOKIE: [u8; 4] = [1, 2, 3, 4];
const CERTIFICATE: [u8; 8] = [0, 0, 5, 0, 0, 2, 0x30, 0x80];
const KEY: [u8; 5] = [3, 0, 0x1d, 1, 7];

fn finished() -> Vec<u8> {
    [record(20, 0, &[1]), record(22, 1, &[0x5a; 40])].concat()
}

/// The datagrams of a handshake of 1.2 with a cookie.
fn full() -> Vec<(Direction, Vec<u8>)> {
    let hello = [message(2, 1, &server_hello(9, 0xc02b, &[])), message(11, 2, &CERTIFICATE)].concat();
    vec![
        (ToServer, message(1, 0, &client_hello(7, &[], &[]))),
        (ToClient, message(3, 0, &VERIFY)),
        (ToServer, message(1, 1, &client_hello(7, &COOKIE, &[]))),
        (ToClient, hello),
        (ToClient, [message(12, 3, &KEY), message(14, 4, &[])].concat()),
        (ToServer, [message(16, 2, &[0; 33]), finished()].concat()),
        (ToClient, finished()),
    ]
}

fn say(talk: &mut Talk, datagrams: &[(Direction, Vec<u8>)]) {
    for (direction, bytes) in datagrams {
        talk.datagram(*direction, bytes);
    }
}

fn error(item: &Value) -> &str {
    item["error"]["msg"].as_str().unwrap_or("")
}

/// Of the only item.
fn only(mut items: Vec<Value>) -> Value {
    assert_eq!(items.len(), 1, "{items:#?}");
    items.remove(0)
}

#[test]
fn a_handshake_is_one_item_however_often_it_is_sent() {
    let mut talk = Talk::new(5684);
    say(&mut talk, &full());
    let item = only(talk.items());
    assert_eq!(item["error"], Value::Null);
    assert_eq!(item["protocol"]["macro"], "dtls");
    assert_eq!(item["base"]["summaryQuery"], r#"request.sni == "example.test""#);
    assert_eq!(item["elapsedTime"], 3.0);
    let response = &item["response"];
    assert_eq!(response["info"], "DTLS 1.2, AES-128-GCM");
    assert_eq!((&response["resumed"], &response["helloVerifyRequest"]), (&false.into(), &true.into()));
    assert_eq!(response["group"], "x25519");
    assert_eq!(count(&response["certificates"]), 1);
    // All of it again, late.
    say(&mut talk, &full());
    assert!(talk.items().is_empty());
    // Each datagram twice, the flights again.
    let mut talk = Talk::new(5684);
    let full = full();
    for upto in 0..=full.len() {
        say(&mut talk, &full[..upto]);
    }
    let again = only(talk.finish());
    assert_eq!((&again["request"], &again["response"]), (&item["request"], &item["response"]));
    assert_eq!(
        (&again["requestSize"], &again["responseSize"]),
        (&item["requestSize"], &item["responseSize"])
    );
    assert_eq!(again["error"], Value::Null);
}

#[test]
fn messages_come_in_fragments_in_any_order() {
    let mut talk = Talk::new(5684);
    say(&mut talk, &full());
    let whole = only(talk.finish());
    for size in [1, 3, 20, 60] {
        let mut talk = Talk::new(5684);
        let split = |kind: u8, sequence: u16, body: &[u8]| -> Vec<Vec<u8>> {
            let starts = (0..body.len()).step_by(size);
            // They overlap by one.
            let end = |from: usize| (from + size + 1).min(body.len());
            starts.map(|from| fragment(kind, sequence, body, from, end(from))).collect()
        };
        let hello = client_hello(7, &[], &[]);
        talk.datagram(ToServer, &message(1, 0, &hello)).datagram(ToClient, &message(3, 0, &VERIFY));
        for piece in split(1, 1, &client_hello(7, &COOKIE, &[])) {
            talk.datagram(ToServer, &record(22, 0, &piece));
        }
        let mut flight = split(2, 1, &server_hello(9, 0xc02b, &[]));
        flight.extend(split(11, 2, &CERTIFICATE));
        flight.extend(split(12, 3, &KEY));
        flight.push(fragment(14, 4, &[], 0, 0));
        flight.reverse();
        // Several of them in a record.
        for pieces in flight.chunks(3) {
            talk.datagram(ToClient, &record(22, 0, &pieces.concat()));
        }
        say(&mut talk, &full()[5..]);
        let item = only(talk.finish());
        assert_eq!((&item["request"], &item["response"]), (&whole["request"], &whole["response"]), "{size}");
        assert_eq!(item["error"], Value::Null, "{size}");
    }
}

#[test]
fn what_is_missing_is_told() {
    let intact = {
        let mut talk = Talk::new(5684);
        say(&mut talk, &full());
        only(talk.finish())
    };
    let said: Vec<String> = (0..full().len())
        .map(|lost| {
            let mut datagrams = full();
            datagrams.remove(lost);
            let mut talk = Talk::new(5684);
            say(&mut talk, &datagrams);
            let item = only(talk.finish());
            if item["error"].is_null() {
                assert_eq!(item["response"]["cipherSuite"], intact["response"]["cipherSuite"]);
            }
            error(&item).to_owned()
        })
        .collect();
    let expected = [
        "the first ClientHello was not captured",
        "",
        "handshake message 1 is missing",
        "no response: bytes are missing or unreadable",
        "handshake messages are missing",
        "the handshake was not finished: the capture ended",
        "the handshake was not finished: the capture ended",
    ];
    assert_eq!(said, expected);
    // A fragment.
    let mut talk = Talk::new(5684);
    say(&mut talk, &full()[..3]);
    talk.datagram(ToClient, &message(2, 1, &server_hello(9, 0xc02b, &[])));
    talk.datagram(ToClient, &record(22, 0, &fragment(11, 2, &CERTIFICATE, 0, 4)));
    say(&mut talk, &full()[4..]);
    let item = only(talk.finish());
    assert_eq!(error(&item), "handshake message 2 is not whole");
    assert_eq!(item["response"].get("certificates"), None);
}

#[test]
fn sessions_and_handshakes_on_the_same_ports_are_told_apart() {
    let mut talk = Talk::new(5684);
    say(&mut talk, &full());
    talk.datagram(ToServer, &message(1, 0, &client_hello(8, &[], &[])));
    // The session before goes on until the new one is there.
    talk.datagram(ToServer, &record(23, 1, &[1; 40])).datagram(ToClient, &record(23, 1, &[1; 40]));
    talk.datagram(ToClient, &message(2, 0, &hello_1_3(10)));
    talk.datagram(ToClient, &[0x2e; 60]).datagram(ToServer, &[0x2e; 60]);
    // Another that is not answered, and yet another.
    talk.datagram(ToServer, &message(1, 0, &client_hello(11, &[], &[])));
    talk.datagram(ToServer, &message(1, 0, &client_hello(12, &[], &[])));
    let items = talk.items();
    assert_eq!(
        items.iter().map(error).collect::<Vec<_>>(),
        ["", "", "no response: bytes are missing or unreadable"]
    );
    assert_eq!(items[1]["response"]["info"], "DTLS 1.3, AES-128-GCM");
    assert_eq!(items[1]["response"]["helloRetryRequest"], false);
    talk.now += 11_000_000_000;
    talk.datagram(ToServer, &[0; 20]);
    assert_eq!(error(&only(talk.items())), "no response: it did not come in time");
}

#[test]
fn early_data_does_not_end_a_handshake() {
    let mut talk = Talk::new(5684);
    talk.datagram(ToServer, &message(1, 0, &client_hello(7, &[], &[])));
    talk.datagram(ToServer, &[0x2d; 60]);
    talk.datagram(ToClient, &[message(2, 0, &hello_1_3(9)), vec![0x2e; 60]].concat());
    assert!(talk.items().is_empty());
    // An ACK, then what is encrypted.
    talk.datagram(ToServer, &record(26, 0, &[0, 0])).datagram(ToServer, &[0x3e; 60]);
    let item = only(talk.items());
    assert_eq!((&item["error"], &item["response"]["version"]), (&Value::Null, &"DTLS 1.3".into()));
}

#[test]
fn connection_ids_are_shown_and_not_misread() {
    let id = extension(54, &[2, 0xab, 0xcd]);
    let mut talk = Talk::new(5684);
    talk.datagram(ToServer, &message(1, 0, &client_hello(7, &[], &id)));
    let hello = server_hello(9, 0xc02b, &extension(54, &[0]));
    talk.datagram(ToClient, &[message(2, 0, &hello), message(12, 1, &KEY), message(14, 2, &[])].concat());
    let with_id = [&[25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0xab, 0xcd, 0, 20][..], &[9; 20]].concat();
    talk.datagram(ToServer, &[message(16, 1, &[0; 33]), record(20, 0, &[1])].concat());
    talk.datagram(ToClient, &with_id);
    let item = only(talk.items());
    assert_eq!(item["error"], Value::Null);
    assert_eq!(
        (&item["request"]["connectionId"], &item["response"]["connectionId"]),
        (&"abcd".into(), &"".into())
    );
    for _ in 0..10 {
        talk.datagram(ToClient, &with_id);
    }
    assert!(talk.finish().is_empty());
}

#[test]
fn alerts_and_cookies_without_answer_are_errors() {
    let mut talk = Talk::new(5684);
    say(&mut talk, &full()[..1]);
    for _ in 0..3 {
        talk.datagram(ToClient, &record(21, 0, &[2, 40]));
    }
    let item = only(talk.finish());
    assert_eq!(error(&item), "handshake_failure (alert 40 of the server)");
    assert_eq!(item["base"]["statusQuery"], "response.alert.code == 40");
    // Without what it ends.
    let mut talk = Talk::new(5684);
    talk.datagram(ToServer, &record(21, 0, &[2, 48])).datagram(ToServer, &record(21, 0, &[2, 48]));
    assert_eq!(error(&only(talk.finish())), "unknown_ca (alert 48 of the client)");
    // A client that does not come back with its cookie.
    let mut talk = Talk::new(5684);
    say(&mut talk, &full()[..2]);
    talk.now += 11_000_000_000;
    talk.datagram(ToServer, &[0; 20]);
    let item = only(talk.items());
    assert_eq!(error(&item), "the handshake was not finished: it did not come in time");
    assert_eq!(item["error"]["type"], "timeout");
    assert_eq!(
        (&item["response"]["type"], &item["response"]["cookieSize"]),
        (&"HelloVerifyRequest".into(), &4.into())
    );
}

#[test]
fn a_conversation_joined_late_is_left_alone() {
    let mut talk = Talk::new(53);
    for _ in 0..10 {
        talk.datagram(ToServer, &record(23, 1, &[1; 100])).datagram(ToClient, &record(23, 1, &[2; 300]));
    }
    talk.datagram(ToServer, &record(21, 1, &[7; 26]));
    assert!(talk.finish().is_empty());
}

#[test]
fn what_shares_the_ports_is_passed_over() {
    let stun = [&[0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42][..], &[7; 20]].concat();
    let rtp = [&[0x80, 96][..], &[7; 60]].concat();
    let mut talk = Talk::new(3478);
    for _ in 0..20 {
        talk.datagram(ToServer, &stun).datagram(ToClient, &stun);
    }
    for (direction, bytes) in full() {
        talk.datagram(direction, &stun).datagram(direction, &rtp).datagram(direction, &bytes);
    }
    let item = only(talk.items());
    assert_eq!(item["error"], Value::Null);
    talk.datagram(ToServer, &rtp);
    assert!(talk.finish().is_empty());
}

#[test]
fn what_is_no_record_is_told_once() {
    let mut talk = Talk::new(5684);
    say(&mut talk, &full()[..3]);
    for _ in 0..5 {
        talk.datagram(ToClient, &[22, 0xfe, 0xfd, 9, 9, 9]);
        talk.datagram(ToClient, &message(2, 1, &server_hello(9, 0xc02b, &[]))[..30]);
    }
    say(&mut talk, &full()[3..]);
    let items = talk.finish();
    assert_eq!(items.iter().map(error).collect::<Vec<_>>(), ["no DTLS record at byte 0 of the stream", ""]);
}

#[test]
fn random_bytes_are_not_claimed() {
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as u8
    };
    for round in 0..4_000 {
        let mut bytes: Vec<u8> = (0..60).map(|_| random()).collect();
        bytes[0] = 20 + round as u8 % 44;
        let mut talk = Talk::new(5684);
        talk.datagram(ToServer, &bytes).datagram(ToClient, &bytes);
        let items = talk.finish();
        assert!(items.iter().all(|item| item["protocol"]["name"] != "dtls"), "{items:#?}");
    }
}

#[test]
fn lengths_that_lie_cost_nothing() {
    let limits = Limits { message_bytes: 1 << 14, ..Limits::default() };
    let mut talk = Talk::with_limits(5684, limits);
    say(&mut talk, &full()[..1]);
    talk.datagram(ToClient, &message(2, 0, &server_hello(9, 0xc02b, &[])));
    let before = talk.memory();
    for place in 0..3_000usize {
        // A fragment somewhere in one of many messages of 16 MB.
        let at = u32::try_from(place * 7_919 % 0xff_0000).unwrap().to_be_bytes();
        let sequence = u16::try_from(place % 300).unwrap().to_be_bytes();
        let head = [11, 0xff, 0xff, 0xff, sequence[0], sequence[1], at[1], at[2], at[3], 0, 0, 40];
        talk.datagram(ToClient, &record(22, 0, &[&head[..], &[0; 40]].concat()));
        assert!(talk.memory() < before + 150_000, "{} after {before}", talk.memory());
    }
    let item = only(talk.finish());
    assert_eq!(item["error"]["type"], "dissection");

    // Hellos without end, each with another random value.
    let mut talk = Talk::new(5684);
    for random in 0..=255 {
        talk.datagram(ToServer, &message(1, 0, &client_hello(random, &[], &[])));
        assert!(talk.memory() < before + 10_000);
    }
    assert_eq!(talk.finish().len(), 256);
}

#[test]
fn messages_beyond_the_cap_are_told() {
    let mut talk = Talk::with_limits(5684, Limits { message_bytes: 200, ..Limits::default() });
    say(&mut talk, &full()[..3]);
    let certificate = [7; 900];
    talk.datagram(ToClient, &message(2, 1, &server_hello(9, 0xc02b, &[])));
    for from in (0..900).step_by(300) {
        talk.datagram(ToClient, &record(22, 0, &fragment(11, 2, &certificate, from, from + 300)));
    }
    say(&mut talk, &full()[4..]);
    let item = only(talk.finish());
    assert_eq!(error(&item), "a handshake message of 900 bytes is not read");
    assert_eq!(item["response"]["group"], "x25519");
}

#[test]
fn public_captures_are_plausible() {
    let Some(public) = Public::open() else { return };
    let mut failures = Vec::new();
    for (path, _) in public.captures().filter(|(_, protocols)| carries(protocols, "dtls")) {
        let replay = replay(&public.folder.join(path), Limits::default());
        let of_dtls = replay.items.iter().filter(|item| item.draft.protocol.name == "dtls");
        for item in of_dtls.map(talk::as_json) {
            let version = item["response"]["version"].as_str().unwrap_or_default();
            let plausible = item["error"] != Value::Null || version.starts_with("DTLS ");
            if !plausible {
                failures.push(format!("{path} {}: {version}", item["id"]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
