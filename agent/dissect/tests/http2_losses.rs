//! HTTP/2 and gRPC captures with packets lost, cut, doubled or out of order, or joined in the middle: an item that is not
//! marked is one of the whole capture.

mod golden_support;
mod talk;

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use golden_support::fixtures;
use remora_dissect::item::Node;
use remora_dissect::{Engine, Limits, Origin};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::PcapReader;
use serde_json::Value;
use talk::as_json;

#[derive(Clone)]
struct Captured {
    timestamp: Timestamp,
    link: LinkType,
    length: u32,
    data: Vec<u8>,
}

fn packets(path: &Path) -> Vec<Captured> {
    let mut reader = PcapReader::new(File::open(path).expect("the capture opens")).expect("a capture");
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.next() {
        packets.push(Captured {
            timestamp: packet.timestamp,
            link: packet.link,
            length: packet.length,
            data: packet.data.to_vec(),
        });
    }
    packets
}

fn items(packets: &[Captured]) -> Vec<Value> {
    let node = Node { ip: String::new(), name: String::new() };
    let origin = Origin { worker: String::new(), node, backend: "pcap", source: "file" };
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    let mut items = Vec::new();
    for packet in packets {
        let Captured { timestamp, link, length, ref data } = *packet;
        engine.packet(&Packet { timestamp, link, interface: 0, length, data }, &mut items);
    }
    engine.finish(&mut items);
    items.iter().map(as_json).collect()
}

/// Of each variant, with other numbers.
const ROUNDS: usize = 4;

/// The same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// What must be the same: method and both sides.
fn content(item: &Value) -> String {
    format!("{} {} {}", item["base"]["method"], item["request"], item["response"])
}

/// Items that are not marked, of those that there could be.
fn check(name: &str, what: &str, whole: &HashSet<String>, packets: &[Captured]) -> usize {
    let mut good = 0;
    for item in items(packets) {
        if item["error"].is_null() {
            assert!(whole.contains(&content(&item)), "{name}, {what}: {item}");
            good += 1;
        }
    }
    good
}

fn variants(name: &str) {
    let packets = packets(&fixtures().join(name));
    let whole: Vec<Value> = items(&packets);
    let whole: HashSet<String> = whole.iter().map(content).collect();
    let mut random = Random(7);
    let mut good = [0; 7];
    for round in 0..ROUNDS {
        let keep = |random: &mut Random, of: usize| {
            packets.iter().filter(|_| random.below(of) != 0).cloned().collect::<Vec<_>>()
        };
        let some = keep(&mut random, 20);
        good[0] += check(name, &format!("one in 20 lost, round {round}"), &whole, &some);
        let some = keep(&mut random, 4);
        good[1] += check(name, &format!("one in 4 lost, round {round}"), &whole, &some);
        let start = random.below(packets.len());
        good[2] += check(name, &format!("from packet {start}"), &whole, &packets[start..]);
        let mut swapped = packets.clone();
        for at in 1..swapped.len() {
            if random.below(5) == 0 {
                swapped.swap(at - 1, at);
            }
        }
        good[3] += check(name, &format!("swapped, round {round}"), &whole, &swapped);
        let doubled: Vec<Captured> =
            packets.iter().flat_map(|packet| vec![packet.clone(); 1 + random.below(2)]).collect();
        good[4] += check(name, &format!("doubled, round {round}"), &whole, &doubled);
    }
    for (at, snaplen) in [(5, 96), (6, 200)] {
        let mut cut = packets.clone();
        cut.iter_mut().for_each(|packet| packet.data.truncate(snaplen));
        good[at] += check(name, &format!("cut at {snaplen}"), &whole, &cut);
    }
    let of_round = |at: usize| good[at] / ROUNDS;
    eprintln!(
        "{name}: of {} items, unmarked with one packet in 20 lost: {}, in 4: {}, joined: {}, swapped: {}, doubled: {}, \
         cut at 96: {}, at 200: {}",
        whole.len(),
        of_round(0),
        of_round(1),
        of_round(2),
        of_round(3),
        of_round(4),
        good[5],
        good[6]
    );
    assert_eq!(of_round(4), items(&packets).iter().filter(|item| item["error"].is_null()).count());
}

#[test]
fn of_curl() {
    variants("http2/http2_curl.pcap");
}

#[test]
fn of_python_h2() {
    variants("http2/http2_h2py.pcap");
}

#[test]
fn of_h2load() {
    variants("http2/http2_h2load.pcap");
}

#[test]
fn of_grpc() {
    variants("grpc/grpc.pcap");
}

#[test]
fn of_nghttp() {
    variants("http2/http2_multiplex.pcap.gz");
}
