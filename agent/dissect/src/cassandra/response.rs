//! What a server answers (section 4.2 of the specification).

use std::sync::Arc;

use super::names::{self, opcode};
use super::request::secret;
use super::statements::{Column, Columns};
use super::types::{self, Type};
use super::wire::{self, Room};
use crate::limits::ValueLimits;
use crate::{Fields, ParseError, Reader, Tree};

/// What a response tells the connection.
#[derive(Debug, Default)]
pub(super) enum Told {
    #[default]
    Nothing,
    Keyspace(Arc<str>),
    Prepared {
        id: Vec<u8>,
        variables: Columns,
        columns: Option<Columns>,
        metadata_id: Option<String>,
    },
}

pub(super) const GLOBAL_TABLE: u32 = 0x01;
pub(super) const MORE_PAGES: u32 = 0x02;
pub(super) const NO_METADATA: u32 = 0x04;
pub(super) const METADATA_CHANGED: u32 = 0x08;

/// Adds what the body says to `fields`, also where it ends early. `columns` are those of the statement that was executed.
pub(super) fn read(
    code: u8,
    version: u8,
    r: &mut Reader<'_>,
    columns: Option<Columns>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<Told, ParseError> {
    match code {
        opcode::ERROR => {
            let mut error = Fields::new();
            let result = read_error(r, version, room, &mut error);
            fields.push("error", error);
            result?;
        }
        opcode::AUTHENTICATE => fields.push("authenticator", wire::text(r)?),
        opcode::AUTH_CHALLENGE | opcode::AUTH_SUCCESS => secret(r, fields)?,
        opcode::SUPPORTED => fields.push("options", wire::string_multimap(r, room)?),
        opcode::EVENT => event(r, room, fields)?,
        opcode::RESULT => return result(r, version, columns, room, fields),
        _ => {}
    }
    Ok(Told::Nothing)
}

fn result(
    r: &mut Reader<'_>,
    version: u8,
    columns: Option<Columns>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<Told, ParseError> {
    let error = r.error("a result is of no known kind");
    match r.u32_be()? {
        1 => fields.push("kind", "VOID"),
        2 => {
            fields.push("kind", "ROWS");
            rows(r, columns, room, fields)?;
        }
        3 => {
            fields.push("kind", "SET_KEYSPACE");
            let keyspace = wire::string(r)?;
            fields.push("keyspace", Tree::lossy(keyspace));
            return Ok(Told::Keyspace(Arc::from(&*crate::text::lossy(keyspace))));
        }
        4 => {
            fields.push("kind", "PREPARED");
            return prepared(r, version, room, fields);
        }
        5 => {
            fields.push("kind", "SCHEMA_CHANGE");
            schema_change(r, room, fields)?;
        }
        _ => return Err(error),
    }
    Ok(Told::Nothing)
}

/// What is said of columns, up to the columns themselves.
pub(super) struct Metadata {
    pub(super) flags: u32,
    pub(super) count: usize,
}

fn rows(
    r: &mut Reader<'_>,
    known: Option<Columns>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    let (metadata, told) = metadata(r, room, fields)?;
    let columns = told.or(known).filter(|columns| columns.len() == metadata.count);
    fields.push("columnCount", metadata.count);
    if let Some(columns) = &columns {
        fields.push("columns", shown(columns, room));
    }
    let count = wire::count(r)?;
    fields.push("rowCount", count);
    // What a row without columns costs nothing to claim.
    if metadata.count == 0 {
        return Ok(());
    }
    let mut list = Vec::new();
    let mut ends = Ok(());
    for index in 0..count {
        let row = match &columns {
            Some(columns) if room.entry(index) => one_row(r, columns, room).map(|row| list.push(row.into())),
            _ => (0..metadata.count).try_for_each(|_| wire::cell(r).map(|_| ())),
        };
        if row.is_err() {
            ends = row;
            break;
        }
    }
    if columns.is_some() {
        fields.push("rows", list);
    }
    ends
}

fn one_row(r: &mut Reader<'_>, columns: &Columns, room: &mut Room) -> Result<Fields, ParseError> {
    let mut row = Fields::with_capacity(columns.len().min(room.limits.list_entries));
    for (index, column) in columns.iter().enumerate() {
        let cell = wire::cell(r)?;
        if room.entry(index) {
            row.push(column.name.clone(), types::typed(cell, &column.of, room));
        }
    }
    Ok(row)
}

/// Columns as many as may be shown.
fn shown(columns: &Columns, room: &mut Room) -> Tree {
    let mut list = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        if !room.entry(index) {
            break;
        }
        let mut one = Fields::with_capacity(4);
        if let Some((keyspace, table)) = &column.table {
            one.push("keyspace", keyspace.to_string());
            one.push("table", table.to_string());
        }
        one.push("name", column.name.clone());
        one.push("type", column.of.name());
        list.push(Tree::from(one));
    }
    list.into()
}

fn metadata(
    r: &mut Reader<'_>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(Metadata, Option<Columns>), ParseError> {
    let metadata = Metadata { flags: r.u32_be()?, count: wire::count(r)? };
    if metadata.flags & MORE_PAGES != 0 {
        let state = wire::bytes(r)?.map(|state| room.bytes(state));
        fields.push("pagingState", state);
    }
    if metadata.flags & METADATA_CHANGED != 0 {
        fields.push("resultMetadataId", crate::tree::hex(wire::string(r)?));
    }
    if metadata.flags & NO_METADATA != 0 {
        return Ok((metadata, None));
    }
    let columns = columns(r, &metadata, room.limits)?;
    Ok((metadata, Some(columns)))
}

pub(super) fn columns(
    r: &mut Reader<'_>,
    metadata: &Metadata,
    limits: ValueLimits,
) -> Result<Columns, ParseError> {
    let global = if metadata.flags & GLOBAL_TABLE != 0 { Some(table(r)?) } else { None };
    let mut left = limits.list_entries.saturating_mul(10);
    let mut columns = Vec::new();
    for _ in 0..metadata.count {
        let table = match &global {
            Some(table) => table.clone(),
            None => table(r)?,
        };
        let name = crate::text::lossy(wire::string(r)?).into_owned();
        let of = Type::read(r, limits.nesting, &mut left)?;
        columns.push(Column { table: Some(table), name, of });
    }
    Ok(columns.into())
}

fn table(r: &mut Reader<'_>) -> Result<(Arc<str>, Arc<str>), ParseError> {
    let mut name = || wire::string(r).map(|name| Arc::from(&*crate::text::lossy(name)));
    Ok((name()?, name()?))
}

fn prepared(
    r: &mut Reader<'_>,
    version: u8,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<Told, ParseError> {
    let id = wire::string(r)?;
    fields.push("id", crate::tree::hex(id));
    let metadata_id = if version >= 5 { Some(crate::tree::hex(wire::string(r)?)) } else { None };
    fields.push_some("resultMetadataId", metadata_id.clone());
    let head = Metadata { flags: r.u32_be()?, count: wire::count(r)? };
    let mut keys = Vec::new();
    if version >= 4 {
        for index in 0..wire::count(r)? {
            let key = r.u16_be()?;
            if room.entry(index) {
                keys.push(Tree::from(key));
            }
        }
        fields.push("partitionKey", keys);
    }
    let variables = match head.flags & NO_METADATA {
        0 => columns(r, &head, room.limits)?,
        _ => Columns::default(),
    };
    fields.push("variableCount", variables.len());
    fields.push("variables", shown(&variables, room));
    let (metadata, columns) = metadata(r, room, fields)?;
    fields.push("columnCount", metadata.count);
    if let Some(columns) = &columns {
        fields.push("columns", shown(columns, room));
    }
    Ok(Told::Prepared { id: id.to_vec(), variables, columns, metadata_id })
}

fn schema_change(r: &mut Reader<'_>, room: &mut Room, fields: &mut Fields) -> Result<(), ParseError> {
    fields.push("changeType", wire::text(r)?);
    let target = wire::string(r)?;
    fields.push("target", Tree::lossy(target));
    fields.push("keyspace", wire::text(r)?);
    if target != b"KEYSPACE" {
        fields.push("name", wire::text(r)?);
    }
    if matches!(target, b"FUNCTION" | b"AGGREGATE") {
        fields.push("arguments", wire::string_list(r, room)?);
    }
    Ok(())
}

fn event(r: &mut Reader<'_>, room: &mut Room, fields: &mut Fields) -> Result<(), ParseError> {
    let kind = wire::string(r)?;
    fields.push("eventType", Tree::lossy(kind));
    match kind {
        b"TOPOLOGY_CHANGE" | b"STATUS_CHANGE" => {
            fields.push("changeType", wire::text(r)?);
            fields.push("address", wire::inet_address(r)?);
            fields.push("port", r.i32_be()?);
        }
        b"SCHEMA_CHANGE" => schema_change(r, room, fields)?,
        _ => {
            r.take_rest();
        }
    }
    Ok(())
}

fn read_error(
    r: &mut Reader<'_>,
    version: u8,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    let code = r.u32_be()?;
    fields.push("code", code);
    fields.push_some("name", names::error(code));
    fields.push("message", room.text(wire::string(r)?));
    match code {
        0x1000 => {
            fields.push("consistency", wire::consistency(r)?);
            fields.push("required", r.i32_be()?);
            fields.push("alive", r.i32_be()?);
        }
        0x1100 | 0x1200 | 0x1300 | 0x1500 | 0x1700 => {
            fields.push("consistency", wire::consistency(r)?);
            fields.push("received", r.i32_be()?);
            fields.push("required", r.i32_be()?);
            if matches!(code, 0x1300 | 0x1500) {
                failures(r, version, room, fields)?;
            }
            if matches!(code, 0x1100 | 0x1500) {
                fields.push("writeType", wire::text(r)?);
                if version >= 5 && code == 0x1100 && !r.is_empty() {
                    fields.push("contentions", r.u16_be()?);
                }
            } else if code != 0x1700 {
                fields.push("dataPresent", r.u8()? != 0);
            }
        }
        0x1400 => {
            fields.push("keyspace", wire::text(r)?);
            fields.push("function", wire::text(r)?);
            fields.push("arguments", wire::string_list(r, room)?);
        }
        0x2400 => {
            fields.push("keyspace", wire::text(r)?);
            fields.push("table", wire::text(r)?);
        }
        0x2500 => fields.push("id", crate::tree::hex(wire::string(r)?)),
        _ => {}
    }
    Ok(())
}

/// How many replicas failed; from version 5 on also which and why.
fn failures(r: &mut Reader<'_>, version: u8, room: &mut Room, fields: &mut Fields) -> Result<(), ParseError> {
    let count = wire::count(r)?;
    fields.push("failures", count);
    if version < 5 {
        return Ok(());
    }
    let mut list = Vec::new();
    for index in 0..count {
        let one = Fields::new().with("address", wire::inet_address(r)?).with("reason", r.u16_be()?);
        if room.entry(index) {
            list.push(Tree::from(one));
        }
    }
    fields.push("reasons", list);
    Ok(())
}
