//! The same connections in other segments: what is recognised, and what its items say, must not depend on how bytes are cut.

mod golden_support;

use std::collections::BTreeMap;
use std::sync::Arc;

use golden_support::{captures, fixtures, packets};
use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_variants::{OwnedPacket, in_pieces};
use serde_json::{Value, json};

/// Bytes of a piece.
const SIZES: [usize; 4] = [1, 2, 3, 7];

/// Captures of connections that are damaged already: what their segments say of what is missing changes with them.
const DAMAGED: [&str; 2] = ["http1/corrupt", "lossy"];

/// How often each item comes, by what it says.
fn items(packets: &[OwnedPacket]) -> BTreeMap<String, usize> {
    let origin = Origin {
        worker: "w".to_owned(),
        node: Node { ip: "192.0.2.1".to_owned(), name: "n".to_owned() },
        backend: "pcap",
        source: "file",
    };
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    let mut items = Vec::new();
    for packet in packets {
        engine.packet(&packet.as_packet(), &mut items);
    }
    engine.finish(&mut items);
    let mut said = BTreeMap::new();
    for item in &items {
        *said.entry(says(item)).or_default() += 1;
    }
    said
}

fn says(item: &Item) -> String {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    let item: Value = serde_json::from_slice(&out).expect("an item is JSON");
    let parts = ["request", "response", "error", "gap", "requestSize", "responseSize", "timestamp"]
        .map(|name| &item[name]);
    // Which of the bytes that make no sense are shown, and when they came, may differ: not where they begin.
    let is_failure = item["request"].get("data").is_some() && item["error"]["type"] == "dissection";
    let parts = if is_failure { [&item["error"]; 7] } else { parts };
    let place = |side: &str| format!("{}:{}", item[side]["ip"], item[side]["port"]);
    json!([item["protocol"]["abbr"], item["protocol"]["version"], place("src"), place("dst"), parts])
        .to_string()
}

fn folders() -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(fixtures()).expect("the fixtures are there");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn segments_in_pieces_give_the_same_items() {
    let mut differences = Vec::new();
    let mut compared = 0;
    for path in folders().iter().flat_map(|folder| captures(folder)) {
        let name = path.strip_prefix(fixtures()).expect("it is a fixture").display().to_string();
        if DAMAGED.iter().any(|part| name.contains(part)) {
            continue;
        }
        let packets = packets(&path);
        let intact = items(&packets);
        for size in SIZES {
            compared += 1;
            let cut = items(&in_pieces(&packets, size));
            let only = |some: &BTreeMap<String, usize>, others: &BTreeMap<String, usize>| {
                let other = some.iter().find(|(said, count)| others.get(*said) != Some(count));
                other.map(|(said, _)| said.clone()).unwrap_or_default()
            };
            if intact != cut {
                let (whole, cut) = (only(&intact, &cut), only(&cut, &intact));
                let same = whole.chars().zip(cut.chars()).take_while(|(one, other)| one == other).count();
                let show =
                    |said: &str| said.chars().skip(same.saturating_sub(80)).take(240).collect::<String>();
                differences.push(format!(
                    "{name} in pieces of {size}:\n    whole: {}\n    cut:   {}",
                    show(&whole),
                    show(&cut)
                ));
            }
        }
    }
    assert!(compared > 100, "{compared}");
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
