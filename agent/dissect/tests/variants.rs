//! Captures that are lossy, reordered, repeated, cut or begin in the middle: no panic, memory under its ceiling, and never
//! an item with wrong content, only marked or missing ones.
//!
//! An item that is not marked (no `error`, no `gap`) must be one of the intact capture: what it says of request and
//! response is what an item of the same protocol and flow says there. It may say less: what is not known may be absent.

mod golden_support;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use golden_support::{captures, fixtures, keyed};
use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_pcap::PcapReader;
use remora_variants::{OwnedPacket, Variant};
use serde_json::Value;

/// Runs of each random variant.
const SEEDS: u64 = 3;

/// When a side was captured: packets that change places carry other times.
const WHEN: &str = "captureTime";

/// A capture has a few hundred connections at most, of which a variant may hold everything.
const CEILING: usize = 64 << 20;

fn packets(path: &Path) -> Vec<OwnedPacket> {
    let mut packets = Vec::new();
    if let Ok(mut reader) = PcapReader::new(File::open(path).expect("the capture opens")) {
        while let Ok(Some(packet)) = reader.next() {
            packets.push(OwnedPacket::from(&packet));
        }
    }
    packets
}

fn replay(packets: &[OwnedPacket], limits: &Limits) -> (Vec<Value>, usize) {
    let origin = Origin {
        worker: "w".to_owned(),
        node: Node { ip: "192.0.2.1".to_owned(), name: "n".to_owned() },
        backend: "pcap",
        source: "file",
    };
    let mut engine = Engine::new(limits.clone(), Arc::new(origin));
    let (mut items, mut peak) = (Vec::new(), 0);
    for packet in packets {
        engine.packet(&packet.as_packet(), &mut items);
        peak = peak.max(engine.memory());
    }
    engine.finish(&mut items);
    (items.iter().map(as_json).collect(), peak)
}

fn as_json(item: &Item) -> Value {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    serde_json::from_slice(&out).expect("an item is JSON")
}

/// Whether `part` says nothing that `whole` does not say.
fn says_no_more(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Null, _) => true,
        (Value::Object(part), Value::Object(whole)) => part.iter().all(|(name, value)| {
            value.is_null() || name == WHEN || whole.get(name).is_some_and(|whole| says_no_more(value, whole))
        }),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| says_no_more(part, whole))
        }
        _ => part == whole,
    }
}

fn key(item: &Value) -> String {
    let of = |pointer: &str| item.pointer(pointer).map(Value::to_string).unwrap_or_default();
    ["/protocol/name", "/src/ip", "/src/port", "/dst/ip", "/dst/port"].map(of).join(" ")
}

/// The unmarked items of a variant that no item of the intact capture bears out.
fn wrong<'v>(intact: &[Value], variant: &'v [Value]) -> Vec<&'v Value> {
    let mut known: HashMap<String, Vec<&Value>> = HashMap::new();
    for item in intact {
        known.entry(key(item)).or_default().push(item);
    }
    let bears_out = |item: &Value| {
        known.get(&key(item)).is_some_and(|items| {
            let same = |name: &str, other: &Value| says_no_more(&item[name], &other[name]);
            items.iter().any(|other| same("request", other) && same("response", other))
        })
    };
    variant
        .iter()
        .filter(|item| item["error"].is_null() && item["gap"].is_null())
        .filter(|item| !bears_out(item))
        .collect()
}

fn check(path: &Path, failures: &mut Vec<String>) {
    check_with(path, &Limits::default(), failures);
    if let Some(limits) = keyed(path) {
        check_with(path, &limits, failures);
    }
}

fn check_with(path: &Path, limits: &Limits, failures: &mut Vec<String>) {
    let packets = packets(path);
    let (intact, _) = replay(&packets, limits);
    for variant in Variant::EACH {
        let random = !matches!(variant, Variant::Snaplen | Variant::Midstream);
        for seed in 0..if random { SEEDS } else { 1 } {
            let (items, peak) = replay(&variant.apply(&packets, seed), limits);
            let place = format!("{} {variant} {seed}", path.display());
            if peak > CEILING {
                failures.push(format!("{place}: {peak} bytes held"));
            }
            let wrong = wrong(&intact, &items);
            if let Some(first) = wrong.first() {
                let excerpt: String = format!("request {} response {}", first["request"], first["response"]);
                let excerpt: String = excerpt.chars().take(600).collect();
                failures.push(format!(
                    "{place}: {} of {} items are wrong, the first is {} {excerpt}",
                    wrong.len(),
                    items.len(),
                    first["id"],
                ));
            }
        }
    }
}

fn check_all(paths: &[PathBuf]) {
    let mut failures = Vec::new();
    // On both cores: this is most of what these tests take.
    std::thread::scope(|scope| {
        let halves: Vec<_> = (0..2)
            .map(|half| {
                scope.spawn(move || {
                    let mut failures = Vec::new();
                    paths.iter().skip(half).step_by(2).for_each(|path| check(path, &mut failures));
                    failures
                })
            })
            .collect();
        for half in halves {
            failures.extend(half.join().expect("no capture makes it panic"));
        }
    });
    assert!(failures.is_empty(), "{} wrong:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn no_variant_of_a_fixture_gives_a_wrong_item() {
    let folders = std::fs::read_dir(fixtures()).expect("the fixtures are there");
    let folders = folders.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        folders.filter(|path| path.is_dir()).flat_map(|folder| captures(&folder)).collect();
    paths.sort();
    check_all(&paths);
}

#[test]
fn no_variant_of_another_capture_gives_a_wrong_item() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps/own");
    if !own.is_dir() {
        eprintln!("skipped: no captures at {}", own.display());
        return;
    }
    check_all(&captures(&own));
}

#[test]
fn the_check_sees_what_is_wrong() {
    let item = |request: Value, error: Value| {
        serde_json::json!({
            "id": "x", "protocol": {"name": "p"}, "src": {"ip": "a", "port": "1"}, "dst": {"ip": "b", "port": "2"},
            "request": request, "response": null, "error": error, "gap": null,
        })
    };
    let intact = [item(serde_json::json!({"a": 1, "b": [1, 2]}), Value::Null)];
    let less = [item(serde_json::json!({"b": [1, null]}), Value::Null)];
    assert!(wrong(&intact, &less).is_empty());
    for other in [serde_json::json!({"a": 2}), serde_json::json!({"c": 1}), serde_json::json!({"b": [1]})] {
        assert_eq!(wrong(&intact, &[item(other.clone(), Value::Null)]).len(), 1, "{other}");
        assert!(wrong(&intact, &[item(other, serde_json::json!({"type": "dissection"}))]).is_empty());
    }
}
