//! What is inside TLS, by secrets: captures against their ground truth, then the same with wrong secrets, with trouble put in,
//! and behind STARTTLS.

mod golden_support;
mod talk;

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::sync::Arc;

use golden_support::{fixtures, keyed, replay};
use remora_dissect::Direction::{self, ToClient, ToServer};
use remora_dissect::Limits;
use remora_dissect::tls::Secrets;
use remora_pcap::PcapReader;
use serde_json::Value;
use talk::Talk;

fn fixture(name: &str) -> std::path::PathBuf {
    fixtures().join("tls").join(name)
}

/// Secrets out of the lines of a fixture's key log that `keep` lets through, as it returns them.
fn limits(name: &str, keep: impl Fn(&str) -> Option<String>) -> Limits {
    let log = fs::read_to_string(fixture(&format!("{name}.keys.txt"))).expect("the key log is there");
    let log: String = log.lines().filter_map(keep).map(|line| line + "\n").collect();
    let mut secrets = Secrets::default();
    secrets.read(log.as_bytes(), usize::MAX, |fault| panic!("{fault}"));
    Limits { tls_secrets: Some(Arc::new(secrets)), ..Limits::default() }
}

fn items(capture: &str, limits: Limits) -> Vec<Value> {
    replay(&fixture(capture), limits).items.iter().map(talk::as_json).collect()
}

fn inside(items: &[Value]) -> Vec<&Value> {
    items.iter().filter(|item| item["tls"] == true).collect()
}

/// What an exchange of HTTP is known by.
fn row(item: &Value) -> (String, String, i64) {
    let base = &item["base"];
    let path = item["request"]["url"].as_str().or(base["summary"].as_str()).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&base["method"]), path.to_owned(), base["status"].as_i64().unwrap_or_default())
}

type Segments = Vec<(Direction, Vec<u8>)>;

/// The payloads of a fixture's connections, by the client's port.
fn connections(capture: &str, server_ports: &[u16]) -> BTreeMap<u16, Segments> {
    let mut reader =
        PcapReader::new(File::open(fixture(capture)).expect("the capture opens")).expect("it is a capture");
    let mut connections: BTreeMap<u16, Segments> = BTreeMap::new();
    while let Some(packet) = reader.next().expect("the capture is whole") {
        let ip = &packet.data[14..];
        let ip = &ip[..usize::from(u16::from_be_bytes([ip[2], ip[3]]))];
        let tcp = &ip[usize::from(ip[0] & 15) * 4..];
        let ports = [u16::from_be_bytes([tcp[0], tcp[1]]), u16::from_be_bytes([tcp[2], tcp[3]])];
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        let to_server = server_ports.contains(&ports[1]);
        let (client, direction) = if to_server { (ports[0], ToServer) } else { (ports[1], ToClient) };
        if !payload.is_empty() {
            connections.entry(client).or_default().push((direction, payload.to_vec()));
        }
    }
    connections
}

#[test]
fn what_is_inside_is_what_the_ground_truth_says() {
    for (capture, name) in [
        ("tls12.pcap", "tls12"),
        ("tls13_http1.pcap", "tls13_http1"),
        ("tls13_http2.pcap", "tls13_http2"),
        ("tls13_http2_dsb.pcapng", "tls13_http2"),
    ] {
        let truth = fs::read_to_string(fixture(&format!("{name}.gt.jsonl"))).unwrap();
        let truth = truth.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut truth: Vec<_> = truth
            .filter(|row| row["inside"] == "tls")
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap().to_owned();
                let version = if row["proto"] == "http2" { "2" } else { "1" };
                (text("method"), text("path"), row["status"].as_i64().unwrap(), version)
            })
            .collect();
        let limits = keyed(&fixture(capture)).unwrap_or_default();
        let replay = replay(&fixture(capture), limits);
        let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
        let mut found: Vec<_> = inside(&items)
            .iter()
            .map(|item| {
                assert_eq!((&item["error"], &item["gap"]), (&Value::Null, &Value::Null), "{name}");
                let (method, path, status) = row(item);
                let version = if item["protocol"]["version"] == "2.0" { "2" } else { "1" };
                (method, path, status, version)
            })
            .collect();
        truth.sort();
        found.sort();
        assert_eq!(found, truth, "{capture}");
        assert_eq!(replay.counters.undecrypted_records, 0, "{capture}");
    }
}

