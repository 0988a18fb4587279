//! What messages carry, by operation (<https://www.mongodb.com/docs/manual/legacy-opcodes/> for all but `OP_MSG`).

use std::borrow::Cow;

use super::bson::{Decoder, Place};
use super::wire::{self, HEADER_BYTES, Header, op};
use crate::frame::Framed;
use crate::kafka::unpack_snappy;
use crate::limits::ValueLimits;
use crate::read::{ParseError, Reader};
use crate::unpack::{Coding, DecodeCaps, unpack};
use crate::{Fields, Limits, Tree};

/// A message as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// The operation inside of `OP_COMPRESSED`.
    pub(super) op: i32,
    pub(super) compressor: Option<&'static str>,
    /// Of `OP_MSG`.
    pub(super) flags: u32,
    /// `db.collection` of the old operations.
    pub(super) namespace: Option<String>,
    /// What the old operations have besides documents.
    pub(super) details: Fields,
    /// The command or its reply; of the old operations the query.
    pub(super) body: Option<Fields>,
    /// Documents of an `OP_REPLY`.
    pub(super) documents: Option<Vec<Tree>>,
    /// Documents that are written or answered, whether all are kept or not.
    pub(super) count: Option<usize>,
    /// Of an `OP_REPLY`.
    pub(super) reply_flags: u32,
    /// It is not all here.
    pub(super) cut: bool,
    /// It is cut, or a cap left something out.
    pub(super) truncated: bool,
    pub(super) error: Option<ParseError>,
}

/// Bits of an `OP_REPLY`.
pub(super) const CURSOR_NOT_FOUND: u32 = 1;
pub(super) const QUERY_FAILURE: u32 = 1 << 1;

/// A bit of an `OP_QUERY`.
const EXHAUST: u32 = 1 << 6;

/// What a message carries, unpacked.
pub(super) struct Content<'a> {
    /// The operation inside of `OP_COMPRESSED`.
    pub(super) op: i32,
    pub(super) compressor: Option<&'static str>,
    bytes: Cow<'a, [u8]>,
    /// Where in them it begins.
    start: usize,
    /// It is not all here.
    pub(super) cut: bool,
}

/// What could not be unpacked, as far as it is known what it is.
#[derive(Default)]
pub(super) struct Broken {
    op: i32,
    compressor: Option<&'static str>,
    error: Option<ParseError>,
}

impl<'a> Content<'a> {
    /// All that was unpacked before.
    pub(super) const fn kept(op: i32, compressor: Option<&'static str>, bytes: &'a [u8]) -> Self {
        Self { op, compressor, bytes: Cow::Borrowed(bytes), start: 0, cut: false }
    }

    pub(super) fn of(header: &Header, framed: &'a Framed<'_>, limits: &Limits) -> Result<Self, Broken> {
        if header.op == op::COMPRESSED {
            let mut seen = Broken { op: header.op, ..Broken::default() };
            Self::unpack(framed, limits, &mut seen)
                // Of a message that is not all here, no wonder.
                .map_err(|error| Broken { error: framed.is_whole().then_some(error), ..seen })
        } else {
            let bytes = Cow::Borrowed(&*framed.bytes);
            Ok(Self { op: header.op, compressor: None, bytes, start: HEADER_BYTES, cut: !framed.is_whole() })
        }
    }

    fn unpack(framed: &'a Framed<'_>, limits: &Limits, seen: &mut Broken) -> Result<Self, ParseError> {
        let mut reader = Reader::new(&framed.bytes);
        reader.skip(HEADER_BYTES)?;
        seen.op = reader.i32_le()?;
        let size = reader.u32_le()? as usize;
        let unknown = reader.error("an unknown compressor");
        let compressor = reader.u8()?;
        let input = reader.rest();
        let broken = reader.error("compressed content that is broken");
        let limit = DecodeCaps::of(limits).allow(input.len()).min(size).min(limits.message_bytes);
        let (name, bytes): (_, Cow<'_, [u8]>) = match compressor {
            0 => ("noop", Cow::Borrowed(&input[..input.len().min(limit)])),
            1 => {
                let (content, is_whole) = unpack_snappy(input, limit);
                if !is_whole && content.len() < limit && framed.is_whole() {
                    return Err(broken);
                }
                ("snappy", Cow::Owned(content))
            }
            2 | 3 => {
                let (name, coding) =
                    if compressor == 2 { ("zlib", Coding::Deflate) } else { ("zstd", Coding::Zstd) };
                (name, Cow::Owned(unpack(coding, input, limit).ok_or(broken)?))
            }
            _ => return Err(unknown),
        };
        seen.compressor = Some(name);
        if bytes.len() < size && framed.is_whole() && bytes.len() < limit {
            return Err(broken);
        }
        let cut = !framed.is_whole() || bytes.len() < size;
        Ok(Self { op: seen.op, compressor: seen.compressor, bytes, start: 0, cut })
    }

