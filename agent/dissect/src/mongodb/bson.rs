//! BSON (<https://bsonspec.org/spec.html>) into trees, in the manner of relaxed Extended JSON with plain texts.

use super::scalars;
use crate::read::{ParseError, Reader};
use crate::{Fields, Limits, Tree};

/// What is shown of a secret.
const HIDDEN: &str = "***";

/// Entries that all documents of one message together keep, in lists of the cap's length.
const LISTS: usize = 10;

/// Where a document lies in its message, as far as secrets and batches are told by that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// The body of a command or its reply.
    Body,
    /// The authentication that a hello carries.
    Authentication,
    Cursor,
    Elsewhere,
}

pub(super) struct Decoder<'l> {
    limits: &'l Limits,
    /// Entries still to be had.
    entries: usize,
    /// Something was left out: by a cap, or because the message is not all here.
    pub(super) truncated: bool,
    /// Documents in the batch of a reply's cursor.
    pub(super) batch: Option<usize>,
}

impl<'l> Decoder<'l> {
    pub(super) const fn new(limits: &'l Limits) -> Self {
        Self { limits, entries: limits.list_entries.saturating_mul(LISTS), truncated: false, batch: None }
    }

    pub(super) const fn limits(&self) -> &'l Limits {
        self.limits
    }

    /// Reads a document into `fields`, which keep what came before an error.
    pub(super) fn document(
        &mut self,
        reader: &mut Reader<'_>,
        place: Place,
        fields: &mut Fields,
    ) -> Result<(), ParseError> {
        self.read(reader, place, 0, fields)
    }

    fn read(
        &mut self,
        reader: &mut Reader<'_>,
        place: Place,
        depth: usize,
        fields: &mut Fields,
    ) -> Result<(), ParseError> {
        let mut elements = Elements::of(reader)?;
        let is_authenticate = place == Place::Body && elements.peek_name() == Some(b"authenticate");
        // Old drivers wrap a command, with what it holds of secrets, where it is the first element. A field of that name
        // further on is a user's.
        let mut wraps = place == Place::Body
            && matches!(elements.peek_name(), Some(name) if matches!(name, b"$query" | b"query"));
        while let Some((kind, name)) = elements.next()? {
            // What tells of success lies behind a batch: only what is inside of documents shares the cap.
            let room = if place == Place::Elsewhere {
                self.has_room(fields.len())
            } else {
                fields.len() < self.limits.list_entries
            };
            if !room {
                self.truncated = true;
                break;
            }
            let is_secret = match place {
                Place::Body => {
                    matches!(name, b"payload" | b"pwd")
                        || is_authenticate && matches!(name, b"key" | b"nonce")
                }
                Place::Authentication => matches!(name, b"payload" | b"key" | b"nonce"),
                // Where users are kept, whatever asks for them.
                _ => matches!(name, b"SCRAM-SHA-1" | b"SCRAM-SHA-256" | b"MONGODB-CR"),
            };
            let inner = match (place, name) {
                _ if std::mem::take(&mut wraps) => Place::Body,
                (Place::Body, b"speculativeAuthenticate") => Place::Authentication,
                (Place::Body, b"cursor") => Place::Cursor,
                (Place::Cursor, b"firstBatch" | b"nextBatch") => place,
                _ => Place::Elsewhere,
            };
            let name = String::from_utf8_lossy(self.capped(name)).into_owned();
            if is_secret {
                skip(kind, &mut elements.reader)?;
                fields.push(name, HIDDEN);
                continue;
            }
            let mut value = Tree::Null;
            let result = self.value(kind, &mut elements.reader, inner, depth, &mut value);
            // Of what is cut short, texts and numbers have no part that could be shown.
            if result.is_ok() || matches!(value, Tree::Fields(_) | Tree::List(_)) {
                fields.push(name, value);
            }
            result?;
        }
        elements.finish(reader)
    }

    fn array(
        &mut self,
        reader: &mut Reader<'_>,
        place: Place,
        depth: usize,
        list: &mut Vec<Tree>,
    ) -> Result<(), ParseError> {
        let mut elements = Elements::of(reader)?;
        let mut count = 0;
        while let Some((kind, _)) = elements.next()? {
            count += 1;
            if self.has_room(list.len()) {
                let mut value = Tree::Null;
                let result = self.value(kind, &mut elements.reader, Place::Elsewhere, depth, &mut value);
                if result.is_ok() || matches!(value, Tree::Fields(_) | Tree::List(_)) {
                    list.push(value);
                }
                result?;
            } else if place == Place::Cursor {
                // All are counted.
                skip(kind, &mut elements.reader)?;
            } else {
                break;
            }
        }
        elements.finish(reader)?;
        if place == Place::Cursor {
            self.batch = Some(count);
        }
        Ok(())
    }

    /// Takes one entry, of a list that has `length` already.
    pub(super) fn has_room(&mut self, length: usize) -> bool {
        if length >= self.limits.list_entries || self.entries == 0 {
            self.truncated = true;
            return false;
        }
        self.entries -= 1;
        true
    }

    pub(super) fn capped<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let kept = &bytes[..bytes.len().min(self.limits.value_bytes)];
        self.truncated |= kept.len() < bytes.len();
        kept
    }

    fn text(&mut self, bytes: &[u8]) -> Tree {
        Tree::lossy(self.capped(bytes))
    }

    fn value(
        &mut self,
        kind: u8,
        reader: &mut Reader<'_>,
        place: Place,
        depth: usize,
        value: &mut Tree,
    ) -> Result<(), ParseError> {
        *value = match kind {
            DOUBLE => double(reader.f64_le()?),
            STRING | CODE | SYMBOL => self.text(string(reader)?),
            DOCUMENT | ARRAY if depth + 1 >= self.limits.nesting => {
                self.truncated = true;
                let length = length_of(reader)?;
                Tree::Bytes(self.capped(reader.take(length)?).to_vec())
            }
            DOCUMENT => {
                let mut fields = Fields::new();
                let result = self.read(reader, place, depth + 1, &mut fields);
                *value = Tree::Fields(fields);
                return result;
            }
            ARRAY => {
                let mut list = Vec::new();
                let result = self.array(reader, place, depth + 1, &mut list);
                *value = Tree::List(list);
                return result;
            }
            BINARY => self.binary(reader)?,
            UNDEFINED | NULL => Tree::Null,
            OBJECT_ID => scalars::hex(reader.take(12)?).into(),
            BOOLEAN => Tree::Bool(reader.u8()? != 0),
            DATE => scalars::date(reader.i64_le()?).into(),
            REGEX => {
                let (pattern, options) = (reader.until(0)?, reader.until(0)?);
                let text = [b"/", self.capped(pattern), b"/", self.capped(options)].concat();
                Tree::lossy(&text)
            }
            POINTER => {
                let namespace = self.text(string(reader)?);
                Fields::new().with("$ref", namespace).with("$id", scalars::hex(reader.take(12)?)).into()
            }
            SCOPED_CODE => {
                reader.skip(4)?;
                let code = self.text(string(reader)?);
                let mut scope = Tree::Null;
                self.value(DOCUMENT, reader, Place::Elsewhere, depth, &mut scope)?;
                Fields::new().with("$code", code).with("$scope", scope).into()
            }
            INT32 => reader.i32_le()?.into(),
            TIMESTAMP => {
                let increment = reader.u32_le()?;
                let seconds = reader.u32_le()?;
                Fields::new().with("t", seconds).with("i", increment).into()
            }
            INT64 => reader.i64_le()?.into(),
            DECIMAL => {
                let bytes = reader.array()?;
                scalars::decimal(u128::from_le_bytes(bytes)).into()
            }
            MIN_KEY => Fields::new().with("$minKey", 1).into(),
            MAX_KEY => Fields::new().with("$maxKey", 1).into(),
            _ => return Err(reader.error("an element of an unknown type")),
        };
        Ok(())
    }

    fn binary(&mut self, reader: &mut Reader<'_>) -> Result<Tree, ParseError> {
        let length = reader.u32_le()? as usize;
        let kind = reader.u8()?;
        let bytes = reader.take(length)?;
        Ok(match (kind, bytes.split_at_checked(4)) {
            // The old form repeats the length.
            (2, Some((_, bytes))) => Tree::Bytes(self.capped(bytes).to_vec()),
            (4, _) if let Ok(bytes) = bytes.try_into() => scalars::uuid(bytes).into(),
            _ => Tree::Bytes(self.capped(bytes).to_vec()),
        })
    }
}

