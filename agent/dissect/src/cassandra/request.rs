//! What a client asks (section 4.1 of the specification).

use std::sync::Arc;

use super::names::{self, opcode};
use super::statements::Statement;
use super::types;
use super::wire::{self, Room};
use crate::{Fields, ParseError, Reader, Tree};

/// What a request tells of itself beside its fields.
#[derive(Default)]
pub(super) struct Asked {
    /// A statement is to be prepared.
    pub(super) prepares: bool,
    pub(super) executes: Option<Arc<Statement>>,
    /// Tells which columns the client takes its rows to have.
    pub(super) metadata_id: Option<String>,
    /// It may change the keyspace.
    pub(super) uses: bool,
}

/// The statements that are known, by id.
pub(super) type Known<'a> = &'a dyn Fn(&[u8]) -> Option<Arc<Statement>>;

pub(super) const VALUES: u32 = 0x01;
const SKIP_METADATA: u32 = 0x02;
pub(super) const PAGE_SIZE: u32 = 0x04;
pub(super) const PAGING_STATE: u32 = 0x08;
pub(super) const SERIAL_CONSISTENCY: u32 = 0x10;
pub(super) const TIMESTAMP: u32 = 0x20;
pub(super) const NAMES: u32 = 0x40;
pub(super) const KEYSPACE: u32 = 0x80;
pub(super) const NOW: u32 = 0x100;

/// Adds what the body says to `fields`, also where it ends early.
pub(super) fn read(
    code: u8,
    version: u8,
    r: &mut Reader<'_>,
    known: Known<'_>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<Asked, ParseError> {
    let mut asked = Asked::default();
    match code {
        opcode::STARTUP => fields.push("options", wire::string_map(r, room)?),
        opcode::AUTH_RESPONSE => secret(r, fields)?,
        opcode::REGISTER => fields.push("eventTypes", wire::string_list(r, room)?),
        opcode::QUERY => {
            let query = wire::long_string(r)?;
            asked.uses = is_use(query);
            fields.push("query", room.text(query));
            parameters(r, version, None, room, fields)?;
        }
        opcode::PREPARE => {
            let query = wire::long_string(r)?;
            fields.push("query", room.text(query));
            asked.prepares = true;
            if version >= 5 && r.u32_be()? & 1 != 0 {
                fields.push("keyspace", wire::text(r)?);
            }
        }
        opcode::EXECUTE => {
            let id = wire::string(r)?;
            fields.push("id", crate::tree::hex(id));
            if version >= 5 {
                let id = crate::tree::hex(wire::string(r)?);
                fields.push("resultMetadataId", id.clone());
                asked.metadata_id = Some(id);
            }
            let statement = known(id);
            if let Some(statement) = &statement {
                fields.push("query", statement.query.clone());
                asked.uses = statement.query.as_text().is_none_or(|text| is_use(text.as_bytes()));
            } else {
                asked.uses = true;
            }
            parameters(r, version, Some(statement.as_deref()), room, fields)?;
            asked.executes = statement;
        }
        opcode::BATCH => batch(r, version, known, room, fields)?,
        _ => {}
    }
    Ok(asked)
}

pub(super) fn secret(r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    let token = wire::bytes(r)?;
    fields.push("token", token.map(|_| "***"));
    fields.push_some("tokenSize", token.map(<[u8]>::len));
    Ok(())
}

pub(super) fn is_use(query: &[u8]) -> bool {
    let query = query.trim_ascii_start();
    // A comment may stand in front of it.
    query.starts_with(b"--")
        || query.starts_with(b"/")
        || query.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"use"))
}

pub(super) fn flags(r: &mut Reader<'_>, version: u8) -> Result<u32, ParseError> {
    if version >= 5 { r.u32_be() } else { r.u8().map(u32::from) }
}

/// `prepared` is the statement that is executed: not known where it is `Some(None)`.
fn parameters(
    r: &mut Reader<'_>,
    version: u8,
    prepared: Option<Option<&Statement>>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    fields.push("consistency", wire::consistency(r)?);
    let flags = flags(r, version)?;
    if flags & VALUES != 0 {
        values(r, flags & NAMES != 0, prepared, room, fields)?;
    }
    if flags & SKIP_METADATA != 0 {
        fields.push("skipMetadata", true);
    }
    if flags & PAGE_SIZE != 0 {
        fields.push("pageSize", r.i32_be()?);
    }
    if flags & PAGING_STATE != 0 {
        let state = wire::bytes(r)?.map(|state| room.bytes(state));
        fields.push("pagingState", state);
    }
    rest(r, flags, fields)
}

