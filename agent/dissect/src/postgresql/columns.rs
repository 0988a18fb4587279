//! `RowDescription`: what the columns of a result are.

use super::{text, types};
use crate::{Fields, ParseError, Reader, Tree};

#[derive(Clone, Debug)]
pub(super) struct Column {
    name: Tree,
    pub(super) oid: u32,
    /// 0 text, 1 binary; what a statement's description says of it is nothing.
    pub(super) format: i16,
}

/// The columns, and how many there are: those beyond `shown` are not kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    pub(super) shown: Vec<Column>,
    pub(super) count: usize,
}

pub(super) fn parse(body: &[u8], shown: usize, name_bytes: usize) -> Result<Columns, ParseError> {
    let mut reader = Reader::new(body);
    let mut columns = Columns { shown: Vec::new(), count: reader.u16_be()?.into() };
    for at in 0..columns.count {
        let name = reader.until(0)?;
        // Table and column number.
        reader.skip(6)?;
        let oid = reader.u32_be()?;
        // Type size and modifier.
        reader.skip(6)?;
        let format = reader.i16_be()?;
        if !matches!(format, 0 | 1) {
            return Err(reader.error("an unknown format"));
        }
        if at < shown {
            columns.shown.push(Column { name: Tree::lossy(text::shorten(name, name_bytes)), oid, format });
        }
    }
    if reader.is_empty() { Ok(columns) } else { Err(reader.error("more bytes than columns")) }
}

impl Columns {
    pub(super) fn heap(&self) -> usize {
        self.shown.capacity() * size_of::<Column>()
            + self.shown.iter().map(|column| column.name.heap()).sum::<usize>()
    }

    pub(super) fn tree(&self) -> Tree {
        self.shown
            .iter()
            .map(|column| {
                Fields::with_capacity(2)
                    .with("name", column.name.clone())
                    .with("type", types::name(column.oid))
            })
            .collect()
    }
}