    /// Without what is in front of it.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

pub(super) fn decode(content: &Result<Content<'_>, Broken>, cut: bool, limits: ValueLimits) -> Message {
    let content = match *content {
        Ok(ref content) => content,
        Err(Broken { op, compressor, error }) => {
            return Message { op, compressor, error, cut, truncated: cut, ..Message::default() };
        }
    };
    let (op, compressor, cut) = (content.op, content.compressor, content.cut);
    let mut message = Message { op, compressor, cut, ..Message::default() };
    let mut reader = Reader::new(&content.bytes);
    let result = reader.skip(content.start).and_then(|()| message.content(&mut reader, limits));
    message.truncated |= cut;
    if !cut {
        message.error = result.err();
    }
    message
}

impl Message {
    /// What follows the header.
    fn content(&mut self, reader: &mut Reader<'_>, limits: ValueLimits) -> Result<(), ParseError> {
        let mut decoder = Decoder::new(limits);
        let result = match self.op {
            op::MSG => self.msg(reader, &mut decoder),
            op::REPLY => self.reply(reader, &mut decoder),
            _ => self.old_request(reader, &mut decoder),
        };
        self.truncated |= decoder.truncated;
        self.count = self.count.or(decoder.batch);
        result
    }

    /// Flags, then sections: one body, and any number of lists of documents, which are fields of the body that were too
    /// long to be put there.
    fn msg(&mut self, reader: &mut Reader<'_>, decoder: &mut Decoder) -> Result<(), ParseError> {
        self.flags = reader.u32_le()?;
        let checksum = if self.flags & wire::CHECKSUM_PRESENT == 0 { 0 } else { 4 };
        let mut lists = Vec::new();
        let mut result = Ok(());
        while result.is_ok() && reader.remaining() > checksum {
            result = self.section(reader, decoder, &mut lists);
        }
        if !lists.is_empty() {
            let body = self.body.get_or_insert_default();
            lists.into_iter().for_each(|(name, list): (String, Vec<Tree>)| body.push(name, list));
        }
        result?;
        if self.body.is_none() {
            return Err(reader.error("a message without a body"));
        }
        Ok(())
    }

    fn section(
        &mut self,
        reader: &mut Reader<'_>,
        decoder: &mut Decoder,
        lists: &mut Vec<(String, Vec<Tree>)>,
    ) -> Result<(), ParseError> {
        match reader.u8()? {
            0 if self.body.is_none() => {
                let body = self.body.insert(Fields::new());
                decoder.document(reader, Place::Body, body)
            }
            0 => Err(reader.error("a second body")),
            1 => {
                let end = reader.position().saturating_add(reader.u32_le()? as usize);
                let name = crate::text::lossy(decoder.capped(reader.until(0)?)).into_owned();
                let mut list = Vec::new();
                let counts = name != "nsInfo";
                let result = documents(reader, decoder, end, &mut list);
                lists.push((name, list));
                let count = result?;
                if reader.position() != end {
                    return Err(reader.error("a document behind the end of its section"));
                }
                if counts {
                    *self.count.get_or_insert_default() += count;
                }
                Ok(())
            }
            _ => Err(reader.error("a section of an unknown kind")),
        }
    }

