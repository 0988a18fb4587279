//! `OP_MSG` messages that are decoded when somebody looks at them.

use std::ops::Range;

use super::elements;
use super::message::{self, Broken, Content};
use super::scan::Scan;
use super::sides::{self, OF_COLLECTIONS};
use super::wire::{CHECKSUM_PRESENT, Header, op};
use crate::limits::ValueLimits;
use crate::on_demand::{Kept, Known};
use crate::{Fields, Limits, Reader, Value};

/// Flags and sections of an `OP_MSG` of which nothing is left out.
#[derive(Debug)]
struct Msg {
    request_id: i32,
    compressor: Option<&'static str>,
    bytes: Box<[u8]>,
    limits: ValueLimits,
}

#[derive(Debug)]
pub(super) struct Request {
    msg: Msg,
    pub(super) flags: u32,
    command: Range<usize>,
    database: Option<Range<usize>>,
    collection: Option<Range<usize>>,
}

/// The reply of a command that succeeded.
#[derive(Debug)]
pub(super) struct Response {
    msg: Msg,
    response_to: i32,
    pub(super) flags: u32,
}

impl Msg {
    fn of(header: &Header, content: &Content<'_>, limits: ValueLimits) -> Self {
        let bytes = content.bytes().into();
        Self { request_id: header.request_id, compressor: content.compressor, bytes, limits }
    }

    fn decode(&self) -> message::Message {
        let content = Content::kept(op::MSG, self.compressor, &self.bytes);
        message::decode(&Ok(content), false, self.limits)
    }
}

/// The bytes of a message that may be kept.
fn whole<'c>(content: &'c Result<Content<'_>, Broken>, limits: &Limits) -> Option<(&'c Content<'c>, u32)> {
    let content = content.as_ref().ok()?;
    let fits = content.op == op::MSG && !content.cut && content.bytes().len() <= limits.value_bytes;
    let flags = Reader::new(content.bytes()).u32_le().ok()?;
    fits.then_some((content, flags))
}

/// Goes through the sections. `element` is given the type and the name of each element of the body, and of lists beside it,
/// before their values; `None` where the message has to be decoded at once.
fn sections<'c>(
    bytes: &'c [u8],
    flags: u32,
    limits: ValueLimits,
    mut element: impl FnMut(u8, &'c [u8], &Reader<'c>) -> Option<()>,
) -> Option<()> {
    let mut scan = Scan::new(limits);
    let mut reader = Reader::new(bytes);
    reader.skip(4).ok()?;
    let checksum = if flags & CHECKSUM_PRESENT == 0 { 0 } else { 4 };
    let mut has_body = false;
    while reader.remaining() > checksum {
        match reader.u8().ok()? {
            0 if !has_body => {
                has_body = true;
                scan.document(&mut reader, 0, &mut element)?;
            }
            1 if has_body => {
                let end = reader.position().saturating_add(reader.u32_le().ok()? as usize);
                let name = reader.until(0).ok()?;
                element(elements::ARRAY, name, &reader)?;
                let mut count = 0;
                while reader.position() < end {
                    count += 1;
                    scan.entry()?;
                    scan.document(&mut reader, 0, &mut |_, _, _| Some(()))?;
                }
                if reader.position() != end || count > limits.list_entries {
                    return None;
                }
            }
            _ => return None,
        }
    }
    has_body.then_some(())
}

/// Where in the message a text is.
fn place(bytes: &[u8], part: &[u8]) -> Option<Range<usize>> {
    std::str::from_utf8(part).ok()?;
    let start = part.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    Some(start..start + part.len())
}

impl Request {
    pub(super) fn of(
        header: &Header,
        content: &Result<Content<'_>, Broken>,
        limits: &Limits,
    ) -> Option<Self> {
        let (content, flags) = whole(content, limits)?;
        let bytes = content.bytes();
        let (mut command, mut database, mut collection) = (None::<&[u8]>, None, None);
        let (mut of_first, mut of_collection) = (None, None);
        sections(bytes, flags, limits.of_values(), |kind, name, value| {
            let text = || {
                let mut value = *value;
                (kind == elements::STRING).then(|| elements::string(&mut value).ok()).flatten()
            };
            let target = match (command, name) {
                (None, _) => {
                    command = Some(name);
                    of_first = text();
                    return Some(());
                }
                // A later value of the same name takes the place of the first.
                (Some(command), name) if command == name => return None,
                (_, b"$db") => &mut database,
                (_, b"collection") => &mut of_collection,
                _ => return Some(()),
            };
            match target.replace(text()?) {
                None => Some(()),
                Some(_) => None,
            }
        })?;
        let command = command?;
        match std::str::from_utf8(command).ok()? {
            // What is explained is a command itself; the first value is what is told beside it otherwise.
            "explain" | "$db" | "collection" => return None,
            "getMore" => collection = of_collection,
            name if OF_COLLECTIONS.binary_search(&name).is_ok() => collection = Some(of_first?),
            _ => {}
        }
        let in_bytes = |part: Option<&[u8]>| part.map_or(Some(None), |part| place(bytes, part).map(Some));
        Some(Self {
            command: place(bytes, command)?,
            database: in_bytes(database)?,
            collection: in_bytes(collection)?,
            flags,
            msg: Msg::of(header, content, limits.of_values()),
        })
    }

    fn text(&self, place: Option<&Range<usize>>) -> Known<'_> {
        let text = place.and_then(|place| std::str::from_utf8(self.msg.bytes.get(place.clone())?).ok());
        text.map_or(Known::Absent, |text| Known::Is(Value::str(text)))
    }
}

impl Kept for Request {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "command" => self.text(Some(&self.command)),
            "database" => self.text(self.database.as_ref()),
            "collection" => self.text(self.collection.as_ref()),
            "success" | "error" => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        sides::request_fields(self.msg.request_id, self.msg.decode())
    }

    fn heap(&self) -> usize {
        self.msg.bytes.len()
    }
}

impl Response {
    pub(super) fn of(
        header: &Header,
        content: &Result<Content<'_>, Broken>,
        limits: &Limits,
    ) -> Option<Self> {
        let (content, flags) = whole(content, limits)?;
        let mut ok = None;
        sections(content.bytes(), flags, limits.of_values(), |kind, name, value| match name {
            b"ok" => ok.replace(is_true(kind, *value)?).is_none().then_some(()),
            b"writeErrors" | b"writeConcernError" => None,
            _ => Some(()),
        })?;
        (ok == Some(true)).then(|| Self {
            msg: Msg::of(header, content, limits.of_values()),
            response_to: header.response_to,
            flags,
        })
    }
}

/// Whether a value says so; `None` of one that says neither.
fn is_true(kind: u8, mut value: Reader<'_>) -> Option<bool> {
    match kind {
        elements::DOUBLE => value.f64_le().ok().filter(|ok| ok.is_finite()).map(|ok| ok != 0.0),
        elements::INT32 => value.i32_le().ok().map(|ok| ok != 0),
        elements::INT64 => value.i64_le().ok().map(|ok| ok != 0),
        elements::BOOLEAN => value.u8().ok().map(|ok| ok != 0),
        _ => None,
    }
}

impl Kept for Response {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "success" => Known::Is(Value::Bool(true)),
            "error" => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        sides::response_fields(self.msg.request_id, self.response_to, None, self.msg.decode())
    }

    fn heap(&self) -> usize {
        self.msg.bytes.len()
    }
}
