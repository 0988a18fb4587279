//! The results of a response: each is columns and rows, or only its end (MySQL "Text Resultset", "Binary Protocol
//! Resultset").

use std::sync::Arc;

use super::super::lenenc;
use super::super::names::{CURSOR_EXISTS, capability};
use super::super::packets::{self, Column, Done};
use super::super::rows::Rows;
use super::{Part, Reading};
use crate::{Fields, Limits, Reader, Tree};

/// The server has no more columns (`MAX_FIELDS`).
const MOST_COLUMNS: u64 = 4_096;

/// What comes next of the result that is arriving.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// So many column definitions.
    Columns(u64),
    AfterColumns,
    Rows,
}

#[derive(Debug)]
pub(super) struct Results {
    place: Place,
    /// The result that is arriving.
    rows: Option<Rows>,
    list: Vec<Tree>,
    count: usize,
    row_count: u64,
    fault: Option<String>,
    /// Bytes of heap of what is kept, and what else is under the same cap.
    heap: usize,
    /// The session's new default database.
    pub(super) schema: Option<Tree>,
    /// Those of a result whose rows are fetched later, or that the server will not send again.
    pub(super) latest_columns: Option<Arc<Vec<Column>>>,
}

impl Results {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Rows,
            rows: None,
            list: Vec::new(),
            count: 0,
            row_count: 0,
            fault: None,
            heap: 0,
            schema: None,
            latest_columns: None,
        }
    }

    pub(super) fn heap(&self) -> usize {
        self.heap + self.rows.as_ref().map_or(0, Rows::heap)
    }

    /// Something else of the response is kept.
    pub(super) const fn share(&mut self, bytes: usize) {
        self.heap += bytes;
    }

    /// What of them could not be read.
    pub(super) fn take_fault(&mut self) -> Option<String> {
        self.fault.take()
    }

    /// A result begins with its number of columns.
    pub(super) fn begin(&mut self, payload: &[u8], reading: &Reading<'_>) -> Result<(), &'static str> {
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
        if count == 0 || count > MOST_COLUMNS {
            return Err("not a number of columns");
        }
        let mut rows = Rows::default();
        rows.count = count;
        if follow {
            self.place = Place::Columns(count);
        } else {
            self.place = Place::AfterColumns;
            match reading.columns.filter(|columns| columns.len() as u64 == count) {
                Some(columns) => rows.known = Some(columns.clone()),
                None => self.fail("the columns are not known"),
            }
        }
        self.rows = Some(rows);
        Ok(())
    }

    /// A result begins with its rows, or its end: those of a cursor.
    pub(super) fn fetch(
        &mut self,
        part: &Part<'_>,
        reading: &Reading<'_>,
    ) -> Result<Option<Done>, &'static str> {
        match reading.columns {
            Some(columns) => {
                let rows = self.rows.get_or_insert_default();
                rows.count = columns.len() as u64;
                rows.known = Some(columns.clone());
            }
            None => self.fail("the columns are not known"),
        }
        let rows = self.rows.get_or_insert_default();
        if part.first() == 0xfe {
            return end(part, reading).map(Some);
        }
        self.place = Place::Rows;
        rows.add(part.payload, part.whole, true, reading.limits).map_err(|_| "not a row")?;
        Ok(None)
    }

    /// A column that is listed for itself.
    pub(super) fn listed(&mut self, part: &Part<'_>, limits: &Limits) -> Result<(), &'static str> {
        let column = packets::column(part.payload, limits).map_err(|_| "not a column")?;
        let rows = self.rows.get_or_insert_default();
        rows.count += 1;
        if rows.columns.len() < limits.list_entries {
            rows.hold(column);
        }
        Ok(())
    }

    /// Takes a packet of the result that has begun. Gives its end.
    pub(super) fn take(
        &mut self,
        part: &Part<'_>,
        binary: bool,
        reading: &Reading<'_>,
    ) -> Result<Option<Done>, &'static str> {
        if let Place::Columns(left) = self.place {
            self.column(part, reading.limits)?;
            self.place = if left > 1 { Place::Columns(left - 1) } else { Place::AfterColumns };
            return Ok(None);
        }
        let after_columns = self.place == Place::AfterColumns;
        if after_columns && part.is_eof() && reading.has(capability::DEPRECATE_EOF) != Some(true) {
            self.place = Place::Rows;
            let done = packets::done(part.payload, reading.limits).map_err(|_| "not an end of columns")?;
            // The rows wait to be fetched.
            return Ok(Some(done).filter(|done| done.status & CURSOR_EXISTS != 0));
        }
        if part.first() == 0xfe && part.length < 0xff_ffff {
            if !part.whole {
                return Err("an end of rows is missing");
            }
            return end(part, reading).map(Some);
        }
        self.place = Place::Rows;
        if binary && part.payload.first() != Some(&0) {
            return Err("not a row");
        }
        let rows = self.rows.get_or_insert_default();
        if let Err(error) = rows.add(part.payload, part.whole, binary, reading.limits)
            && part.whole
        {
            self.fail(format!("a row is not valid: {error}"));
        }
        Ok(None)
    }

    fn column(&mut self, part: &Part<'_>, limits: &Limits) -> Result<(), &'static str> {
        let rows = self.rows.get_or_insert_default();
        match packets::column(part.payload, limits) {
            Ok(column) if part.whole => {
                if rows.columns.len() < limits.list_entries {
                    rows.hold(column);
                }
            }
            Err(_) if part.whole => return Err("not a column"),
            _ => rows.torn = true,
        }
        Ok(())
    }

    /// A result is complete.
    pub(super) fn finish(&mut self, done: Done, reading: &Reading<'_>) {
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
    }

    fn keep(&mut self, fields: Fields, limits: &Limits) {
        self.count += 1;
        if self.list.len() < limits.list_entries && self.heap < limits.message_bytes {
            self.heap += fields.heap() + size_of::<Tree>();
            self.list.push(fields.into());
        }
    }

    fn fail(&mut self, what: impl Into<String>) {
        self.fault.get_or_insert_with(|| what.into());
    }

    /// As part of the response; the result that is not complete, too.
    pub(super) fn tell(mut self, fields: &mut Fields, limits: &Limits) {
        if let Some(rows) = self.rows.take() {
            self.row_count += rows.row_count;
            self.keep(rows.into_fields(), limits);
        }
        if self.count > 0 {
            fields.push("resultCount", self.count);
            fields.push("rowCount", self.row_count);
            fields.push("results", Tree::List(self.list));
        }
    }
}

fn end(part: &Part<'_>, reading: &Reading<'_>) -> Result<Done, &'static str> {
    packets::done(part.payload, reading.limits).map_err(|_| "not an end of rows")
}
