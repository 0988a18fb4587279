//! TLS handshakes: the captures against their ground truth, conversations made by hand, captures with trouble put in.

mod golden_support;
mod shake;
mod talk;

use std::fs;

use golden_support::{Public, carries, fixtures, replay};
use remora_dissect::Direction::{ToClient, ToServer};
use remora_dissect::{Item, Limits, Object as _, Value as Field, json};
use serde_json::{Value, json as value};
use talk::Talk;

const CAPTURES: [&str; 3] = ["tls12", "tls13_http1", "tls13_http2"];

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a record fits").to_be_bytes();
    [&[kind, 3, 3, length[0], length[1]][..], content].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a message fits").to_be_bytes();
    [&[kind, length[1], length[2], length[3]][..], body].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("a vector fits").to_be_bytes()[..], bytes].concat()
}

fn extension(number: u16, data: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().to_vec(), with_length(data)].concat()
}

/// A ClientHello message for example.test.
fn client_hello(more: &[u8]) -> Vec<u8> {
    let name = with_length(&[&[0][..], &with_length(b"example.test")].concat());
    let extensions = [extension(0, &name), extension(10, &[0, 2, 0, 29]), more.to_vec()].concat();
    let body =
        [&[3, 3][..], &[7; 32], &[0], &with_length(&[0xc0, 0x2f, 0, 5]), &[1, 0], &with_length(&extensions)]
            .concat();
    message(1, &body)
}

fn server_hello(random: &[u8; 32], cipher: u16, extensions: &[u8]) -> Vec<u8> {
    let cipher = cipher.to_be_bytes();
    let body = [&[3, 3][..], random, &[0, cipher[0], cipher[1], 0], &with_length(extensions)].concat();
    message(2, &body)
}

fn hello_1_2() -> Vec<u8> {
    server_hello(&[9; 32], 0xc02f, &extension(16, &[0, 3, 2, b'h', b'2']))
}

fn hello_1_3() -> Vec<u8> {
    let more = [extension(43, &[3, 4]), extension(51, &[0, 29, 0, 1, 5])].concat();
    server_hello(&[9; 32], 0x1301, &more)
}

/// From the certificate of nobody to the end of the server's first flight.
fn flight() -> Vec<u8> {
    let rest =
        [message(11, &[0, 0, 5, 0, 0, 2, 0x30, 0x80]), message(12, &[3, 0, 0x1d, 1, 7]), message(14, &[])];
    [hello_1_2(), rest.concat()].concat()
}

const CCS: [u8; 6] = [20, 3, 3, 0, 1, 1];
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

fn data(length: usize) -> Vec<u8> {
    record(23, &vec![0xd5; length])
}

fn error(item: &Value) -> &str {
    item["error"]["msg"].as_str().unwrap_or("")
}

#[test]
fn captures_hold_what_was_done() {
    for name in CAPTURES {
        let truth = fs::read_to_string(fixtures().join(format!("tls/{name}.gt.jsonl"))).unwrap();
        let truth = truth.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let truth: Vec<Value> = truth.filter(|row| row["proto"] == "tls").collect();
        let replay = replay(&fixtures().join(format!("tls/{name}.pcap")), Limits::default());
        let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
        assert_eq!(items.len(), truth.len(), "{name}");
        for (item, row) in items.iter().zip(&truth) {
            assert_eq!(item["error"], Value::Null);
            assert_eq!(item["base"]["method"], "ClientHello");
            assert_eq!(item["dst"]["port"].as_str().unwrap(), row["port"].to_string());
            assert_eq!(item["request"]["sni"], row["sni"]);
            let version = format!("TLS {}", row["version"].as_str().unwrap());
            assert_eq!(item["response"]["version"], version.as_str());
            if version == "TLS 1.2" {
                // OpenSSL's names against IANA's.
                let words = |name: &Value| {
                    let name =
                        name.as_str().unwrap().replace("TLS_", "").replace("WITH_", "").replace('_', "");
                    name.replace("RSAAES256", "AES256").replace("SHA256", "").replace('-', "")
                };
                let expected = row["cipher"].as_str().unwrap().replace("ECDHE-RSA-", "ECDHE-");
                let found = words(&item["response"]["cipherSuite"]).replace("ECDHERSAAES", "ECDHEAES");
                assert_eq!(found, words(&Value::from(expected)));
                assert!(item["response"]["certificates"][0]["subject"].as_str().unwrap().starts_with("CN="));
                assert_eq!(
                    item["response"]["alpn"],
                    row.get("alpn").unwrap_or(&Value::from("http/1.1")).clone()
                );
            } else if let Some(alpn) = row.get("alpn") {
                assert!(item["request"]["alpn"].as_array().unwrap().contains(alpn));
                assert_eq!(item["response"].get("certificates"), None);
            }
        }
    }
}

