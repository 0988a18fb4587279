//! Where packets end (MQTT 5.0, section 2.1): type and flags in one byte, then the length in up to four.

use super::packet::{self, Type};
use crate::frame::{Framing, Length};
use crate::{Direction, ParseError, Reader};

pub(super) struct Wire;

/// A fixed header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) kind: Type,
    pub(super) flags: u8,
    /// Bytes behind the fixed header.
    pub(super) remaining: u32,
}

/// A number in one to four bytes, seven bits in each.
pub(super) fn variable(reader: &mut Reader<'_>) -> Result<u32, ParseError> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let byte = reader.u8()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(reader.error("a length has more than four bytes"))
}

pub(super) fn head(reader: &mut Reader<'_>) -> Result<Head, ParseError> {
    let byte = reader.u8()?;
    let flags = byte & 0xf;
    let kind = Type::of(byte >> 4).filter(|kind| kind.allows(flags));
    let Some(kind) = kind else { return Err(reader.error("not a packet type")) };
    Ok(Head { kind, flags, remaining: variable(reader)? })
}

/// How many whole packets that a side can have sent lie here; the last may be cut. `None`: what lies here is not that.
pub(super) fn look(direction: Direction, mut bytes: &[u8]) -> Option<usize> {
    let mut whole = 0;
    while !bytes.is_empty() {
        let mut reader = Reader::new(bytes);
        match head(&mut reader) {
            Ok(head) if head.kind.goes(direction) => {
                let Ok(body) = reader.take(head.remaining as usize) else { break };
                if packet::versions(head, body) == [false, false] {
                    return None;
                }
                whole += 1;
                bytes = reader.rest();
            }
            Err(error) if error.what == CUT => break,
            _ => return None,
        }
    }
    Some(whole)
}

/// What a reader says where bytes are missing at the end.
const CUT: &str = "the message ends early";

impl Framing for Wire {
    fn length(&self, direction: Direction, bytes: &[u8]) -> Length {
        let mut reader = Reader::new(bytes);
        match head(&mut reader) {
            Ok(head) if head.kind.goes(direction) => {
                Length::Known(reader.position() as u64 + u64::from(head.remaining))
            }
            Ok(_) => Length::Invalid("a packet that only the other side sends"),
            Err(error) if error.what == CUT => Length::Unknown,
            Err(error) => Length::Invalid(error.what),
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        look(direction, bytes).is_some_and(|whole| whole != 0)
    }
}
