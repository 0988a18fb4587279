//! Where messages begin and end, and what tells that bytes are messages.

use std::ops::ControlFlow;

use super::text;
use crate::frame::Length;
use crate::{Direction, Framing, Probe, Reader};

/// `SSLRequest`, `GSSENCRequest` and `CancelRequest`: version numbers that no version will have.
pub(super) const SSL: u32 = 80_877_103;
pub(super) const GSS: u32 = 80_877_104;
pub(super) const CANCEL: u32 = 80_877_102;

/// A startup packet may have so many bytes (MAX_STARTUP_PACKET_LENGTH of the server).
const MAX_STARTUP: u32 = 10_000;

/// No message is longer (the server's limit of what it allocates).
const MAX_MESSAGE: u32 = 0x3fff_ffff;

/// Which messages are expected where they do not say it themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wire {
    /// The client's next message is a startup packet: it has no type.
    pub(super) startup: bool,
    /// The server's next message is one byte: the answer to a request for encryption.
    pub(super) negotiation: bool,
}

impl Framing for Wire {
    fn length(&self, direction: Direction, bytes: &[u8]) -> Length {
        let untyped = direction == Direction::ToServer && self.startup;
        if direction == Direction::ToClient && self.negotiation {
            match bytes.first() {
                None => return Length::Unknown,
                Some(b'S' | b'N' | b'G') => return Length::Known(1),
                // Servers that do not know the request.
                Some(b'E') => {}
                Some(_) => return Length::Invalid("not an answer to a request for encryption"),
            }
        }
        let Some(&first) = bytes.first() else { return Length::Unknown };
        let known =
            if direction == Direction::ToServer { is_client_type(first) } else { is_server_type(first) };
        if !untyped && !known {
            return Length::Invalid("an unknown message type");
        }
        let mut reader = Reader::new(&bytes[usize::from(!untyped)..]);
        match reader.u32_be() {
            Err(_) => Length::Unknown,
            Ok(length) if untyped && !(8..=MAX_STARTUP).contains(&length) => {
                Length::Invalid("a startup packet of an impossible length")
            }
            Ok(length) if !(4..=MAX_MESSAGE).contains(&length) => {
                Length::Invalid("an impossible message length")
            }
            Ok(length) => Length::Known(u64::from(length) + u64::from(!untyped)),
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        match direction {
            Direction::ToServer => is_client_chain(bytes),
            Direction::ToClient => is_server_chain(bytes),
        }
    }
}

pub(super) const fn is_client_type(kind: u8) -> bool {
    matches!(
        kind,
        b'B' | b'C' | b'd' | b'c' | b'f' | b'D' | b'E' | b'H' | b'F' | b'P' | b'p' | b'Q' | b'S' | b'X'
    )
}

pub(super) const fn is_server_type(kind: u8) -> bool {
    matches!(
        kind,
        b'R' | b'K'
            | b'2'
            | b'3'
            | b'C'
            | b'd'
            | b'c'
            | b'G'
            | b'H'
            | b'W'
            | b'D'
            | b'I'
            | b'E'
            | b'V'
            | b'v'
            | b'n'
            | b'N'
            | b'A'
            | b't'
            | b'S'
            | b'1'
            | b's'
            | b'Z'
            | b'T'
    )
}

/// Looks for a packet that opens a connection.
pub(super) fn startup(bytes: &[u8]) -> Probe {
    let mut reader = Reader::new(bytes);
    let (length, code) = match (reader.u32_be(), reader.u32_be()) {
        (Ok(length), Ok(code)) => (length, code),
        (Ok(length), _) if (8..=MAX_STARTUP).contains(&length) => return Probe::Unsure,
        // Fewer bytes than a length: it begins with zeros.
        (Err(_), _) if bytes.iter().take(2).all(|&byte| byte == 0) => return Probe::Unsure,
        _ => return Probe::No,
    };
    match (code, length) {
        (SSL | GSS, 8) | (CANCEL, 16..=268) => Probe::Certain,
        (0x0003_0000..=0x0003_ffff, 9..=MAX_STARTUP) => {
            let rest = &bytes[8..];
            let body = &rest[..rest.len().min(length as usize - 8)];
            if !is_parameters(body) {
                Probe::No
            } else if rest.len() < length as usize - 8 {
                Probe::Unsure
            } else if body.starts_with(b"user\0") || memchr::memmem::find(body, b"\0user\0").is_some() {
                Probe::Certain
            } else {
                Probe::Likely
            }
        }
        _ => Probe::No,
    }
}

/// Names and values; the first name is a word.
fn is_parameters(body: &[u8]) -> bool {
    let name = body.split(|&byte| byte == 0).next().unwrap_or_default();
    name.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Whether bytes are the client's messages from the first on: each whole one is valid, at least one is whole and tells
/// enough.
pub(super) fn is_client_chain(bytes: &[u8]) -> bool {
    is_chain(bytes, is_client_type, client_weight)
}

/// The same for the server's.
pub(super) fn is_server_chain(bytes: &[u8]) -> bool {
    is_chain(bytes, is_server_type, server_weight)
}

/// Messages looked at of a chain.
const CHAIN: usize = 16;

/// What whole messages must weigh together, those that could be anything being light.
const ENOUGH: u32 = 4;

fn is_chain(mut bytes: &[u8], is_type: fn(u8) -> bool, weigh: fn(u8, &[u8]) -> Option<u32>) -> bool {
    let mut weight = 0;
    for _ in 0..CHAIN {
        match next(bytes, is_type) {
            ControlFlow::Continue((kind, body, rest)) => {
                match weigh(kind, body) {
                    Some(more) => weight += more,
                    None => return false,
                }
                bytes = rest;
            }
            ControlFlow::Break(fits) => return fits && weight >= ENOUGH,
        }
    }
    weight >= ENOUGH
}

/// Type, body and what follows; or whether what is there may be the beginning of a message, or nothing.
fn next(bytes: &[u8], is_type: fn(u8) -> bool) -> ControlFlow<bool, (u8, &[u8], &[u8])> {
    let mut reader = Reader::new(bytes);
    let Ok(kind) = reader.u8() else { return ControlFlow::Break(true) };
    if !is_type(kind) {
        return ControlFlow::Break(false);
    }
    match reader.u32_be() {
        Err(_) => ControlFlow::Break(true),
        Ok(length) if !(4..=MAX_MESSAGE).contains(&length) => ControlFlow::Break(false),
        Ok(length) => match reader.take(length as usize - 4) {
            Ok(body) => ControlFlow::Continue((kind, body, reader.rest())),
            Err(_) => ControlFlow::Break(true),
        },
    }
}

/// `None` for a body that the type can't have, else how much it tells.
fn client_weight(kind: u8, body: &[u8]) -> Option<u32> {
    match kind {
        b'Q' => is_text(body.strip_suffix(b"\0")?).then_some(if body.len() > 4 { 4 } else { 2 }),
        b'P' => {
            let mut reader = Reader::new(body);
            let fits = is_text(reader.until(0).ok()?) && is_text(reader.until(0).ok()?);
            let types = usize::from(reader.u16_be().ok()?);
            (fits && reader.remaining() == types * 4).then_some(4)
        }
        b'B' => super::parameters::Bind::parse(body).is_ok().then_some(4),
        b'D' | b'C' => match body {
            [b'S' | b'P', name @ .., 0] => is_text(name).then_some(2),
            _ => None,
        },
        b'E' => {
            let mut reader = Reader::new(body);
            let name = reader.until(0).ok()?;
            (is_text(name) && reader.remaining() == 4).then_some(2)
        }
        b'S' | b'H' => body.is_empty().then_some(2),
        b'X' => body.is_empty().then_some(4),
        b'c' => body.is_empty().then_some(1),
        b'f' => is_text(body.strip_suffix(b"\0")?).then_some(1),
        // Anything; also what authentication and function calls look like.
        _ => Some(0),
    }
}

fn server_weight(kind: u8, body: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(body);
    match kind {
        b'Z' => matches!(body, [b'I' | b'T' | b'E']).then_some(4),
        b'1' | b'2' | b'3' => body.is_empty().then_some(2),
        b'n' | b'I' | b's' | b'c' => body.is_empty().then_some(2),
        b'C' => {
            let tag = body.strip_suffix(b"\0")?;
            (tag.first().is_some_and(u8::is_ascii_uppercase) && text::is_tag(tag)).then_some(4)
        }
        b'D' => text::is_row(body).then_some(if body.len() > 2 { 2 } else { 1 }),
        b'T' => super::columns::parse(body, 0, usize::MAX).is_ok().then_some(4),
        b't' => {
            let count = usize::from(reader.u16_be().ok()?);
            (reader.remaining() == count * 4).then_some(2)
        }
        b'E' | b'N' => super::fields::is_report(body).then_some(4),
        b'S' => {
            let fits = is_text(reader.until(0).ok()?) && is_text(reader.until(0).ok()?);
            (fits && reader.is_empty()).then_some(3)
        }
        b'A' => {
            reader.u32_be().ok()?;
            let fits = is_text(reader.until(0).ok()?) && is_text(reader.until(0).ok()?);
            (fits && reader.is_empty()).then_some(3)
        }
        b'R' => (reader.u32_be().ok()? <= 12).then_some(2),
        b'K' => (8..=260).contains(&body.len()).then_some(1),
        b'G' | b'H' | b'W' => {
            let format = reader.u8().ok()?;
            let columns = usize::from(reader.u16_be().ok()?);
            (format <= 1 && reader.remaining() == columns * 2).then_some(2)
        }
        _ => Some(0),
    }
}

/// Text in one of the encodings of ASCII's family: no zero, and no control characters but white space.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c))
}
