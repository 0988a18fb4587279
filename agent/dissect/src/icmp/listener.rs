//! Multicast listener discovery (RFC 2710, RFC 3810).

use super::neighbor::address;
use crate::{Fields, Limits, ParseError, Reader, Tree};

pub(super) fn read(
    kind: u8,
    r: &mut Reader<'_>,
    fields: &mut Fields,
    limits: &Limits,
) -> Result<(), ParseError> {
    if kind == 143 {
        return report(r, fields, limits);
    }
    let delay = r.u16_be()?;
    r.skip(2)?;
    if kind == 130 {
        fields.push("maxResponseMillis", delay);
    }
    fields.push("group", address(r)?);
    // What follows in a query makes it one of the second version.
    if kind == 130 && !r.is_empty() {
        r.skip(2)?;
        let count = r.u16_be()?;
        sources(count, r, fields, limits)?;
    }
    Ok(())
}

fn sources(count: u16, r: &mut Reader<'_>, fields: &mut Fields, limits: &Limits) -> Result<(), ParseError> {
    let mut list = Vec::<Tree>::new();
    for _ in 0..count {
        let source = r.array::<16>()?;
        if list.len() < limits.list_entries {
            list.push(std::net::Ipv6Addr::from(source).to_string().into());
        }
    }
    fields.push("sourceCount", count);
    fields.push("sources", list);
    Ok(())
}

fn report(r: &mut Reader<'_>, fields: &mut Fields, limits: &Limits) -> Result<(), ParseError> {
    const KINDS: [&str; 6] =
        ["is include", "is exclude", "to include", "to exclude", "allow new sources", "block old sources"];
    r.skip(2)?;
    let count = r.u16_be()?;
    let mut records = Vec::<Tree>::new();
    for _ in 0..count {
        let kind = r.u8()?;
        let auxiliary = usize::from(r.u8()?) * 4;
        let sources_count = r.u16_be()?;
        let mut record = Fields::new().with("type", kind);
        record.push_some("typeName", KINDS.get(usize::from(kind.wrapping_sub(1))).copied());
        record.push("group", address(r)?);
        sources(sources_count, r, &mut record, limits)?;
        r.skip(auxiliary)?;
        if records.len() < limits.list_entries {
            records.push(record.into());
        }
    }
    fields.push("recordCount", count);
    fields.push("records", records);
    Ok(())
}
