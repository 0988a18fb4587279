//! What a body has in it, without making anything of it.

use std::ops::Range;
use std::sync::Arc;

use super::names::opcode;
use super::request::{self, Asked, Known};
use super::response::{self, Metadata, Told};
use super::statements::{Columns, Statement};
use super::types::Type;
use super::wire;
use crate::limits::ValueLimits;
use crate::{ParseError, Reader};

/// What a request has in it that is told without decoding it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Where the only statement's text is.
    pub(super) query: Option<Range<usize>>,
    /// Of `EXECUTE`: what was prepared.
    pub(super) id: Option<Range<usize>>,
    /// Of `BATCH`: its type and how many statements it has.
    pub(super) batch: Option<(u8, u16)>,
    pub(super) has_keyspace: bool,
    /// Statements that are known, and where their ids are.
    pub(super) statements: Vec<(Range<usize>, Arc<Statement>)>,
}

/// Moves behind the body.
pub(super) fn request(
    code: u8,
    version: u8,
    r: &mut Reader<'_>,
    known: Known<'_>,
) -> Result<(Found, Asked), ParseError> {
    let (mut found, mut asked) = (Found::default(), Asked::default());
    match code {
        opcode::STARTUP => {
            for _ in 0..r.u16_be()? {
                wire::string(r)?;
                wire::string(r)?;
            }
        }
        opcode::AUTH_RESPONSE => skip_bytes(r)?,
        opcode::REGISTER => strings(r)?,
        opcode::QUERY => {
            let query = wire::long_string(r)?;
            asked.uses = request::is_use(query);
            found.query = Some(before(r, query.len()));
            parameters(r, version, &mut found)?;
        }
        opcode::PREPARE => {
            let query = wire::long_string(r)?;
            found.query = Some(before(r, query.len()));
            asked.prepares = true;
            if version >= 5 && r.u32_be()? & 1 != 0 {
                wire::string(r)?;
                found.has_keyspace = true;
            }
        }
        opcode::EXECUTE => {
            let id = wire::string(r)?;
            found.id = Some(before(r, id.len()));
            asked.executes = statement(id, r, known, &mut found);
            asked.uses = asked.executes.as_ref().is_none_or(|statement| {
                statement.query.as_text().is_none_or(|text| request::is_use(text.as_bytes()))
            });
            if version >= 5 {
                let id = wire::string(r)?;
                asked.metadata_id = asked.executes.is_some().then(|| crate::tree::hex(id));
            }
            parameters(r, version, &mut found)?;
        }
        opcode::BATCH => batch(r, version, known, &mut found)?,
        _ => {}
    }
    Ok((found, asked))
}

/// Where those of the bytes are that were read last.
fn before(r: &Reader<'_>, length: usize) -> Range<usize> {
    r.position() - length..r.position()
}

fn statement(id: &[u8], r: &Reader<'_>, known: Known<'_>, found: &mut Found) -> Option<Arc<Statement>> {
    let statement = known(id)?;
    found.statements.push((before(r, id.len()), statement.clone()));
    Some(statement)
}

fn parameters(r: &mut Reader<'_>, version: u8, found: &mut Found) -> Result<(), ParseError> {
    r.skip(2)?;
    let flags = request::flags(r, version)?;
    if flags & request::VALUES != 0 {
        values(r, flags & request::NAMES != 0)?;
    }
    if flags & request::PAGE_SIZE != 0 {
        r.skip(4)?;
    }
    if flags & request::PAGING_STATE != 0 {
        skip_bytes(r)?;
    }
    rest(r, flags, found)
}

fn rest(r: &mut Reader<'_>, flags: u32, found: &mut Found) -> Result<(), ParseError> {
    if flags & request::SERIAL_CONSISTENCY != 0 {
        r.skip(2)?;
    }
    if flags & request::TIMESTAMP != 0 {
        r.skip(8)?;
    }
    if flags & request::KEYSPACE != 0 {
        wire::string(r)?;
        found.has_keyspace = true;
    }
    if flags & request::NOW != 0 {
        r.skip(4)?;
    }
    Ok(())
}

fn values(r: &mut Reader<'_>, named: bool) -> Result<(), ParseError> {
    for _ in 0..r.u16_be()? {
        if named {
            wire::string(r)?;
        }
        wire::cell(r)?;
    }
    Ok(())
}

fn batch(r: &mut Reader<'_>, version: u8, known: Known<'_>, found: &mut Found) -> Result<(), ParseError> {
    let (kind, count) = (r.u8()?, r.u16_be()?);
    found.batch = Some((kind, count));
    for _ in 0..count {
        match r.u8()? {
            0 => {
                let query = wire::long_string(r)?;
                found.query = (count == 1).then(|| before(r, query.len()));
            }
            1 => {
                let id = wire::string(r)?;
                statement(id, r, known, found);
            }
            _ => return Err(r.error("a batched statement is of no known kind")),
        }
        values(r, false)?;
    }
    r.skip(2)?;
    let flags = request::flags(r, version)?;
    rest(r, flags, found)
}

