//! One envelope, from its header to what it says.

use std::sync::{Arc, Weak};

use super::framing::{COMPRESSED, CUSTOM_PAYLOAD, HEADER, Header, TRACING, WARNING};
use super::request::{self, Asked, Known};
use super::response::{self, Told};
use super::statements::{Columns, Statement};
use super::wire::{self, Room};
use super::{compression, names};
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::unpack::DecodeCaps;
use crate::{Fields, Half, Limits, ParseError, Reader};

/// An envelope that was read.
pub(super) struct Read<T> {
    pub(super) fields: Fields,
    /// What it means to the connection; only of a message that is whole and right.
    pub(super) meaning: Option<T>,
    /// All of it was understood.
    pub(super) exact: bool,
    error: Option<String>,
}

impl<T> Read<T> {
    pub(super) fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn into_half(self, framed: &Framed<'_>) -> Half {
        let half = Half::new(framed.time, framed.size, self.fields).missing(framed.missing);
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
) -> Read<Asked> {
    read(header, framed, limits, |r, room, fields| {
        request::read(header.code, header.version, r, known, room, fields)
    })
}

pub(super) fn response(
    header: &Header,
    framed: &Framed<'_>,
    columns: Option<Columns>,
    limits: &Limits,
) -> Read<Told> {
    read(header, framed, limits, |r, room, fields| {
        response::read(header.code, header.version, r, columns, room, fields)
    })
}

fn read<T>(
    header: &Header,
    framed: &Framed<'_>,
    limits: &Limits,
    body: impl FnOnce(&mut Reader<'_>, &mut Room<'_>, &mut Fields) -> Result<T, ParseError>,
) -> Read<T> {
    let mut fields = Fields::with_capacity(8);
    fields.push_some("opcode", names::opcode_name(header.code).map(|(name, _)| name));
    fields.push("version", header.version);
    fields.push("stream", header.stream);
    if header.flags & TRACING != 0 {
        fields.push("tracing", true);
    }
    let mut read = Read { fields, meaning: None, exact: false, error: None };
    let mut whole = framed.is_whole();
    let mut bytes = framed.bytes.get(HEADER..).unwrap_or_default();
    let unpacked;
    // Frames of version 5 are compressed themselves; an empty body never is.
    if header.flags & COMPRESSED != 0 && header.version < 5 && header.length > 0 {
        if !whole {
            read.fields.push("compressed", true);
            read.fields.push("truncated", true);
            return read;
        }
        let Some(body) = compression::body(bytes, DecodeCaps::of(limits)) else {
            read.error = Some("the compressed body can't be unpacked".to_owned());
            return read;
        };
        read.fields.push("compression", body.coding);
        whole = body.is_whole;
        unpacked = body.bytes;
        bytes = &unpacked;
    }
    let (mut r, mut room) = (Reader::new(bytes), Room::new(limits));
    let result = preamble(header, &mut r, &mut room, &mut read.fields)
        .and_then(|()| body(&mut r, &mut room, &mut read.fields));
    if !whole || room.spent {
        read.fields.push("truncated", true);
    }
    match result {
        Ok(meaning) if whole => {
            read.meaning = Some(meaning);
            read.exact = r.is_empty();
            if !r.is_empty() {
                read.fields.push("undecodedBytes", r.remaining());
            }
        }
        Err(error) if whole => {
            read.error = Some(format!("{} at byte {} of the body", error.what, error.offset));
        }
        _ => {}
    }
    read
}

/// What flags put before the body.
fn preamble(
    header: &Header,
    r: &mut Reader<'_>,
    room: &mut Room<'_>,
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
    pub(super) fn new(asked: &Asked, metadata_id: Option<&str>) -> Self {
        let executes = asked.executes.as_ref();
        let executes = executes.filter(|statement| statement.metadata_id.as_deref() == metadata_id);
        Self { uses: asked.uses, prepares: asked.prepares, executes: executes.map(Arc::downgrade) }
    }

    /// Those that rows have where they do not say.
    pub(super) fn columns(&self) -> Option<Columns> {
        self.executes.as_ref()?.upgrade()?.columns.clone()
    }
}
