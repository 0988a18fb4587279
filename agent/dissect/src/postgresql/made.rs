//! What is shown of the server's answer within one cycle.

use std::sync::Arc;

use super::columns::{self, Columns};
use super::parameters::Portal;
use super::types::{self, Caps};
use super::{fields, text};
use crate::frame::Framed;
use crate::limits::ValueLimits;
use crate::{Fields, ParseError, Reader, Tree};

/// Rows shown of a result. Above it rows are counted.
const ROWS: usize = 100;

/// Bytes shown of what a COPY moves.
const COPY_BYTES: usize = 4096;

pub(super) fn caps(limits: ValueLimits) -> Caps {
    Caps { bytes: limits.value_bytes, entries: limits.list_entries, nesting: limits.nesting }
}

/// What the server answered, made into what is shown.
#[derive(Debug, Default)]
pub(super) struct Made {
    error: Option<Fields>,
    fault: Option<String>,
    results: Vec<Tree>,
    result_count: usize,
    row_count: u64,
    current: Option<ResultSet>,
    notices: Vec<Tree>,
    notice_count: usize,
    settings: Fields,
    heap: usize,
}

/// A result that is arriving.
#[derive(Debug, Default)]
struct ResultSet {
    columns: Option<Arc<Columns>>,
    rows: Vec<Tree>,
    row_count: u64,
    /// Heap of the rows.
    shown: usize,
    /// A row was not shown: none after it is.
    cut: bool,
    copy: Option<Copied>,
}

/// What a COPY moved in one direction.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) format: Option<u8>,
    pub(super) both: bool,
    messages: u64,
    bytes: u64,
    data: Vec<u8>,
    pub(super) failed: Option<Tree>,
}

impl Copied {
    pub(super) fn add(&mut self, message: &Framed<'_>) {
        let body = message.bytes.get(5..).unwrap_or_default();
        self.messages += 1;
        self.bytes += (message.size + message.missing).saturating_sub(5);
        // Data behind missing data would look as if it followed what is before.
        if self.data.len() as u64 + body.len() as u64 + message.missing <= self.bytes {
            let room = COPY_BYTES.saturating_sub(self.data.len());
            self.data.extend_from_slice(&body[..body.len().min(room)]);
        }
    }

    pub(super) fn heap(&self) -> usize {
        self.data.capacity() + self.failed.as_ref().map_or(0, Tree::heap)
    }

    pub(super) fn tree(self) -> Tree {
        let mut fields = Fields::new();
        fields.push_some("format", self.format.map(|format| if format == 0 { "text" } else { "binary" }));
        if self.both {
            fields.push("replication", true);
        }
        fields.push("messages", self.messages);
        fields.push("bytes", self.bytes);
        let truncated = (self.data.len() as u64) < self.bytes;
        let shown =
            if truncated { text::shorten(&self.data, self.data.len().saturating_sub(1)) } else { &self.data };
        fields.push("data", Tree::text_or_bytes(shown));
        if truncated {
            fields.push("truncated", true);
        }
        fields.push_some("failed", self.failed);
        fields.into()
    }
}

/// `SELECT 5` and `INSERT 0 5`: the command and the number of rows.
fn tag_parts(tag: &str) -> (&str, Option<i64>) {
    let words = tag.trim_end_matches(|char: char| char.is_ascii_digit() || char == ' ');
    let number = tag[words.len()..].rsplit(' ').next().and_then(|number| number.parse().ok());
    (words, number)
}

impl Made {
    pub(super) fn heap(&self) -> usize {
        let current = self.current.as_ref().map_or(0, |current| {
            current.shown
                + current.rows.capacity() * size_of::<Tree>()
                + current.copy.as_ref().map_or(0, Copied::heap)
        });
        self.heap + current
    }

    pub(super) fn fault(&mut self, what: impl Into<String>) {
        self.fault.get_or_insert_with(|| what.into());
    }

    /// A result with these columns begins.
    pub(super) fn begin(&mut self, columns: Option<Arc<Columns>>) {
        self.current = Some(ResultSet { columns, ..ResultSet::default() });
    }

