//! The elements of BSON documents (<https://bsonspec.org/spec.html>): their types, lengths and ends.

use crate::read::{ParseError, Reader};

pub(super) const DOUBLE: u8 = 0x01;
pub(super) const STRING: u8 = 0x02;
pub(super) const DOCUMENT: u8 = 0x03;
pub(super) const ARRAY: u8 = 0x04;
pub(super) const BINARY: u8 = 0x05;
pub(super) const UNDEFINED: u8 = 0x06;
pub(super) const OBJECT_ID: u8 = 0x07;
pub(super) const BOOLEAN: u8 = 0x08;
pub(super) const DATE: u8 = 0x09;
pub(super) const NULL: u8 = 0x0a;
pub(super) const REGEX: u8 = 0x0b;
pub(super) const POINTER: u8 = 0x0c;
pub(super) const CODE: u8 = 0x0d;
pub(super) const SYMBOL: u8 = 0x0e;
pub(super) const SCOPED_CODE: u8 = 0x0f;
pub(super) const INT32: u8 = 0x10;
pub(super) const TIMESTAMP: u8 = 0x11;
pub(super) const INT64: u8 = 0x12;
pub(super) const DECIMAL: u8 = 0x13;
pub(super) const MAX_KEY: u8 = 0x7f;
pub(super) const MIN_KEY: u8 = 0xff;

/// Whether elements have this type.
pub(super) const fn is_kind(kind: u8) -> bool {
    matches!(kind, DOUBLE..=DECIMAL | MAX_KEY | MIN_KEY)
}

/// The length of the document that begins here; it counts itself.
pub(super) fn length_of(reader: &Reader<'_>) -> Result<usize, ParseError> {
    let mut ahead = *reader;
    let length = ahead.u32_le()?;
    if (5..=i32::MAX.cast_unsigned()).contains(&length) {
        Ok(length as usize)
    } else {
        Err(reader.error("a document of an impossible length"))
    }
}

pub(super) fn skip_document(reader: &mut Reader<'_>) -> Result<(), ParseError> {
    skip(DOCUMENT, reader)
}

/// Text that says its length, with a zero behind it that counts.
pub(super) fn string<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = reader.u32_le()? as usize;
    let before = reader.error("a text without an end");
    match reader.take(length)?.split_last() {
        Some((0, text)) => Ok(text),
        _ => Err(before),
    }
}

/// Moves behind a value.
pub(super) fn skip(kind: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
    match kind {
        STRING | CODE | SYMBOL => string(reader).map(|_| ()),
        DOCUMENT | ARRAY | SCOPED_CODE => {
            let length = length_of(reader)?;
            reader.skip(length)
        }
        BINARY => {
            let length = reader.u32_le()? as usize;
            reader.skip(length.saturating_add(1))
        }
        UNDEFINED | NULL | MIN_KEY | MAX_KEY => Ok(()),
        OBJECT_ID => reader.skip(12),
        BOOLEAN => reader.skip(1),
        DOUBLE | DATE | TIMESTAMP | INT64 => reader.skip(8),
        REGEX => reader.until(0).and_then(|_| reader.until(0)).map(|_| ()),
        POINTER => string(reader).and_then(|_| reader.skip(12)),
        INT32 => reader.skip(4),
        DECIMAL => reader.skip(16),
        _ => Err(reader.error("an element of an unknown type")),
    }
}

/// A document's elements.
pub(super) struct Elements<'a> {
    /// Up to the document's end, or to where its bytes end.
    pub(super) reader: Reader<'a>,
    /// Where the document ends.
    end: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn of(reader: &Reader<'a>) -> Result<Self, ParseError> {
        let length = length_of(reader)?;
        let end = reader.position().saturating_add(length);
        let whole = reader.whole();
        // Positions go on counting from the message's beginning.
        let mut inner = Reader::new(&whole[..end.min(whole.len())]);
        inner.skip(reader.position() + 4)?;
        Ok(Self { reader: inner, end })
    }

    pub(super) fn peek_name(&self) -> Option<&'a [u8]> {
        let mut ahead = self.reader;
        ahead.skip(1).ok()?;
        ahead.until(0).ok()
    }

    /// Type and name of the next element, before its value; `None` at the document's end.
    pub(super) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, ParseError> {
        match self.reader.u8()? {
            0 if self.reader.position() == self.end => Ok(None),
            0 => Err(self.reader.error("a document that ends before its length")),
            kind => Ok(Some((kind, self.reader.until(0)?))),
        }
    }

    /// Moves `reader` behind the document.
    pub(super) fn finish(self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        reader.skip(self.end - reader.position())
    }
}
