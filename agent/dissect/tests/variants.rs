//! Captures that are lossy, reordered, repeated, cut or begin in the middle: no panic, memory under its ceiling, and never
//! an item with wrong content, only marked or missing ones.
//!
//! An item that is not marked (no `error`, no `gap`) must be one of the intact capture: what it says of request and
//! response is what an item of the same protocol and flow says there. It may say less: what is not known may be absent.
//! And where the variant leaves times alone, a request and a response that belong to two exchanges of the intact capture by
//! their times are no pair, however alike all responses are.
//!
//! `REMORA_VARIANTS_SEEDS=30` runs thirty variants of each random kind, as a nightly run or someone who changes how messages
//! are paired should; without it a few. `REMORA_VARIANTS_ONLY=redis` takes only captures whose path has that in it. Either
//! way a table says how many items of each protocol were seen, how many of them unmarked, in pairs, and wrong:
//!
//! ```sh
//! REMORA_VARIANTS_SEEDS=30 cargo nextest run --release -p remora-dissect --test variants --no-capture
//! ```

mod golden_support;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use golden_support::{captures, fixtures, keyed, packets};
use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_packet::Timestamp;
use remora_variants::{OwnedPacket, Variant};
use serde_json::Value;

/// Runs of each random variant, and of each heavy one, where the environment does not say.
const SEEDS: [u64; 2] = [3, 1];

/// When a side was captured: packets that change places carry other times.
const WHEN: &str = "captureTime";

/// A capture has a few hundred connections at most, of which a variant may hold everything.
const CEILING: usize = 64 << 20;

/// An item, and when its sides began.
struct Seen {
    json: Value,
    requested: Timestamp,
    answered: Option<Timestamp>,
}

impl From<&Item> for Seen {
    fn from(item: &Item) -> Self {
        let requested = item.draft.timestamp;
        let answered = item
            .draft
            .elapsed
            .map(|elapsed| Timestamp::from_nanos(requested.nanos().saturating_add_unsigned(elapsed)));
        Self { json: as_json(item), requested, answered }
    }
}

fn replay(packets: &[OwnedPacket], limits: &Limits) -> (Vec<Seen>, usize) {
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
    (items.iter().map(Seen::from).collect(), peak)
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

fn is_unmarked(item: &Value) -> bool {
    item["error"].is_null() && item["gap"].is_null()
}

/// The unmarked items of a variant that no item of the intact capture bears out.
fn wrong<'v>(intact: &[Seen], variant: &'v [Seen], times_kept: bool) -> Vec<&'v Value> {
    let mut known: HashMap<String, Vec<&Seen>> = HashMap::new();
    for item in intact {
        known.entry(key(&item.json)).or_default().push(item);
    }
    let bears_out = |item: &Seen| {
        known.get(&key(&item.json)).is_some_and(|items| {
            let same = |name: &str, other: &Seen| says_no_more(&item.json[name], &other.json[name]);
            let content = items.iter().any(|other| same("request", other) && same("response", other));
            content && !(times_kept && is_of_two(item, items))
        })
    };
    variant.iter().filter(|item| is_unmarked(&item.json) && !bears_out(item)).map(|item| &item.json).collect()
}

/// Whether the sides of an item are of different exchanges of the intact capture.
fn is_of_two(item: &Seen, intact: &[&Seen]) -> bool {
    let Some(answered) = item.answered else { return false };
    let is_exchange = |other: &&&Seen| other.answered.is_some() && is_unmarked(&other.json);
    let mut requests = intact.iter().filter(|other| other.requested == item.requested).peekable();
    let mut responses =
        intact.iter().filter(is_exchange).filter(|other| other.answered == Some(answered)).peekable();
    requests.peek().is_some()
        && responses.peek().is_some()
        && !responses.any(|other| other.requested == item.requested)
        && requests.all(|other| is_exchange(&other))
}

/// What became of the items of a protocol.
#[derive(Clone, Copy, Default)]
struct Tally {
    items: usize,
    unmarked: usize,
    paired: usize,
    wrong: usize,
}

/// Of all captures and variants.
#[derive(Default)]
struct Findings {
    tallies: BTreeMap<String, Tally>,
    failures: Vec<String>,
}