#[test]
fn a_server_of_tls_1_3_tells_its_application_protocol() {
    let items = items("tls13_http2.pcap", keyed(&fixture("tls13_http2.pcap")).unwrap());
    let handshakes: Vec<_> = items.iter().filter(|item| item["tls"] == false).collect();
    assert_eq!(handshakes.len(), 4);
    assert!(handshakes.iter().all(|item| item["response"]["alpn"] == "h2"));
}

#[test]
fn items_of_a_stream_are_numbered_across_the_layers() {
    let items = items("tls13_http1.pcap", keyed(&fixture("tls13_http1.pcap")).unwrap());
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    for item in &items {
        let id = item["id"].as_str().unwrap();
        let (stream, index) = id.rsplit_once('-').unwrap();
        let expected = next.entry(stream.to_owned()).or_default();
        assert_eq!(index.parse::<u64>().unwrap(), *expected, "{id}");
        assert_eq!(item["tls"], *expected > 0, "the handshake is not inside");
        *expected += 1;
    }
    assert_eq!(next.len(), 2);
}

#[test]
fn every_kind_of_record_protection_is_read() {
    let replay = replay(&fixture("tls_suites.pcap"), keyed(&fixture("tls_suites.pcap")).unwrap());
    let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    let inside = inside(&items);
    assert!(inside.iter().all(|item| item["error"].is_null() && item["base"]["status"] == 200));
    // 11 connections with TLS 1.2, 3 with TLS 1.3 and two changes of keys, one of short records, one of TLS 1.2 that is
    // resumed, 4 with two requests of which two begin with early data.
    assert_eq!(inside.len(), 11 + 3 * 3 + 1 + 2 + 4 * 2);
    let resumed =
        |item: &&Value| item["response"]["version"] == "TLS 1.2" && item["response"]["resumed"] == true;
    assert_eq!(items.iter().filter(resumed).count(), 1);
    let count = |part: &str| inside.iter().filter(|item| row(item).1.contains(part)).count();
    assert_eq!((count("/early/"), count("/again/"), count("no-etm")), (2, 3, 4));
    assert_eq!(replay.counters.undecrypted_records, 0);
}

#[test]
fn without_secrets_nothing_changes() {
    for name in ["tls12", "tls13_http1", "tls13_http2", "tls_suites"] {
        let capture = format!("{name}.pcap");
        let without = items(&capture, Limits::default());
        // A log of other sessions.
        let other = if name == "tls12" { "tls13_http1" } else { "tls12" };
        assert_eq!(items(&capture, limits(other, |line| Some(line.to_owned()))), without);
        let handshakes: Vec<Value> = items(&capture, keyed(&fixture(&capture)).unwrap())
            .into_iter()
            .filter(|item| item["tls"] == false)
            .map(|mut item| {
                // Encrypted otherwise.
                if item["response"]["version"] == "TLS 1.3" {
                    item["response"].as_object_mut().unwrap().remove("alpn");
                }
                item
            })
            .collect();
        let unnumbered = |items: &[Value]| -> Vec<Value> {
            items
                .iter()
                .map(|item| serde_json::json!([item["request"], item["response"], item["error"]]))
                .collect()
        };
        assert_eq!(unnumbered(&handshakes), unnumbered(&without));
    }
}

