//! The packet that an error speaks of: its beginning follows the error's header.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::names;
use crate::{Fields, ParseError, Reader, address};

/// Extension headers passed over. Real packets have a few.
const EXTENSIONS: usize = 8;

/// Reads as much as is quoted: addresses, and ports where the packet has them.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Fields, ParseError> {
    let (mut fields, protocol, source, destination, first) = match reader.peek().map(|byte| byte >> 4) {
        Some(4) => ipv4(reader)?,
        Some(6) => ipv6(reader)?,
        _ => return Err(reader.error("the quoted packet is not IP")),
    };
    fields.push("protocol", names::protocol_name(protocol));
    let mut ends = [source, destination].map(|end| Fields::with_capacity(2).with("ip", end));
    // What follows may not be quoted, and only the first fragment has it.
    let mut rest = *reader;
    if first && matches!(protocol, 6 | 17 | 33 | 132 | 136) {
        for end in &mut ends {
            end.push_some("port", rest.u16_be().ok().map(address::port));
        }
    }
    let [source, destination] = ends;
    fields.push("src", source);
    fields.push("dst", destination);
    if first && matches!(protocol, 1 | 58) {
        fields.push_some("icmp", echo(protocol == 58, &mut rest).ok());
    }
    Ok(fields)
}

/// Whether [`read`] finds nothing wrong.
pub(super) fn is_right(reader: &Reader<'_>) -> bool {
    match *reader.rest() {
        [0x45..=0x4f, ..] => reader.remaining() >= 20,
        [0x60..=0x6f, ..] => reader.remaining() >= 40,
        _ => false,
    }
}

type Header = (Fields, u8, String, String, bool);

fn ipv4(reader: &mut Reader<'_>) -> Result<Header, ParseError> {
    let start = reader.position();
    let first = reader.u8()?;
    reader.skip(1)?;
    let (length, id, fragment) = (reader.u16_be()?, reader.u16_be()?, reader.u16_be()?);
    let (ttl, protocol) = (reader.u8()?, reader.u8()?);
    reader.skip(2)?;
    let source = Ipv4Addr::from(reader.array()?);
    let destination = Ipv4Addr::from(reader.array()?);
    let header = usize::from(first & 15) * 4;
    let options =
        header.checked_sub(20).ok_or(ParseError { offset: start, what: "the quoted header is too short" })?;
    // Where they are cut off, so is what follows.
    let _ = reader.skip(options.min(reader.remaining()));
    let fields =
        Fields::with_capacity(8).with("version", 4u8).with("length", length).with("id", id).with("ttl", ttl);
    Ok((fields, protocol, address::ipv4(source), address::ipv4(destination), fragment & 0x1fff == 0))
}

fn ipv6(reader: &mut Reader<'_>) -> Result<Header, ParseError> {
    reader.skip(4)?;
    let length = reader.u16_be()?;
    let (mut protocol, hop_limit) = (reader.u8()?, reader.u8()?);
    let source = Ipv6Addr::from(reader.array::<16>()?);
    let destination = Ipv6Addr::from(reader.array::<16>()?);
    let mut first = true;
    for _ in 0..EXTENSIONS {
        // RFC 8200, section 4: hop-by-hop options, routing, fragment, destination options.
        if !matches!(protocol, 0 | 43 | 44 | 60) {
            break;
        }
        let (Ok(next), Ok(size)) = (reader.u8(), reader.u8()) else { break };
        let rest = if protocol == 44 { 6 } else { usize::from(size) * 8 + 6 };
        let Ok(bytes) = reader.take(rest) else { break };
        if let (44, [high, low, ..]) = (protocol, bytes) {
            first = u16::from_be_bytes([*high, *low]) & 0xfff8 == 0;
        }
        protocol = next;
    }
    let fields = Fields::with_capacity(7)
        .with("version", 6u8)
        .with("length", u32::from(length) + 40)
        .with("ttl", hop_limit);
    Ok((fields, protocol, source.to_string(), destination.to_string(), first))
}

/// Of a quoted ICMP message, what its sender knows it by.
fn echo(ipv6: bool, reader: &mut Reader<'_>) -> Result<Fields, ParseError> {
    let (kind, code) = (reader.u8()?, reader.u8()?);
    let mut fields = Fields::with_capacity(5)
        .with("type", kind)
        .with("typeName", names::type_name(ipv6, kind))
        .with("code", code);
    if matches!((ipv6, kind), (false, 0 | 8) | (true, 128 | 129)) {
        reader.skip(2)?;
        fields.push("id", reader.u16_be()?);
        fields.push("sequence", reader.u16_be()?);
    }
    Ok(fields)
}
