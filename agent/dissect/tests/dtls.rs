//! DTLS handshakes: captures against their ground truth, those captures with trouble put in, conversations made by hand,
//! captures of others.

mod golden_support;
mod shake;
mod talk;

use std::fs;
use std::path::Path;

use golden_support::{fixtures, replay};
use remora_dissect::{Item, Limits};
use serde_json::Value;

#[test]
fn public_captures_are_plausible() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps/public");
    let Ok(index) = fs::read_to_string(folder.join("index.tsv")) else {
        eprintln!("skipped: no captures at {}", folder.display());
        return;
    };
    let (mut captures, mut silent, mut items, mut failures) = (0, Vec::new(), 0, Vec::new());
    for line in index.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let (Some(path), Some(protocols)) = (columns.first(), columns.last()) else { continue };
        let carries = protocols.split(' ').any(|entry| entry.split(':').next() == Some("dtls"));
        let replay = replay(&folder.join(path), Limits::default());
        let found: Vec<&Item> =
            replay.items.iter().filter(|item| item.draft.protocol.name == "dtls").collect();
        // That one has it, in more protocols than were listed.
        if !carries && path.ends_with("arkime_synthetic.pcap") {
            continue;
        }
        if !carries {
            failures.extend(found.iter().map(|item| format!("{path}: {}", talk::as_json(item))));
            continue;
        }
        captures += 1;
        if found.is_empty() {
            silent.push(*path);
        }
        items += found.len();
        for item in found.iter().map(|item| talk::as_json(item)) {
            let version = item["response"]["version"].as_str().unwrap_or_default();
            let plausible = item["error"] != Value::Null || version.starts_with("DTLS ");
            if !plausible {
                failures.push(format!("{path} {}: {version}", item["id"]));
            }
        }
    }
    eprintln!("{captures} captures, {items} items; none in {}: {}", silent.len(), silent.join(" "));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(silent.len() * 4 < captures, "no items in {} of {captures} captures", silent.len());
}
