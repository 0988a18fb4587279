//! The packets that end a response or begin a result: OK, EOF, ERR, column definitions.

use super::lenenc;
use super::names::{self, SESSION_STATE};
use super::values::{self, Type};
use crate::{Fields, Limits, ParseError, Reader, Tree};

/// OK or EOF.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) status: u16,
    pub(super) fields: Fields,
    /// The session's new default database.
    pub(super) schema: Option<Tree>,
}

/// An OK packet, or an EOF packet, which is 5 bytes long.
pub(super) fn done(payload: &[u8], limits: &Limits) -> Result<Done, ParseError> {
    let mut reader = Reader::new(payload);
    let header = reader.u8()?;
    let mut done = Done::default();
    if header == 0xfe && payload.len() <= 5 {
        if payload.len() == 5 {
            let warnings = reader.u16_le()?;
            done.status = reader.u16_le()?;
            tell(&mut done, warnings);
        }
        return Ok(done);
    }
    let affected = lenenc::number(&mut reader)?;
    let inserted = lenenc::number(&mut reader)?;
    if header != 0xfe {
        done.fields.push("affectedRows", affected);
        if inserted != 0 {
            done.fields.push("lastInsertId", inserted);
        }
    }
    done.status = reader.u16_le()?;
    let warnings = reader.u16_le()?;
    tell(&mut done, warnings);
    if done.status & SESSION_STATE != 0 {
        let info = lenenc::string(&mut reader)?;
        tell_info(&mut done, info, limits);
        let changes = lenenc::string(&mut reader)?;
        session(changes, &mut done, limits)?;
    } else if !reader.is_empty() {
        // With and without its length.
        let mut ahead = reader;
        let info = match lenenc::string(&mut ahead) {
            Ok(info) if ahead.is_empty() => info,
            _ => reader.rest(),
        };
        tell_info(&mut done, info, limits);
    }
    Ok(done)
}

fn tell(done: &mut Done, warnings: u16) {
    done.fields.push("warnings", warnings);
    done.fields.push("status", names::status(done.status).collect::<Tree>());
}

fn tell_info(done: &mut Done, info: &[u8], limits: &Limits) {
    if !info.is_empty() {
        done.fields.push("info", Tree::lossy(values::shorten(info, limits.value_bytes)));
    }
}

/// What changed of the session's state.
fn session(changes: &[u8], done: &mut Done, limits: &Limits) -> Result<(), ParseError> {
    let mut reader = Reader::new(changes);
    let mut list = Vec::new();
    let cut = |text: &[u8]| Tree::lossy(values::shorten(text, limits.value_bytes));
    while !reader.is_empty() {
        let kind = reader.u8()?;
        let data = lenenc::string(&mut reader)?;
        let mut inner = Reader::new(data);
        let change = match kind {
            0 => Fields::new()
                .with("type", "variable")
                .with("name", cut(lenenc::string(&mut inner)?))
                .with("value", cut(lenenc::nullable(&mut inner)?.unwrap_or_default())),
            1 => {
                let schema = cut(lenenc::string(&mut inner)?);
                done.schema = Some(schema.clone());
                Fields::new().with("type", "schema").with("value", schema)
            }
            2 => Fields::new().with("type", "state").with("value", cut(lenenc::string(&mut inner)?)),
            3 => {
                inner.skip(1)?;
                Fields::new().with("type", "gtids").with("value", cut(lenenc::string(&mut inner)?))
            }
            4 => Fields::new()
                .with("type", "transactionCharacteristics")
                .with("value", cut(lenenc::string(&mut inner)?)),
            5 => {
                Fields::new().with("type", "transactionState").with("value", cut(lenenc::string(&mut inner)?))
            }
            _ => Fields::new().with("type", kind.to_string()).with("value", Tree::Bytes(data.to_vec())),
        };
        if list.len() < limits.list_entries {
            list.push(Tree::from(change));
        }
    }
    done.fields.push("sessionState", Tree::List(list));
    Ok(())
}

/// An ERR packet.
pub(super) fn error(payload: &[u8], limits: &Limits) -> Result<Fields, ParseError> {
    let mut reader = Reader::new(payload);
    reader.skip(1)?;
    let mut fields = Fields::new().with("code", reader.u16_le()?);
    if reader.peek() == Some(b'#') {
        reader.skip(1)?;
        fields.push("sqlState", Tree::lossy(reader.take(5)?));
    }
    fields.push("message", Tree::lossy(values::shorten(reader.rest(), limits.value_bytes)));
    Ok(fields)
}

/// MariaDB tells how far a long command is in ERR packets with this code.
pub(super) fn is_progress(payload: &[u8]) -> bool {
    payload.get(1..3) == Some(&[0xff, 0xff])
}

/// A column, or a parameter.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) kind: Type,
    name: Tree,
    table: Tree,
}

pub(super) fn column(payload: &[u8], limits: &Limits) -> Result<Column, ParseError> {
    let mut reader = Reader::new(payload);
    if lenenc::string(&mut reader)? != b"def" {
        return Err(reader.error("not a column"));
    }
    // Schema and table.
    lenenc::string(&mut reader)?;
    let table = lenenc::string(&mut reader)?;
    lenenc::string(&mut reader)?;
    let name = lenenc::string(&mut reader)?;
    lenenc::string(&mut reader)?;
    let mut fixed = lenenc::string(&mut reader)?;
    if fixed.len() != 12 || reader.remaining() >= 13 && reader.peek() == Some(12) {
        // MariaDB's extended metadata come before.
        fixed = lenenc::string(&mut reader)?;
    }
    let mut fixed = Reader::new(fixed);
    let charset = fixed.u16_le()?;
    fixed.skip(4)?;
    let number = fixed.u8()?;
    let unsigned = fixed.u16_le()? & 0x20 != 0;
    let cut = |text: &[u8]| Tree::lossy(values::shorten(text, limits.value_bytes));
    Ok(Column { kind: Type { number, unsigned, charset }, name: cut(name), table: cut(table) })
}

impl Column {
    pub(super) fn tree(&self) -> Tree {
        let mut fields = Fields::with_capacity(3).with("name", self.name.clone());
        if self.table.as_text().is_some_and(|table| !table.is_empty()) {
            fields.push("table", self.table.clone());
        }
        fields.with("type", names::column_type(self.kind.number)).into()
    }

    pub(super) fn heap(&self) -> usize {
        size_of::<Self>() + self.name.heap() + self.table.heap()
    }
}
