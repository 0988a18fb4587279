//! One message.

use super::{listener, names, neighbor, quoted};
use crate::{Fields, Limits, ParseError, Reader, Tree, address};

/// Bytes shown of what an echo carries. Most of it is padding; what tunnels put there begins with something telling.
const SHOWN_DATA: usize = 256;

/// Bytes of a message with an identifier and a sequence number of which something is shown.
pub(super) const SHOWN: usize = 8 + SHOWN_DATA;

/// Whether a message asks or answers, and what both have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Request(Key),
    Reply(Key),
    Alone,
}

/// Type of the request, identifier, sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key(u8, u16, u16);

impl Key {
    /// Of a message with an identifier and a sequence number: whoever asks and whoever answers have the same.
    pub(super) const fn new(ipv6: bool, kind: u8, id: u16, sequence: u16) -> Self {
        let request = match (ipv6, kind) {
            (false, 0 | 8) => 8,
            (true, 128 | 129) => 128,
            (false, 42 | 43) => 42,
            (true, 160 | 161) => 160,
            // Requests are odd, each reply is one more.
            _ => kind - (kind + 1) % 2,
        };
        Self(request, id, sequence)
    }
}

/// The fields of a message that was read before, to its end.
pub(super) fn fields(ipv6: bool, bytes: &[u8], length: u64) -> Fields {
    let mut fields = Fields::with_capacity(10);
    let limits = Limits::default();
    let _ = content(ipv6, &mut Reader::new(bytes), length, &mut fields, &mut Role::Alone, &limits);
    fields
}

/// Reads what is there. An error comes with what was read before it.
pub(super) fn read(
    ipv6: bool,
    bytes: &[u8],
    missing: u32,
    limits: &Limits,
) -> (Fields, Role, Result<(), ParseError>) {
    let mut fields = Fields::with_capacity(10);
    let mut role = Role::Alone;
    let length = bytes.len() as u64 + u64::from(missing);
    let result = content(ipv6, &mut Reader::new(bytes), length, &mut fields, &mut role, limits);
    (fields, role, result)
}

fn content(
    ipv6: bool,
    r: &mut Reader<'_>,
    length: u64,
    fields: &mut Fields,
    role: &mut Role,
    limits: &Limits,
) -> Result<(), ParseError> {
    let (kind, code) = (r.u8()?, r.u8()?);
    fields.push("version", if ipv6 { 6u8 } else { 4 });
    fields.push("type", kind);
    fields.push("typeName", names::type_name(ipv6, kind));
    fields.push("code", code);
    fields.push_some("codeName", names::code_name(ipv6, kind, code));
    fields.push("length", length);
    r.skip(2)?;
    match (ipv6, kind) {
        (false, 0 | 8) | (true, 128 | 129) => {
            *role = asked(ipv6, kind, r, fields)?;
            data(r, length.saturating_sub(8), fields);
            Ok(())
        }
        (false, 13..=18) => {
            *role = asked(ipv6, kind, r, fields)?;
            timed(kind, r, fields)
        }
        (false, 42 | 43) | (true, 160 | 161) => {
            *role = probed(ipv6, kind, r, fields)?;
            data(r, length.saturating_sub(8), fields);
            Ok(())
        }
        (false, 3 | 4 | 5 | 11 | 12) => error_4(kind, code, r, fields),
        (true, 1..=4) => error_6(kind, r, fields),
        (false, 9) => routers(r, fields, limits),
        (true, 130..=132 | 143) => listener::read(kind, r, fields, limits),
        (true, 133..=137) => neighbor::read(kind, r, fields, limits),
        _ => {
            data(r, length.saturating_sub(4), fields);
            Ok(())
        }
    }?;
    // Whoever asks has the lower number, in the older version's echo alone the higher.
    if let (Role::Request(key), true) = (*role, is_reply(ipv6, kind)) {
        *role = Role::Reply(key);
    }
    Ok(())
}

pub(super) const fn is_reply(ipv6: bool, kind: u8) -> bool {
    if ipv6 { matches!(kind, 129 | 161) } else { matches!(kind, 0 | 14 | 16 | 18 | 43) }
}

fn data(r: &mut Reader<'_>, size: u64, fields: &mut Fields) {
    let rest = r.rest();
    fields.push("dataSize", size);
    if !rest.is_empty() {
        fields.push("data", Tree::Bytes(rest[..rest.len().min(SHOWN_DATA)].to_vec()));
    }
}

fn asked(ipv6: bool, kind: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<Role, ParseError> {
    let (id, sequence) = (r.u16_be()?, r.u16_be()?);
    fields.push("id", id);
    fields.push("sequence", sequence);
    Ok(Role::Request(Key::new(ipv6, kind, id, sequence)))
}

/// Timestamps are milliseconds since midnight UTC (RFC 792), masks addresses (RFC 950).
fn timed(kind: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    match kind {
        13 | 14 => {
            for name in ["originateMillis", "receiveMillis", "transmitMillis"] {
                fields.push(name, r.u32_be()?);
            }
        }
        17 | 18 => fields.push("mask", address::ipv4(r.array()?.into())),
        _ => {}
    }
    Ok(())
}

/// RFC 8335, sections 2 and 3.
fn probed(ipv6: bool, kind: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<Role, ParseError> {
    let (id, sequence) = (r.u16_be()?, r.u8()?);
    r.skip(1)?;
    fields.push("id", id);
    fields.push("sequence", sequence);
    Ok(Role::Request(Key::new(ipv6, kind, id, sequence.into())))
}

fn error_4(kind: u8, code: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    let rest: [u8; 4] = r.array()?;
    match (kind, code) {
        // RFC 1191, section 4.
        (3, 4) => fields.push("mtu", u16::from_be_bytes([rest[2], rest[3]])),
        (5, _) => fields.push("gateway", address::ipv4(rest.into())),
        (12, _) => fields.push("pointer", rest[0]),
        _ => {}
    }
    fields.push("quoted", quoted::read(r)?);
    Ok(())
}

fn error_6(kind: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    let rest = r.u32_be()?;
    match kind {
        2 => fields.push("mtu", rest),
        4 => fields.push("pointer", rest),
        _ => {}
    }
    fields.push("quoted", quoted::read(r)?);
    Ok(())
}

/// RFC 1256.
fn routers(r: &mut Reader<'_>, fields: &mut Fields, limits: &Limits) -> Result<(), ParseError> {
    let (count, words) = (r.u8()?, usize::from(r.u8()?));
    fields.push("lifetimeSeconds", r.u16_be()?);
    let Some(more) = words.checked_sub(2) else { return Err(r.error("an entry is too short")) };
    let mut routers = Vec::<Tree>::new();
    for _ in 0..count {
        let address = address::ipv4(r.array()?.into());
        let router = Fields::new().with("address", address).with("preference", r.i32_be()?);
        r.skip(more * 4)?;
        if routers.len() < limits.list_entries {
            routers.push(router.into());
        }
    }
    fields.push("routers", routers);
    Ok(())
}