/// What queries and batches end with.
fn rest(r: &mut Reader<'_>, flags: u32, fields: &mut Fields) -> Result<(), ParseError> {
    if flags & SERIAL_CONSISTENCY != 0 {
        fields.push("serialConsistency", wire::consistency(r)?);
    }
    if flags & TIMESTAMP != 0 {
        fields.push("defaultTimestamp", r.i64_be()?);
    }
    if flags & KEYSPACE != 0 {
        fields.push("keyspace", wire::text(r)?);
    }
    if flags & NOW != 0 {
        fields.push("nowInSeconds", r.i32_be()?);
    }
    Ok(())
}

/// Values of a statement that is not known are only counted: what they are can't be told.
fn values(
    r: &mut Reader<'_>,
    named: bool,
    prepared: Option<Option<&Statement>>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    let count = r.u16_be()?;
    fields.push("valueCount", count);
    let mut list = Vec::new();
    let mut map = Fields::new();
    for index in 0..usize::from(count) {
        let name = if named { Some(wire::string(r)?) } else { None };
        let cell = wire::cell(r)?;
        let variable = prepared.flatten().and_then(|statement| statement.variables.get(index));
        let value = match (prepared, variable) {
            (Some(None), _) => continue,
            (_, Some(variable)) if name.is_none_or(|name| name == variable.name.as_bytes()) => {
                room.entry(index).then(|| types::typed(cell, &variable.of, room))
            }
            _ => room.entry(index).then(|| types::untyped(cell, room)),
        };
        let Some(value) = value else { continue };
        match (name, variable) {
            (Some(name), _) => map.push(crate::text::lossy(name).into_owned(), value),
            (None, Some(variable)) => map.push(variable.name.clone(), value),
            _ => list.push(value),
        }
    }
    if !map.is_empty() {
        fields.push("values", map);
    } else if !list.is_empty() {
        fields.push("values", list);
    }
    Ok(())
}

fn batch(
    r: &mut Reader<'_>,
    version: u8,
    known: Known<'_>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    let code = r.u8()?;
    fields.push("batchType", names::batch_type(code).map_or(Tree::Int(code.into()), Tree::from));
    let count = r.u16_be()?;
    fields.push("statementCount", count);
    let mut list = Vec::new();
    let mut ends = Ok(());
    for index in 0..usize::from(count) {
        let mut one = Fields::new();
        ends = batched(r, known, room, &mut one);
        if room.entry(index) {
            list.push(Tree::from(one));
        }
        if ends.is_err() {
            break;
        }
    }
    let query = list.iter().find_map(|one| one.as_fields()?.field("query").cloned());
    fields.push_some("query", query.filter(|_| list.len() == 1));
    fields.push("statements", list);
    ends?;
    fields.push("consistency", wire::consistency(r)?);
    // Names of values were never made to work in batches (CASSANDRA-10246).
    let flags = flags(r, version)?;
    rest(r, flags, fields)
}

fn batched(
    r: &mut Reader<'_>,
    known: Known<'_>,
    room: &mut Room,
    fields: &mut Fields,
) -> Result<(), ParseError> {
    let error = r.error("a batched statement is of no known kind");
    let statement = match r.u8()? {
        0 => {
            fields.push("query", room.text(wire::long_string(r)?));
            None
        }
        1 => {
            let id = wire::string(r)?;
            fields.push("id", crate::tree::hex(id));
            let statement = known(id);
            fields.push_some("query", statement.as_ref().map(|statement| statement.query.clone()));
            Some(statement)
        }
        _ => return Err(error),
    };
    values(r, false, statement.as_ref().map(Option::as_deref), room, fields)
}

#[cfg(test)]
mod tests {
    use super::is_use;

    #[test]
    fn changes_of_the_keyspace_are_known() {
        assert!(is_use(b" USE shop") && is_use(b"-- x\nuse shop"));
        assert!(!is_use(b"SELECT 1"));
    }
}
