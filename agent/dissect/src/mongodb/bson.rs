//! BSON (<https://bsonspec.org/spec.html>) into trees, in the manner of relaxed Extended JSON with plain texts.

use memchr::memmem;

use super::elements::*;
use super::scalars;
use super::scan::LISTS;
use crate::limits::ValueLimits;
use crate::read::{ParseError, Reader};
use crate::{Fields, Tree};

/// What is shown of a secret.
const HIDDEN: &str = "***";

/// Where documents of users hold their credentials.
const CREDENTIALS: [&[u8]; 3] = [b"SCRAM-SHA-1", b"SCRAM-SHA-256", b"MONGODB-CR"];

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

pub(super) struct Decoder {
    limits: ValueLimits,
    /// Entries still to be had.
    entries: usize,
    /// Something was left out: by a cap, or because the message is not all here.
    pub(super) truncated: bool,
    /// Documents in the batch of a reply's cursor.
    pub(super) batch: Option<usize>,
}

impl Decoder {
    pub(super) const fn new(limits: ValueLimits) -> Self {
        Self { limits, entries: limits.list_entries.saturating_mul(LISTS), truncated: false, batch: None }
    }

    pub(super) const fn limits(&self) -> ValueLimits {
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
                _ => CREDENTIALS.contains(&name),
            };
            let inner = match (place, name) {
                _ if std::mem::take(&mut wraps) => Place::Body,
                (Place::Body, b"speculativeAuthenticate") => Place::Authentication,
                (Place::Body, b"cursor") => Place::Cursor,
                (Place::Cursor, b"firstBatch" | b"nextBatch") => place,
                _ => Place::Elsewhere,
            };
            let name = crate::text::lossy(self.capped(name)).into_owned();
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
                let bytes = reader.take(length)?;
                // What is not looked into may hold credentials at any place.
                if CREDENTIALS.iter().any(|name| memmem::find(bytes, name).is_some()) {
                    HIDDEN.into()
                } else {
                    Tree::Bytes(self.capped(bytes).to_vec())
                }
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

#[cfg(test)]
mod tests;
