//! Text out of bytes from the wire.

use std::borrow::Cow;

/// The bytes as text, with U+FFFD for what is not UTF-8.
///
/// Nearly all text is valid, and `String::from_utf8_lossy` goes by single bytes to find that out.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_is_replaced() {
        assert_eq!(lossy("Zoë".as_bytes()), "Zoë");
        assert_eq!(lossy(b"a\xffb\xe2\x82"), "a\u{fffd}b\u{fffd}");
    }
}
