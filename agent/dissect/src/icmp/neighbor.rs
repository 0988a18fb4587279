//! Neighbour discovery (RFC 4861).

use std::net::Ipv6Addr;

use crate::{Fields, Limits, ParseError, Reader, Tree};

pub(super) fn read(
    kind: u8,
    r: &mut Reader<'_>,
    fields: &mut Fields,
    limits: &Limits,
) -> Result<(), ParseError> {
    match kind {
        134 => {
            fields.push("hopLimit", r.u8()?);
            let flags = r.u8()?;
            fields.push("managed", flags & 0x80 != 0);
            fields.push("otherConfiguration", flags & 0x40 != 0);
            fields.push("preference", ["medium", "high", "reserved", "low"][usize::from(flags >> 3 & 3)]);
            fields.push("lifetimeSeconds", r.u16_be()?);
            fields.push("reachableMillis", r.u32_be()?);
            fields.push("retransmitMillis", r.u32_be()?);
        }
        136 => {
            let flags = r.u32_be()?;
            fields.push("router", flags & 0x8000_0000 != 0);
            fields.push("solicited", flags & 0x4000_0000 != 0);
            fields.push("override", flags & 0x2000_0000 != 0);
            fields.push("target", address(r)?);
        }
        _ => {
            r.skip(4)?;
            if kind != 133 {
                fields.push("target", address(r)?);
            }
            if kind == 137 {
                fields.push("destination", address(r)?);
            }
        }
    }
    options(r, fields, limits)
}

pub(super) fn address(r: &mut Reader<'_>) -> Result<String, ParseError> {
    r.array::<16>().map(|bytes| Ipv6Addr::from(bytes).to_string())
}

fn options(r: &mut Reader<'_>, fields: &mut Fields, limits: &Limits) -> Result<(), ParseError> {
    let (mut prefixes, mut servers) = (Vec::<Tree>::new(), Vec::<Tree>::new());
    while !r.is_empty() {
        let kind = r.u8()?;
        // In units of eight bytes, the two read included.
        let length = usize::from(r.u8()?) * 8;
        let Some(length) = length.checked_sub(2) else { return Err(r.error("an option has no length")) };
        let mut option = r.part(length)?;
        let o = &mut option;
        match kind {
            1 => fields.set("sourceLinkAddress", link_address(o.rest())),
            2 => fields.set("targetLinkAddress", link_address(o.rest())),
            3 if prefixes.len() < limits.list_entries => {
                let (length, flags) = (o.u8()?, o.u8()?);
                let (valid, preferred) = (o.u32_be()?, o.u32_be()?);
                o.skip(4)?;
                let prefix = Fields::new()
                    .with("prefix", format!("{}/{length}", address(o)?))
                    .with("onLink", flags & 0x80 != 0)
                    .with("autonomous", flags & 0x40 != 0)
                    .with("validSeconds", valid)
                    .with("preferredSeconds", preferred);
                prefixes.push(prefix.into());
            }
            5 => {
                o.skip(2)?;
                fields.set("mtu", o.u32_be()?);
            }
            // RFC 8106: addresses of DNS servers.
            25 => {
                o.skip(6)?;
                while !o.is_empty() && servers.len() < limits.list_entries {
                    servers.push(address(o)?.into());
                }
            }
            _ => {}
        }
    }
    for (name, list) in [("prefixes", prefixes), ("dnsServers", servers)] {
        if !list.is_empty() {
            fields.push(name, list);
        }
    }
    Ok(())
}

fn link_address(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}