const DOUBLE: u8 = 0x01;
const STRING: u8 = 0x02;
const DOCUMENT: u8 = 0x03;
const ARRAY: u8 = 0x04;
const BINARY: u8 = 0x05;
const UNDEFINED: u8 = 0x06;
const OBJECT_ID: u8 = 0x07;
const BOOLEAN: u8 = 0x08;
const DATE: u8 = 0x09;
const NULL: u8 = 0x0a;
const REGEX: u8 = 0x0b;
const POINTER: u8 = 0x0c;
const CODE: u8 = 0x0d;
const SYMBOL: u8 = 0x0e;
const SCOPED_CODE: u8 = 0x0f;
const INT32: u8 = 0x10;
const TIMESTAMP: u8 = 0x11;
const INT64: u8 = 0x12;
const DECIMAL: u8 = 0x13;
const MAX_KEY: u8 = 0x7f;
const MIN_KEY: u8 = 0xff;

/// Whether elements have this type.
pub(super) const fn is_kind(kind: u8) -> bool {
    matches!(kind, DOUBLE..=DECIMAL | MAX_KEY | MIN_KEY)
}

/// JSON has no other numbers than finite ones.
fn double(value: f64) -> Tree {
    if value.is_finite() {
        Tree::Float(value)
    } else if value.is_nan() {
        "NaN".into()
    } else if value > 0.0 {
        "Infinity".into()
    } else {
        "-Infinity".into()
    }
}

