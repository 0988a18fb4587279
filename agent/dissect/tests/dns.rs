//! DNS: the fixture against its ground truth, and conversations made by hand.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

/// A query, with any flags.
fn query(id: u16, flags: u16, name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = header(id, flags, [1, 0, 0, 0]);
    bytes.extend(question(name, kind));
    bytes
}

fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [[id, flags].as_slice(), &counts].concat().iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = labels(name);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    bytes
}

fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).expect("it fits"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record of the name asked for.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xc0, 12];
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 60]);
    bytes.extend(u16::try_from(data.len()).expect("it fits").to_be_bytes());
    bytes.extend(data);
    bytes
}

fn response(id: u16, name: &str, kind: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = header(id, 0x8180, [1, u16::try_from(records.len()).expect("it fits"), 0, 0]);
    bytes.extend(question(name, kind));
    bytes.extend(records.concat());
    bytes
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).expect("it fits").to_be_bytes(), message].concat()
}

fn error(item: &Value) -> &str {
    item["error"]["type"].as_str().unwrap_or("")
}

/// The code's name in the ground truth.
fn short_code(name: &str) -> &str {
    match name {
        "No Error" => "NOERROR",
        "Format Error" => "FORMERR",
        "Non-Existent Domain" => "NXDOMAIN",
        "Not Implemented" => "NOTIMP",
        "Query Refused" => "REFUSED",
        other => other,
    }
}

#[test]
fn the_fixture_is_what_its_client_saw() {
    let folder = fixtures().join("dns");
    let replay = replay(&folder.join("dns.pcap"), Limits::default());
    let mut items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    let truth = fs::read_to_string(folder.join("dns.gt.jsonl")).unwrap();
    let mut exchanges = 0;
    for line in truth.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        if truth["qname"].is_null() {
            continue;
        }
        let fits = |item: &Value| {
            let request = &item["request"];
            let question = &request["questions"][0];
            let transport = truth["transport"].as_str().unwrap();

            // Of one call the client's tool made two queries, and neither asked what it was to ask.
            let asked = question["name"] == truth["qname"] && question["type"] == truth["qtype"];
            (asked || question["class"] == "CH")
                && (truth["id"].is_null() || truth["id"] == request["id"])
                // Of ANY the tool asks over TCP without being told to.
                && (!transport.ends_with("tcp") || item["protocol"]["layer4"] == "tcp")
                && item["error"].is_null()
        };
        let place = items.iter().position(fits).unwrap_or_else(|| panic!("no item for {line}"));
        let item = items.remove(place);
        let response = &item["response"];
        assert_eq!(short_code(response["code"].as_str().unwrap()), truth["rcode"], "{line}");
        for (section, count) in
            [("answers", "answers"), ("authorities", "authority"), ("additionals", "additional")]
        {
            if let Some(count) = truth[count].as_u64() {
                let found = response[section].as_array().map_or(0, Vec::len);
                assert_eq!(found as u64, count, "{section} of {line}");
            }
        }
        if let Some(flags) = truth["flags"].as_array() {
            for (short, long) in [
                ("aa", "authoritative"),
                ("tc", "truncated"),
                ("rd", "recursionDesired"),
                ("ad", "authenticData"),
            ] {
                assert_eq!(
                    response["flags"][long],
                    flags.iter().any(|flag| flag == short),
                    "{short} of {line}"
                );
            }
        }
        if let Some(size) = truth["size"].as_u64() {
            let prefix = u64::from(item["protocol"]["layer4"] == "tcp") * 2;
            assert_eq!(item["responseSize"], size + prefix, "{line}");
        }
        if let Some(records) = truth["records"].as_u64() {
            let counted = response["counts"]["answers"].as_u64();
            let shown = response["answers"].as_array().map_or(0, Vec::len) as u64;
            assert_eq!(counted.unwrap_or(shown), records, "{line}");
        }
        assert!(item["elapsedTime"].as_f64().unwrap() > 0.0, "{line}");
        exchanges += 1;
    }
    assert_eq!(exchanges, 60);
    // What is left: the truncated answer before the one over TCP, the queries made by hand over TCP, and what is malformed.
    let left: Vec<String> = items
        .iter()
        .map(|item| {
            format!(
                "{} {} {}",
                item["protocol"]["layer4"].as_str().unwrap(),
                item["request"]["id"],
                error(item)
            )
        })
        .collect();
    eprintln!("{left:#?}");
    assert_eq!(left.iter().filter(|row| row.starts_with("tcp") && row.ends_with(' ')).count(), 3);
}

