//! What the server answers to one command (MySQL "Command Phase"): which kinds of packets it is made of, by the command.
//! Results and the definitions of prepared statements take more than one packet, and know themselves what comes next.

mod prepared;
mod results;

use std::sync::Arc;

use remora_packet::Timestamp;

use super::names::MORE_RESULTS;
use super::packets::{self, Column, Done};
use super::values;
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::{Fields, Half, Limits, Tree};
use prepared::Prepared;
use results::Results;

/// How the response to a command is built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Nothing.
    None,
    /// OK, ERR or EOF.
    Plain,
    /// Results in text.
    Text,
    /// Results in binary.
    Binary,
    /// Rows in binary, without columns.
    Fetch,
    Prepare,
    FieldList,
    /// A text.
    Statistics,
    /// A login, or a change of the user.
    Login,
    /// A stream without end (replication), or one that is not described.
    Stream,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    First,
    /// In a result.
    Result,
    /// In the definitions of a prepared statement.
    Definitions,
    Done,
}

/// What a packet means to the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
    /// It is complete, unless an EOF packet follows, which depends on capabilities that are not known.
    DoneOrEof,
}

/// What the packet is read with.
pub(super) struct Reading<'a> {
    /// As agreed; `None` where the login was not seen.
    pub(super) capabilities: Option<u64>,
    pub(super) limits: &'a Limits,
    /// What is known of the statement's columns.
    pub(super) columns: Option<&'a Arc<Vec<Column>>>,
}

impl Reading<'_> {
    fn has(&self, flag: u64) -> Option<bool> {
        self.capabilities.map(|capabilities| capabilities & flag != 0)
    }
}

/// A packet of a response.
struct Part<'a> {
    /// As far as it is there.
    payload: &'a [u8],
    whole: bool,
    /// Of the payload, whether it is there or not.
    length: u64,
}

impl Part<'_> {
    fn first(&self) -> u8 {
        self.payload.first().copied().unwrap_or(0)
    }

    /// An EOF packet as it was before OK packets took its place.
    fn is_eof(&self) -> bool {
        self.length == 5 && self.first() == 0xfe
    }
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) shape: Shape,
    state: State,
    time: Option<Timestamp>,
    size: u64,
    missing: u64,
    fault: Option<String>,
    pub(super) fields: Fields,
    pub(super) error: Option<Fields>,
    results: Results,
    /// Of a statement that was prepared.
    pub(super) prepared: Option<Prepared>,
}