#[test]
fn captures_with_trouble_give_no_wrong_items() {
    for name in CAPTURES {
        shake::check(&fixtures().join(format!("tls/{name}.pcap")));
        shake::shake(&fixtures().join(format!("tls/{name}.pcap")), 60);
    }
}

/// A full handshake of TLS 1.2, each direction's bytes cut up by `pieces`.
fn full(pieces: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Value {
    let mut talk = Talk::open(443);
    let mut send = |to_server: bool, bytes: &[u8]| {
        for piece in pieces(bytes) {
            if to_server {
                talk.client(&piece)
            } else {
                talk.server(&piece)
            };
        }
    };
    send(true, &record(22, &client_hello(&[])));
    send(false, &record(22, &flight()));
    send(true, &[record(22, &message(16, &[0; 33])), CCS.to_vec(), record(22, &[0x5a; 40])].concat());
    send(false, &[CCS.to_vec(), record(22, &[0x5a; 40])].concat());
    send(true, &data(300));
    let mut items = talk.finish();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

#[test]
fn a_handshake_is_one_item_however_it_is_cut() {
    let item = full(|bytes| vec![bytes.to_vec()]);
    assert_eq!(item["error"], Value::Null);
    assert_eq!(item["base"]["summaryQuery"], r#"request.sni == "example.test""#);
    assert_eq!(item["base"]["methodQuery"], r#"request.type == "ClientHello""#);
    assert_eq!(item["request"]["cipherSuites"][0], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(item["request"]["weakCipherSuites"], value!(["TLS_RSA_WITH_RC4_128_SHA"]));
    let response = &item["response"];
    assert_eq!(response["info"], "TLS 1.2, AES-128-GCM");
    assert_eq!(response["alpn"], "h2");
    assert_eq!(response["group"], "x25519");
    assert_eq!(response["resumed"], false);
    assert_eq!(response["certificates"][0]["error"], "an indefinite length at offset 2");
    for size in [1, 2, 3, 7, 50] {
        let other = full(|bytes| bytes.chunks(size).map(<[u8]>::to_vec).collect());
        assert_eq!(other["request"], item["request"], "{size}");
        assert_eq!(other["response"], item["response"], "{size}");
        assert_eq!(other["error"], Value::Null);
        assert_eq!(other["requestSize"], item["requestSize"]);
    }
}

#[test]
fn messages_may_be_cut_by_records_and_share_them() {
    for size in [1, 3, 4, 5, 60] {
        let mut talk = Talk::open(443);
        for piece in client_hello(&[]).chunks(size) {
            talk.client(&record(22, piece));
        }
        for piece in flight().chunks(size) {
            talk.server(&record(22, piece));
        }
        talk.client(&CCS).server(&CCS);
        let items = talk.finish();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["error"], Value::Null, "{size}");
        assert_eq!(items[0]["response"]["certificates"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn tls_1_3_comes_out_once_both_encrypt() {
    let mut talk = Talk::open(8443);
    talk.client(&record(22, &client_hello(&[])));
    assert!(talk.items().is_empty());
    talk.server(&[record(22, &hello_1_3()), CCS.to_vec(), data(900)].concat());
    talk.client(&[CCS.to_vec(), data(53)].concat());
    let items = talk.items();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["response"]["info"], "TLS 1.3, AES-128-GCM");
    assert_eq!(items[0]["response"]["group"], "x25519");
    assert_eq!(items[0]["response"]["resumed"], false);
    assert_eq!(items[0]["elapsedTime"], 1.0);
    for _ in 0..100 {
        talk.server(&data(16_000)).client(&data(1));
    }
    assert!(talk.finish().is_empty());
}

#[test]
fn a_hello_retry_request_is_part_of_the_handshake() {
    let mut talk = Talk::open(443);
    let retry = [extension(43, &[3, 4]), extension(51, &[0, 23])].concat();
    talk.client(&record(22, &client_hello(&[])));
    talk.server(&[record(22, &server_hello(&RETRY_RANDOM, 0x1301, &retry)), CCS.to_vec()].concat());
    talk.client(&[CCS.to_vec(), record(22, &client_hello(&extension(51, &[0, 0])))].concat());
    talk.server(&[record(22, &hello_1_3()), data(40)].concat());
    talk.client(&data(40));
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["error"], Value::Null);
    assert_eq!(items[0]["response"]["helloRetryRequest"], true);
    assert_eq!(items[0]["response"]["retryGroup"], "secp256r1");
    assert_eq!(items[0]["request"].get("keyShares"), None);

    // Joined in its middle, the first ClientHello is not known.
    let mut talk = Talk::new(443);
    talk.client(&[CCS.to_vec(), record(22, &client_hello(&extension(51, &[0, 0])))].concat());
    talk.server(&[record(22, &hello_1_3()), data(40)].concat());
    talk.client(&data(40));
    let items = talk.finish();
    assert!(items.iter().all(|item| item["error"] != Value::Null), "{items:?}");
}

#[test]
fn a_session_that_goes_on_is_resumed() {
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[])));
    talk.server(&[record(22, &hello_1_2()), CCS.to_vec(), record(22, &[0x5a; 40])].concat());
    talk.client(&[CCS.to_vec(), record(22, &[0x5a; 40])].concat());
    let items = talk.finish();
    assert_eq!(items[0]["response"]["resumed"], true);
    assert_eq!(items[0]["error"], Value::Null);
}

#[test]
fn alerts_are_errors_of_the_handshake() {
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[]))).server(&record(21, &[2, 40]));
    let items = talk.items();
    assert_eq!(error(&items[0]), "handshake_failure (alert 40 of the server)");
    assert_eq!(items[0]["error"]["type"], "connection");
    assert_eq!(
        items[0]["response"],
        value!({"type": "Alert", "alert":
        {"level": "fatal", "description": "handshake_failure", "code": 40}})
    );
    assert_eq!(items[0]["base"]["statusQuery"], "response.alert.code == 40");
    assert!(talk.finish().is_empty());

    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[]))).server(&record(22, &flight()));
    talk.client(&record(21, &[2, 48]));
    let items = talk.items();
    assert_eq!(error(&items[0]), "unknown_ca (alert 48 of the client)");
    assert_eq!(items[0]["request"]["alert"]["code"], 48);
    assert_eq!(items[0]["response"]["type"], "ServerHello");

    // A warning ends nothing.
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[])));
    talk.server(&[record(21, &[1, 112]), record(22, &flight())].concat());
    talk.client(&CCS).server(&CCS);
    let items = talk.finish();
    assert_eq!((items.len(), &items[0]["error"]), (1, &Value::Null));
    assert_eq!(items[0]["response"]["alert"]["description"], "unrecognized_name");
    assert_eq!(items[0]["response"]["type"], "ServerHello");
}

