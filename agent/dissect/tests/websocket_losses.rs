//! The WebSocket and GraphQL fixtures with packets missing, cut, swapped, repeated, from the middle on: an item that is not
//! marked is one of those of the intact capture.

mod golden_support;

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;

use golden_support::{fixtures, hash};
use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Object, Origin, json};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::PcapReader;

#[derive(Clone)]
struct Record {
    timestamp: Timestamp,
    link: LinkType,
    length: u32,
    data: Vec<u8>,
}

fn records(capture: &str) -> Vec<Record> {
    let file = File::open(fixtures().join(capture)).expect("the capture opens");
    let mut reader = PcapReader::new(file).expect("it is a capture");
    let mut records = Vec::new();
    while let Ok(Some(packet)) = reader.next() {
        records.push(Record {
            timestamp: packet.timestamp,
            link: packet.link,
            length: packet.length,
            data: packet.data.to_vec(),
        });
    }
    records
}

fn items(records: &[Record]) -> Vec<Item> {
    let origin = Origin {
        worker: "w".to_owned(),
        node: Node { ip: "192.0.2.9".to_owned(), name: "n".to_owned() },
        backend: "pcap",
        source: "test",
    };
    let (mut engine, mut items) = (Engine::new(Limits::default(), Arc::new(origin)), Vec::new());
    for record in records {
        let packet = Packet {
            timestamp: record.timestamp,
            link: record.link,
            interface: 0,
            length: record.length,
            data: &record.data,
        };
        engine.packet(&packet, &mut items);
    }
    engine.finish(&mut items);
    items
}

/// What an item says, as JSON text.
fn content(item: &Item) -> Vec<u8> {
    let mut out = item.draft.protocol.abbr.as_bytes().to_vec();
    for side in ["request", "response"] {
        json::write_value(&item.get(side).expect("items have both sides"), &mut out);
    }
    out
}

/// How many items have no error, and those of them that the intact capture does not have.
/// HTTP pairs by order, and what that is worth under much loss is tested with it.
fn strangers(intact: &HashSet<u64>, records: &[Record], much: bool) -> (usize, Vec<String>) {
    let mut items = items(records);
    items.retain(|item| !much || item.draft.protocol.name == "ws");
    let sound = items.iter().filter(|item| item.draft.error.is_none());
    let all: Vec<Vec<u8>> = sound.map(content).collect();
    let strange = all.iter().filter(|text| !intact.contains(&hash(text)));
    let strange = strange.map(|text| String::from_utf8_lossy(&text[..text.len().min(2_000)]).into_owned());
    (all.len(), strange.collect())
}

#[test]
fn no_damage_makes_an_item_say_what_was_not_said() {
    let mut failures = Vec::new();
    for capture in ["websocket/websocket.pcap", "graphql/graphql.pcap"] {
        let whole = records(capture);
        let intact: HashSet<u64> = items(&whole).iter().map(|item| hash(&content(item))).collect();
        let mut check =
            |name: String, records: &[Record], much: bool| {
                let (sound, strangers) = strangers(&intact, records, much);
                failures.extend(strangers.iter().map(|text| {
                    format!("{capture} {name}: {}", text.chars().take(3000).collect::<String>())
                }));
                sound
            };
        // A capture's second half is like its first.
        for at in (0..whole.len()).step_by(1 + whole.len() / 150) {
            let mut records = whole.clone();
            records.remove(at);
            check(format!("without packet {at}"), &records, false);
            if let Some(next) = (at + 1 < whole.len()).then_some(at + 1) {
                let mut records = whole.clone();
                records.swap(at, next);
                check(format!("packets {at} and {next} swapped"), &records, false);
            }
        }
        for every in [2, 3, 5, 7, 12, 20] {
            for offset in 0..every.min(4) {
                let kept = whole.iter().enumerate().filter(|(at, _)| at % every != offset);
                let records: Vec<Record> = kept.map(|(_, record)| record.clone()).collect();
                check(format!("every {every}th missing from {offset}"), &records, true);
            }
        }
        for kept in [60, 70, 80, 96, 128, 200, 1_000] {
            let mut records = whole.clone();
            records.iter_mut().for_each(|record| record.data.truncate(kept));
            check(format!("cut to {kept} bytes"), &records, true);
        }
        for from in (1..whole.len()).step_by(1 + whole.len() / 30) {
            check(format!("from packet {from} on"), &whole[from..], false);
        }
        let twice: Vec<Record> = whole.iter().flat_map(|record| [record.clone(), record.clone()]).collect();
        assert_eq!(check("each twice".to_owned(), &twice, false), items(&whole).len(), "{capture}");
    }
    assert!(
        failures.is_empty(),
        "{} items: {}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
}