/// The length of the document that begins here; it counts itself.
fn length_of(reader: &Reader<'_>) -> Result<usize, ParseError> {
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
fn string<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = reader.u32_le()? as usize;
    let before = reader.error("a text without an end");
    match reader.take(length)?.split_last() {
        Some((0, text)) => Ok(text),
        _ => Err(before),
    }
}

fn skip(kind: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
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
struct Elements<'a> {
    /// Up to the document's end, or to where its bytes end.
    reader: Reader<'a>,
    /// Where the document ends.
    end: usize,
}

impl<'a> Elements<'a> {
    fn of(reader: &Reader<'a>) -> Result<Self, ParseError> {
        let length = length_of(reader)?;
        let end = reader.position().saturating_add(length);
        let whole = reader.whole();
        // Positions go on counting from the message's beginning.
        let mut inner = Reader::new(&whole[..end.min(whole.len())]);
        inner.skip(reader.position() + 4)?;
        Ok(Self { reader: inner, end })
    }

    fn peek_name(&self) -> Option<&'a [u8]> {
        let mut ahead = self.reader;
        ahead.skip(1).ok()?;
        ahead.until(0).ok()
    }

    /// Type and name of the next element, before its value; `None` at the document's end.
    fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, ParseError> {
        match self.reader.u8()? {
            0 if self.reader.position() == self.end => Ok(None),
            0 => Err(self.reader.error("a document that ends before its length")),
            kind => Ok(Some((kind, self.reader.until(0)?))),
        }
    }

    /// Moves `reader` behind the document.
    fn finish(self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        reader.skip(self.end - reader.position())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
        [&[kind], name.as_bytes(), &[0], value].concat()
    }

    fn document(elements: &[Vec<u8>]) -> Vec<u8> {
        let content = elements.concat();
        let length = u32::try_from(content.len() + 5).unwrap();
        [&length.to_le_bytes(), content.as_slice(), &[0]].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len() + 1).unwrap();
        [&length.to_le_bytes(), text.as_bytes(), &[0]].concat()
    }

    fn decode(bytes: &[u8], limits: &Limits) -> (String, bool, Result<(), ParseError>) {
        let (mut fields, mut decoder) = (Fields::new(), Decoder::new(limits));
        let result = decoder.document(&mut Reader::new(bytes), Place::Body, &mut fields);
        let mut out = Vec::new();
        crate::json::write_object(&fields, &mut out);
        (String::from_utf8(out).unwrap(), decoder.truncated, result)
    }

    #[test]
    fn every_type_has_a_form() {
        let id = [0xab; 12];
        let bytes = document(&[
            element(DOUBLE, "double", &1.5f64.to_le_bytes()),
            element(DOUBLE, "nan", &f64::NAN.to_le_bytes()),
            element(STRING, "string", &text("ä")),
            element(DOCUMENT, "document", &document(&[element(INT32, "a", &1i32.to_le_bytes())])),
            element(ARRAY, "array", &document(&[element(BOOLEAN, "0", &[1]), element(NULL, "1", &[])])),
            element(BINARY, "binary", &[1, 0, 0, 0, 0, 0xff]),
            element(BINARY, "old", &[5, 0, 0, 0, 2, 1, 0, 0, 0, 0xff]),
            element(BINARY, "uuid", &[&[16, 0, 0, 0, 4][..], &[0x11; 16]].concat()),
            element(UNDEFINED, "undefined", &[]),
            element(OBJECT_ID, "id", &id),
            element(DATE, "date", &0i64.to_le_bytes()),
            element(REGEX, "regex", b"^a\0i\0"),
            element(POINTER, "pointer", &[text("a.b"), id.to_vec()].concat()),
            element(CODE, "code", &text("f()")),
            element(SYMBOL, "symbol", &text("s")),
            element(SCOPED_CODE, "scoped", &[vec![18, 0, 0, 0], text("g()"), document(&[])].concat()),
            element(TIMESTAMP, "timestamp", &[2, 0, 0, 0, 1, 0, 0, 0]),
            element(INT64, "long", &(-1i64).to_le_bytes()),
            element(DECIMAL, "decimal", &(0x303e_u128 << 112 | 15).to_le_bytes()),
            element(MIN_KEY, "min", &[]),
            element(MAX_KEY, "max", &[]),
        ]);
        let (json, truncated, result) = decode(&bytes, &Limits::default());
        assert_eq!((truncated, result), (false, Ok(())));
        assert_eq!(
            json,
            concat!(
                r#"{"double":1.5,"nan":"NaN","string":"ä","document":{"a":1},"array":[true,null],"#,
                r#""binary":"/w==","old":"/w==","uuid":"11111111-1111-1111-1111-111111111111","undefined":null,"#,
                r#""id":"abababababababababababab","date":"1970-01-01T00:00:00.000Z","regex":"/^a/i","#,
                r#""pointer":{"$ref":"a.b","$id":"abababababababababababab"},"code":"f()","symbol":"s","#,
                r#""scoped":{"$code":"g()","$scope":{}},"timestamp":{"t":1,"i":2},"long":-1,"decimal":"1.5","#,
                r#""min":{"$minKey":1},"max":{"$maxKey":1}}"#
            )
        );
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], &Limits::default()).2.is_err(), "{end}");
        }
    }

    #[test]
    fn caps_are_kept_and_told() {
        let mut deep = document(&[]);
        for _ in 0..10_000 {
            deep = document(&[element(DOCUMENT, "d", &deep)]);
        }
        let (json, truncated, result) = decode(&deep, &Limits::default());
        assert_eq!((truncated, result), (true, Ok(())));
        assert_eq!(json.matches("\"d\"").count(), Limits::default().nesting);
        let limits = Limits { list_entries: 2, value_bytes: 3, ..Limits::default() };
        let wide = document(&[
            element(STRING, "a", &text("abcdef")),
            element(ARRAY, "b", &document(&vec![element(NULL, "0", &[]); 9])),
            element(NULL, "c", &[]),
        ]);
        assert_eq!(decode(&wide, &limits), (r#"{"a":"abc","b":[null,null]}"#.to_owned(), true, Ok(())));
    }

    #[test]
    fn secrets_are_hidden_where_they_are_known_to_be() {
        let secret = element(STRING, "payload", &text("s3cret"));
        let bytes = document(&[
            element(INT32, "saslStart", &[1, 0, 0, 0]),
            secret.clone(),
            element(DOCUMENT, "speculativeAuthenticate", &document(std::slice::from_ref(&secret))),
            element(DOCUMENT, "document", &document(&[secret])),
            element(
                ARRAY,
                "users",
                &document(&[element(
                    DOCUMENT,
                    "0",
                    &document(&[element(STRING, "SCRAM-SHA-1", &text("k"))]),
                )]),
            ),
        ]);
        assert_eq!(
            decode(&bytes, &Limits::default()).0,
            concat!(
                r#"{"saslStart":1,"payload":"***","speculativeAuthenticate":{"payload":"***"},"#,
                r#""document":{"payload":"s3cret"},"users":[{"SCRAM-SHA-1":"***"}]}"#
            )
        );
    }

    #[test]
    fn hostile_lengths_are_errors() {
        for bytes in [
            &[0xff; 40][..],
            &[0; 40],
            &[4, 0, 0, 0, 0],
            &[40, 0, 0, 0, STRING, b'a', 0, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(decode(bytes, &Limits::default()).2.is_err());
        }
    }
}
