//! The type system (AMQP 1.0, part 1): every value says what it is.

use super::performatives;
use crate::{Fields, Limits, ParseError, Reader, Tree};

/// Decodes under caps, and remembers whether one was reached.
pub(super) struct Decoder<'l> {
    pub(super) limits: &'l Limits,
    pub(super) truncated: bool,
    /// Values it still reads: an array says in a few bytes that it has any number of them.
    left: usize,
}

/// Values of a frame, as a multiple of the cap of one list.
const VALUES: usize = 16;

impl<'l> Decoder<'l> {
    pub(super) const fn new(limits: &'l Limits, truncated: bool) -> Self {
        Self { limits, truncated, left: limits.list_entries.saturating_mul(VALUES) }
    }
}

impl Decoder<'_> {
    pub(super) fn value(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<Tree, ParseError> {
        match reader.u8()? {
            0 => {
                let code = descriptor(reader, self, depth)?;
                self.described(code, reader, depth)
            }
            constructor => self.of(constructor, reader, depth),
        }
    }

    /// A value behind its descriptor: a composite type's fields by their names.
    pub(super) fn described(
        &mut self,
        code: Option<u64>,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Result<Tree, ParseError> {
        if depth >= self.limits.nesting {
            return Err(reader.error("values nest too deep"));
        }
        let value = self.value(reader, depth + 1)?;
        let (Some(composite), Tree::List(values)) = (code.and_then(performatives::find), &value) else {
            return Ok(value);
        };
        let mut fields = Fields::with_capacity(values.len() + 1).with("type", composite.name);
        for (name, value) in composite.fields.iter().zip(values) {
            if *value != Tree::Null {
                fields.push(*name, value.clone());
            }
        }
        Ok(fields.into())
    }

    fn of(&mut self, constructor: u8, reader: &mut Reader<'_>, depth: usize) -> Result<Tree, ParseError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(reader.error("more values than are read"));
        };
        self.left = left;
        Ok(match constructor {
            0x40 => Tree::Null,
            0x41 => true.into(),
            0x42 => false.into(),
            0x43 | 0x44 => 0u8.into(),
            0x45 => Tree::List(Vec::new()),
            0x56 => (reader.u8()? != 0).into(),
            0x50 | 0x52 | 0x53 => reader.u8()?.into(),
            0x51 | 0x54 | 0x55 => reader.i8()?.into(),
            0x60 => reader.u16_be()?.into(),
            0x61 => reader.i16_be()?.into(),
            0x70 => reader.u32_be()?.into(),
            0x71 => reader.i32_be()?.into(),
            0x72 => f64::from(reader.f32_be()?).into(),
            0x73 => char::from_u32(reader.u32_be()?).map(|char| char.to_string()).into(),
            0x80 => reader.u64_be()?.into(),
            0x81 | 0x83 => reader.i64_be()?.into(),
            0x82 => reader.f64_be()?.into(),
            0x74 => self.bytes(reader.take(4)?),
            0x84 => self.bytes(reader.take(8)?),
            0x94 => self.bytes(reader.take(16)?),
            0x98 => uuid(reader.take(16)?).into(),
            0xa0 | 0xb0 => {
                let length = length(constructor, reader)?;
                self.bytes(reader.take(length)?)
            }
            0xa1 | 0xa3 | 0xb1 | 0xb3 => {
                let length = length(constructor, reader)?;
                let bytes = reader.take(length)?;
                self.truncated |= bytes.len() > self.limits.value_bytes;
                match std::str::from_utf8(bytes) {
                    Ok(text) => {
                        Tree::from(text[..text.floor_char_boundary(self.limits.value_bytes)].to_owned())
                    }
                    Err(_) => self.bytes(bytes),
                }
            }
            0xc0 | 0xc1 | 0xd0 | 0xd1 | 0xe0 | 0xf0 => {
                if depth >= self.limits.nesting {
                    return Err(reader.error("values nest too deep"));
                }
                let wide = constructor & 0x10 != 0;
                let size = length(constructor, reader)?;
                let mut part = reader.part(size)?;
                let count = if wide { part.u32_be()? as usize } else { part.u8()?.into() };
                self.compound(constructor & 0xef, count, &mut part, depth)?
            }
            _ => return Err(reader.error("a value of an unknown type")),
        })
    }

    fn compound(
        &mut self,
        kind: u8,
        count: usize,
        part: &mut Reader<'_>,
        depth: usize,
    ) -> Result<Tree, ParseError> {
        let kept = count.min(self.limits.list_entries);
        self.truncated |= kept < count;
        if kind == 0xe0 {
            let mut constructor = part.u8()?;
            if constructor == 0 {
                descriptor(part, self, depth + 1)?;
                constructor = part.u8()?;
            }
            let values = (0..kept).map(|_| self.of(constructor, part, depth + 1));
            return Ok(Tree::List(values.collect::<Result<_, _>>()?));
        }
        if kind == 0xc0 {
            let values = (0..kept).map(|_| self.value(part, depth + 1));
            return Ok(Tree::List(values.collect::<Result<_, _>>()?));
        }
        let mut fields = Fields::new();
        for _ in 0..kept / 2 {
            let key = match self.value(part, depth + 1)? {
                Tree::Text(text) => text.into_owned(),
                Tree::Int(number) => number.to_string(),
                _ => return Err(part.error("a map has a key that is neither text nor number")),
            };
            fields.push(key, self.value(part, depth + 1)?);
        }
        Ok(fields.into())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Tree {
        self.truncated |= bytes.len() > self.limits.value_bytes;
        Tree::Bytes(bytes[..bytes.len().min(self.limits.value_bytes)].to_vec())
    }
}

/// The descriptor of a described value; `None` for one that is no number.
pub(super) fn descriptor(
    reader: &mut Reader<'_>,
    decoder: &mut Decoder<'_>,
    depth: usize,
) -> Result<Option<u64>, ParseError> {
    if depth >= decoder.limits.nesting {
        return Err(reader.error("values nest too deep"));
    }
    Ok(match decoder.value(reader, depth + 1)? {
        Tree::Int(code) => u64::try_from(code).ok(),
        _ => None,
    })
}

fn length(constructor: u8, reader: &mut Reader<'_>) -> Result<usize, ParseError> {
    if constructor & 0x10 != 0 {
        reader.u32_be().map(|length| length as usize)
    } else {
        reader.u8().map(usize::from)
    }
}

fn uuid(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}
