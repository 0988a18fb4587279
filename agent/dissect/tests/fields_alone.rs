//! A field reads the same alone as among all, before and after a message was decoded, and so does the list row.

mod golden_support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use golden_support::{captures, fixtures, replay};
use remora_dissect::item::Message;
use remora_dissect::{Item, Limits, Value, json};

fn text(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    json::write_value(value, &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn sides(item: &Item) -> impl Iterator<Item = &dyn Message> {
    [&item.draft.request, &item.draft.response].into_iter().flatten().map(|side| &**side)
}

/// Names of the fields of all sides, by protocol.
type Names = BTreeMap<&'static str, BTreeSet<String>>;

fn names(items: &[Item]) -> Names {
    let mut names = Names::new();
    for item in items {
        let of_protocol = names.entry(item.draft.protocol.abbr).or_default();
        sides(item).for_each(|side| {
            side.names(&mut |name| {
                of_protocol.insert(name.to_owned());
            });
        });
    }
    names
}

fn check(path: &Path, limits: &Limits) {
    let fresh = || replay(path, limits.clone()).items;
    let names = names(&fresh());
    for (item, again) in fresh().iter().zip(&fresh()) {
        let place = || format!("{}: {}", path.display(), item.id());
        let row = item.summary();
        for (side, again) in sides(item).zip(sides(again)) {
            // Nothing was asked of the one before, and all of the other.
            let alone: Vec<_> = names[item.draft.protocol.abbr]
                .iter()
                .map(|name| (name.as_str(), side.get(name).map(|value| text(&value))))
                .collect();
            let mut all = BTreeMap::new();
            again.each(&mut |name, value| {
                all.entry(name).or_insert_with(|| text(&value));
            });
            for (name, value) in alone {
                assert_eq!(value.as_ref(), all.get(name), "{} of {}", name, place());
                assert_eq!(again.get(name).map(|value| text(&value)).as_ref(), all.get(name), "{name}");
            }
        }
        assert!(row == item.summary() && row == again.summary(), "{}", place());
    }
}

#[test]
fn fields_read_the_same_alone() {
    let few = Limits { value_bytes: 100, list_entries: 3, nesting: 3, ..Limits::default() };
    for protocol in ["cassandra", "dns", "kafka", "memcached", "mongodb", "postgresql", "radius", "redis"] {
        for capture in captures(&fixtures().join(protocol)) {
            check(&capture, &Limits::default());
            check(&capture, &few);
        }
    }
}