impl Findings {
    fn count(&mut self, items: &[Seen], wrong: &[&Value]) {
        let name = |item: &Value| item["protocol"]["name"].as_str().unwrap_or_default().to_owned();
        for Seen { json: item, .. } in items {
            let tally = self.tallies.entry(name(item)).or_default();
            let unmarked = is_unmarked(item);
            tally.items += 1;
            tally.unmarked += usize::from(unmarked);
            tally.paired +=
                usize::from(unmarked && !item["response"].is_null() && !item["request"].is_null());
        }
        for item in wrong {
            self.tallies.entry(name(item)).or_default().wrong += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.failures.extend(other.failures);
        for (name, tally) in other.tallies {
            let sum = self.tallies.entry(name).or_default();
            sum.items += tally.items;
            sum.unmarked += tally.unmarked;
            sum.paired += tally.paired;
            sum.wrong += tally.wrong;
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14} {:>9} {:>9} {:>9} {:>7}", "protocol", "items", "unmarked", "pairs", "wrong")?;
        for (name, Tally { items, unmarked, paired, wrong }) in &self.tallies {
            writeln!(f, "{name:<14} {items:>9} {unmarked:>9} {paired:>9} {wrong:>7}")?;
        }
        Ok(())
    }
}

/// Runs of a variant.
fn seeds(variant: Variant) -> u64 {
    let heavy = Variant::HEAVY.contains(&variant);
    let told = std::env::var("REMORA_VARIANTS_SEEDS").ok();
    let wanted = told.map_or(SEEDS[usize::from(heavy)], |seeds| seeds.parse().expect("a number of seeds"));
    variant.choices().map_or(wanted, |choices| choices.min(wanted))
}

fn check(path: &Path, findings: &mut Findings) {
    check_with(path, &Limits::default(), findings);
    if let Some(limits) = keyed(path) {
        check_with(path, &limits, findings);
    }
}

fn check_with(path: &Path, limits: &Limits, findings: &mut Findings) {
    let packets = packets(path);
    let (intact, _) = replay(&packets, limits);
    for variant in Variant::EACH.into_iter().chain(Variant::HEAVY) {
        for seed in 0..seeds(variant) {
            let (items, peak) = replay(&variant.apply(&packets, seed), limits);
            let place = format!("{} {variant} {seed}", path.display());
            if peak > CEILING {
                findings.failures.push(format!("{place}: {peak} bytes held"));
            }
            let wrong = wrong(&intact, &items, variant.keeps_times());
            findings.count(&items, &wrong);
            if let Some(first) = wrong.first() {
                let excerpt: String = format!("request {} response {}", first["request"], first["response"]);
                let excerpt: String = excerpt.chars().take(600).collect();
                findings.failures.push(format!(
                    "{place}: {} of {} items are wrong, the first is {} of {} {excerpt}",
                    wrong.len(),
                    items.len(),
                    first["id"],
                    first["protocol"]["name"],
                ));
            }
        }
    }
}

fn check_all(mut paths: Vec<PathBuf>) {
    let only = std::env::var("REMORA_VARIANTS_ONLY").unwrap_or_default();
    paths.retain(|path| path.to_string_lossy().contains(&only));
    paths.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).map_or(0, |file| file.len())));
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Findings::default()));
    // On both cores: this is most of what these tests take.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut findings = Findings::default();
                    check(path, &mut findings);
                    all.lock().expect("no capture makes it panic").add(findings);
                }
            });
        }
    });
    let findings = all.into_inner().expect("no capture makes it panic");
    eprintln!("\n{findings}");
    let failures = &findings.failures;
    assert!(failures.is_empty(), "{} wrong:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn no_variant_of_a_fixture_gives_a_wrong_item() {
    let folders = std::fs::read_dir(fixtures()).expect("the fixtures are there");
    let folders = folders.map(|entry| entry.expect("the folder can be read").path());
    check_all(folders.filter(|path| path.is_dir()).flat_map(|folder| captures(&folder)).collect());
}

#[test]
fn no_variant_of_another_capture_gives_a_wrong_item() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps/own");
    if !own.is_dir() {
        eprintln!("skipped: no captures at {}", own.display());
        return;
    }
    check_all(captures(&own));
}

#[test]
fn the_check_sees_what_is_wrong() {
    let item = |request: Value, error: Value| Seen {
        json: serde_json::json!({
            "id": "x", "protocol": {"name": "p"}, "src": {"ip": "a", "port": "1"}, "dst": {"ip": "b", "port": "2"},
            "request": request, "response": null, "error": error, "gap": null,
        }),
        requested: Timestamp::from_nanos(1),
        answered: None,
    };
    let intact = [item(serde_json::json!({"a": 1, "b": [1, 2]}), Value::Null)];
    let less = [item(serde_json::json!({"b": [1, null]}), Value::Null)];
    assert!(wrong(&intact, &less, true).is_empty());
    for other in [serde_json::json!({"a": 2}), serde_json::json!({"c": 1}), serde_json::json!({"b": [1]})] {
        assert_eq!(wrong(&intact, &[item(other.clone(), Value::Null)], true).len(), 1, "{other}");
        assert!(wrong(&intact, &[item(other, serde_json::json!({"type": "dissection"}))], true).is_empty());
    }
}

#[test]
fn the_check_sees_pairs_of_two_exchanges() {
    let exchange = |requested: i64, answered: i64| Seen {
        json: serde_json::json!({"request": {"a": 1}, "response": {"b": 1}, "error": null, "gap": null}),
        requested: Timestamp::from_nanos(requested),
        answered: Some(Timestamp::from_nanos(answered)),
    };
    let intact = [exchange(1, 2), exchange(3, 4), exchange(3, 5)];
    assert_eq!(wrong(&intact, &[exchange(1, 4)], true).len(), 1);
    assert!(wrong(&intact, &[exchange(1, 4)], false).is_empty());
    // Sent again, or a side of several.
    assert!(wrong(&intact, &[exchange(3, 5), exchange(1, 6), exchange(6, 4)], true).is_empty());
}
