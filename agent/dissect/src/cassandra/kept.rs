//! Envelopes that are decoded when somebody looks at them.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use super::framing::{CUSTOM_PAYLOAD, Header, TRACING, WARNING};
use super::message::{self, Body};
use super::names::{self, opcode};
use super::request::{self, Asked};
use super::response::{self, Told};
use super::scan::{self, Found};
use super::statements::{Columns, Statement};
use super::wire::LISTS;
use crate::limits::ValueLimits;
use crate::on_demand::{Kept, Known};
use crate::{Fields, Limits, ParseError, Reader, Value};

#[derive(Debug)]
struct Envelope {
    header: Header,
    /// Of the body, unpacked.
    bytes: Box<[u8]>,
    coding: Option<&'static str>,
    limits: ValueLimits,
}

impl Envelope {
    fn body(&self) -> Body<'_> {
        Body { bytes: Cow::Borrowed(&self.bytes), coding: self.coding, is_whole: true }
    }

    fn text(&self, place: &Range<usize>) -> Known<'_> {
        match self.bytes.get(place.clone()) {
            Some(text) => Known::Is(Value::Str(crate::text::lossy(text))),
            None => Known::Unknown,
        }
    }

    fn opcode(&self) -> Known<'_> {
        names::opcode_name(self.header.code).map_or(Known::Absent, |(name, _)| Known::Is(Value::str(name)))
    }
}

#[derive(Debug)]
pub(super) struct Request {
    envelope: Envelope,
    found: Found,
    keyspace: Option<Arc<str>>,
}

impl Request {
    /// It, what it asks, and whether all of it was understood; `None` where it has to be decoded at once.
    pub(super) fn of(
        header: &Header,
        body: &Body<'_>,
        known: request::Known<'_>,
        limits: &Limits,
    ) -> Option<(Self, Asked, bool)> {
        let bytes = body.to_keep(limits).filter(|_| header.flags & CUSTOM_PAYLOAD == 0)?;
        let mut r = Reader::new(bytes);
        let (found, asked) = scan::request(header.code, header.version, &mut r, known).ok()?;
        // Of a batch the caps may leave one statement, or none. An entry takes four bytes unless it is a part of a tuple.
        let many = found.batch.is_some() && {
            let has_tuple = |(_, statement): &(_, Arc<Statement>)| {
                statement.variables.iter().any(|variable| variable.of.has_tuple())
            };
            limits.list_entries < 2
                || bytes.len() / 4 >= limits.list_entries.saturating_mul(LISTS)
                || found.statements.iter().any(has_tuple)
        };
        if many {
            return None;
        }
        let (bytes, coding) = (bytes.into(), body.coding);
        let envelope = Envelope { header: *header, bytes, coding, limits: limits.of_values() };
        Some((Self { envelope, found, keyspace: None }, asked, r.is_empty()))
    }

    /// That of the connection, where it names none itself.
    pub(super) fn add_keyspace(&mut self, keyspace: &Arc<str>) {
        if !self.found.has_keyspace {
            self.keyspace = Some(keyspace.clone());
        }
    }

    fn query(&self) -> Known<'_> {
        match (&self.found.query, &self.found.statements[..], self.found.batch) {
            (Some(query), ..) => self.envelope.text(query),
            (None, [(_, statement)], None | Some((_, 1))) => Known::Is(statement.query.value()),
            _ => Known::Absent,
        }
    }
}

impl Kept for Request {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "opcode" => self.envelope.opcode(),
            "query" => self.query(),
            "id" => match self.found.id.clone().and_then(|id| self.envelope.bytes.get(id)) {
                Some(id) => Known::Is(Value::text(crate::tree::hex(id))),
                None => Known::Absent,
            },
            "batchType" => match self.found.batch {
                None => Known::Absent,
                Some((code, _)) => {
                    Known::Is(names::batch_type(code).map_or(Value::Int(code.into()), Value::str))
                }
            },
            "eventType" => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let Self { envelope, found, keyspace } = self;
        let header = &envelope.header;
        // They are asked for in the order in which they were found.
        let next = Cell::new(0);
        let known = |id: &[u8]| {
            let (place, statement) = found.statements.get(next.get())?;
            (envelope.bytes.get(place.clone()) == Some(id)).then(|| {
                next.set(next.get() + 1);
                statement.clone()
            })
        };
        let mut fields = message::decode(header, envelope.body(), envelope.limits, |r, room, fields| {
            request::read(header.code, header.version, r, &known, room, fields)
        });
        fields.push_some("keyspace", keyspace.as_deref().map(str::to_owned));
        fields
    }

    fn heap(&self) -> usize {
        let statement = |(_, statement): &(_, Arc<Statement>)| statement.memory;
        let statements: usize = self.found.statements.iter().map(statement).sum();
        let places = self.found.statements.capacity() * size_of::<(Range<usize>, Arc<Statement>)>();
        self.envelope.bytes.len() + places + statements + self.keyspace.as_ref().map_or(0, |name| name.len())
    }
}

#[derive(Debug)]
pub(super) struct Response {
    envelope: Envelope,
    /// Of the statement that was executed.
    columns: Option<Columns>,
    /// Where the body begins, behind what flags put in front of it.
    start: usize,
}

impl Response {
    /// It, what it tells, and whether all of it was understood; `None` where it has to be decoded at once.
    pub(super) fn of(
        header: &Header,
        body: &Body<'_>,
        columns: Option<&Columns>,
        limits: &Limits,
    ) -> Option<(Self, Told, bool)> {
        let bytes = body.to_keep(limits).filter(|_| header.flags & CUSTOM_PAYLOAD == 0)?;
        let mut r = Reader::new(bytes);
        preamble(header, &mut r).ok()?;
        let start = r.position();
        let told = scan::response(header.code, header.version, &mut r, limits.of_values()).ok()??;
        let (bytes, coding) = (bytes.into(), body.coding);
        let envelope = Envelope { header: *header, bytes, coding, limits: limits.of_values() };
        Some((Self { envelope, columns: columns.cloned(), start }, told, r.is_empty()))
    }

    pub(super) fn error_code(&self) -> Option<u32> {
        let is_error = self.envelope.header.code == opcode::ERROR;
        Reader::new(self.envelope.bytes.get(self.start..)?).u32_be().ok().filter(|_| is_error)
    }
}

fn preamble(header: &Header, r: &mut Reader<'_>) -> Result<(), ParseError> {
    if header.flags & TRACING != 0 {
        r.skip(16)?;
    }
    if header.flags & WARNING != 0 {
        scan::strings(r)?;
    }
    Ok(())
}

impl Kept for Response {
    fn known(&self, name: &str) -> Known<'_> {
        let code = self.envelope.header.code;
        match name {
            "opcode" => self.envelope.opcode(),
            "error" if code != opcode::ERROR => Known::Absent,
            // What an event is taken for a request by.
            "query" | "batchType" => Known::Absent,
            "id" if code != opcode::RESULT => Known::Absent,
            "eventType" if code == opcode::EVENT => {
                let length = self.envelope.bytes.get(self.start..).and_then(<[u8]>::first_chunk);
                let length = length.map_or(0, |length| u16::from_be_bytes(*length).into());
                let start = self.start + 2;
                self.envelope.text(&(start..start + length))
            }
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let Self { envelope, columns, .. } = self;
        let header = &envelope.header;
        message::decode(header, envelope.body(), envelope.limits, |r, room, fields| {
            response::read(header.code, header.version, r, columns.clone(), room, fields)
        })
    }

    fn heap(&self) -> usize {
        self.envelope.bytes.len()
    }
}
