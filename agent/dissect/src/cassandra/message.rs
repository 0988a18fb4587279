//! One envelope, from its header to what it says.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use super::framing::{COMPRESSED, CUSTOM_PAYLOAD, HEADER, Header, TRACING, WARNING};
use super::kept::{Request, Response};
use super::request::{self, Asked, Known};
use super::response::{self, Told};
use super::statements::{Columns, Statement};
use super::wire::{self, Room};
use super::{compression, names};
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::limits::ValueLimits;
use crate::on_demand::{Kept, OnDemand};
use crate::unpack::DecodeCaps;
use crate::{Fields, Half, Limits, ParseError, Reader};

/// An envelope's body, unpacked.
pub(super) struct Body<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// How it was compressed.
    pub(super) coding: Option<&'static str>,
    pub(super) is_whole: bool,
}

/// Why a body can't be unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Packed {
    /// It is not all here.
    Cut,
    Broken,
}

impl<'a> Body<'a> {
    fn of(header: &Header, framed: &'a Framed<'_>, limits: &Limits) -> Result<Self, Packed> {
        let bytes = framed.bytes.get(HEADER..).unwrap_or_default();
        // Frames of version 5 are compressed themselves; an empty body never is.
        if header.flags & COMPRESSED == 0 || header.version >= 5 || header.length == 0 {
            return Ok(Self { bytes: Cow::Borrowed(bytes), coding: None, is_whole: framed.is_whole() });
        }
        if !framed.is_whole() {
            return Err(Packed::Cut);
        }
        let body = compression::body(bytes, DecodeCaps::of(limits)).ok_or(Packed::Broken)?;
        Ok(Self { bytes: Cow::Owned(body.bytes), coding: Some(body.coding), is_whole: body.is_whole })
    }

    /// The bytes of a body that is whole, and no longer than one value may be.
    pub(super) fn to_keep(&self, limits: &Limits) -> Option<&[u8]> {
        (self.is_whole && self.bytes.len() <= limits.value_bytes).then_some(&*self.bytes)
    }
}

/// An envelope that was read.
pub(super) struct Read<T, M> {
    pub(super) content: Content<M>,
    /// What it means to the connection; only of a message that is whole and right.
    pub(super) meaning: Option<T>,
    /// All of it was understood.
    pub(super) exact: bool,
    error: Option<String>,
}

pub(super) enum Content<M> {
    Decoded(Fields),
    /// To be decoded when somebody looks at it.
    Kept(M),
}

impl<T, M: Kept + 'static> Read<T, M> {
    pub(super) fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn into_half(self, framed: &Framed<'_>) -> Half {
        let half = match self.content {
            Content::Decoded(fields) => Half::new(framed.time, framed.size, fields),
            Content::Kept(kept) => Half::new(framed.time, framed.size, OnDemand::new(kept)),
        };
        let half = half.missing(framed.missing);
        match self.error {
            Some(why) => half.error(ErrorKind::Dissection, why),
            None => half,
        }
    }
}

pub(super) fn request(
    header: &Header,
    framed: &Framed<'_>,
    known: Known<'_>,
    limits: &Limits,
) -> Read<Asked, Request> {
    let body = Body::of(header, framed, limits);
    if let Ok(body) = &body
        && let Some((request, asked, exact)) = Request::of(header, body, known, limits)
    {
        return Read { content: Content::Kept(request), meaning: Some(asked), exact, error: None };
    }
    read(header, &body, limits.of_values(), |r, room, fields| {
        request::read(header.code, header.version, r, known, room, fields)
    })
}

pub(super) fn response(
    header: &Header,
    framed: &Framed<'_>,
    columns: Option<Columns>,
    limits: &Limits,
) -> Read<Told, Response> {
    let body = Body::of(header, framed, limits);
    if let Ok(body) = &body
        && let Some((response, told, exact)) = Response::of(header, body, columns.as_ref(), limits)
    {
        return Read { content: Content::Kept(response), meaning: Some(told), exact, error: None };
    }
    read(header, &body, limits.of_values(), |r, room, fields| {
        response::read(header.code, header.version, r, columns, room, fields)
    })
}

