//! Captures of other people's LDAP and SMTP, where the folder with them lies beside the repository: nothing panics, and what
//! comes out is plausible.

mod golden_support;

use std::fs;
use std::path::Path;

use golden_support::replay;
use remora_dissect::{Limits, json};

/// Replays the captures that have a protocol; says how many there are and which gave no item of it.
fn check(protocol: &str) -> Option<(usize, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps/public");
    let Ok(index) = fs::read_to_string(folder.join("index.tsv")) else {
        eprintln!("skipped: no captures at {}", folder.display());
        return None;
    };
    let (mut captures, mut silent, mut items, mut failed) = (0, Vec::new(), 0, 0);
    for line in index.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let (Some(path), Some(protocols)) = (columns.first(), columns.last()) else { continue };
        if !protocols.split(' ').any(|entry| entry.split(':').next() == Some(protocol)) {
            continue;
        }
        captures += 1;
        let replay = replay(&folder.join(path), Limits::default());
        let own: Vec<_> = replay.items.iter().filter(|item| item.draft.protocol.name == protocol).collect();
        if own.is_empty() {
            silent.push((*path).to_owned());
        }
        items += own.len();
        for item in own {
            let mut out = Vec::new();
            json::write_object(item, &mut out);
            failed += usize::from(item.draft.error.is_some());
        }
    }
    eprintln!("{captures} captures, {items} items, {failed} with errors; none in {}", silent.join(" "));
    Some((captures, silent))
}

#[test]
fn public_captures_of_ldap_give_items() {
    if let Some((captures, silent)) = check("ldap") {
        assert!(silent.len() * 5 < captures, "no items in {silent:?}");
    }
}

#[test]
fn public_captures_of_smtp_give_items() {
    if let Some((captures, silent)) = check("smtp") {
        assert!(silent.len() * 5 < captures, "no items in {silent:?}");
    }
}
