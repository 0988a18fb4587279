//! A capture with trouble put in, and what must still hold: an item without an error is one of the intact capture.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, Value, json};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::PcapReader;

#[derive(Clone)]
pub(crate) struct Captured {
    timestamp: Timestamp,
    link: LinkType,
    length: u32,
    pub(crate) data: Vec<u8>,
}

pub(crate) fn packets(path: &Path) -> Vec<Captured> {
    let mut reader = PcapReader::new(File::open(path).expect("the capture opens")).expect("it is a capture");
    let mut packets = Vec::new();
    while let Some(packet) = reader.next().expect("it can be read") {
        let Packet { timestamp, link, length, data, .. } = packet;
        packets.push(Captured { timestamp, link, length, data: data.to_vec() });
    }
    packets
}

pub(crate) fn run<'a>(packets: impl IntoIterator<Item = &'a Captured>) -> Vec<Item> {
    let node = Node { ip: "192.0.2.9".to_owned(), name: "n".to_owned() };
    let origin = Origin { worker: "w".to_owned(), node, backend: "pcap", source: "test" };
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    let mut items = Vec::new();
    for Captured { timestamp, link, length, data } in packets {
        let packet = Packet {
            timestamp: *timestamp,
            link: *link,
            interface: 0,
            length: *length,
            data: data.as_slice(),
        };
        engine.packet(&packet, &mut items);
    }
    engine.finish(&mut items);
    items
}

fn content(item: &Item) -> String {
    let mut out = item.summary().method.into_owned().into_bytes();
    for side in ["request", "response"] {
        json::write_value(&item.get(side).unwrap_or(Value::Null), &mut out);
    }
    String::from_utf8(out).expect("JSON is UTF-8")
}

use remora_dissect::Object as _;

/// Each packet missing once, each start in the middle, packets cut short, twice, and swapped.
pub(crate) fn check(path: &Path) {
    let packets = packets(path);
    let intact: HashSet<String> = run(&packets).iter().map(content).collect();
    let same = |what: &str, items: Vec<Item>| {
        for item in items.iter().filter(|item| item.draft.error.is_none()) {
            assert!(intact.contains(&content(item)), "{what}: {}", content(item));
        }
        items.len()
    };
    for at in 0..packets.len() {
        let rest = packets.iter().enumerate().filter(|(index, _)| *index != at);
        same(&format!("without packet {at}"), run(rest.map(|(_, packet)| packet)));
        same(&format!("from packet {at} on"), run(&packets[at..]));
        same(&format!("up to packet {at}"), run(&packets[..at]));
        let mut swapped = packets.clone();
        if at + 1 < swapped.len() {
            swapped.swap(at, at + 1);
            same(&format!("packet {at} late"), run(&swapped));
        }
    }
    for step in 2..9 {
        let rest = packets.iter().enumerate().filter(|(index, _)| index % step != 0);
        same(&format!("without each {step}th packet"), run(rest.map(|(_, packet)| packet)));
    }
    for length in [60, 70, 96, 128, 200, 400, 700, 1_000, 1_300] {
        let mut cut = packets.clone();
        cut.iter_mut().for_each(|packet| packet.data.truncate(length));
        same(&format!("packets cut to {length} bytes"), run(&cut));
    }
    let twice: Vec<&Captured> = packets.iter().flat_map(|packet| [packet, packet]).collect();
    let found = same("each packet twice", run(twice));
    assert_eq!(found, run(&packets).len());
}

/// Bytes changed at random: nothing panics, and nothing grows beyond what a capture this small can need.
pub(crate) fn shake(path: &Path, rounds: u64) {
    let packets = packets(path);
    for round in 0..rounds {
        let mut changed = packets.clone();
        let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below.max(1) as u64).unwrap_or(0)
        };
        for _ in 0..40 {
            let packet = random(changed.len());
            let data = &mut changed[packet].data;
            // Behind the addresses and ports, mostly in the beginning of the payload.
            let span = if random(2) == 0 { 100 } else { data.len() };
            let at = 54 + random(span);
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << random(8);
            }
        }
        run(&changed);
    }
}