#[test]
fn an_answer_is_paired_by_id_and_question() {
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToServer, &query(1, 0x100, "a.test", 1));
    talk.datagram(Direction::ToServer, &query(2, 0x100, "b.test", 28));
    talk.datagram(Direction::ToClient, &response(2, "B.test", 28, &[record(28, &[0; 16])]));
    talk.datagram(
        Direction::ToClient,
        &response(1, "a.test", 1, &[record(1, &[192, 0, 2, 7]), record(1, &[192, 0, 2, 8])]),
    );
    // Another answer to it, as a forger sends; and a copy of the first.
    talk.datagram(Direction::ToClient, &response(1, "a.test", 1, &[record(1, &[192, 0, 2, 66])]));
    talk.datagram(Direction::ToClient, &response(2, "B.test", 28, &[record(28, &[0; 16])]));
    let items = talk.finish();
    assert_eq!(items.len(), 3, "{items:#?}");
    assert_eq!(items[0]["base"]["summary"], "b.test");
    assert_eq!(items[0]["base"]["summaryQuery"], r#"request.questions[0].name == "b.test""#);
    assert_eq!(items[0]["response"]["answers"][0]["ip"], "::");
    assert_eq!(items[1]["response"]["answers"][1]["ip"], "192.0.2.8");
    assert_eq!(items[1]["response"]["answers"][1]["cname"], "");
    assert_eq!(items[1]["elapsedTime"], 3.0);
    assert_eq!(items[1]["response"]["authorities"], Value::Null);
    assert_eq!(error(&items[2]), "pair-not-found");
    assert_eq!(items[2]["base"]["summary"], "a.test");
}

#[test]
fn a_query_sent_again_is_one_query_and_an_unanswered_one_times_out() {
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToServer, &query(1, 0x100, "a.test", 1));
    talk.datagram(Direction::ToServer, &query(1, 0x100, "a.test", 1));
    talk.datagram(Direction::ToServer, &query(9, 0x100, "z.test", 1));
    talk.datagram(Direction::ToClient, &response(1, "a.test", 1, &[]));
    talk.now += 11_000_000_000;
    talk.datagram(Direction::ToServer, &query(3, 0x100, "c.test", 1));
    let items = talk.items();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["elapsedTime"], 3.0);
    assert_eq!((error(&items[1]), &items[1]["request"]["id"]), ("timeout", &json!(9)));
    // With other bits the client asked something else.
    talk.datagram(Direction::ToServer, &query(3, 0x110, "c.test", 1));
    talk.datagram(Direction::ToClient, &response(3, "c.test", 1, &[]));
    let items = talk.finish();
    assert_eq!((items.len(), error(&items[0]), error(&items[1])), (2, "timeout", ""));
    assert_eq!(items[1]["request"]["flags"]["checkingDisabled"], true);
}

#[test]
fn what_is_not_a_message_is_one_failure_and_takes_nothing_down() {
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToServer, &query(1, 0x100, "a.test", 1));
    talk.datagram(
        Direction::ToServer,
        &[header(2, 0x100, [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat(),
    );
    talk.datagram(Direction::ToServer, b"hello");
    talk.datagram(Direction::ToClient, &response(1, "a.test", 1, &[]));
    let items = talk.finish();
    assert_eq!(items.len(), 3);
    assert!(items[0]["error"]["msg"].as_str().unwrap().contains("forward at byte 12"), "{items:#?}");
    assert_eq!((error(&items[1]), error(&items[2])), ("dissection", ""));
}

#[test]
fn a_cut_datagram_is_marked() {
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToServer, &query(1, 0x100, "a.test", 1));
    let whole = response(1, "a.test", 1, &[record(1, &[192, 0, 2, 7]), record(16, &[3; 40])]);
    let length = u16::try_from(8 + whole.len()).expect("it fits").to_be_bytes();
    let udp = [&53u16.to_be_bytes()[..], &40_000u16.to_be_bytes(), &length, &[0, 0], &whole[..50]].concat();
    talk.ip(Direction::ToClient, 17, &udp, whole.len() - 50);
    let items = talk.finish();
    assert_eq!(error(&items[0]), "dissection");
    assert_eq!(items[0]["gap"]["response"], (whole.len() - 50) as u64);
    assert_eq!(items[0]["response"]["answers"].as_array().unwrap().len(), 1);
    assert_eq!(items[0]["response"]["counts"]["answers"], 2);
}

#[test]
fn records_are_shown_by_type() {
    let records = [
        record(6, &[labels("ns.test"), labels("root.test"), [0, 0, 0, 9].repeat(5)].concat()),
        record(15, &[vec![0, 10], labels("mx.test")].concat()),
        record(33, &[vec![0, 1, 0, 2, 0, 80], labels("srv.test")].concat()),
        record(16, b"\x03abc\x02de"),
        record(257, b"\x80\x05issueca.test"),
        record(
            65,
            &[
                vec![0, 1, 0],
                b"\x00\x01\x00\x03\x02h2\x00\x03\x00\x02\x01\xbb\x00\x04\x00\x04\xc0\x00\x02\x01".to_vec(),
            ]
            .concat(),
        ),
        record(65_400, b"\x01\x02"),
        record(1, b"\x01\x02"),
        record(43, b"\x00\x07\x0d\x02\xab\xcd"),
        record(256, b"\x00\x01\x00\x02https://a.test/"),
        record(
            29,
            &[0, 0x12, 0x16, 0x13, 0x89, 0x17, 0x2d, 0xd0, 0x70, 0xbe, 0x15, 0xf0, 0, 0x98, 0x8d, 0x20],
        ),
    ];
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToServer, &query(1, 0x100, "a.test", 255));
    talk.datagram(Direction::ToClient, &response(1, "a.test", 255, &records));
    let items = talk.finish();
    let answers = &items[0]["response"]["answers"];
    assert_eq!(answers[0]["soa"], "ns.test root.test 9 9 9 9 9");
    assert_eq!(answers[1]["mx"], "10 mx.test");
    assert_eq!(answers[2]["srv"], "1 2 80 srv.test");
    assert_eq!((&answers[3]["txts"], &answers[3]["strings"]), (&json!("abcde"), &json!(["abc", "de"])));
    assert_eq!(answers[4]["caa"], json!({"critical": true, "tag": "issue", "value": "ca.test"}));
    let params = json!({"alpn": ["h2"], "port": 443, "ipv4hint": ["192.0.2.1"]});
    assert_eq!(answers[5]["https"], json!({"priority": 1, "target": ".", "params": params}));
    assert_eq!((&answers[6]["type"], &answers[6]["data"]), (&json!("TYPE65400"), &json!("AQI=")));
    assert_eq!((&answers[7]["ip"], &answers[7]["malformed"]), (&json!(""), &json!(true)));
    assert_eq!(answers[8]["ds"]["algorithmName"], "ECDSAP256SHA256");
    assert_eq!(answers[9]["uri"], "1 2 https://a.test/");
    assert!((answers[10]["loc"]["latitude"].as_f64().unwrap() - 42.36).abs() < 0.1, "{}", answers[10]);
}

