//! Statements that a connection has prepared.

use std::sync::Arc;

use super::types::Type;
use crate::Tree;

/// A column of a result, or a variable of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Column {
    /// Keyspace and table.
    pub(super) table: Option<(Arc<str>, Arc<str>)>,
    pub(super) name: String,
    pub(super) of: Type,
}

pub(super) type Columns = Arc<[Column]>;

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) query: Tree,
    pub(super) variables: Columns,
    /// Of its rows; not known where the server does not say.
    pub(super) columns: Option<Columns>,
    /// Tells which columns they are, in version 5.
    pub(super) metadata_id: Option<String>,
    /// Bytes held.
    pub(super) memory: usize,
}

impl Statement {
    pub(super) fn heap(&self) -> usize {
        self.query.heap() + heap(&self.variables) + self.columns.as_ref().map_or(0, heap)
    }
}

pub(super) fn heap(columns: &Columns) -> usize {
    let one = |column: &Column| {
        let table = column.table.as_ref().map_or(0, |(keyspace, table)| keyspace.len() + table.len());
        size_of::<Column>() + table + column.name.len() + column.of.heap()
    };
    columns.iter().map(one).sum()
}
