//! Texts and rows, cut to what is shown.

use crate::{Reader, Tree};

/// A text with a cap; whether it was cut.
pub(super) fn cut(bytes: &[u8], cap: usize) -> (Tree, bool) {
    (Tree::lossy(shorten(bytes, cap)), bytes.len() > cap)
}

/// At most `cap` bytes, without half a UTF-8 character at the end.
pub(super) fn shorten(bytes: &[u8], cap: usize) -> &[u8] {
    if bytes.len() <= cap {
        return bytes;
    }
    let mut end = cap;
    while end > 0 && cap - end < 3 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    &bytes[..end]
}

/// `SELECT 5`, `CREATE TABLE`.
pub(super) fn is_tag(tag: &[u8]) -> bool {
    !tag.is_empty()
        && tag.len() < 64
        && tag
            .iter()
            .all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'-'))
}

/// Whether a `DataRow`'s lengths add up.
pub(super) fn is_row(body: &[u8]) -> bool {
    let mut reader = Reader::new(body);
    let Ok(columns) = reader.u16_be() else { return false };
    for _ in 0..columns {
        let Ok(length) = reader.i32_be() else { return false };
        if length < -1 || length > 0 && reader.skip(length.unsigned_abs() as usize).is_err() {
            return false;
        }
    }
    reader.is_empty()
}
