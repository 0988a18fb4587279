//! Frames (AMQP 0-9-1, section 4.2.3): type, channel, size, payload, and an octet that ends them.

use super::methods;
use crate::frame::{Framed, Framing, Length};
use crate::{Direction, Reader};

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// Type, channel and size; the octet at the end.
const HEAD: usize = 7;
const FRAME_END: u8 = 0xce;

/// A larger frame is none: brokers take 128 KiB unless told otherwise, and messages up to 512 MiB.
const MAX_FRAME: u32 = 512 << 20;

/// Frames and protocol headers.
pub(super) struct Wire;

#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    pub(super) channel: u16,
    /// As much of it as there is.
    pub(super) payload: &'a [u8],
    /// Of the payload, as the frame says.
    pub(super) length: u64,
}

/// Takes a frame apart; `Err` tells what is wrong with it.
pub(super) fn read<'a>(framed: &'a Framed<'_>) -> Result<Frame<'a>, &'static str> {
    let mut reader = Reader::new(&framed.bytes);
    let head = (|| Ok::<_, crate::ParseError>((reader.u8()?, reader.u16_be()?, reader.u32_be()?)))();
    let Ok((kind, channel, length)) = head else { return Err("a frame is too short") };
    let rest = reader.rest();
    let payload = match rest.split_last() {
        Some((&end, payload)) if framed.is_whole() => {
            if end != FRAME_END {
                return Err("a frame does not end with 0xce");
            }
            payload
        }
        _ => &rest[..rest.len().min(length as usize)],
    };
    Ok(Frame { kind, channel, payload, length: length.into() })
}

/// Whether a whole frame of this kind can have this payload.
fn makes_sense(kind: u8, channel: u16, payload: &[u8]) -> bool {
    let mut reader = Reader::new(payload);
    match (kind, reader.u16_be(), reader.u16_be()) {
        (METHOD, Ok(class), Ok(id)) => (class == 10) == (channel == 0) && methods::find(class, id).is_some(),
        (HEADER, Ok(60), Ok(0)) => channel != 0 && payload.len() >= 14,
        (BODY, ..) => channel != 0 && !payload.is_empty(),
        (HEARTBEAT, ..) => channel == 0 && payload.is_empty(),
        _ => false,
    }
}

/// How many frames lie here, whole and sensible, up to two; `None` where one is not sensible.
pub(super) fn look(mut bytes: &[u8]) -> Option<usize> {
    for count in 0..2 {
        if bytes.is_empty() {
            return Some(count);
        }
        match Wire.length(Direction::ToServer, bytes) {
            Length::Known(length) => {
                let length = usize::try_from(length).ok()?;
                let here = &bytes[..bytes.len().min(length)];
                let whole = here.len() == length;
                let kind = here[0];
                let channel = u16::from_be_bytes([here[1], here[2]]);
                let payload = &here[HEAD..if whole { length - 1 } else { here.len() }];
                let known = whole || kind == METHOD && payload.len() >= 4;
                if known && !makes_sense(kind, channel, payload) || whole && here[length - 1] != FRAME_END {
                    return None;
                }
                if !whole {
                    return Some(count);
                }
                bytes = &bytes[length..];
            }
            Length::Unknown => return Some(count),
            Length::Invalid(_) => return None,
        }
    }
    Some(2)
}

impl Framing for Wire {
    const LONG: u64 = 4_096;

    fn length(&self, _direction: Direction, bytes: &[u8]) -> Length {
        match bytes {
            [b'A', ..] => {
                let known = bytes.len().min(4);
                match bytes[..known] == b"AMQP"[..known] {
                    true if bytes.len() < 8 => Length::Unknown,
                    true => Length::Known(8),
                    false => Length::Invalid("not a protocol header"),
                }
            }
            [METHOD | HEADER | BODY | HEARTBEAT, _, _, rest @ ..] => match rest {
                [a, b, c, d, ..] => match u32::from_be_bytes([*a, *b, *c, *d]) {
                    size if size <= MAX_FRAME => Length::Known(u64::from(size) + HEAD as u64 + 1),
                    _ => Length::Invalid("a frame is too large"),
                },
                _ => Length::Unknown,
            },
            [METHOD | HEADER | BODY | HEARTBEAT, ..] | [] => Length::Unknown,
            _ => Length::Invalid("not a frame"),
        }
    }

    fn begins(&self, _direction: Direction, bytes: &[u8]) -> bool {
        match bytes.first() {
            // The rest of a large method frame may be in the next segments.
            Some(&METHOD) => bytes.len() >= HEAD + 4 && look(bytes).is_some(),
            // A body's bytes may be anything: only what follows tells.
            Some(&BODY) => look(bytes) == Some(2),
            Some(_) => look(bytes).is_some_and(|whole| whole != 0) && bytes.first() != Some(&b'A'),
            None => false,
        }
    }
}
