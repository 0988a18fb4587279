//! `ErrorResponse` and `NoticeResponse`: reports in fields of one letter each.

use super::text;
use crate::{Fields, ParseError, Reader};

/// What the field letters mean ("Error and Notice Message Fields"); in the order of the item's JSON.
const NAMES: [(u8, &str); 17] = [
    (b'V', "severity"),
    (b'C', "code"),
    (b'M', "message"),
    (b'D', "detail"),
    (b'H', "hint"),
    (b'P', "position"),
    (b'p', "internalPosition"),
    (b'q', "internalQuery"),
    (b'W', "where"),
    (b's', "schema"),
    (b't', "table"),
    (b'c', "column"),
    (b'd', "dataType"),
    (b'n', "constraint"),
    (b'F', "file"),
    (b'L', "line"),
    (b'R', "routine"),
];

/// A report as named fields. `severity` is the one that is never translated, where the server (9.6 or later) sends it.
pub(super) fn parse(body: &[u8], value_bytes: usize) -> Result<Fields, ParseError> {
    let mut found = [None; 256];
    let mut reader = Reader::new(body);
    loop {
        match reader.u8()? {
            0 => break,
            letter => found[usize::from(letter)] = Some(reader.until(0)?),
        }
    }
    found[usize::from(b'V')] = found[usize::from(b'V')].or(found[usize::from(b'S')]);
    let (mut fields, mut truncated) = (Fields::new(), false);
    for (letter, name) in NAMES {
        let Some(value) = found[usize::from(letter)] else { continue };
        let number = match name {
            "position" | "internalPosition" | "line" => {
                std::str::from_utf8(value).ok().and_then(|text| text.parse::<u32>().ok())
            }
            _ => None,
        };
        match number {
            Some(number) => fields.push(name, number),
            None => {
                let (text, cut) = text::cut(value, value_bytes);
                truncated |= cut;
                fields.push(name, text);
            }
        }
    }
    if truncated {
        fields.push("truncated", true);
    }
    Ok(fields)
}

/// Whether a report ends as it should.
pub(super) fn is_whole(body: &[u8]) -> bool {
    let mut reader = Reader::new(body);
    loop {
        match reader.u8() {
            Ok(0) => return true,
            Ok(_) if reader.until(0).is_ok() => {}
            _ => return false,
        }
    }
}

/// Whether the connection ends with it.
pub(super) fn is_fatal(report: &Fields) -> bool {
    matches!(report.field("severity").and_then(crate::Tree::as_text), Some("FATAL" | "PANIC"))
}

/// Has a severity, a code of five characters and a message.
pub(super) fn is_report(body: &[u8]) -> bool {
    let Ok(report) = parse(body, 64) else { return false };
    let code = report.field("code").and_then(crate::Tree::as_text);
    report.field("severity").is_some()
        && report.field("message").is_some()
        && code.is_some_and(|code| code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