#[test]
fn what_does_not_end_well_says_so() {
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[]))).reset(ToClient);
    let items = talk.finish();
    assert_eq!(error(&items[0]), "no response: the connection was reset");

    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[]))).server(&record(22, &flight())).close();
    let items = talk.finish();
    assert_eq!(error(&items[0]), "the handshake was not finished: the connection was closed");

    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[])));
    talk.server(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close();
    let items = talk.finish();
    let refused = items.iter().find(|item| item["protocol"]["name"] == "tlsx").unwrap();
    assert!(error(refused).contains("the server does not answer with TLS"), "{refused}");
    assert!(items.iter().any(|item| item["response"]["status"] == 400), "{items:?}");
}

#[test]
fn what_follows_tls_in_a_stream_is_read() {
    let mut talk = Talk::open(389);
    talk.client(&record(22, &client_hello(&[])));
    talk.server(&[record(22, &hello_1_3()), CCS.to_vec(), data(900)].concat());
    talk.client(&[CCS.to_vec(), data(53), data(19)].concat()).server(&data(19));
    talk.client(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").close();
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    assert_eq!(items[1]["request"]["path"], "/after");
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn a_connection_joined_late_is_left_alone() {
    let mut talk = Talk::new(443);
    for _ in 0..10 {
        talk.client(&data(100)).server(&data(3_000));
    }
    talk.client(&record(21, &[0x77; 26])).close();
    assert!(talk.finish().is_empty());
    assert_eq!(talk.counters().items, 0);
}

#[test]
fn what_only_begins_like_tls_is_given_back() {
    let mut talk = Talk::open(80);
    // A record header, and then none.
    talk.client(&[23, 3, 3, 0, 2, 1, 1, b'x', b'y', b'z', b'x', b'y', b'z']);
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close();
    let items = talk.finish();
    assert!(items.iter().all(|item| item["protocol"]["name"] == "http"), "{items:?}");
}

#[test]
fn the_hello_of_ssl_2_is_read() {
    let hello = [
        &[0x80, 0x2e, 1, 3, 1, 0, 21, 0, 0, 0, 16][..],
        &[0, 0, 5, 0, 0, 4, 1, 0, 0x80, 0, 0, 0x2f, 0, 0, 0x35, 0, 0, 0x0a, 0, 0, 0x13],
        &[3; 16],
    ]
    .concat();
    let mut talk = Talk::open(443);
    talk.client(&hello).server(&record(22, &flight())).client(&CCS).server(&CCS);
    let items = talk.finish();
    assert_eq!((items.len(), &items[0]["error"]), (1, &Value::Null), "{items:?}");
    assert_eq!(items[0]["request"]["sslv2"], true);
    assert_eq!(items[0]["request"]["cipherSuites"].as_array().unwrap().len(), 6);
    assert_eq!(items[0]["requestSize"], 48);
}

#[test]
fn bytes_that_are_missing_are_told() {
    // The end of the server's flight.
    let (flight, mut talk) = (record(22, &flight()), Talk::open(443));
    talk.client(&record(22, &client_hello(&[]))).cut(ToClient, &flight, 64);
    talk.client(&CCS).server(&CCS).client(&data(9)).close();
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert_eq!(error(&items[0]), format!("{} response bytes missing", flight.len() - 64));
    assert_eq!(items[0]["response"]["info"], "TLS 1.2, AES-128-GCM");
    assert_eq!(items[0]["response"].get("resumed"), None);

    // The whole of it.
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[]))).lose(ToClient, 500);
    talk.client(&CCS).server(&CCS).client(&data(9)).server(&data(9)).close();
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert!(error(&items[0]).starts_with("no response: bytes are missing"), "{}", items[0]);

    // The end of the ClientHello: what is there is shown, and has no fingerprint.
    let hello = record(22, &client_hello(&[]));
    let mut talk = Talk::open(443);
    talk.cut(ToServer, &hello, hello.len() - 5).server(&record(22, &self::flight()));
    talk.client(&CCS).server(&CCS).close();
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert_eq!(error(&items[0]), "5 request bytes missing");
    assert_eq!(items[0]["request"]["sni"], "example.test");
    assert_eq!(items[0]["request"].get("ja3"), None);

    // Data between: the place is kept.
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[]))).server(&record(22, &hello_1_3()));
    talk.server(&CCS).client(&CCS).client(&data(9)).cut(ToClient, &data(5_000)[..1_400], 100);
    talk.lose(ToClient, 3_605).server(&data(3)).lose(ToServer, 7).server(&data(3)).close();
    assert_eq!(talk.finish().len(), 1);
}

