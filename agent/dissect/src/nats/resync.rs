//! Where a message begins, for a stream whose place is not known.

use super::line::{self, Meaning};
use crate::{Direction, Limits, Tree};

/// The longest line of a message: the server's own limit.
pub(super) const LONGEST_MESSAGE_LINE: usize = 4096;

pub(super) enum Found {
    /// A line begins behind so many bytes.
    At(usize),
    /// None does; so many bytes at the end may become one.
    Tail(usize),
}

/// Looks for a line that begins at the front (of a segment, unless something was kept) or after the end of another. Only
/// messages are taken in the middle: the end of their payload shows whether it was one.
pub(super) fn find(direction: Direction, bytes: &[u8], is_front: bool) -> Found {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(end) = memchr::memchr(b'\n', rest) else {
            let may_become =
                rest.len() < LONGEST_MESSAGE_LINE && is_printable(rest) && begins(direction, rest);
            return Found::Tail(if may_become { rest.len() } else { 0 });
        };
        let candidate = &rest[..=end];
        if is_telling(direction, candidate) && (is_front && at == 0 || is_message(candidate)) {
            return Found::At(at);
        }
        at += end + 1;
    }
}

fn is_message(line: &[u8]) -> bool {
    [&b"PUB "[..], b"HPUB ", b"MSG ", b"HMSG "].iter().any(|verb| line.starts_with(verb))
}

fn begins(direction: Direction, rest: &[u8]) -> bool {
    let verbs: &[&[u8]] =
        if direction == Direction::ToServer { &[b"PUB ", b"HPUB "] } else { &[b"MSG ", b"HMSG "] };
    verbs.iter().any(|verb| rest.starts_with(verb) || verb.starts_with(rest))
}

/// The text before a line's end.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || matches!(byte, b'\t' | b'\r'))
}

/// A line, with its end, as clients and servers write it: upper case, CRLF, subjects whose tokens are not empty.
pub(super) fn is_telling(direction: Direction, bytes: &[u8]) -> bool {
    let Some(text) = bytes.strip_suffix(b"\r\n") else { return false };
    let word = text.iter().take_while(|byte| !matches!(byte, b' ' | b'\t')).count();
    if text.len() > LONGEST_MESSAGE_LINE && !text[..word].ends_with(b"O") && !text[..word].ends_with(b"T")
        || text[..word].iter().any(u8::is_ascii_lowercase)
        || !is_printable(text)
        || text.contains(&b'\r')
    {
        return false;
    }
    let Ok(line) = line::parse(direction, text, &Limits::default()) else { return false };
    if matches!(line.meaning, Meaning::Payload { headers: Some(..12), .. }) {
        return false;
    }
    let is_subject = |name| match line.fields.field(name).and_then(Tree::as_text) {
        Some(subject) => subject.split('.').all(|token| !token.is_empty()),
        None => true,
    };
    let is_sid = match line.fields.field("sid").and_then(Tree::as_text) {
        Some(sid) => sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
        None => true,
    };
    is_subject("subject") && is_subject("replyTo") && is_sid
}