#[test]
fn edns_is_read_and_extends_the_code() {
    let mut bytes = header(7, 0x8180, [1, 0, 0, 1]);
    bytes.extend(question("a.test", 1));
    let options = b"\x00\x0f\x00\x06\x00\x12fake\x00\x0a\x00\x08cookies!\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02\x00\x0c\x00\x03abc";
    bytes.extend([0, 0, 41, 4, 0xd0, 1, 0, 0x80, 0, 0, u8::try_from(options.len()).expect("it fits")]);
    bytes.extend(options);
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToServer, &query(7, 0x100, "a.test", 1));
    talk.datagram(Direction::ToClient, &bytes);
    let items = talk.finish();
    let response = &items[0]["response"];
    assert_eq!((&response["code"], &response["rcode"]), (&json!("Bad OPT Version"), &json!(16)));
    assert_eq!(items[0]["base"]["statusQuery"], "response.rcode == 16");
    let edns = &response["edns"];
    assert_eq!((&edns["udpSize"], &edns["dnssecOk"]), (&json!(1232), &json!(true)));
    assert_eq!(edns["options"][0]["info"], "Prohibited");
    assert_eq!(edns["options"][0]["text"], "fake");
    assert_eq!(edns["options"][1]["client"], "636f6f6b69657321");
    assert_eq!(edns["options"][2]["address"], "192.0.2.0");
    assert_eq!(edns["options"][3]["length"], 3);
    assert_eq!(
        response["additionals"][0]["opt"],
        "version 0, udp 1232, do, EDE, COOKIE, CLIENT-SUBNET, PADDING"
    );
}

#[test]
fn multicast_messages_stand_alone() {
    let mut talk = Talk::new(5353);
    let mut asked = header(0, 0, [1, 0, 0, 0]);
    asked.extend(labels("_http._tcp.local"));
    asked.extend([0, 12, 0x80, 1]);
    talk.datagram(Direction::ToServer, &asked);
    let mut told = header(0, 0x8400, [0, 1, 0, 0]);
    told.extend(labels("My Printer.local"));
    told.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 9]);
    talk.datagram(Direction::ToServer, &told);
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["request"]["questions"][0]["unicastResponse"], true);
    assert_eq!(items[0]["request"]["questions"][0]["class"], "IN");
    assert_eq!(items[1]["request"]["answers"][0]["cacheFlush"], true);
    assert_eq!(items[1]["base"]["summary"], "My Printer.local");
    assert!(items.iter().all(|item| item["error"].is_null() && item["response"].is_null()));
}