    /// `RowDescription`.
    pub(super) fn describe(&mut self, body: &[u8], whole: bool, limits: ValueLimits) {
        match columns::parse(body, limits.list_entries, limits.value_bytes) {
            Ok(columns) => self.begin(Some(Arc::new(columns))),
            Err(error) => {
                self.begin(None);
                if whole {
                    self.fault(format!("columns are not valid: {error}"));
                }
            }
        }
    }

    pub(super) fn has_columns(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.columns.is_some())
    }

    /// `body` is none of a row that is not whole.
    pub(super) fn row(&mut self, body: Option<&[u8]>, portal: Option<&Portal>, limits: ValueLimits) {
        let current = self.current.get_or_insert_default();
        current.row_count += 1;
        let full = current.rows.len() >= ROWS.min(limits.list_entries)
            || current.shown >= limits.value_bytes.saturating_mul(4);
        let Some(body) = body.filter(|_| !full && !current.cut) else {
            current.cut = true;
            return;
        };
        match row(body, current.columns.as_deref(), portal, limits) {
            Ok(row) => {
                current.shown += row.heap();
                current.rows.push(row);
            }
            Err(error) => {
                current.cut = true;
                self.fault(format!("a row is not valid: {error}"));
            }
        }
    }

    /// A result is complete; `None` where its tag is not known.
    pub(super) fn complete(&mut self, tag: Option<&[u8]>, limits: ValueLimits) {
        let mut fields = Fields::new();
        if let Some(tag) = tag {
            let tag = crate::text::lossy(text::shorten(tag, 64)).into_owned();
            let (command, affected) = tag_parts(&tag);
            let command = command.to_owned();
            fields.push("tag", tag);
            fields.push("command", command);
            fields.push_some("affectedRows", affected);
        }
        self.finish(fields, limits);
    }

    pub(super) fn empty(&mut self, limits: ValueLimits) {
        self.finish(Fields::new().with("empty", true), limits);
    }

    pub(super) fn suspend(&mut self, limits: ValueLimits) {
        self.finish(Fields::new().with("suspended", true), limits);
    }

    fn finish(&mut self, mut fields: Fields, limits: ValueLimits) {
        let current = self.current.take().unwrap_or_default();
        self.row_count += current.row_count;
        if let Some(columns) = current.columns {
            if columns.shown.len() < columns.count {
                fields.push("columnCount", columns.count);
            }
            fields.push("columns", columns.tree());
        }
        if current.row_count > 0 || fields.field("columns").is_some() {
            fields.push("rowCount", current.row_count);
            fields.push("rows", Tree::List(current.rows));
        }
        fields.push_some("copy", current.copy.map(Copied::tree));
        self.result_count += 1;
        if self.results.len() < limits.list_entries && self.heap < limits.message_bytes {
            self.heap += fields.heap() + size_of::<Tree>();
            self.results.push(fields.into());
        }
    }

    /// COPY begins: format and number of columns.
    pub(super) fn copy(&mut self, body: &[u8], both: bool) {
        let current = self.current.get_or_insert_default();
        let format = body.first().copied();
        current.copy = Some(Copied { format, both, ..Copied::default() });
    }

    pub(super) fn copied(&mut self, message: &Framed<'_>) {
        self.current.get_or_insert_default().copy.get_or_insert_default().add(message);
    }

    pub(super) fn report(&mut self, report: Fields) {
        self.heap += report.heap();
        self.error.get_or_insert(report);
    }

    pub(super) fn notice(&mut self, body: &[u8], limits: ValueLimits) {
        self.notice_count += 1;
        if self.notices.len() >= limits.list_entries || self.heap >= limits.message_bytes {
            return;
        }
        match fields::parse(body, limits.value_bytes) {
            Ok(notice) => {
                self.heap += notice.heap() + size_of::<Tree>();
                self.notices.push(notice.into());
            }
            Err(error) => self.fault(format!("a notice is not valid: {error}")),
        }
    }

    /// `ParameterStatus`.
    pub(super) fn setting(&mut self, body: &[u8], limits: ValueLimits) -> Result<(), ParseError> {
        let mut reader = Reader::new(body);
        let (name, value) = (reader.until(0)?, reader.until(0)?);
        if self.settings.len() < limits.list_entries && self.heap < limits.message_bytes {
            let name = crate::text::lossy(text::shorten(name, 256)).into_owned();
            let value = text::cut(value, limits.value_bytes).0;
            self.heap += name.len() + value.heap() + size_of::<Tree>();
            self.settings.set(name, value);
        }
        Ok(())
    }

    pub(super) fn into_fields(mut self, head: Head, limits: ValueLimits) -> (Fields, Option<String>) {
        if self.current.is_some() && (self.error.is_some() || self.fault.is_some() || head.missing) {
            // What came before the error.
            self.finish(Fields::new(), limits);
        }
        let mut fields = Fields::new().with("success", self.error.is_none() && !head.skipped);
        if head.skipped {
            fields.push("skipped", true);
        }
        fields.append(head.fields);
        if self.result_count > 0 {
            fields.push("resultCount", self.result_count);
            fields.push("rowCount", self.row_count);
            fields.push("results", Tree::List(self.results));
        } else if let Some(columns) = self.current.and_then(|current| current.columns) {
            fields.push("columns", columns.tree());
        }
        fields.push_some("error", self.error);
        if self.notice_count > 0 {
            fields.push("noticeCount", self.notice_count);
            fields.push("notices", Tree::List(self.notices));
        }
        if !self.settings.is_empty() {
            fields.push("parameters", self.settings);
        }
        fields.push_some("transactionStatus", head.status.and_then(status_name));
        (fields, self.fault)
    }
}

