//! ICMP and ICMPv6: the fixture against its ground truth, and packets made by hand.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

const ICMP: u8 = 1;

fn echo(kind: u8, id: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0];
    bytes.extend(id.to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(data);
    bytes
}

fn error(item: &Value) -> &str {
    item["error"]["type"].as_str().unwrap_or("")
}

#[test]
fn the_fixture_is_what_its_sender_saw() {
    let folder = fixtures().join("icmp");
    let replay = replay(&folder.join("icmp.pcap"), Limits::default());
    let mut items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    let truth = fs::read_to_string(folder.join("icmp.gt.jsonl")).unwrap();
    let mut take = |fits: &dyn Fn(&Value) -> bool, count: u64, line: &str| {
        for _ in 0..count {
            let place = items.iter().position(fits).unwrap_or_else(|| panic!("no item for {line}"));
            assert_eq!(items.remove(place)["error"], Value::Null, "{line}");
        }
    };
    for line in truth.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let (kind, note) = (truth["type"].as_str().unwrap(), truth["note"].as_str().unwrap_or(""));
        let version = if kind.ends_with("v6") { 6 } else { 4 };
        if let Some(pairs) = truth["pairs"].as_u64() {
            let fits = |item: &Value| {
                let (request, response) = (&item["request"], &item["response"]);
                request["typeName"] == "Echo Request"
                    && response["typeName"] == "Echo Reply"
                    && request["version"] == version
                    && request["data"] == response["data"]
                    && (truth["payload"].is_null() || truth["payload"] == request["dataSize"])
                    && (truth["dst"].is_null() || truth["dst"] == item["dst"]["ip"])
                    && item["elapsedTime"].as_f64().unwrap() > 0.0
            };
            take(&fits, pairs, line);
        } else if let Some(count) = truth["count"].as_u64() {
            let fits = |item: &Value| {
                let request = &item["request"];
                let name = request["typeName"].as_str().unwrap().to_lowercase();
                (name == kind || kind == "unreachable v6" && name == "destination unreachable")
                    && request["version"] == version
                    && request["code"] == truth["code"]
                    && truth["mtu"].as_u64().is_none_or(|mtu| request["mtu"] == mtu)
                    && (truth["inner"] != "udp 5399"
                        || request["quoted"]["protocol"] == "udp"
                            && request["quoted"]["dst"]["port"] == "5399")
                    && (truth["inner"] != "echo request"
                        || request["quoted"]["icmp"]["typeName"] == "Echo Request")
            };
            if truth["maybe"] != true {
                take(&fits, count, line);
            }
        } else {
            assert!(note.contains("ARP") || note.contains("traceroute"), "{line}");
        }
    }
    let left: Vec<String> = items
        .iter()
        .map(|item| {
            format!("{} {} {}", item["request"]["typeName"], item["request"]["codeName"], error(item))
        })
        .collect();
    eprintln!("{left:#?}");
    // Echos that nobody answers, and those that errors speak of, time out.
    assert!(left.iter().all(|row| !row.contains("dissection")));
}

#[test]
fn echos_are_paired_by_identifier_and_sequence() {
    let mut talk = Talk::new(0);
    talk.ip(Direction::ToServer, ICMP, &echo(8, 7, 1, b"abc"), 0);
    talk.ip(Direction::ToServer, ICMP, &echo(8, 7, 2, b"abc"), 0);
    talk.ip(Direction::ToClient, ICMP, &echo(0, 7, 2, b"abc"), 0);
    talk.ip(Direction::ToClient, ICMP, &echo(0, 7, 1, b"abc"), 0);
    // The other host asks too, with the same numbers.
    talk.ip(Direction::ToClient, ICMP, &echo(8, 7, 1, b"xyz"), 0);
    talk.ip(Direction::ToServer, ICMP, &echo(0, 7, 1, b"xyz"), 0);
    talk.ip(Direction::ToServer, ICMP, &echo(8, 7, 9, b""), 0);
    talk.now += 11_000_000_000;
    talk.ip(Direction::ToServer, ICMP, &echo(8, 8, 1, &[5; 1_000]), 0);
    let items = talk.items();
    assert_eq!(items.len(), 4, "{items:#?}");
    assert_eq!(items[0]["elapsedTime"], 1.0);
    assert_eq!(items[1]["elapsedTime"], 3.0);
    assert_eq!(items[2]["src"]["ip"], items[0]["dst"]["ip"]);
    assert_eq!(error(&items[3]), "timeout");
    assert_eq!(items[0]["base"]["summary"], "id 7, sequence 2");
    assert_eq!(items[0]["base"]["summaryQuery"], "request.id == 7 and request.sequence == 2");
    assert_eq!(items[0]["protocol"]["abbr"], "ICMP");
    let items = talk.finish();
    assert_eq!(items[0]["request"]["dataSize"], 1_000);
    assert_eq!(items[0]["request"]["data"].as_str().unwrap().len(), 344, "256 bytes in base64");
}

#[test]
fn an_error_names_the_flow_it_speaks_of() {
    let mut talk = Talk::new(0);
    let mut bytes = vec![3, 4, 0, 0, 0, 0, 0x05, 0x14];
    bytes.extend([
        0x45, 0, 5, 220, 0, 9, 0x40, 0, 63, 6, 0, 0, 192, 0, 2, 1, 203, 0, 113, 5, 0x9c, 0x40, 1, 0xbb,
    ]);
    talk.ip(Direction::ToClient, ICMP, &bytes, 0);
    // Of the packet nothing but its addresses is quoted; and not even those.
    talk.ip(Direction::ToClient, ICMP, &bytes[..28], 0);
    talk.ip(Direction::ToClient, ICMP, &bytes[..20], 0);
    talk.ip(Direction::ToClient, ICMP, &bytes[..20], 40);
    let items = talk.finish();
    let request = &items[0]["request"];
    assert_eq!(request["codeName"], "Fragmentation Needed");
    assert_eq!(request["mtu"], 1300);
    let quoted = json!({
        "version": 4, "length": 1500, "id": 9, "ttl": 63, "protocol": "tcp",
        "src": {"ip": "192.0.2.1", "port": "40000"}, "dst": {"ip": "203.0.113.5", "port": "443"},
    });
    assert_eq!(request["quoted"], quoted);
    assert_eq!(items[1]["request"]["quoted"]["dst"], json!({"ip": "203.0.113.5"}));
    assert_eq!((error(&items[1]), error(&items[2]), error(&items[3])), ("", "dissection", "dissection"));
    assert_eq!(items[3]["gap"]["request"], 40);
    assert_eq!(items[0]["base"]["summaryQuery"], r#"request.codeName == "Fragmentation Needed""#);
}

#[test]
fn any_bytes_are_taken_and_a_flood_is_bounded() {
    let mut talk = Talk::new(0);
    for kind in 0..=255u8 {
        for length in [0, 1, 3, 4, 7, 8, 20, 60] {
            let mut bytes = vec![0xff; length];
            if let Some(first) = bytes.first_mut() {
                *first = kind;
            }
            talk.ip(Direction::ToServer, ICMP, &bytes, 0);
        }
    }
    talk.finish();
    let mut talk = Talk::new(0);
    for sequence in 0..10_000 {
        talk.ip(Direction::ToServer, ICMP, &echo(8, 1, sequence, &[0; 1_400]), 0);
    }
    assert!(talk.memory() < 4 << 20, "{}", talk.memory());
}
