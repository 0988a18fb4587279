//! Arguments, field tables and properties (AMQP 0-9-1, section 4.2; table types as RabbitMQ and all its clients have
//! them, which differ from the specification).

use super::methods::{Kind, Method};
use crate::{Fields, Limits, ParseError, Reader, Tree};

/// Shown for what must not be.
const HIDDEN: &str = "***";

/// Decodes under caps, and remembers whether one was reached.
pub(super) struct Decoder<'l> {
    limits: &'l Limits,
    pub(super) truncated: bool,
}

impl<'l> Decoder<'l> {
    pub(super) const fn new(limits: &'l Limits) -> Self {
        Self { limits, truncated: false }
    }

    /// Adds the arguments of a method to its fields; those before an error are there.
    pub(super) fn arguments(
        &mut self,
        method: &Method,
        reader: &mut Reader<'_>,
        fields: &mut Fields,
    ) -> Result<(), ParseError> {
        let (mut bits, mut left) = (0u8, 0u8);
        for &(name, kind) in method.arguments {
            let value = if kind == Kind::Bit {
                if left == 0 {
                    (bits, left) = (reader.u8()?, 8);
                }
                let bit = bits & 1 != 0;
                (bits, left) = (bits >> 1, left - 1);
                bit.into()
            } else {
                left = 0;
                match kind {
                    Kind::Octet => reader.u8()?.into(),
                    Kind::Short => reader.u16_be()?.into(),
                    Kind::Long => reader.u32_be()?.into(),
                    Kind::LongLong => reader.u64_be()?.into(),
                    Kind::ShortText => short_text(reader)?,
                    Kind::LongText => self.text(long(reader)?),
                    Kind::Table => Tree::Fields(self.table(reader, 0)?),
                    Kind::Secret => {
                        let secret = long(reader)?;
                        let mechanism = fields.field("mechanism").and_then(Tree::as_text);
                        if let Some(user) = mechanism.and_then(|mechanism| user(mechanism, secret)) {
                            fields.push("user", Tree::lossy(user));
                        }
                        if secret.is_empty() { "".into() } else { HIDDEN.into() }
                    }
                    Kind::Bit => Tree::Null,
                }
            };
            if !name.is_empty() {
                fields.push(name, value);
            }
        }
        Ok(())
    }

    /// The properties of a content header, behind its sizes.
    pub(super) fn properties(&mut self, reader: &mut Reader<'_>) -> Result<Fields, ParseError> {
        let flags = reader.u16_be()?;
        let mut more = flags;
        while more & 1 != 0 {
            more = reader.u16_be()?;
        }
        let mut fields = Fields::new();
        for (at, name) in PROPERTIES.into_iter().enumerate() {
            if flags & 1 << (15 - at) == 0 {
                continue;
            }
            let value = match name {
                "headers" => Tree::Fields(self.table(reader, 0)?),
                "deliveryMode" | "priority" => reader.u8()?.into(),
                "timestamp" => reader.u64_be()?.into(),
                _ => short_text(reader)?,
            };
            fields.push(name, value);
        }
        Ok(fields)
    }