    fn reply(&mut self, reader: &mut Reader<'_>, decoder: &mut Decoder) -> Result<(), ParseError> {
        self.reply_flags = reader.u32_le()?;
        self.details.push("cursorId", reader.i64_le()?);
        self.details.push("startingFrom", reader.i32_le()?);
        let claimed = reader.u32_le()? as usize;
        self.count = Some(claimed);
        // Whether it answers a command is known by the request: both forms are made of the only document.
        let mut ahead = *reader;
        if claimed == 1 {
            let body = self.body.insert(Fields::new());
            let mut again = Decoder::new(decoder.limits());
            decoder.batch = None;
            let result = again.document(&mut ahead, Place::Body, body);
            decoder.truncated |= again.truncated;
            result?;
        }
        let end = reader.position() + reader.remaining();
        let documents = self.documents.insert(Vec::new());
        let count = self::documents(reader, decoder, end, documents)?;
        if count == claimed { Ok(()) } else { Err(reader.error("another number of documents than told")) }
    }

    fn old_request(&mut self, reader: &mut Reader<'_>, decoder: &mut Decoder) -> Result<(), ParseError> {
        let first = reader.u32_le()?;
        if self.op == op::KILL_CURSORS {
            let count = reader.u32_le()?;
            let mut cursors = Vec::new();
            for _ in 0..count {
                let cursor = reader.i64_le()?;
                if !decoder.has_room(cursors.len()) {
                    break;
                }
                cursors.push(Tree::from(cursor));
            }
            self.details.push("cursorCount", count);
            self.details.push("cursorIds", cursors);
            return Ok(());
        }
        let namespace = decoder.capped(reader.until(0)?);
        self.namespace = Some(crate::text::lossy(namespace).into_owned());
        match self.op {
            op::QUERY => {
                if first & EXHAUST != 0 {
                    self.details.push("exhaust", true);
                }
                self.details.push("skip", reader.i32_le()?);
                self.details.push("numberToReturn", reader.i32_le()?);
                decoder.document(reader, Place::Body, self.body.insert(Fields::new()))?;
                if !reader.is_empty() {
                    self.document("fields", reader, decoder)?;
                }
            }
            op::GET_MORE => {
                self.details.push("numberToReturn", reader.i32_le()?);
                self.details.push("cursorId", reader.i64_le()?);
            }
            op::INSERT => {
                let mut list = Vec::new();
                let end = reader.position() + reader.remaining();
                let result = documents(reader, decoder, end, &mut list);
                self.body = Some(Fields::new().with("documents", list));
                self.count = Some(result?);
            }
            op::UPDATE | op::DELETE => {
                let flags = reader.u32_le()?;
                let names = if self.op == op::UPDATE { ["upsert", "multi"] } else { ["single", ""] };
                for (bit, name) in names.into_iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                    self.details.push(name, flags & 1 << bit != 0);
                }
                self.document("q", reader, decoder)?;
                if self.op == op::UPDATE {
                    self.document("u", reader, decoder)?;
                }
            }
            _ => return Err(reader.error("an unknown operation")),
        }
        if reader.is_empty() { Ok(()) } else { Err(reader.error("bytes behind the end of the message")) }
    }

    /// Reads a document into a field of the body.
    fn document(
        &mut self,
        name: &'static str,
        reader: &mut Reader<'_>,
        decoder: &mut Decoder,
    ) -> Result<(), ParseError> {
        let mut fields = Fields::new();
        let result = decoder.document(reader, Place::Elsewhere, &mut fields);
        if name == "fields" {
            self.details.push(name, fields);
        } else {
            self.body.get_or_insert_default().push(name, fields);
        }
        result
    }
}

/// Reads documents up to `end` and counts them; those beyond the cap are passed over.
fn documents(
    reader: &mut Reader<'_>,
    decoder: &mut Decoder,
    end: usize,
    list: &mut Vec<Tree>,
) -> Result<usize, ParseError> {
    let mut count = 0;
    while reader.position() < end {
        count += 1;
        if decoder.has_room(list.len()) {
            let mut fields = Fields::new();
            let result = decoder.document(reader, Place::Elsewhere, &mut fields);
            list.push(fields.into());
            result?;
        } else {
            super::elements::skip_document(reader)?;
        }
    }
    Ok(count)
}
