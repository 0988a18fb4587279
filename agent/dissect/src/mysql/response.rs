//! What the server answers to one command.

use std::sync::Arc;

use remora_packet::Timestamp;

use super::lenenc;
use super::names::{CURSOR_EXISTS, MORE_RESULTS, capability};
use super::packets::{self, Column, Done};
use super::rows::Rows;
use super::values;
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::{Fields, Half, Limits, Reader, Tree};

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
    /// Column definitions still to come.
    Columns(u64),
    AfterColumns,
    Rows,
    /// Definitions of a prepared statement's parameters, then of its columns.
    Parameters(u16),
    AfterParameters,
    Prepared(u16),
    AfterPrepared,
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
    results: Vec<Tree>,
    result_count: usize,
    row_count: u64,
    rows: Option<Rows>,
    /// The session's new default database.
    pub(super) schema: Option<Tree>,
    /// Of a statement that was prepared: its number, parameters and columns.
    pub(super) prepared: Option<(u32, u16, u16)>,
    pub(super) prepared_columns: Vec<Column>,
    /// Those of a result whose rows are fetched later, or that the server will not send again.
    pub(super) latest_columns: Option<Arc<Vec<Column>>>,
    parameter_types: Vec<Tree>,
    heap: usize,
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
            results: Vec::new(),
            result_count: 0,
            row_count: 0,
            rows: None,
            schema: None,
            prepared: None,
            prepared_columns: Vec::new(),
            latest_columns: None,
            parameter_types: Vec::new(),
            heap: 0,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.time.is_some()
    }

    pub(super) fn heap(&self) -> usize {
        self.heap + self.rows.as_ref().map_or(0, Rows::heap)
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
        let length = (packet.size + packet.missing).saturating_sub(4);
        match (self.state, payload.first().copied().unwrap_or(0)) {
            (State::Done, _) => Err("a packet behind the end"),
            (_, 0xff) if packets::is_progress(payload) => Ok(Progress::More),
            (_, 0xff) if self.shape != Shape::Statistics => {
                let error =
                    packets::error(payload, reading.limits).map_err(|_| "an error that is not valid")?;
                if !whole && error.len() < 2 {
                    return Err("an error is missing");
                }
                self.heap += error.heap();
                self.error = Some(error);
                Ok(self.end())
            }
            (State::First, first) => self.first(first, payload, whole, length, reading),
            (State::Columns(left), _) => {
                let rows = self.rows.get_or_insert_default();
                match packets::column(payload, reading.limits) {
                    Ok(column) if whole => {
                        if rows.columns.len() < reading.limits.list_entries {
                            rows.hold(column);
                        }
                    }
                    Err(_) if whole => return Err("not a column"),
                    _ => rows.torn = true,
                }
                self.state = if left > 1 { State::Columns(left - 1) } else { State::AfterColumns };
                Ok(Progress::More)
            }
            (State::AfterColumns, 0xfe)
                if length == 5 && reading.has(capability::DEPRECATE_EOF) != Some(true) =>
            {
                self.state = State::Rows;
                let done = packets::done(payload, reading.limits).map_err(|_| "not an end of columns")?;
                // The rows wait to be fetched.
                if done.status & CURSOR_EXISTS != 0 { self.finish(done, reading) } else { Ok(Progress::More) }
            }
            (State::AfterColumns | State::Rows, 0xfe) if length < 0xff_ffff => {
                if !whole {
                    return Err("an end of rows is missing");
                }
                let done = packets::done(payload, reading.limits).map_err(|_| "not an end of rows")?;
                self.finish(done, reading)
            }
            (State::AfterColumns | State::Rows, _) => {
                self.state = State::Rows;
                let binary = matches!(self.shape, Shape::Binary | Shape::Fetch);
                if binary && payload.first() != Some(&0) {
                    return Err("not a row");
                }
                let rows = self.rows.get_or_insert_default();
                if let Err(error) = rows.add(payload, whole, binary, reading.limits)
                    && whole
                {
                    self.fault(format!("a row is not valid: {error}"));
                }
                Ok(Progress::More)
            }
            (State::Parameters(left), _) => {
                match packets::column(payload, reading.limits) {
                    Ok(column) => {
                        if self.parameter_types.len() < reading.limits.list_entries {
                            self.parameter_types.push(super::names::column_type(column.kind.number).into());
                        }
                    }
                    Err(_) if whole => return Err("not a parameter"),
                    Err(_) => {}
                }
                self.state = if left > 1 { State::Parameters(left - 1) } else { State::AfterParameters };
                Ok(self.end_prepared(reading))
            }
            (State::AfterParameters, 0xfe) if length == 5 => {
                self.after_parameters();
                Ok(if self.state == State::AfterPrepared { self.end() } else { Progress::More })
            }
            (State::AfterParameters, _) => {
                self.after_parameters();
                self.prepared_column(payload, whole, reading)
            }
            (State::Prepared(_), _) => self.prepared_column(payload, whole, reading),
            (State::AfterPrepared, 0xfe) if length == 5 => Ok(self.end()),
            (State::AfterPrepared, _) => Err("not an end of columns"),
        }
    }

    fn first(
        &mut self,
        first: u8,
        payload: &[u8],
        whole: bool,
        length: u64,
        reading: &Reading<'_>,
    ) -> Result<Progress, &'static str> {
        if self.shape == Shape::Statistics {
            let shown = values::shorten(payload, reading.limits.value_bytes);
            self.fields.push("text", Tree::lossy(shown));
            return Ok(self.end());
        }
        if self.shape == Shape::Stream {
            return Ok(if first == 0xfe && length <= 5 { self.end() } else { Progress::More });
        }
        if !whole {
            return Err("the first packet is missing");
        }
        match (self.shape, first) {
            (Shape::Prepare, 0) => self.prepare(payload, reading),
            (Shape::FieldList, 0xfe) => Ok(self.end()),
            (Shape::FieldList, _) => {
                let column = packets::column(payload, reading.limits).map_err(|_| "not a column")?;
                let rows = self.rows.get_or_insert_default();
                rows.count += 1;
                if rows.columns.len() < reading.limits.list_entries {
                    rows.hold(column);
                }
                Ok(Progress::More)
            }
            (Shape::Fetch, _) => {
                let rows = self.rows.get_or_insert_default();
                match reading.columns {
                    Some(columns) => {
                        rows.count = columns.len() as u64;
                        rows.known = Some(columns.clone());
                    }
                    None => self.fault("the columns are not known"),
                }
                if first == 0xfe {
                    let done = packets::done(payload, reading.limits).map_err(|_| "not an end of rows")?;
                    return self.finish(done, reading);
                }
                self.state = State::Rows;
                let rows = self.rows.get_or_insert_default();
                let added = rows.add(payload, whole, true, reading.limits);
                added.map(|()| Progress::More).map_err(|_| "not a row")
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
                let done = packets::done(payload, reading.limits).map_err(|_| "not an OK packet")?;
                self.finish(done, reading)
            }
            (Shape::Text | Shape::Binary, 0xfb) => {
                // The client sends a file now, then comes the result.
                let name = values::shorten(payload.get(1..).unwrap_or_default(), reading.limits.value_bytes);
                self.fields.push("localInfile", Tree::lossy(name));
                Ok(Progress::More)
            }
            (Shape::Text | Shape::Binary, _) => self.count_columns(payload, reading),
            _ => Err("not an answer to this command"),
        }
    }

    fn count_columns(&mut self, payload: &[u8], reading: &Reading<'_>) -> Result<Progress, &'static str> {
        let mut reader = Reader::new(payload);
        let mut follow = true;
        if reading.has(capability::OPTIONAL_METADATA) == Some(true) && payload.len() > 1 {
            follow = reader.u8().is_ok_and(|follow| follow != 0);
        }
        let count = lenenc::number(&mut reader).map_err(|_| "not a number of columns")?;
        if let Some(&[told]) = Some(reader.rest()) {
            if reading.has(capability::CACHE_METADATA) != Some(true) {
                return Err("a number of columns with more, where that is not agreed");
            }
            follow = told != 0;
        } else if !reader.is_empty() {
            return Err("not a number of columns");
        }
        // The server has no more (MAX_FIELDS).
        if count == 0 || count > 4_096 {
            return Err("not a number of columns");
        }
        let mut rows = Rows::default();
        rows.count = count;
        if follow {
            self.state = State::Columns(count);
        } else {
            self.state = State::AfterColumns;
            match reading.columns.filter(|columns| columns.len() as u64 == count) {
                Some(columns) => rows.known = Some(columns.clone()),
                None => self.fault("the columns are not known"),
            }
        }
        self.rows = Some(rows);
        Ok(Progress::More)
    }

    fn prepare(&mut self, payload: &[u8], reading: &Reading<'_>) -> Result<Progress, &'static str> {
        let mut reader = Reader::new(payload);
        let read = reader.skip(1).and_then(|()| {
            Ok((
                reader.u32_le()?,
                reader.u16_le()?,
                reader.u16_le()?,
                reader.skip(1).and_then(|()| reader.u16_le()).ok(),
            ))
        });
        let Ok((number, columns, parameters, warnings)) = read else {
            return Err("not a prepared statement");
        };
        if payload.len() > 12 {
            // Without the definitions, where that is agreed.
            if reading.has(capability::OPTIONAL_METADATA) == Some(true) && reader.peek() == Some(0) {
                self.prepared = Some((number, parameters, columns));
                return Ok(self.end());
            }
        }
        self.prepared = Some((number, parameters, columns));
        self.fields.push("statementId", number);
        self.fields.push("parameterCount", parameters);
        self.fields.push_some("warnings", warnings);
        if parameters > 0 {
            self.state = State::Parameters(parameters);
        } else if columns > 0 {
            self.state = State::Prepared(columns);
        } else {
            return Ok(self.end());
        }
        Ok(Progress::More)
    }

    fn after_parameters(&mut self) {
        let columns = self.prepared.map_or(0, |(.., columns)| columns);
        self.state = if columns > 0 { State::Prepared(columns) } else { State::AfterPrepared };
    }

    fn prepared_column(
        &mut self,
        payload: &[u8],
        whole: bool,
        reading: &Reading<'_>,
    ) -> Result<Progress, &'static str> {
        let State::Prepared(left) = self.state else { return Err("a packet behind the end") };
        match packets::column(payload, reading.limits) {
            Ok(column) => {
                if self.prepared_columns.len() < reading.limits.list_entries {
                    self.heap += column.heap();
                    self.prepared_columns.push(column);
                }
            }
            Err(_) if whole => return Err("not a column"),
            Err(_) => {}
        }
        self.state = if left > 1 { State::Prepared(left - 1) } else { State::AfterPrepared };
        Ok(self.end_prepared(reading))
    }

    /// Whether the definitions that came are the last packet.
    fn end_prepared(&mut self, reading: &Reading<'_>) -> Progress {
        let last = match self.state {
            State::AfterParameters => self.prepared.is_none_or(|(.., columns)| columns == 0),
            State::AfterPrepared => true,
            _ => false,
        };
        match reading.has(capability::DEPRECATE_EOF) {
            _ if !last => Progress::More,
            Some(false) => Progress::More,
            Some(true) => self.end(),
            None => {
                self.end();
                Progress::DoneOrEof
            }
        }
    }

    /// A result is complete.
    fn finish(&mut self, done: Done, reading: &Reading<'_>) -> Result<Progress, &'static str> {
        let more = done.status & MORE_RESULTS != 0;
        let mut fields = match self.rows.take() {
            Some(rows) => {
                let again =
                    done.status & CURSOR_EXISTS != 0 || reading.has(capability::CACHE_METADATA) == Some(true);
                if again && rows.known.is_none() && rows.columns.len() as u64 == rows.count && !rows.torn {
                    self.latest_columns = Some(Arc::new(rows.columns.clone()));
                }
                self.row_count += rows.row_count;
                rows.into_fields()
            }
            None => Fields::new(),
        };
        fields.append(done.fields);
        if done.schema.is_some() {
            self.schema = done.schema;
        }
        self.keep(fields, reading.limits);
        self.state = State::First;
        Ok(if more { Progress::More } else { self.end() })
    }

    fn keep(&mut self, fields: Fields, limits: &Limits) {
        self.result_count += 1;
        if self.results.len() < limits.list_entries && self.heap < limits.message_bytes {
            self.heap += fields.heap() + size_of::<Tree>();
            self.results.push(fields.into());
        }
    }

    fn end(&mut self) -> Progress {
        self.state = State::Done;
        Progress::Done
    }

    pub(super) fn into_half(mut self, limits: &Limits) -> Half {
        if let Some(rows) = self.rows.take() {
            self.row_count += rows.row_count;
            self.keep(rows.into_fields(), limits);
        }
        let mut fields = Fields::new().with("success", self.error.is_none());
        fields.append(self.fields);
        if !self.parameter_types.is_empty() {
            fields.push("parameterTypes", Tree::List(self.parameter_types));
        }
        if !self.prepared_columns.is_empty() {
            fields.push("columns", self.prepared_columns.iter().map(Column::tree).collect::<Tree>());
        }
        if self.result_count > 0 {
            fields.push("resultCount", self.result_count);
            fields.push("rowCount", self.row_count);
            fields.push("results", Tree::List(self.results));
        }
        fields.push_some("error", self.error);
        let mut half = Half::new(self.time.unwrap_or_default(), self.size, fields).missing(self.missing);
        if let Some(fault) = self.fault {
            half = half.error(ErrorKind::Dissection, fault);
        }
        half
    }
}