#[test]
fn wrong_secrets_show_nothing() {
    for name in ["tls12", "tls13_http1", "tls13_http2", "tls_suites"] {
        let limits = limits(name, |line| {
            let (start, last) = line.split_at(line.len() - 1);
            Some(format!("{start}{}", if last == "0" { "1" } else { "0" }))
        });
        let replay = replay(&fixture(&format!("{name}.pcap")), limits);
        let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
        assert_eq!(inside(&items).len(), 0, "{name}");
        assert!(replay.counters.undecrypted_records > 0);
    }
}

#[test]
fn the_secrets_of_the_data_are_enough() {
    for name in ["tls13_http1", "tls13_http2"] {
        let capture = format!("{name}.pcap");
        let only = limits(name, |line| line.contains("_TRAFFIC_SECRET_0 ").then(|| line.to_owned()));
        let (whole, only) = (items(&capture, keyed(&fixture(&capture)).unwrap()), items(&capture, only));
        assert_eq!(inside(&whole), inside(&only), "{name}");
    }
}

#[test]
fn the_secrets_of_one_direction_show_that_direction() {
    let server = limits("tls13_http1", |line| line.starts_with("SERVER").then(|| line.to_owned()));
    let items = items("tls13_http1.pcap", server);
    let inside = inside(&items);
    assert_eq!(inside.len(), 4);
    for item in inside {
        assert!(item["request"].is_null() && !item["response"].is_null());
        assert_eq!(item["error"]["type"], "pair-not-found");
    }
}

fn send(talk: &mut Talk, segments: &Segments) {
    for (direction, bytes) in segments {
        talk.send(*direction, bytes);
    }
}

#[test]
fn behind_starttls_it_is_the_same() {
    let segments = connections("tls13_http1.pcap", &[443]).into_values().next().unwrap();
    let mut talk = Talk::with_limits(25, keyed(&fixture("tls13_http1.pcap")).unwrap()).handshake();
    talk.server(b"220 mail.example.test ESMTP\r\n")
        .client(b"EHLO a\r\n")
        .server(b"250-a\r\n250 STARTTLS\r\n");
    talk.client(b"STARTTLS\r\n").server(b"220 go\r\n");
    send(&mut talk, &segments);
    talk.close();
    let items = talk.finish();
    let inside = inside(&items);
    assert_eq!(inside.len(), 3, "{items:#?}");
    assert!(inside.iter().all(|item| item["protocol"]["abbr"] == "HTTP" && item["error"].is_null()));
    assert!(items.iter().any(|item| item["protocol"]["name"] == "smtp" && item["tls"] == false));
}

#[test]
fn after_a_hole_the_next_records_are_found_again() {
    let limits = keyed(&fixture("tls13_http2.pcap")).unwrap();
    let segments = connections("tls13_http2.pcap", &[8443]).into_values().last().unwrap();
    let replay = |lost: Option<usize>| {
        let mut talk = Talk::with_limits(8443, limits.clone()).handshake();
        let mut number = 0;
        for (direction, bytes) in &segments {
            for piece in bytes.chunks(1_400) {
                if lost == Some(number) {
                    talk.lose(*direction, piece.len() as u32);
                } else {
                    talk.send(*direction, piece);
                }
                number += 1;
            }
        }
        talk.close();
        (talk.finish(), number)
    };
    let (intact, pieces) = replay(None);
    let whole = inside(&intact).len();
    assert_eq!(whole, 7);
    let (mut unmarked, mut most) = (0, 0);
    for lost in (0..pieces).step_by(3) {
        let (items, _) = replay(Some(lost));
        for item in inside(&items) {
            if item["error"].is_null() && item["gap"].is_null() {
                unmarked += 1;
                let same = |other: &&Value| {
                    other["response"]["content"] == item["response"]["content"] && row(other) == row(item)
                };
                assert!(inside(&intact).iter().any(same), "{lost}: {item}");
            } else if let Some(gap) = item["gap"]["response"].as_u64() {
                most = most.max(gap);
            }
        }
    }
    // Where the hello is lost there is nothing; else the most of it is there.
    assert!(unmarked * 9 > whole * pieces * 2, "{unmarked} of {}", whole * pieces);
    assert!(most < 200_000, "{most}");
}