/// Moves behind the body; `None` of what is rare and long to tell.
pub(super) fn response(
    code: u8,
    version: u8,
    r: &mut Reader<'_>,
    limits: ValueLimits,
) -> Result<Option<Told>, ParseError> {
    match code {
        opcode::ERROR => {
            let code = r.u32_be()?;
            wire::string(r)?;
            match code {
                0x1000 | 0x1100 | 0x1200 | 0x1300 | 0x1400 | 0x1500 | 0x1700 => return Ok(None),
                0x2400 => {
                    wire::string(r)?;
                    wire::string(r)?;
                }
                0x2500 => {
                    wire::string(r)?;
                }
                _ => {}
            }
        }
        opcode::AUTHENTICATE => {
            wire::string(r)?;
        }
        opcode::AUTH_CHALLENGE | opcode::AUTH_SUCCESS => skip_bytes(r)?,
        opcode::SUPPORTED => {
            for _ in 0..r.u16_be()? {
                wire::string(r)?;
                strings(r)?;
            }
        }
        opcode::EVENT => match wire::string(r)? {
            b"TOPOLOGY_CHANGE" | b"STATUS_CHANGE" => {
                wire::string(r)?;
                wire::inet_bytes(r)?;
                r.skip(4)?;
            }
            b"SCHEMA_CHANGE" => schema_change(r)?,
            _ => {
                r.take_rest();
            }
        },
        opcode::RESULT => return result(r, version, limits).map(Some),
        _ => {}
    }
    Ok(Some(Told::Nothing))
}

fn result(r: &mut Reader<'_>, version: u8, limits: ValueLimits) -> Result<Told, ParseError> {
    match r.u32_be()? {
        1 => {}
        2 => rows(r, limits)?,
        3 => return Ok(Told::Keyspace(Arc::from(&*crate::text::lossy(wire::string(r)?)))),
        4 => return prepared(r, version, limits),
        5 => schema_change(r)?,
        _ => return Err(r.error("a result is of no known kind")),
    }
    Ok(Told::Nothing)
}

/// What is in front of the columns.
fn metadata(r: &mut Reader<'_>) -> Result<Metadata, ParseError> {
    let metadata = Metadata { flags: r.u32_be()?, count: wire::count(r)? };
    if metadata.flags & response::MORE_PAGES != 0 {
        skip_bytes(r)?;
    }
    if metadata.flags & response::METADATA_CHANGED != 0 {
        wire::string(r)?;
    }
    Ok(metadata)
}

fn rows(r: &mut Reader<'_>, limits: ValueLimits) -> Result<(), ParseError> {
    let metadata = metadata(r)?;
    if metadata.flags & response::NO_METADATA == 0 {
        skip_columns(r, &metadata, limits)?;
    }
    let rows = wire::count(r)?;
    if metadata.count == 0 {
        return Ok(());
    }
    for _ in 0..rows {
        for _ in 0..metadata.count {
            wire::cell(r)?;
        }
    }
    Ok(())
}

fn skip_columns(r: &mut Reader<'_>, metadata: &Metadata, limits: ValueLimits) -> Result<(), ParseError> {
    let table = |r: &mut Reader<'_>| wire::string(r).and_then(|_| wire::string(r)).map(|_| ());
    let global = metadata.flags & response::GLOBAL_TABLE != 0;
    if global {
        table(r)?;
    }
    let mut left = limits.list_entries.saturating_mul(10);
    for _ in 0..metadata.count {
        if !global {
            table(r)?;
        }
        wire::string(r)?;
        Type::skip(r, limits.nesting, &mut left)?;
    }
    Ok(())
}

fn prepared(r: &mut Reader<'_>, version: u8, limits: ValueLimits) -> Result<Told, ParseError> {
    let id = wire::string(r)?;
    let metadata_id = if version >= 5 { Some(crate::tree::hex(wire::string(r)?)) } else { None };
    let head = Metadata { flags: r.u32_be()?, count: wire::count(r)? };
    if version >= 4 {
        for _ in 0..wire::count(r)? {
            r.skip(2)?;
        }
    }
    let variables = match head.flags & response::NO_METADATA {
        0 => response::columns(r, &head, limits)?,
        _ => Columns::default(),
    };
    let metadata = metadata(r)?;
    let columns = match metadata.flags & response::NO_METADATA {
        0 => Some(response::columns(r, &metadata, limits)?),
        _ => None,
    };
    Ok(Told::Prepared { id: id.to_vec(), variables, columns, metadata_id })
}

fn schema_change(r: &mut Reader<'_>) -> Result<(), ParseError> {
    wire::string(r)?;
    let target = wire::string(r)?;
    wire::string(r)?;
    if target != b"KEYSPACE" {
        wire::string(r)?;
    }
    if matches!(target, b"FUNCTION" | b"AGGREGATE") {
        strings(r)?;
    }
    Ok(())
}

pub(super) fn strings(r: &mut Reader<'_>) -> Result<(), ParseError> {
    for _ in 0..r.u16_be()? {
        wire::string(r)?;
    }
    Ok(())
}

fn skip_bytes(r: &mut Reader<'_>) -> Result<(), ParseError> {
    wire::bytes(r).map(|_| ())
}