    fn table(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<Fields, ParseError> {
        let length = reader.u32_be()? as usize;
        let start = reader.position();
        let mut part = reader.part(length)?;
        let inside = |error: ParseError| ParseError { offset: start + error.offset, ..error };
        let mut fields = Fields::new();
        while !part.is_empty() {
            if fields.len() >= self.limits.list_entries {
                self.truncated = true;
                break;
            }
            let length = part.u8().map_err(inside)?;
            let name = part.take(length.into()).map_err(inside)?;
            let value = self.value(&mut part, depth).map_err(inside)?;
            fields.push(crate::text::lossy(name).into_owned(), value);
        }
        Ok(fields)
    }

    fn value(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<Tree, ParseError> {
        let deep = depth >= self.limits.nesting;
        Ok(match reader.u8()? {
            b't' => (reader.u8()? != 0).into(),
            b'b' => reader.i8()?.into(),
            b'B' => reader.u8()?.into(),
            b's' | b'U' => reader.i16_be()?.into(),
            b'u' => reader.u16_be()?.into(),
            b'I' => reader.i32_be()?.into(),
            b'i' => reader.u32_be()?.into(),
            b'l' | b'L' => reader.i64_be()?.into(),
            b'f' => f64::from(reader.f32_be()?).into(),
            b'd' => reader.f64_be()?.into(),
            b'D' => {
                let places = reader.u8()?;
                let value = reader.i32_be()?;
                (f64::from(value) / 10f64.powi(places.into())).into()
            }
            b'T' => reader.u64_be()?.into(),
            b'V' => Tree::Null,
            b'S' => self.text(long(reader)?),
            b'x' => self.bytes(long(reader)?),
            b'F' | b'A' if deep => {
                self.truncated = true;
                self.bytes(long(reader)?)
            }
            b'F' => Tree::Fields(self.table(reader, depth + 1)?),
            b'A' => {
                let length = reader.u32_be()? as usize;
                let start = reader.position();
                let mut part = reader.part(length)?;
                let mut list = Vec::new();
                while !part.is_empty() {
                    if list.len() >= self.limits.list_entries {
                        self.truncated = true;
                        break;
                    }
                    let value = self.value(&mut part, depth + 1);
                    list.push(value.map_err(|error| ParseError { offset: start + error.offset, ..error })?);
                }
                Tree::List(list)
            }
            _ => return Err(reader.error("a table has a value of an unknown type")),
        })
    }

    fn text(&mut self, bytes: &[u8]) -> Tree {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.len() > self.limits.value_bytes => {
                self.truncated = true;
                Tree::from(text[..text.floor_char_boundary(self.limits.value_bytes)].to_owned())
            }
            Ok(text) => Tree::from(text.to_owned()),
            Err(_) => self.bytes(bytes),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Tree {
        self.truncated |= bytes.len() > self.limits.value_bytes;
        Tree::Bytes(bytes[..bytes.len().min(self.limits.value_bytes)].to_vec())
    }
}

/// From the highest bit of the flags on.
const PROPERTIES: [&str; 14] = [
    "contentType",
    "contentEncoding",
    "headers",
    "deliveryMode",
    "priority",
    "correlationId",
    "replyTo",
    "expiration",
    "messageId",
    "timestamp",
    "type",
    "userId",
    "appId",
    "clusterId",
];

fn short_text(reader: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let length = reader.u8()?;
    reader.take(length.into()).map(Tree::text_or_bytes)
}

fn long<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = reader.u32_be()? as usize;
    reader.take(length)
}

/// The name in an answer to a SASL challenge, where the mechanism sends it as it is.
fn user<'a>(mechanism: &str, secret: &'a [u8]) -> Option<&'a [u8]> {
    match mechanism {
        "PLAIN" => secret.split(|byte| *byte == 0).nth(1),
        "AMQPLAIN" => {
            // A table without its length.
            let mut reader = Reader::new(secret);
            loop {
                let length = reader.u8().ok()?;
                let name = reader.take(length.into()).ok()?;
                if reader.u8().ok()? != b'S' {
                    return None;
                }
                let value = long(&mut reader).ok()?;
                if name == b"LOGIN" {
                    return Some(value);
                }
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_from_their_passwords() {
        assert_eq!(user("PLAIN", b"\0guest\0secret"), Some(&b"guest"[..]));
        let login = b"\x05LOGINS\0\0\0\x02me\x08PASSWORDS\0\0\0\x01x";
        assert_eq!(user("AMQPLAIN", login), Some(&b"me"[..]));
        assert_eq!(user("AMQPLAIN", b"\x05LOGINS\xff\xff\xff\xff"), None);
        assert_eq!(user("EXTERNAL", b"x"), None);
    }

    #[test]
    fn tables_nest_up_to_the_cap() {
        let mut bytes = b"\x01kV".to_vec();
        for _ in 0..5 {
            let mut outer = b"\x01kF".to_vec();
            outer.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
            outer.extend(&bytes);
            bytes = outer;
        }
        let mut table = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        table.extend(&bytes);
        for (nesting, truncated) in [(5, false), (4, true)] {
            let limits = Limits { nesting, ..Limits::default() };
            let mut decoder = Decoder::new(&limits);
            let fields = decoder.table(&mut Reader::new(&table), 0).unwrap();
            assert_eq!((fields.len(), decoder.truncated), (1, truncated));
        }
    }
}
