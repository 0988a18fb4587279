//! A result that is arriving: its columns and rows.

use std::sync::Arc;

use super::lenenc;
use super::packets::Column;
use super::values;
use crate::{Fields, Limits, ParseError, Reader, Tree};

/// Rows shown of a result. Above it rows are counted.
const ROWS: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) count: u64,
    pub(super) columns: Vec<Column>,
    /// Remembered from before, where the server did not send them again.
    pub(super) known: Option<Arc<Vec<Column>>>,
    /// A column was not whole.
    pub(super) torn: bool,
    rows: Vec<Tree>,
    pub(super) row_count: u64,
    shown: usize,
    cut: bool,
}

impl Rows {
    pub(super) fn columns(&self) -> &[Column] {
        self.known.as_ref().map_or(&self.columns, |known| known)
    }

    pub(super) fn heap(&self) -> usize {
        self.columns.capacity() * size_of::<Column>() + self.rows.capacity() * size_of::<Tree>() + self.shown
    }

    pub(super) fn hold(&mut self, column: Column) {
        self.shown += column.heap();
        self.columns.push(column);
    }

    /// Counts a row, and keeps it where there is room.
    pub(super) fn add(
        &mut self,
        payload: &[u8],
        whole: bool,
        binary: bool,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        self.row_count += 1;
        let full = self.rows.len() >= ROWS.min(limits.list_entries)
            || self.shown >= limits.value_bytes.saturating_mul(4)
            || self.columns().len() as u64 != self.count && binary;
        if full || self.cut || self.torn || !whole {
            self.cut = true;
            return Ok(());
        }
        let row = if binary { self.binary(payload, limits) } else { self.text(payload, limits) };
        self.cut |= row.is_err();
        let row = Tree::List(row?);
        self.shown += row.heap();
        self.rows.push(row);
        Ok(())
    }

    fn text(&self, payload: &[u8], limits: &Limits) -> Result<Vec<Tree>, ParseError> {
        let mut reader = Reader::new(payload);
        let mut values = Vec::new();
        for at in 0..self.count {
            let value = lenenc::nullable(&mut reader)?;
            if values.len() >= limits.list_entries {
                continue;
            }
            let kind =
                usize::try_from(at).ok().and_then(|at| self.columns().get(at)).map(|column| column.kind);
            values.push(value.map_or(Tree::Null, |value| values::in_text(kind, value, limits.value_bytes)));
        }
        if reader.is_empty() { Ok(values) } else { Err(reader.error("more bytes than columns")) }
    }

    /// Which values are null comes first, from the third bit on.
    fn binary(&self, payload: &[u8], limits: &Limits) -> Result<Vec<Tree>, ParseError> {
        let mut reader = Reader::new(payload);
        reader.skip(1)?;
        let columns = self.columns();
        let nulls = reader.take((columns.len() + 9) / 8)?;
        let mut values = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let bit = at + 2;
            values.push(if nulls.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1) {
                Tree::Null
            } else {
                values::in_binary(column.kind, &mut reader, limits.value_bytes)?
            });
        }
        if reader.is_empty() { Ok(values) } else { Err(reader.error("more bytes than columns")) }
    }

    /// As part of a result.
    pub(super) fn into_fields(self) -> Fields {
        let mut fields = Fields::new();
        let columns = self.columns();
        if (columns.len() as u64) < self.count {
            fields.push("columnCount", self.count);
        }
        fields.push("columns", columns.iter().map(Column::tree).collect::<Tree>());
        fields.push("rowCount", self.row_count);
        fields.push("rows", Tree::List(self.rows));
        fields
    }
}