#[test]
fn a_changed_record_is_not_shown() {
    let limits = keyed(&fixture("tls12.pcap")).unwrap();
    for segments in connections("tls12.pcap", &[443, 8444]).values() {
        let last = segments
            .iter()
            .rposition(|(direction, bytes)| *direction == ToClient && bytes.len() > 100)
            .unwrap();
        for at in [5, 20, 60] {
            let mut segments = segments.clone();
            segments[last].1[at] ^= 0x10;
            let mut talk = Talk::with_limits(443, limits.clone()).handshake();
            send(&mut talk, &segments);
            talk.close();
            let items = talk.finish();
            for item in inside(&items) {
                assert!(!item["error"].is_null() || !item["gap"].is_null(), "{item}");
            }
            assert!(talk.counters().undecrypted_records > 0);
        }
    }
}

#[test]
fn a_stream_cut_anywhere_holds_little() {
    let limits = keyed(&fixture("tls_suites.pcap")).unwrap();
    for segments in connections("tls_suites.pcap", &[4433]).values() {
        for end in 0..segments.len() {
            let mut talk = Talk::with_limits(443, limits.clone()).handshake();
            send(&mut talk, &segments[..end].to_vec());
            assert!(talk.memory() < 1 << 20, "{}", talk.memory());
            talk.finish();
        }
    }
}

#[test]
fn hostile_secrets_inside_a_capture_are_counted() {
    use remora_dissect::item::Node;
    use remora_dissect::{Engine, Origin};
    let origin = Origin {
        worker: "w".to_owned(),
        node: Node { ip: "192.0.2.9".to_owned(), name: "n".to_owned() },
        backend: "pcap",
        source: "test",
    };
    let mut engine = Engine::new(Limits { tls_sessions: 2, ..Limits::default() }, Arc::new(origin));
    let line =
        |number: u8| format!("CLIENT_RANDOM {} {}\n", format!("{number:02x}").repeat(32), "00".repeat(48));
    engine.tls_key_log(
        (line(1) + &line(2) + &line(3) + &line(1) + "\u{fffd}\u{0}\nCLIENT_RANDOM 00 00").as_bytes(),
    );
    assert_eq!((engine.counters().dropped_tls_secrets, engine.counters().bad_tls_secrets), (1, 2));
    engine.tls_key_log(&[0xff; 1 << 20]);
    assert_eq!(engine.counters().bad_tls_secrets, 3);
}

/// Each segment of each connection is lost in turn.
#[test]
fn whatever_is_lost_nothing_wrong_is_shown() {
    let limits = keyed(&fixture("tls_suites.pcap")).unwrap();
    for (port, segments) in connections("tls_suites.pcap", &[4433]) {
        let replay = |lost: Option<usize>| {
            let mut talk = Talk::with_limits(443, limits.clone()).handshake();
            for (number, (direction, bytes)) in segments.iter().enumerate() {
                if lost == Some(number) {
                    talk.lose(*direction, bytes.len() as u32);
                } else {
                    talk.send(*direction, bytes);
                }
            }
            talk.close();
            talk.finish()
        };
        let intact = replay(None);
        let known = |item: &Value| {
            inside(&intact).iter().any(|other| {
                let same = |name: &str| {
                    let strip = |side: &Value| {
                        let mut side = side.clone();
                        side.as_object_mut().map(|side| side.remove("captureTime"));
                        side
                    };
                    strip(&other[name]) == strip(&item[name])
                };
                same("request") && same("response")
            })
        };
        for lost in 0..segments.len() {
            for item in inside(&replay(Some(lost))) {
                let marked = !item["error"].is_null() || !item["gap"].is_null();
                assert!(marked || known(item), "{port}, {lost} lost: {item}");
            }
        }
    }
}
