//! A capture under other circumstances: packets lost, cut, swapped, doubled, missing from the beginning.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::PcapReader;
use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Kept {
    timestamp: Timestamp,
    link: LinkType,
    length: u32,
    data: Vec<u8>,
}

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(path)
}

pub(crate) fn packets(path: &Path) -> Vec<Kept> {
    let mut reader = PcapReader::new(File::open(path).expect("the capture opens")).expect("it is a capture");
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.next() {
        packets.push(Kept {
            timestamp: packet.timestamp,
            link: packet.link,
            length: packet.length,
            data: packet.data.to_vec(),
        });
    }
    packets
}

pub(crate) fn items(packets: &[Kept]) -> Vec<Item> {
    let origin = Origin {
        worker: "w".to_owned(),
        node: Node { ip: "192.0.2.9".to_owned(), name: "n".to_owned() },
        backend: "pcap",
        source: "test",
    };
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    let mut items = Vec::new();
    for kept in packets {
        let packet = Packet {
            timestamp: kept.timestamp,
            link: kept.link,
            interface: 0,
            length: kept.length,
            data: &kept.data,
        };
        engine.packet(&packet, &mut items);
    }
    engine.finish(&mut items);
    items
}

pub(crate) fn as_json(item: &Item) -> Value {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    serde_json::from_slice(&out).expect("an item is JSON")
}

/// What must be the same. What only the login tells is not known to who joins later, and left out then.
fn content(item: &Value, session: bool) -> String {
    let mut request = item["request"].clone();
    if let (Value::Object(request), false) = (&mut request, session) {
        *request = std::mem::take(request)
            .into_iter()
            .filter(|(name, _)| !matches!(name.as_str(), "database" | "user"))
            .collect();
    }
    format!("{} {} {request} {}", item["protocol"]["name"], item["base"]["method"], item["response"])
}

/// Variants of a capture with their names.
pub(crate) fn variants(packets: &[Kept]) -> Vec<(String, Vec<Kept>)> {
    let mut variants = Vec::new();
    for step in [2, 3, 5, 7, 11, 13, 17, 29, 53] {
        for phase in [0, step / 2, step - 1] {
            let lost = |at: &usize| at % step != phase;
            let kept = (0..packets.len()).filter(lost).map(|at| packets[at].clone()).collect();
            variants.push((format!("every {step}th lost from {phase}"), kept));
        }
    }
    for share in 1..24 {
        let from = packets.len() * share / 24;
        variants.push((format!("from packet {from}"), packets[from..].to_vec()));
    }
    for snap in [54, 66, 70, 80, 96, 128, 200, 500] {
        let cut =
            |kept: &Kept| Kept { data: kept.data[..kept.data.len().min(snap)].to_vec(), ..kept.clone() };
        variants.push((format!("cut to {snap}"), packets.iter().map(cut).collect()));
    }
    for phase in [0, 1] {
        let mut swapped = packets.to_vec();
        swapped[phase..].chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        variants.push((format!("swapped from {phase}"), swapped));
    }
    let doubled = packets.iter().flat_map(|kept| [kept.clone(), kept.clone()]).collect();
    variants.push(("doubled".to_owned(), doubled));
    let mut state = 1u64;
    for number in 0..60 {
        let mut kept = Vec::new();
        let from = packets.len() * (number % 10) / 14;
        for packet in &packets[from..] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if (state >> 33) % 100 >= [1, 4, 15, 40][number % 4] {
                kept.push(packet.clone());
            }
        }
        variants.push((format!("random losses {number} from {from}"), kept));
    }
    variants
}

/// Every item of a variant that has no error is one of the intact capture's.
pub(crate) fn check_variants(path: &Path) {
    let packets = packets(path);
    let intact: Vec<Value> = items(&packets).iter().map(as_json).collect();
    let whole: BTreeSet<String> = intact.iter().map(|item| content(item, false)).collect();
    let mut failures = BTreeMap::new();
    let (mut good, mut marked) = (0, 0);
    for (name, variant) in variants(&packets) {
        for item in items(&variant) {
            let item = as_json(&item);
            if !item["error"].is_null() {
                marked += 1;
            } else if whole.contains(&content(&item, false)) {
                good += 1;
            } else {
                let text: String = content(&item, false).chars().take(400).collect();
                failures.entry(text).or_insert_with(Vec::new).push(format!("{name} {}", item["id"]));
            }
        }
    }
    eprintln!("{} items; in variants {good} good, {marked} marked", intact.len());
    let text: Vec<String> = failures
        .iter()
        .take(8)
        .map(|(text, places)| format!("{text}\n    in {} such as {}", places.len(), places[0]))
        .collect();
    assert!(failures.is_empty(), "{} wrong items\n{}", failures.len(), text.join("\n"));
    assert!(good > marked / 4, "{good} good and {marked} marked");
}
