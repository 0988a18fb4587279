//! One aligned line per item.

use std::borrow::Cow;
use std::io::Write as _;

use remora_dissect::Item;
use remora_dissect::item::Summary;
use serde_json::Value;

/// Column widths; what is longer pushes the rest to the right rather than being cut.
const PROTOCOL: usize = 6;
const METHOD: usize = 7;
const STATUS: usize = 3;
const SUMMARY: usize = 32;
const ENDPOINTS: usize = 40;

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// `time protocol method status path src -> dst ms`, with a note where the item is not whole. `instead` is what scripts
/// show in its place, if they do.
pub(super) fn write_line(item: &Item, instead: Option<&Value>, colour: bool, out: &mut Vec<u8>) {
    let row = Row::of(item, instead);
    let paint = match (colour, row.failed, row.passed) {
        (true, true, _) => Some(RED),
        (true, false, true) => Some(GREEN),
        _ => None,
    };
    out.extend_from_slice(paint.unwrap_or_default().as_bytes());
    row.write(item, out);
    if paint.is_some() {
        out.extend_from_slice(PLAIN.as_bytes());
    }
}

/// What a line shows.
struct Row<'a> {
    method: Cow<'a, str>,
    status: i64,
    summary: Cow<'a, str>,
    src: String,
    dst: String,
    passed: bool,
    failed: bool,
}

impl<'a> Row<'a> {
    fn of(item: &'a Item, instead: Option<&'a Value>) -> Self {
        let Summary { method, summary, status, .. } = item.summary();
        let mut row = Self {
            method,
            status,
            summary,
            src: item.src.to_string(),
            dst: item.dst.to_string(),
            passed: item.passed(),
            failed: item.failed(),
        };
        if let Some(value) = instead {
            row.replace(value);
        }
        row
    }

    /// Takes over what another object says in the item's place, field by field.
    fn replace(&mut self, value: &'a Value) {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let has = |field: &str| value.get(field).and_then(Value::as_bool) == Some(true);
        if let Some(method) = text("/request/method") {
            self.method = method.into();
        }
        if let Some(path) = text("/request/path") {
            self.summary = path.into();
        }
        if let Some(status) = value.pointer("/response/status").and_then(Value::as_i64) {
            self.status = status;
        }
        let endpoint = |side: &str| {
            Some(format!("{}:{}", text(&format!("/{side}/ip"))?, text(&format!("/{side}/port"))?))
        };
        // An IPv6 address that is what it was keeps its brackets.
        if let Some(src) = endpoint("src").filter(|src| *src != self.src.replace(['[', ']'], "")) {
            self.src = src;
        }
        if let Some(dst) = endpoint("dst").filter(|dst| *dst != self.dst.replace(['[', ']'], "")) {
            self.dst = dst;
        }
        self.passed |= has("passed");
        self.failed |= has("failed");
    }

    fn write(&self, item: &Item, out: &mut Vec<u8>) {
        let (hour, minute, second) = item.draft.timestamp.time_of_day();
        let millis = item.draft.timestamp.subsec_nanos() / 1_000_000;
        let status = match self.status {
            0 => "-".to_owned(),
            status => status.to_string(),
        };
        let endpoints = format!("{} -> {}", printable(&self.src), printable(&self.dst));
        // Writing to a Vec cannot fail.
        let _ = write!(
            out,
            "{hour:02}:{minute:02}:{second:02}.{millis:03} {:PROTOCOL$} {:METHOD$} {status:>STATUS$} {:SUMMARY$} {endpoints:ENDPOINTS$} ",
            item.draft.protocol.abbr,
            or_dash(&printable(&self.method)),
            or_dash(&printable(&self.summary)),
        );
        let _ = match item.draft.elapsed {
            Some(_) => write!(out, "{:>9.3} ms", item.elapsed_millis()),
            None => write!(out, "{:>9} ms", "-"),
        };
        if let Some(error) = &item.draft.error {
            let _ = write!(out, "  [{}: {}]", error.kind.as_str(), printable(&error.message));
        }
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// Bytes from the wire must not steer the terminal or break the line.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return text.into();
    }
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(printable("/a b✓"), "/a b✓");
        assert_eq!(printable("/\x1b[31m\n"), "/\\u{1b}[31m\\n");
    }
}