/// The fields of an envelope that was found to be whole and right.
pub(super) fn decode<T>(
    header: &Header,
    body: Body<'_>,
    limits: ValueLimits,
    of_body: impl FnOnce(&mut Reader<'_>, &mut Room, &mut Fields) -> Result<T, ParseError>,
) -> Fields {
    match read::<T, Request>(header, &Ok(body), limits, of_body).content {
        Content::Decoded(fields) => fields,
        Content::Kept(_) => Fields::new(),
    }
}

fn read<T, M>(
    header: &Header,
    body: &Result<Body<'_>, Packed>,
    limits: ValueLimits,
    of_body: impl FnOnce(&mut Reader<'_>, &mut Room, &mut Fields) -> Result<T, ParseError>,
) -> Read<T, M> {
    let mut fields = Fields::with_capacity(8);
    fields.push_some("opcode", names::opcode_name(header.code).map(|(name, _)| name));
    fields.push("version", header.version);
    fields.push("stream", header.stream);
    if header.flags & TRACING != 0 {
        fields.push("tracing", true);
    }
    let (mut meaning, mut exact, mut error) = (None, false, None);
    match body {
        Err(Packed::Cut) => {
            fields.push("compressed", true);
            fields.push("truncated", true);
        }
        Err(Packed::Broken) => error = Some("the compressed body can't be unpacked".to_owned()),
        Ok(Body { bytes, coding, is_whole }) => {
            fields.push_some("compression", *coding);
            let (mut r, mut room) = (Reader::new(bytes), Room::new(limits));
            let result = preamble(header, &mut r, &mut room, &mut fields)
                .and_then(|()| of_body(&mut r, &mut room, &mut fields));
            if !is_whole || room.spent {
                fields.push("truncated", true);
            }
            match result {
                Ok(read) if *is_whole => {
                    meaning = Some(read);
                    exact = r.is_empty();
                    if !r.is_empty() {
                        fields.push("undecodedBytes", r.remaining());
                    }
                }
                Err(why) if *is_whole => {
                    error = Some(format!("{} at byte {} of the body", why.what, why.offset));
                }
                _ => {}
            }
        }
    }
    Read { content: Content::Decoded(fields), meaning, exact, error }
}

/// What flags put before the body.
fn preamble(
    header: &Header,
    r: &mut Reader<'_>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    if header.is_response && header.flags & TRACING != 0 {
        let id = r.take(16)?;
        fields.push_some("tracingId", wire::uuid(id));
    }
    if header.is_response && header.flags & WARNING != 0 {
        fields.push("warnings", wire::string_list(r, room)?);
    }
    if header.flags & CUSTOM_PAYLOAD != 0 {
        fields.push("customPayload", wire::bytes_map(r, room)?);
    }
    Ok(())
}

/// What is remembered of a request that waits. Holds nothing on the heap that would have to be counted: the statement may
/// be forgotten meanwhile.
pub(super) struct Note {
    pub(super) uses: bool,
    pub(super) prepares: bool,
    /// What is executed, where its rows have the columns that were told when it was prepared.
    executes: Option<Weak<Statement>>,
}

impl Note {
    pub(super) fn new(asked: &Asked) -> Self {
        let executes = asked.executes.as_ref();
        let executes = executes.filter(|statement| statement.metadata_id == asked.metadata_id);
        Self { uses: asked.uses, prepares: asked.prepares, executes: executes.map(Arc::downgrade) }
    }

    /// Those that rows have where they do not say.
    pub(super) fn columns(&self) -> Option<Columns> {
        self.executes.as_ref()?.upgrade()?.columns.clone()
    }
}
