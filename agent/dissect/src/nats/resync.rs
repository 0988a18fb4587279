//! Where a message begins, for a stream whose place is not known.

use super::line::{self, Line, Meaning};
use crate::{Direction, Limits, Tree};

/// The longest line of a message: the server's own limit.
pub(super) const LONGEST_MESSAGE_LINE: usize = 4096;

/// The largest payload that is believed of a line found by its looks: a server's buffer for a client by default.
const LARGEST_PAYLOAD: u64 = 64 << 20;

pub(super) enum Found {
    /// A line begins at the front.
    Front,
    /// One that looks like a message's begins behind so many bytes. Payloads hold such lines too.
    At(usize),
    /// None does; so many bytes at the end may become one.
    Tail(usize),
}

/// Looks for a line that begins at the front (of a segment, unless something was kept) or after the end of another. What is
/// there of the bytes behind it must fit. Only messages are taken in the middle: the end of their payload shows whether it
/// was one.
pub(super) fn find(direction: Direction, bytes: &[u8], is_front: bool) -> Found {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(end) = memchr::memchr(b'\n', rest) else {
            let may_become =
                rest.len() < LONGEST_MESSAGE_LINE && is_printable(rest) && begins(direction, rest);
            return Found::Tail(if may_become { rest.len() } else { 0 });
        };
        if let Some(meaning) = telling(direction, &rest[..=end])
            && fits(direction, &meaning, &rest[end + 1..])
        {
            if is_front && at == 0 {
                return Found::Front;
            }
            if matches!(meaning, Meaning::Payload { .. }) {
                return Found::At(at);
            }
        }
        at += end + 1;
    }
}

/// Whether what follows a line is what it says and another line, as far as it is there.
fn fits(direction: Direction, meaning: &Meaning, mut rest: &[u8]) -> bool {
    if let Meaning::Payload { size, .. } = meaning {
        let Some(end) = usize::try_from(*size).ok().and_then(|size| rest.get(size..)) else { return true };
        let Some(after) = end.strip_prefix(b"\r\n") else { return b"\r\n".starts_with(end) };
        rest = after;
    }
    let verbs: &[&[u8]] = match direction {
        Direction::ToServer => {
            &[b"PUB ", b"HPUB ", b"SUB ", b"UNSUB ", b"CONNECT ", b"PING\r\n", b"PONG\r\n"]
        }
        Direction::ToClient => &[b"MSG ", b"HMSG ", b"INFO ", b"+OK\r\n", b"-ERR ", b"PING\r\n", b"PONG\r\n"],
    };
    verbs.iter().any(|verb| rest.starts_with(verb) || verb.starts_with(rest))
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

/// A line, with its end, as clients and servers write it.
pub(super) fn is_telling(direction: Direction, bytes: &[u8]) -> bool {
    telling(direction, bytes).is_some()
}

/// What such a line means: upper case, CRLF, subjects whose tokens are not empty.
fn telling(direction: Direction, bytes: &[u8]) -> Option<Meaning> {
    let text = bytes.strip_suffix(b"\r\n")?;
    let word = text.iter().take_while(|byte| !matches!(byte, b' ' | b'\t')).count();
    if text.len() > LONGEST_MESSAGE_LINE && !text[..word].ends_with(b"O") && !text[..word].ends_with(b"T")
        || text[..word].iter().any(u8::is_ascii_lowercase)
        || !is_printable(text)
        || text.contains(&b'\r')
    {
        return None;
    }
    let Line { fields, meaning } = line::parse(direction, text, &Limits::default()).ok()?;
    if matches!(
        meaning,
        Meaning::Payload { headers: Some(..12), .. } | Meaning::Payload { size: LARGEST_PAYLOAD.., .. }
    ) {
        return None;
    }
    let is_subject = |name| match fields.field(name).and_then(Tree::as_text) {
        Some(subject) => subject.split('.').all(|token| !token.is_empty()),
        None => true,
    };
    let is_sid = match fields.field("sid").and_then(Tree::as_text) {
        Some(sid) => sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
        None => true,
    };
    (is_subject("subject") && is_subject("replyTo") && is_sid).then_some(meaning)
}