#[test]
fn lengths_that_lie_cost_nothing() {
    // A message of 16 MB in many records.
    let mut talk = Talk::with_limits(443, Limits { message_bytes: 4_096, ..Limits::default() });
    let mut start = client_hello(&[]);
    start[1] = 0;
    start[2] = 0xff;
    talk.client(&record(22, &start));
    let before = talk.memory();
    for _ in 0..8 {
        talk.client(&record(22, &[0; 16_000]));
        assert!(talk.memory() < before + 64_000, "{before} {}", talk.memory());
    }
    let items = talk.finish();
    assert!(items.iter().all(|item| item["error"] != Value::Null), "{items:?}");

    // An extension longer than the message: its length is the second byte before its 4 bytes at the end.
    let mut body = client_hello(&[]);
    let at = body.len() - 5;
    body[at] = 0xff;
    let mut talk = Talk::open(443);
    talk.client(&record(22, &body)).server(&record(22, &flight())).client(&CCS).server(&CCS);
    let items = talk.finish();
    assert!(error(&items[0]).starts_with("ClientHello: the message ends early"), "{}", items[0]);
}

#[test]
fn garbage_within_a_handshake_is_one_failure() {
    let mut talk = Talk::open(443);
    talk.client(&record(22, &client_hello(&[])));
    talk.client(&[0xaa; 300]).client(&[0xab; 300]).client(&[0xac; 300]);
    talk.server(&record(22, &flight())).close();
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(error(&items[0]).starts_with("no TLS record at byte"));
    assert!(error(&items[1]).contains("not a TLS record"));
}

/// Why an item can't be TLS.
fn implausible(item: &Item) -> Option<&'static str> {
    let text = |side: &str, name: &str| {
        let Some(Field::Object(side)) = item.get(side) else { return None };
        match side.get(name) {
            Some(Field::Str(text)) => Some(text.into_owned()),
            _ => None,
        }
    };
    let clean = item.draft.error.is_none();
    match (item.draft.request.is_some(), item.draft.response.is_some()) {
        (false, false) => Some("neither request nor response"),
        (true, true) => {
            let version = text("response", "version").unwrap_or_default();
            let known =
                ["TLS 1.", "SSL 3", "TLS 1.3 draft", "DTLS"].iter().any(|name| version.starts_with(name));
            (clean && !known).then_some("a version that does not exist")
        }
        _ => clean.then_some("half an exchange without an error"),
    }
}

#[test]
fn public_captures_are_plausible() {
    let Some(public) = Public::open() else { return };
    let mut failures = Vec::new();
    for (path, _) in public.captures().filter(|(_, protocols)| carries(protocols, "tls")) {
        let replay = replay(&public.folder.join(path), Limits::default());
        for item in replay.items.iter().filter(|item| item.draft.protocol.name == "tlsx") {
            json::write_object(item, &mut Vec::new());
            failures.extend(implausible(item).map(|why| format!("{path} {}: {why}", item.id())));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
