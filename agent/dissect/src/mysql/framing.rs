//! Packets, plain and compressed, and what tells that bytes are packets.

use super::names::{self, QUERY};
use super::packets;
use crate::frame::Length;
use crate::{Direction, Framing, Limits, Probe, Reader};

/// The payload of a packet that is continued by the next one.
pub(super) const FULL: u64 = 0xff_ffff;

/// Where one packet ends and the next begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wire {
    /// Packets are inside of others, whose head tells also what they unpack to.
    pub(super) compressed: bool,
}

impl Framing for Wire {
    fn length(&self, _: Direction, bytes: &[u8]) -> Length {
        let head = if self.compressed { 7 } else { 4 };
        if bytes.len() < head {
            return Length::Unknown;
        }
        match Reader::new(bytes).u24_le() {
            Ok(length) => Length::Known(u64::from(length) + head as u64),
            Err(_) => Length::Unknown,
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        if self.compressed {
            return is_compressed(bytes);
        }
        match direction {
            Direction::ToServer => is_command(bytes, true),
            Direction::ToClient => is_response(bytes),
        }
    }
}

/// What a packet's head tells: payload length, sequence number, payload as far as it is here.
fn packet(bytes: &[u8]) -> Option<(usize, u8, &[u8])> {
    let mut reader = Reader::new(bytes);
    let length = reader.u24_le().ok()?;
    let sequence = reader.u8().ok()?;
    Some((length as usize, sequence, reader.rest()))
}

pub(super) fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let _ = direction;
    let known_port = server_port == 3306;
    match greeting(bytes) {
        Probe::No => {}
        probe => return probe,
    }
    if is_refusal(bytes) || is_query(bytes) || is_result(bytes) || known_port && is_command(bytes, false) {
        return Probe::Likely;
    }
    if known_port && is_response(bytes) { Probe::Likely } else { Probe::No }
}

/// The server's greeting: version 10, a text, and fields of which some are fixed.
pub(super) fn greeting(bytes: &[u8]) -> Probe {
    let Some((length, 0, rest)) = packet(bytes) else {
        let fits = bytes.len() < 4
            && bytes.get(1).is_none_or(|&byte| byte == 0)
            && bytes.get(2).is_none_or(|&byte| byte == 0);
        return if fits && bytes.first().is_some_and(|&length| length > 40) {
            Probe::Unsure
        } else {
            Probe::No
        };
    };
    if !(40..=512).contains(&length) || rest.first().is_some_and(|&version| version != 10) {
        return Probe::No;
    }
    let text = rest.get(1..).unwrap_or_default();
    let version = text.iter().take_while(|&&byte| byte != 0).count();
    let printable = text.iter().take(version).all(u8::is_ascii_graphic);
    if !printable || version > 100 {
        return Probe::No;
    }
    if rest.len() < length {
        return Probe::Unsure;
    }
    // Behind the connection's number and 8 bytes of salt there is a zero.
    let begins_with_number = text.first().is_some_and(u8::is_ascii_digit);
    if begins_with_number && rest.len() == length && text.get(version + 13) == Some(&0) {
        Probe::Certain
    } else {
        Probe::No
    }
}

/// An error in place of the greeting.
pub(super) fn is_refusal(bytes: &[u8]) -> bool {
    matches!(packet(bytes), Some((length, 0 | 1, payload))
        if payload.len() == length && payload.first() == Some(&0xff) && is_error(payload))
}

fn is_error(payload: &[u8]) -> bool {
    let Ok(error) = packets::error(payload, &Limits::default()) else { return false };
    let code = error.field("code").and_then(crate::Tree::as_int).unwrap_or(0);
    let message = error.field("message").and_then(crate::Tree::as_text).unwrap_or_default();
    (1_000..=20_000).contains(&code)
        && message.len() > 3
        && message.chars().all(|char| !char.is_control())
        && message.starts_with(|char: char| char.is_alphabetic() || matches!(char, '\'' | '"' | '('))
}

