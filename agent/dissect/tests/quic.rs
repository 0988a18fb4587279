//! QUIC handshakes: a capture against its ground truth, that capture with trouble put in, captures of others.

mod golden_support;
mod shake;
mod talk;

use std::fs;

use golden_support::{Public, carries, fixtures, replay};
use remora_dissect::Direction::{ToClient, ToServer};
use remora_dissect::{Limits, Object as _, Value as Field, json};
use serde_json::Value;
use talk::Talk;

#[test]
fn the_capture_holds_what_was_done() {
    let truth = fs::read_to_string(fixtures().join("quic/quic.gt.jsonl")).unwrap();
    let truth: Vec<Value> = truth.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replay = replay(&fixtures().join("quic/quic.pcap"), Limits::default());
    let items: Vec<Value> = replay.items.iter().map(talk::as_json).collect();
    assert_eq!(items.len(), truth.len());
    for (item, row) in items.iter().zip(&truth) {
        let (request, response) = (&item["request"], &item["response"]);
        assert_eq!(item["dst"]["port"].as_str().unwrap(), row["port"].to_string());
        assert_eq!(request["quicVersion"], row["version"]);
        if let Some(versions) = row.get("negotiation") {
            assert_eq!((&response["type"], &response["versions"]), (&"VersionNegotiation".into(), versions));
            continue;
        }
        assert_eq!(request["sni"], row["sni"]);
        assert_eq!(request["alpn"][0], row["alpn"]);
        assert_eq!(request["alpn"].as_array().unwrap().len() as u64, row["alpn_count"].as_u64().unwrap_or(1));
        assert!(request["ja4"].as_str().unwrap().starts_with("q13d03"));
        assert_eq!(request["transportParameters"]["maxIdleTimeout"], 60_000);
        if let Some(alert) = row.get("alert") {
            assert_eq!(&response["alert"]["code"], alert);
            assert_eq!(item["error"]["type"], "connection");
        } else {
            assert_eq!(item["error"], Value::Null);
            assert_eq!(response["info"], "TLS 1.3, AES-256-GCM");
            assert_eq!(response["quicVersion"], row["version"]);
            assert_eq!(&response["resumed"], row.get("resumed").unwrap_or(&Value::Bool(false)));
        }
    }
}

#[test]
fn the_capture_with_trouble_gives_no_wrong_items() {
    shake::check(&fixtures().join("quic/quic.pcap"));
    shake::shake(&fixtures().join("quic/quic.pcap"), 60);
}

/// The payloads of a conversation of the capture.
fn datagrams(client_port: u16) -> Vec<(bool, Vec<u8>)> {
    let packets = shake::packets(&fixtures().join("quic/quic.pcap"));
    let payload = |packet: &shake::Captured| {
        // Ethernet of the loopback interface, IPv4, UDP.
        let port = |at: usize| u16::from_be_bytes([packet.data[at], packet.data[at + 1]]);
        let from_client = port(34) == client_port;
        (packet.data[12] == 8 && (from_client || port(36) == client_port))
            .then(|| (from_client, packet.data[42..].to_vec()))
    };
    packets.iter().filter_map(payload).collect()
}

/// The client's port of the first conversation.
fn first_port() -> u16 {
    let packet = &shake::packets(&fixtures().join("quic/quic.pcap"))[0];
    u16::from_be_bytes([packet.data[34], packet.data[35]])
}

#[test]
fn a_packet_sent_again_is_no_other_handshake() {
    let datagrams = datagrams(first_port());
    let mut talk = Talk::new(4433);
    for (from_client, bytes) in &datagrams {
        talk.datagram(if *from_client { ToServer } else { ToClient }, bytes);
    }
    assert_eq!(talk.items().len(), 1);
    for (from_client, bytes) in &datagrams {
        talk.datagram(if *from_client { ToServer } else { ToClient }, bytes);
    }
    assert!(talk.finish().is_empty());
}

#[test]
fn an_offer_of_the_version_that_was_asked_for_is_of_an_earlier_attempt() {
    let packets = shake::packets(&fixtures().join("quic/quic.pcap"));
    let offer = packets.iter().find(|packet| packet.data[12] == 8 && packet.data[43..47] == [0; 4]);
    let offer = &offer.expect("a server offers versions").data;
    let mut datagrams = datagrams(u16::from_be_bytes([offer[36], offer[37]]));
    let at = datagrams.iter().position(|(_, bytes)| bytes[1..5] == [0; 4]).expect("it is in there");
    // The first attempt is lost, and the offer is delivered behind the second.
    datagrams.swap(at, at + 1);
    datagrams.remove(at - 1);
    let mut talk = Talk::new(4433);
    for (from_client, bytes) in &datagrams {
        talk.datagram(if *from_client { ToServer } else { ToClient }, bytes);
    }
    let items = talk.finish();
    assert_eq!((items.len(), &items[0]["response"]["type"]), (1, &"ServerHello".into()), "{items:#?}");
}

#[test]
fn an_initial_packet_without_answer_comes_out_late() {
    let datagrams = datagrams(first_port());
    let mut talk = Talk::new(4433);
    talk.datagram(ToServer, &datagrams[0].1);
    assert!(talk.memory() > 0);
    talk.now += 11_000_000_000;
    // Any packet lets the time pass.
    talk.datagram(ToServer, &[0x40; 40]);
    let items = talk.items();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["error"]["type"], "timeout");
    assert_eq!(items[0]["request"]["sni"], "v1.example.test");
}

#[test]
fn what_only_looks_like_quic_gives_nothing() {
    let mut talk = Talk::new(443);
    for seed in 0..200u8 {
        let mut bytes: Vec<u8> = (0..1_200u32).map(|at| (at as u8).wrapping_mul(seed | 1) ^ seed).collect();
        bytes[..6].copy_from_slice(&[0xc0 | seed, 0, 0, 0, 1, 8]);
        bytes[14] = 0;
        bytes[15] = 0;
        bytes[16..18].copy_from_slice(&[0x44, 0x90]);
        talk.datagram(if seed % 3 == 0 { ToClient } else { ToServer }, &bytes);
    }
    assert!(talk.finish().is_empty());
}

/// RFC 9287: the server of this capture clears the bit that tells QUIC from others.
#[test]
fn a_server_that_clears_the_fixed_bit_is_read() {
    let Some(public) = Public::open() else { return };
    let path = public.folder.join("ntop+nDPI/tests/cfgs/default/pcap/quic-v2.pcapng");
    let replay = replay(&path, Limits::default());
    assert!(replay.items.iter().any(|item| item.draft.response.is_some() && item.draft.error.is_none()));
}

#[test]
fn public_captures_are_plausible() {
    let Some(public) = Public::open() else { return };
    let mut failures = Vec::new();
    for (path, _) in public.captures().filter(|(_, protocols)| carries(protocols, "quic")) {
        let replay = replay(&public.folder.join(path), Limits::default());
        for item in replay.items.iter().filter(|item| item.draft.protocol.name == "quic") {
            json::write_object(item, &mut Vec::new());
            let answer = |name: &str| match item.get("response") {
                Some(Field::Object(side)) => match side.get(name) {
                    Some(Field::Str(text)) => text.into_owned(),
                    _ => String::new(),
                },
                _ => String::new(),
            };
            let plausible = item.draft.error.is_some()
                || answer("type") == "VersionNegotiation"
                || answer("version").starts_with("TLS 1.3");
            if !plausible {
                failures.push(format!("{path} {}: {}", item.id(), answer("version")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
