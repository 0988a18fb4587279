//! What a line says by itself: numbers, booleans, short texts, and the lengths of what follows.

use crate::{Fields, Tree};

/// The types of lines that are not texts or big numbers.
pub(super) const fn is_type(marker: u8) -> bool {
    matches!(
        marker,
        b'*' | b'$' | b':' | b'%' | b'~' | b'>' | b'|' | b'_' | b'#' | b',' | b'!' | b'=' | b';' | b'.'
    )
}

/// The value that a whole line is. An error is `nested` where it is an entry of something.
pub(super) fn value(marker: u8, body: &[u8], nested: bool) -> Result<Tree, &'static str> {
    Ok(match marker {
        b'-' if nested => error(Tree::text_or_bytes(body)),
        b'+' | b'-' => Tree::text_or_bytes(body),
        b':' => Tree::Int(integer(body).ok_or("an integer is not one")?),
        b'_' if body.is_empty() => Tree::Null,
        b'#' if body == b"t" => Tree::Bool(true),
        b'#' if body == b"f" => Tree::Bool(false),
        b',' => double(body).ok_or("a double is not one")?,
        b'(' if integer_like(body) => Tree::lossy(body),
        _ => return Err("a value of its type may not look so"),
    })
}

/// An error that is an entry of something; by itself it is a reply.
pub(super) fn error(text: Tree) -> Tree {
    Fields::new().with("error", text).into()
}

/// A length on the wire: digits without a sign.
pub(in crate::redis) fn length(digits: &[u8], most: u64) -> Option<u64> {
    if digits.is_empty() || digits.len() > 13 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    (value <= most).then_some(value)
}

pub(in crate::redis) fn integer(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn integer_like(digits: &[u8]) -> bool {
    let digits = digits.strip_prefix(b"-").or(digits.strip_prefix(b"+")).unwrap_or(digits);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn double(text: &[u8]) -> Option<Tree> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    // JSON has no infinity.
    Some(if number.is_finite() { Tree::Float(number) } else { Tree::lossy(text) })
}
