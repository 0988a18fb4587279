//! Every fixture capture gives exactly the items written down beside it, in `<case>.golden.jsonl`.
//!
//! `REMORA_BLESS=1` writes the files anew, `REMORA_BLESS=dns` those of one protocol. Captures in a protocol's folder are written down whole, except that long
//! strings become their length and hash; those in the folders below `http1/`, which carry the same exchanges under other
//! circumstances, as one short line an item with the hashes of its two sides. Captures with TLS secrets beside them are
//! written down twice, without and with those, the latter in `<case>.keyed.golden.jsonl`.

mod golden_support;

use std::fs;
use std::path::{Path, PathBuf};

use golden_support::{captures, case, fixtures, hash, keyed, replay};
use remora_dissect::{Item, Limits, Object, Value, json};

/// Longer strings are replaced by their length and hash.
const LONG: usize = 256;

fn whole_line(item: &Item) -> String {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    shorten(&text)
}

/// Replaces the long strings of a JSON text.
fn shorten(text: &str) -> String {
    let (mut short, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('"') {
        let inside = &rest[start + 1..];
        let mut escaped = false;
        let end = inside
            .find(|char| {
                let ends = char == '"' && !escaped;
                escaped = char == '\\' && !escaped;
                ends
            })
            .expect("strings end");
        short.push_str(&rest[..=start]);
        if end > LONG {
            let text: String = serde_json::from_str(&rest[start..start + end + 2]).expect("strings are JSON");
            short.push_str(&format!("({} bytes, {:016x})", text.len(), hash(text.as_bytes())));
        } else {
            short.push_str(&inside[..end]);
        }
        short.push('"');
        rest = &inside[end + 1..];
    }
    short + rest
}

fn short_line(item: &Item) -> String {
    let mut out = Vec::new();
    let mut write = |name: &str, value: &Value<'_>| {
        out.extend_from_slice(if out.is_empty() { b"{\"" } else { b",\"" });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        json::write_value(value, &mut out);
    };
    let summary = item.summary();
    write("stream", &Value::text(format!("{}-{}", item.stream, item.index)));
    write("version", &Value::str(item.draft.protocol.version));
    write("flow", &Value::text(format!("{} -> {}", item.src, item.dst)));
    write("method", &Value::str(&summary.method));
    write("path", &Value::str(&summary.summary));
    write("status", &Value::Int(summary.status));
    for name in ["startTime", "elapsedTime", "requestSize", "responseSize", "error", "gap"] {
        write(name, &item.get(name).expect("items have all fields"));
    }
    for name in ["request", "response"] {
        let mut side = Vec::new();
        json::write_value(&item.get(name).expect("items have both sides"), &mut side);
        write(name, &Value::text(format!("{:016x}", hash(&side))));
    }
    out.push(b'}');
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Whether the files of a folder are to be written: `REMORA_BLESS` is 1, or a protocol's folder.
fn blessed(folder: &Path) -> bool {
    std::env::var("REMORA_BLESS").is_ok_and(|which| {
        let own = folder.components().any(|component| component.as_os_str() == which.as_str());
        which == "1" || own
    })
}

/// Compares or blesses the captures of a folder; says what differs.
fn check(folder: &Path, line: fn(&Item) -> String) -> Vec<String> {
    let bless = blessed(folder);
    let mut failures = Vec::new();
    let captures = captures(folder);
    assert!(!captures.is_empty(), "no captures in {}", folder.display());
    let twice = captures.into_iter().flat_map(|capture| {
        let keyed = keyed(&capture).map(|limits| (capture.clone(), ".keyed", limits));
        [Some((capture, "", Limits::default())), keyed].into_iter().flatten()
    });
    for (capture, suffix, limits) in twice {
        let golden = folder.join(format!("{}{suffix}.golden.jsonl", case(&capture).expect("a capture")));
        let replay = replay(&capture, limits);
        let found: String = replay.items.iter().map(|item| line(item) + "\n").collect();
        if bless {
            fs::write(&golden, found).expect("the golden file can be written");
            continue;
        }
        let Ok(expected) = fs::read_to_string(&golden) else {
            failures.push(format!("{}: no golden file; REMORA_BLESS=1 writes it", golden.display()));
            continue;
        };
        failures.extend(difference(&expected, &found).map(|text| format!("{}: {text}", golden.display())));
    }
    failures
}

/// The first line that differs, from a little before the place.
fn difference(expected: &str, found: &str) -> Option<String> {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    for number in 1.. {
        let (expected, found) = match (expected.next(), found.next()) {
            (None, None) => return None,
            (Some(expected), Some(found)) if expected == found => continue,
            (expected, found) => (expected.unwrap_or("(no more items)"), found.unwrap_or("(no more items)")),
        };
        let same = expected.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
        let excerpt = |line: &str| line.chars().skip(same.saturating_sub(80)).take(240).collect::<String>();
        return Some(format!(
            "line {number} differs at character {same}\n  expected: {}\n  found:    {}",
            excerpt(expected),
            excerpt(found)
        ));
    }
    None
}

/// The folder of each protocol; what lies in `make` made them.
fn protocols() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixtures()).expect("the fixtures are there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir() && !path.ends_with("make")).collect();
    folders.sort();
    folders
}

#[test]
fn captures_give_the_items_written_down() {
    let mut failures = Vec::new();
    for protocol in protocols() {
        failures.extend(check(&protocol, whole_line));
    }
    let http1 = fixtures().join("http1");
    for folder in ["formats", "tcp", "corrupt"] {
        failures.extend(check(&http1.join(folder), short_line));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_first_command_of_the_readme_reads_a_known_capture() {
    let copy = fs::read(fixtures().join("http1.pcap")).expect("tests/fixtures/http1.pcap is there");
    assert!(copy == fs::read(fixtures().join("http1/http1_basic.pcap")).expect("its original is there"));
}

#[test]
fn a_difference_is_shown_where_it_is() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    let text = difference("{\"a\":1}\n{\"b\":1}\n", "{\"a\":1}\n{\"b\":2}\n").expect("they differ");
    assert!(text.contains("line 2") && text.contains("character 5"), "{text}");
    assert!(difference("a\n", "a\nb\n").expect("they differ").contains("(no more items)"));
    assert_eq!(shorten(r#"{"k":"v\"\\","l":""}"#), r#"{"k":"v\"\\","l":""}"#);
    let long = shorten(&format!("{{\"k\":\"{}\"}}", "x".repeat(300)));
    assert!(long.starts_with(r#"{"k":"(300 bytes, "#), "{long}");
}