impl Response {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            state: State::First,
            time: None,
            size: 0,
            missing: 0,
            fault: None,
            fields: Fields::new(),
            error: None,
            results: Results::new(),
            prepared: None,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.time.is_some()
    }

    pub(super) fn heap(&self) -> usize {
        self.results.heap() + self.prepared.as_ref().map_or(0, Prepared::heap)
    }

    /// The session's new default database.
    pub(super) fn take_schema(&mut self) -> Option<Tree> {
        self.results.schema.take()
    }

    /// Columns of a result whose rows are fetched later, or that the server will not send again.
    pub(super) fn take_columns(&mut self) -> Option<Arc<Vec<Column>>> {
        self.results.latest_columns.take()
    }

    pub(super) fn count(&mut self, time: Timestamp, size: u64, missing: u64) {
        self.time.get_or_insert(time);
        self.size += size;
        self.missing += missing;
    }

    /// Bytes that came before the request, and belong here.
    pub(super) fn add_size(&mut self, size: u64) {
        self.size += size;
    }

    pub(super) fn fault(&mut self, what: impl Into<String>) {
        self.fault.get_or_insert_with(|| what.into());
    }

    /// Takes a packet's payload. An error means that the packet can't be part of this response.
    pub(super) fn take(
        &mut self,
        payload: &[u8],
        packet: &Framed<'_>,
        reading: &Reading<'_>,
    ) -> Result<Progress, &'static str> {
        let whole = packet.is_whole();
        if payload.is_empty() && !whole {
            return Err("a packet is missing");
        }
        let part = Part { payload, whole, length: (packet.size + packet.missing).saturating_sub(4) };
        let progress = match (self.state, part.first()) {
            (State::Done, _) => return Err("a packet behind the end"),
            (_, 0xff) if packets::is_progress(payload) => Progress::More,
            (_, 0xff) if self.shape != Shape::Statistics => {
                self.refused(&part, reading.limits)?;
                Progress::Done
            }
            (State::First, first) => self.first(first, &part, reading)?,
            (State::Result, _) => {
                let binary = matches!(self.shape, Shape::Binary | Shape::Fetch);
                let end = self.results.take(&part, binary, reading)?;
                self.result(end, reading)
            }
            (State::Definitions, _) => {
                let prepared = self.prepared.as_mut().ok_or("a packet behind the end")?;
                prepared.take(&part, reading)?
            }
        };
        if progress != Progress::More {
            self.state = State::Done;
        }
        Ok(progress)
    }

    fn refused(&mut self, part: &Part<'_>, limits: &Limits) -> Result<(), &'static str> {
        let error = packets::error(part.payload, limits).map_err(|_| "an error that is not valid")?;
        if !part.whole && error.len() < 2 {
            return Err("an error is missing");
        }
        self.results.share(error.heap());
        self.error = Some(error);
        Ok(())
    }

    fn first(&mut self, first: u8, part: &Part<'_>, reading: &Reading<'_>) -> Result<Progress, &'static str> {
        let (payload, limits) = (part.payload, reading.limits);
        match self.shape {
            Shape::Statistics => {
                self.fields.push("text", Tree::lossy(values::shorten(payload, limits.value_bytes)));
                return Ok(Progress::Done);
            }
            Shape::Stream if first == 0xfe && part.length <= 5 => return Ok(Progress::Done),
            Shape::Stream => return Ok(Progress::More),
            _ if !part.whole => return Err("the first packet is missing"),
            _ => {}
        }
        match (self.shape, first) {
            (Shape::Prepare, 0) => {
                let (prepared, progress) = Prepared::begin(payload, reading, &mut self.fields)?;
                self.prepared = Some(prepared);
                self.state = State::Definitions;
                Ok(progress)
            }
            (Shape::FieldList, 0xfe) => Ok(Progress::Done),
            (Shape::FieldList, _) => self.results.listed(part, limits).map(|()| Progress::More),
            (Shape::Fetch, _) => {
                let end = self.results.fetch(part, reading)?;
                self.state = State::Result;
                Ok(self.result(end, reading))
            }
            // Another way to prove who it is, or more data for it.
            (Shape::Login, 0xfe | 1 | 2) => {
                if first == 0xfe {
                    let name = payload.get(1..).unwrap_or_default().split(|&byte| byte == 0).next();
                    let name = name.filter(|name| !name.is_empty());
                    self.fields
                        .push_some("authSwitch", name.map(|name| Tree::lossy(values::shorten(name, 64))));
                }
                Ok(Progress::More)
            }
            (Shape::Plain | Shape::Text | Shape::Binary | Shape::Login, 0) | (Shape::Plain, 0xfe) => {
                let done = packets::done(payload, limits).map_err(|_| "not an OK packet")?;
                Ok(self.result(Some(done), reading))
            }
            (Shape::Text | Shape::Binary, 0xfb) => {
                // The client sends a file now, then comes the result.
                let name = values::shorten(payload.get(1..).unwrap_or_default(), limits.value_bytes);
                self.fields.push("localInfile", Tree::lossy(name));
                Ok(Progress::More)
            }
            (Shape::Text | Shape::Binary, _) => {
                self.results.begin(payload, reading)?;
                self.state = State::Result;
                Ok(Progress::More)
            }
            _ => Err("not an answer to this command"),
        }
    }

    /// A packet of a result came, which is complete where its end is there.
    fn result(&mut self, end: Option<Done>, reading: &Reading<'_>) -> Progress {
        let Some(done) = end else { return Progress::More };
        let more = done.status & MORE_RESULTS != 0;
        self.results.finish(done, reading);
        self.state = State::First;
        if more { Progress::More } else { Progress::Done }
    }

    pub(super) fn into_half(mut self, limits: &Limits) -> Half {
        let fault = self.results.take_fault().or(self.fault);
        let mut fields = Fields::new().with("success", self.error.is_none());
        fields.append(self.fields);
        if let Some(prepared) = self.prepared {
            prepared.tell(&mut fields);
        }
        self.results.tell(&mut fields, limits);
        fields.push_some("error", self.error);
        let mut half = Half::new(self.time.unwrap_or_default(), self.size, fields).missing(self.missing);
        if let Some(fault) = fault {
            half = half.error(ErrorKind::Dissection, fault);
        }
        half
    }
}
