//! One aligned line per item.

use std::io::Write as _;

use remora_dissect::Item;

/// Column widths; what is longer pushes the rest to the right rather than being cut.
const PROTOCOL: usize = 6;
const METHOD: usize = 7;
const STATUS: usize = 3;
const SUMMARY: usize = 32;
const ENDPOINTS: usize = 40;

/// `time protocol method status path src -> dst ms`, with a note where the item is not whole.
pub(super) fn write_line(item: &Item, out: &mut Vec<u8>) {
    let summary = item.summary();
    let (hour, minute, second) = item.draft.timestamp.time_of_day();
    let millis = item.draft.timestamp.subsec_nanos() / 1_000_000;
    let status = match summary.status {
        0 => "-".to_owned(),
        status => status.to_string(),
    };
    let endpoints = format!("{} -> {}", item.src, item.dst);
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "{hour:02}:{minute:02}:{second:02}.{millis:03} {:PROTOCOL$} {:METHOD$} {status:>STATUS$} {:SUMMARY$} {endpoints:ENDPOINTS$} ",
        item.draft.protocol.abbr,
        or_dash(&printable(&summary.method)),
        or_dash(&printable(&summary.summary)),
    );
    let _ = match item.draft.elapsed {
        Some(_) => write!(out, "{:>9.3} ms", item.elapsed_millis()),
        None => write!(out, "{:>9} ms", "-"),
    };
    if let Some(error) = &item.draft.error {
        let _ = write!(out, "  [{}: {}]", error.kind.as_str(), printable(&error.message));
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// Bytes from the wire must not steer the terminal or break the line.
pub(crate) fn printable(text: &str) -> std::borrow::Cow<'_, str> {
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