/// What an answer has besides results.
pub(super) struct Head {
    /// What belongs to one kind of cycle.
    pub(super) fields: Fields,
    pub(super) skipped: bool,
    /// Bytes of it are missing.
    pub(super) missing: bool,
    pub(super) status: Option<u8>,
}

fn status_name(status: u8) -> Option<&'static str> {
    match status {
        b'I' => Some("idle"),
        b'T' => Some("in transaction"),
        b'E' => Some("failed transaction"),
        _ => None,
    }
}

/// The values of a `DataRow`.
fn row(
    body: &[u8],
    columns: Option<&Columns>,
    portal: Option<&Portal>,
    limits: ValueLimits,
) -> Result<Tree, ParseError> {
    let bind = portal.and_then(|portal| portal.bind.as_ref());
    let mut reader = Reader::new(body);
    let count = usize::from(reader.u16_be()?);
    let mut values = Vec::with_capacity(count.min(limits.list_entries));
    for at in 0..count {
        let length = reader.i32_be()?;
        let bytes = match usize::try_from(length) {
            Ok(length) => Some(reader.take(length)?),
            Err(_) if length == -1 => None,
            Err(_) => return Err(reader.error("an impossible length")),
        };
        if at >= limits.list_entries {
            continue;
        }
        let column = columns.and_then(|columns| columns.shown.get(at));
        // Described as a statement's, a column's format is not told; the portal's is.
        let format = match (bind, column) {
            (Some(bind), _) => bind.result_format(at),
            (None, column) => column.map_or(0, |column| column.format),
        };
        let oid = column.map_or(0, |column| column.oid);
        values.push(bytes.map_or(Tree::Null, |bytes| types::value(oid, format == 1, bytes, caps(limits))));
    }
    if reader.is_empty() { Ok(Tree::List(values)) } else { Err(reader.error("more bytes than values")) }
}

#[cfg(test)]
mod tests {
    use super::tag_parts;

    #[test]
    fn tags_are_a_command_and_a_number() {
        assert_eq!(tag_parts("INSERT 0 5"), ("INSERT", Some(5)));
        assert_eq!(tag_parts("SELECT 12"), ("SELECT", Some(12)));
        assert_eq!(tag_parts("CREATE TABLE"), ("CREATE TABLE", None));
        assert_eq!(tag_parts("42"), ("", Some(42)));
    }
}
