//! Message headers, and what of the bytes behind them speaks for a message.

use super::elements;
use crate::Direction;
use crate::frame::{Framing, Length};
use crate::read::{ParseError, Reader};

pub(super) const HEADER_BYTES: usize = 16;

/// A server's `maxMessageSizeBytes`, and room for what is not counted in it.
const MAX_MESSAGE_BYTES: u32 = 48_000_000 + (16 << 10);

/// The longest namespace a server takes, with room to spare.
const MAX_NAMESPACE_BYTES: usize = 512;

pub(super) mod op {
    pub(crate) const REPLY: i32 = 1;
    pub(crate) const UPDATE: i32 = 2001;
    pub(crate) const INSERT: i32 = 2002;
    pub(crate) const QUERY: i32 = 2004;
    pub(crate) const GET_MORE: i32 = 2005;
    pub(crate) const DELETE: i32 = 2006;
    pub(crate) const KILL_CURSORS: i32 = 2007;
    pub(crate) const COMPRESSED: i32 = 2012;
    pub(crate) const MSG: i32 = 2013;
}

/// Flag bits of `OP_MSG`.
pub(super) const CHECKSUM_PRESENT: u32 = 1;
pub(super) const MORE_TO_COME: u32 = 1 << 1;
pub(super) const EXHAUST_ALLOWED: u32 = 1 << 16;

pub(super) const fn op_name(op: i32) -> Option<&'static str> {
    Some(match op {
        op::REPLY => "OP_REPLY",
        op::UPDATE => "OP_UPDATE",
        op::INSERT => "OP_INSERT",
        op::QUERY => "OP_QUERY",
        op::GET_MORE => "OP_GET_MORE",
        op::DELETE => "OP_DELETE",
        op::KILL_CURSORS => "OP_KILL_CURSORS",
        op::COMPRESSED => "OP_COMPRESSED",
        op::MSG => "OP_MSG",
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Of the whole message.
    pub(super) length: u32,
    pub(super) request_id: i32,
    pub(super) response_to: i32,
    pub(super) op: i32,
}

impl Header {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            length: reader.u32_le()?,
            request_id: reader.i32_le()?,
            response_to: reader.i32_le()?,
            op: reader.i32_le()?,
        })
    }

    /// The least bytes a message of this kind has.
    const fn least(&self) -> u32 {
        match self.op {
            op::MSG => 26,
            op::COMPRESSED => 26,
            op::REPLY => 36,
            op::KILL_CURSORS => 24,
            _ => 22,
        }
    }
}

/// What the first bytes of a message are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    More,
    Header(Header),
    No(&'static str),
}

/// The header alone.
pub(super) fn look(bytes: &[u8]) -> Look {
    let Ok(header) = Header::read(&mut Reader::new(bytes)) else { return Look::More };
    if op_name(header.op).is_none() {
        Look::No("not an operation of MongoDB")
    } else if !(header.least()..=MAX_MESSAGE_BYTES).contains(&header.length) {
        Look::No("an impossible message length")
    } else {
        Look::Header(header)
    }
}

/// The header and what follows it, as far as that can be told from random bytes.
pub(super) fn look_closely(bytes: &[u8]) -> Look {
    match look(bytes) {
        Look::Header(header) => match fits(&header, bytes) {
            Ok(true) => Look::Header(header),
            Ok(false) => Look::No("the content is not that of its operation"),
            Err(_) => Look::More,
        },
        other => other,
    }
}

/// Whether the first bytes of the content can be those of this operation; an error where there are too few.
fn fits(header: &Header, bytes: &[u8]) -> Result<bool, ParseError> {
    let length = header.length as usize;
    let mut reader = Reader::new(&bytes[..bytes.len().min(length)]);
    reader.skip(HEADER_BYTES)?;
    let first = reader.u32_le()?;
    Ok(match header.op {
        op::MSG => {
            let flags = CHECKSUM_PRESENT | MORE_TO_COME | EXHAUST_ALLOWED;
            if first & !flags != 0 {
                return Ok(false);
            }
            match reader.u8()? {
                0 => is_document(&mut reader, length)?,
                1 => (6..=length - 21).contains(&(reader.u32_le()? as usize)),
                _ => false,
            }
        }
        op::COMPRESSED => {
            let size = reader.u32_le()?;
            let is_known = first.cast_signed() != op::COMPRESSED && op_name(first.cast_signed()).is_some();
            is_known && (1..=MAX_MESSAGE_BYTES).contains(&size) && is_compressed(size, length, &mut reader)?
        }
        op::REPLY => {
            reader.skip(12)?;
            let count = reader.u32_le()?;
            first < 16
                && if count == 0 { length == 36 } else { length > 36 && is_document(&mut reader, length)? }
        }
        op::KILL_CURSORS => first == 0 && length as u64 == 24 + 8 * u64::from(reader.u32_le()?),
        op::QUERY => {
            first < 256 && is_namespace(&mut reader)? && {
                reader.skip(8)?;
                is_document(&mut reader, length)?
            }
        }
        op::INSERT => first < 2 && is_namespace(&mut reader)? && is_document(&mut reader, length)?,
        op::GET_MORE => first == 0 && is_namespace(&mut reader)? && reader.position() + 12 == length,
        _ => {
            first == 0 && is_namespace(&mut reader)? && {
                reader.skip(4)?;
                is_document(&mut reader, length)?
            }
        }
    })
}

/// A document that ends in its message, and whose first element has a type.
fn is_document(reader: &mut Reader<'_>, message: usize) -> Result<bool, ParseError> {
    let room = message.saturating_sub(reader.position());
    let length = reader.u32_le()? as usize;
    if !(5..=room).contains(&length) {
        return Ok(false);
    }
    let kind = reader.u8()?;
    Ok(if length == 5 { kind == 0 } else { elements::is_kind(kind) })
}

/// `database.collection`.
fn is_namespace(reader: &mut Reader<'_>) -> Result<bool, ParseError> {
    let rest = reader.rest();
    let shown = &rest[..rest.len().min(MAX_NAMESPACE_BYTES)];
    let name = memchr::memchr(0, shown).map_or(shown, |end| &shown[..end]);
    if name.iter().any(u8::is_ascii_control) || name.len() == MAX_NAMESPACE_BYTES {
        return Ok(false);
    }
    reader.until(0)?;
    Ok(std::str::from_utf8(name).is_ok_and(|name| name.find('.').is_some_and(|dot| dot > 0)))
}

/// Whether what is compressed begins as its compressor has it.
fn is_compressed(size: u32, length: usize, reader: &mut Reader<'_>) -> Result<bool, ParseError> {
    Ok(match reader.u8()? {
        0 => size as usize == length - 25,
        1 => {
            let (mut value, mut shift) = (0u64, 0);
            loop {
                let byte = reader.u8()?;
                value |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 || shift > 28 {
                    break value == u64::from(size);
                }
            }
        }
        2 => reader.u16_be()?.is_multiple_of(31),
        3 => reader.u32_le()? == 0xfd2f_b528,
        _ => false,
    })
}

/// How a connection is cut into messages.
pub(super) struct Messages;

impl Framing for Messages {
    fn length(&self, _direction: Direction, bytes: &[u8]) -> Length {
        match look(bytes) {
            Look::More => Length::Unknown,
            Look::Header(header) => Length::Known(header.length.into()),
            Look::No(why) => Length::Invalid(why),
        }
    }

    fn begins(&self, _direction: Direction, bytes: &[u8]) -> bool {
        matches!(look_closely(bytes), Look::Header(_))
    }
}
