//! The server's messages as they came, for an answer about which nothing is unusual.

use std::sync::Arc;

use super::columns::{self, Columns};
use super::made::{Head, Made};
use super::parameters::Portal;
use super::{fields, text};
use crate::limits::ValueLimits;
use crate::on_demand::{Kept, Known};
use crate::{Fields, Limits, Reader, Value};

/// Columns that were described before, which are in [`Log::columns`]. No message has this type.
const COLUMNS: u8 = b'=';

/// Few answers are shorter.
const SHORT_ANSWER: usize = 64;

/// Type, length of the body, body of each message; the length does not count itself.
#[derive(Debug, Default)]
pub(super) struct Log {
    bytes: Vec<u8>,
    columns: Vec<Arc<Columns>>,
    /// What the rows are of.
    portal: Option<Arc<Portal>>,
    /// The result that is arriving has columns.
    has_columns: bool,
    has_rows: bool,
}

impl Log {
    /// All of it together may be no longer than one value.
    fn push(&mut self, kind: u8, body: &[u8], limits: &Limits) -> bool {
        let Ok(length) = u32::try_from(body.len()) else { return false };
        if self.bytes.len() + body.len() + 5 > limits.value_bytes {
            return false;
        }
        if self.bytes.capacity() == 0 {
            self.bytes.reserve((body.len() + 5).max(SHORT_ANSWER));
        }
        let [a, b, c, d] = length.to_be_bytes();
        self.bytes.extend_from_slice(&[kind, a, b, c, d]);
        self.bytes.extend_from_slice(body);
        true
    }

    /// A result with columns that were described before begins. As below, false where all has to be made into what is
    /// shown.
    pub(super) fn begin(&mut self, columns: &Arc<Columns>, limits: &Limits) -> bool {
        let kept = self.push(COLUMNS, &[], limits);
        if kept {
            self.columns.push(columns.clone());
            self.has_columns = true;
        }
        kept
    }

    pub(super) const fn has_columns(&self) -> bool {
        self.has_columns
    }

    pub(super) fn describe(&mut self, body: &[u8], limits: &Limits) -> bool {
        let kept = columns::parse(body, 0, usize::MAX).is_ok() && self.push(b'T', body, limits);
        self.has_columns |= kept;
        kept
    }

    pub(super) fn row(&mut self, body: &[u8], portal: Option<&Arc<Portal>>, limits: &Limits) -> bool {
        let of_same = match (&self.portal, portal) {
            (Some(known), Some(portal)) => Arc::ptr_eq(known, portal),
            (known, portal) => known.is_none() && portal.is_none(),
        };
        if self.has_rows && !of_same || !text::is_row(body) || !self.push(b'D', body, limits) {
            return false;
        }
        if !of_same {
            self.portal = portal.cloned();
        }
        self.has_rows = true;
        true
    }

    pub(super) fn complete(&mut self, tag: &[u8], limits: &Limits) -> bool {
        self.has_columns = false;
        self.push(b'C', tag, limits)
    }

    pub(super) fn empty(&mut self, limits: &Limits) -> bool {
        self.has_columns = false;
        self.push(b'I', &[], limits)
    }

    pub(super) fn suspend(&mut self, limits: &Limits) -> bool {
        self.has_columns = false;
        self.push(b's', &[], limits)
    }

    pub(super) fn notice(&mut self, body: &[u8], limits: &Limits) -> bool {
        fields::is_whole(body) && self.push(b'N', body, limits)
    }

    pub(super) fn setting(&mut self, body: &[u8], limits: &Limits) -> bool {
        let mut reader = Reader::new(body);
        let is_whole = reader.until(0).is_ok() && reader.until(0).is_ok();
        is_whole && self.push(b'S', body, limits)
    }

    pub(super) fn heap(&self) -> usize {
        self.bytes.capacity() + self.columns.capacity() * size_of::<Arc<Columns>>()
    }

    pub(super) fn replay(&self, limits: ValueLimits) -> Made {
        let mut made = Made::default();
        let mut columns = self.columns.iter();
        let mut reader = Reader::new(&self.bytes);
        while let (Ok(kind), Ok(length)) = (reader.u8(), reader.u32_be()) {
            let body = reader.take(length as usize).unwrap_or_default();
            match kind {
                COLUMNS => made.begin(columns.next().cloned()),
                b'T' => made.describe(body, true, limits),
                b'D' => made.row(Some(body), self.portal.as_deref(), limits),
                b'C' => made.complete(Some(body), limits),
                b'I' => made.empty(limits),
                b's' => made.suspend(limits),
                b'N' => made.notice(body, limits),
                _ => {
                    // It was read before.
                    let _ = made.setting(body, limits);
                }
            }
        }
        made
    }
}

/// The answer to what succeeded.
#[derive(Debug)]
pub(super) struct Response {
    log: Log,
    fields: Fields,
    status: Option<u8>,
    limits: ValueLimits,
}

impl Response {
    pub(super) const fn new(log: Log, fields: Fields, status: Option<u8>, limits: ValueLimits) -> Self {
        Self { log, fields, status, limits }
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
        let head = Head { fields: self.fields.clone(), skipped: false, missing: false, status: self.status };
        self.log.replay(self.limits).into_fields(head, self.limits).0
    }

    fn heap(&self) -> usize {
        let columns: usize = self.log.columns.iter().map(|columns| columns.heap()).sum();
        let portal = self.log.portal.as_ref().map_or(0, |portal| portal.heap());
        self.log.heap() + columns + portal + self.fields.heap()
    }
}