#[test]
fn several_messages_share_a_connection_however_it_is_cut() {
    let stream = [framed(&query(1, 0x100, "a.test", 1)), framed(&query(2, 0x100, "b.test", 1))].concat();
    let back = [framed(&response(2, "b.test", 1, &[])), framed(&response(1, "a.test", 1, &[]))].concat();
    for piece in 1..stream.len() {
        let mut talk = Talk::open(53);
        stream.chunks(piece).for_each(|piece| {
            talk.client(piece);
        });
        talk.server(&back).close();
        let items = talk.finish();
        assert_eq!(items.len(), 2, "in pieces of {piece}");
        assert!(items.iter().all(|item| item["error"].is_null()), "{items:#?}");
    }
}

fn soa(serial: u8) -> Vec<u8> {
    record(6, &[vec![0, 0], vec![0, 0, 0, serial], [0, 0, 0, 9].repeat(4)].concat())
}

#[test]
fn a_transfer_is_one_exchange_and_says_when_it_has_no_end() {
    let addresses = vec![record(1, &[192, 0, 2, 1]); 900];
    let parts = [
        response(5, "zone.test", 252, &[vec![soa(1)], addresses.clone()].concat()),
        response(5, "zone.test", 252, &[addresses, vec![soa(1)]].concat()),
    ];
    for whole in [true, false] {
        let mut talk = Talk::open(53);
        talk.client(&framed(&query(5, 0, "zone.test", 252)));
        talk.server(&framed(&parts[0]));
        if whole {
            talk.server(&framed(&parts[1]));
        }
        talk.close();
        let items = talk.finish();
        assert_eq!(items.len(), 1);
        let response = &items[0]["response"];
        assert_eq!(error(&items[0]), if whole { "" } else { "dissection" });
        if whole {
            assert_eq!((&response["messages"], &response["counts"]["answers"]), (&json!(2), &json!(1802)));
            assert_eq!(response["answers"].as_array().unwrap().len(), 1000);
            assert_eq!(items[0]["responseSize"], parts[0].len() + parts[1].len() + 4);
        }
    }
}

#[test]
fn behind_lost_bytes_only_whole_messages_count() {
    let mut talk = Talk::open(53);
    talk.client(&framed(&query(1, 0x100, "a.test", 1)));
    let answer = framed(&response(1, "a.test", 1, &[record(1, &[192, 0, 2, 1]), record(1, &[192, 0, 2, 2])]));
    talk.cut(Direction::ToClient, &answer, 50);
    talk.client(&framed(&query(2, 0x100, "b.test", 1)));
    talk.lose(Direction::ToClient, 500);
    talk.now += 5_000_000_000;
    talk.client(&framed(&query(3, 0x100, "c.test", 1)));
    talk.server(&framed(&response(3, "c.test", 1, &[])));
    talk.close();
    let items = talk.finish();
    let rows: Vec<(u64, &str)> =
        items.iter().map(|item| (item["request"]["id"].as_u64().unwrap(), error(item))).collect();
    assert_eq!(rows, [(1, "dissection"), (3, ""), (2, "pair-not-found")], "{items:#?}");
}

#[test]
fn a_stream_joined_in_the_middle_is_understood() {
    let mut talk = Talk::new(53);
    talk.server(&framed(&response(1, "a.test", 1, &[record(1, &[192, 0, 2, 1])])));
    talk.client(&framed(&query(2, 0x100, "b.test", 1)));
    talk.server(&framed(&response(2, "b.test", 1, &[])));
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:#?}");
    assert_eq!((error(&items[0]), error(&items[1])), ("pair-not-found", ""));
}

#[test]
fn other_traffic_is_left_alone() {
    let mut random = 1u64;
    let mut bytes = move |length: usize| -> Vec<u8> {
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    for round in 0..2_000 {
        let port = if round % 2 == 0 { 53 } else { 9_999 };
        let mut talk = Talk::new(port);
        for _ in 0..4 {
            talk.datagram(Direction::ToServer, &bytes(60));
        }
        assert_eq!(talk.finish().len(), 0);
        let mut talk = Talk::open(port);
        talk.client(&bytes(200)).server(&bytes(200)).close();
        assert_eq!(talk.finish().len(), 0);
    }
    let mut talk = Talk::open(53);
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n").close();
    assert_eq!(talk.finish()[0]["protocol"]["name"], "http");
}

#[test]
fn floods_stay_under_the_caps() {
    let mut talk = Talk::new(53);
    for id in 0..20_000 {
        talk.datagram(Direction::ToServer, &query(id, 0x100, "a.test", 1));
    }
    assert!(talk.memory() < 2 << 20, "{}", talk.memory());
    // As many records as fit, each with a chain of pointers to follow.
    let mut bytes = header(1, 0x8180, [0, 5_000, 0, 0]);
    (0..5_000).for_each(|_| bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]));
    let mut talk = Talk::new(53);
    talk.datagram(Direction::ToClient, &bytes);
    assert_eq!(talk.finish().len(), 1);
}
