//! Prepared statements and their parameters.

use std::sync::Arc;

use super::lenenc;
use super::names::column_type;
use super::packets::Column;
use super::values::{self, Type};
use crate::{Fields, Limits, ParseError, Reader, Tree};

/// What is remembered of a statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) query: Tree,
    pub(super) truncated: bool,
    pub(super) parameters: u16,
    /// As the last execution told them.
    pub(super) types: Option<Vec<Type>>,
    pub(super) columns: Option<Arc<Vec<Column>>>,
    /// Parameters whose values were sent ahead, and their sizes so far.
    pub(super) long: Vec<(u16, u64)>,
}

impl Statement {
    pub(super) fn heap(&self) -> usize {
        let columns = self.columns.as_ref().map_or(0, |columns| columns.iter().map(Column::heap).sum());
        // With room for the types, which come later.
        size_of::<Self>() + self.query.heap() + columns + usize::from(self.parameters) * size_of::<Type>()
    }
}

/// Parameters or attributes as they are in a packet: which are null, their types and names, their values.
pub(super) struct Bound<'a> {
    /// Of each.
    pub(super) count: usize,
    pub(super) named: bool,
    /// From the last time, where the packet does not tell.
    pub(super) types: Option<&'a [Type]>,
    /// Sent ahead.
    pub(super) long: &'a [(u16, u64)],
}

/// Reads values; also gives the types where the packet tells them.
pub(super) fn read(
    reader: &mut Reader<'_>,
    bound: &Bound<'_>,
    limits: &Limits,
) -> Result<(Vec<Tree>, Option<Vec<Type>>), ParseError> {
    let nulls = reader.take(bound.count.div_ceil(8))?;
    let (mut types, mut names) = (None, Vec::new());
    match reader.u8()? {
        0 => {}
        1 => {
            let told = types.insert(Vec::new());
            for _ in 0..bound.count {
                let number = reader.u8()?;
                let flags = reader.u8()?;
                told.push(Type { number, unsigned: flags & 0x80 != 0, charset: 0 });
                if bound.named {
                    let name = lenenc::string(reader)?;
                    if names.len() < limits.list_entries {
                        names.push(Tree::lossy(values::shorten(name, 256)));
                    }
                }
            }
        }
        _ => return Err(reader.error("neither with types nor without")),
    }
    let known = types.as_deref().or(bound.types).filter(|types| types.len() == bound.count);
    let Some(known) = known else { return Err(reader.error("types that are not known")) };
    let mut list = Vec::new();
    for (at, &kind) in known.iter().enumerate() {
        let mut fields = Fields::with_capacity(3);
        if let Some(name) = names.get(at).filter(|name| name.as_text() != Some("")) {
            fields.push("name", name.clone());
        }
        fields.push("type", column_type(kind.number));
        let long = bound.long.iter().find(|(number, _)| usize::from(*number) == at);
        if let Some((_, size)) = long {
            fields.push("longDataSize", *size);
        } else if nulls.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1) {
            fields.push("value", Tree::Null);
        } else {
            let value = values::in_binary(kind, reader, limits.value_bytes)?;
            // Strings of parameters have no character set: bytes are what is not text.
            fields.push("value", value);
        }
        if list.len() < limits.list_entries {
            list.push(Tree::from(fields));
        }
    }
    Ok((list, types))
}
