//! A capture with packets missing, swapped, cut or not seen from the beginning: what comes out unmarked must be what the
//! intact capture gives.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_packet::{Packet, Timestamp};
use remora_pcap::PcapReader;

#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) timestamp: Timestamp,
    pub(crate) link: remora_packet::LinkType,
    pub(crate) length: u32,
    pub(crate) data: Vec<u8>,
}

pub(crate) fn frames(path: &Path) -> Vec<Frame> {
    let mut reader = PcapReader::new(File::open(path).expect("the capture opens")).expect("a capture");
    let mut frames = Vec::new();
    while let Ok(Some(packet)) = reader.next() {
        let Packet { timestamp, link, length, data, .. } = packet;
        frames.push(Frame { timestamp, link, length, data: data.to_vec() });
    }
    frames
}

pub(crate) fn items(frames: &[Frame]) -> Vec<Item> {
    let node = Node { ip: "192.0.2.9".to_owned(), name: "n".to_owned() };
    let origin = Origin { worker: "w".to_owned(), node, backend: "pcap", source: "test" };
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    let mut items = Vec::new();
    for frame in frames {
        let Frame { timestamp, link, length, data } = frame;
        let packet = Packet { timestamp: *timestamp, link: *link, interface: 0, length: *length, data };
        engine.packet(&packet, &mut items);
    }
    engine.finish(&mut items);
    items
}

/// What must be equal: the method and both sides.
fn content(item: &Item) -> String {
    let mut out = item.summary().method.into_owned().into_bytes();
    for side in [&item.draft.request, &item.draft.response] {
        out.push(b'|');
        if let Some(side) = side {
            json::write_object(&**side, &mut out);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Makes the variants of a capture; says what came out unmarked that the intact capture does not give, or too often,
/// and how many of all items came out unmarked.
pub(crate) fn check(path: &Path) -> (Vec<String>, f64) {
    let intact = frames(path);
    let mut expected: HashMap<String, usize> = HashMap::new();
    for item in items(&intact) {
        *expected.entry(content(&item)).or_default() += 1;
    }
    let total: usize = expected.values().sum();
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut chance = move |one_in: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.is_multiple_of(one_in)
    };
    let mut variants: Vec<(String, Vec<Frame>)> = Vec::new();
    for at in 0..intact.len().min(150) {
        let mut less = intact.clone();
        less.remove(at);
        variants.push((format!("without packet {at}"), less));
    }
    for round in 0..16 {
        let thinned = intact.iter().filter(|_| !chance(4 + round)).cloned().collect();
        variants.push((format!("thinned {round}"), thinned));
        let mut swapped = intact.clone();
        for at in 1..swapped.len() {
            if chance(4 + round) {
                swapped.swap(at - 1, at);
            }
        }
        variants.push((format!("swapped {round}"), swapped));
        let start = intact.len() * (round as usize + 1) / 18;
        variants.push((format!("from packet {start}"), intact[start..].to_vec()));
    }
    for length in [96, 120, 200, 600] {
        let mut cut = intact.clone();
        cut.iter_mut().for_each(|frame| frame.data.truncate(length));
        variants.push((format!("snaplen {length}"), cut));
    }
    let (mut wrong, mut good, count) = (Vec::new(), 0, variants.len());
    for (name, variant) in variants {
        let mut left = expected.clone();
        for item in items(&variant) {
            if item.draft.error.is_some() {
                continue;
            }
            good += 1;
            match left.get_mut(&content(&item)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => wrong.push(format!("{name}: {} {:.200}", item.id(), content(&item))),
            }
        }
    }
    (wrong, good as f64 / (total * count) as f64)
}