/// Words that statements begin with; enough of them to find the place again.
const WORDS: [&[u8]; 24] = [
    b"select",
    b"insert",
    b"update",
    b"delete",
    b"replace",
    b"set",
    b"show",
    b"use",
    b"begin",
    b"start",
    b"commit",
    b"rollback",
    b"create",
    b"drop",
    b"alter",
    b"call",
    b"explain",
    b"describe",
    b"desc",
    b"truncate",
    b"with",
    b"load",
    b"lock",
    b"unlock",
];

/// Whether a text begins like a statement.
fn is_statement(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"/*").map_or(text, |comment| {
        let end = memchr::memmem::find(comment, b"*/").map_or(comment.len(), |end| end + 2);
        comment[end..].trim_ascii_start()
    });
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(&text[..length]))
        && text.iter().take(256).all(|&byte| byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// A query: of a length that fits exactly, or longer than what is here.
fn is_query(bytes: &[u8]) -> bool {
    let Some((length, 0, payload)) = packet(bytes) else { return false };
    let [QUERY | names::STMT_PREPARE, text @ ..] = payload else { return false };
    let text = text.strip_prefix(&[0, 1]).unwrap_or(text);
    let fits = payload.len() == length || payload.len() < length && payload.len() > 500;
    fits && is_statement(text)
}

/// A command that is whole and alone, as clients send them.
pub(super) fn is_command(bytes: &[u8], strict: bool) -> bool {
    if is_query(bytes) {
        return true;
    }
    let Some((length, 0, payload)) = packet(bytes) else { return false };
    let [command, rest @ ..] = payload else { return false };
    if payload.len() != length {
        return false;
    }
    match *command {
        // One byte that is not zero tells little; where the place is known to be near, it is enough.
        1 | 9 | 14 | 31 => rest.is_empty(),
        names::STMT_EXECUTE => rest.len() >= 9 && rest.get(5..9) == Some(&[1, 0, 0, 0]),
        names::STMT_CLOSE | names::STMT_RESET => rest.len() == 4,
        names::STMT_FETCH => rest.len() == 8,
        names::INIT_DB => strict && !rest.is_empty() && rest.iter().all(u8::is_ascii_graphic),
        _ => false,
    }
}

/// A number of columns and the first of them.
fn is_result(bytes: &[u8]) -> bool {
    let Some((length @ 1..=3, 1, rest)) = packet(bytes) else { return false };
    let Some((_, 2, column)) = rest.get(length..).and_then(packet) else { return false };
    column.starts_with(b"\x03def")
}

/// Packets numbered one after the other that begin a response.
pub(super) fn is_response(bytes: &[u8]) -> bool {
    if is_result(bytes) || is_refusal(bytes) {
        return true;
    }
    match packet(bytes) {
        Some((length, 1, payload)) if payload.len() == length && payload.first() == Some(&0) => {
            matches!(length, 7..=1_024)
                && packets::done(payload, &Limits::default()).is_ok_and(|done| done.status & 0x8000 == 0)
        }
        _ => false,
    }
}

/// Whole compressed packets, one behind the other, the first with the number 0 or 1.
fn is_compressed(bytes: &[u8]) -> bool {
    let Some((length, 0 | 1, rest)) = packet(bytes) else { return false };
    let Ok(unpacked) = Reader::new(rest).u24_le() else { return false };
    let Some(body) = rest.get(3..) else { return false };
    let fits = body.len() == length;
    if unpacked == 0 {
        return fits && is_chain(body);
    }
    fits && unpacked as usize >= length
        && (body.starts_with(&[0x78]) || body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
}

/// Packets numbered one after the other, from 0 or 1; only the last may be cut.
fn is_chain(mut bytes: &[u8]) -> bool {
    let mut expected = None;
    while let Some((length, number, payload)) = packet(bytes) {
        if expected.map_or(number > 1, |expected| number != expected) {
            return false;
        }
        expected = Some(number.wrapping_add(1));
        bytes = payload.get(length..).unwrap_or_default();
    }
    expected.is_some()
}
