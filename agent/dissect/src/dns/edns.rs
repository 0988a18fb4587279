//! EDNS (RFC 6891) and its options.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{codes, name};
use crate::tree::hex;
use crate::{Fields, ParseError, Reader, Tree};

/// What an OPT record says.
#[derive(Debug)]
pub(super) struct Edns {
    udp_size: u16,
    version: u8,
    dnssec_ok: bool,
    options: Vec<Tree>,
}

impl Edns {
    /// From the record's class, TTL and data. Options that don't end where the data does end the list.
    pub(super) fn read(class: u16, ttl: u32, mut reader: Reader<'_>) -> Self {
        let [_, version, flags, _] = ttl.to_be_bytes();
        let mut options = Vec::new();
        while !reader.is_empty() {
            match option(&mut reader) {
                Ok(option) => options.push(option.into()),
                Err(_) => {
                    let malformed = Fields::new().with("malformed", true);
                    options.push(malformed.with("data", Tree::Bytes(reader.take_rest().to_vec())).into());
                }
            }
        }
        Self { udp_size: class, version, dnssec_ok: flags & 0x80 != 0, options }
    }

    /// In a line, for the record.
    pub(super) fn text(&self) -> String {
        let mut text = format!("version {}, udp {}", self.version, self.udp_size);
        if self.dnssec_ok {
            text.push_str(", do");
        }
        for option in &self.options {
            let name = option.as_fields().and_then(|option| option.field("name")?.as_text());
            text.push_str(", ");
            text.push_str(name.unwrap_or("malformed option"));
        }
        text
    }

    pub(super) fn into_fields(self) -> Fields {
        Fields::with_capacity(4)
            .with("version", self.version)
            .with("udpSize", self.udp_size)
            .with("dnssecOk", self.dnssec_ok)
            .with("options", self.options)
    }
}

fn option(reader: &mut Reader<'_>) -> Result<Fields, ParseError> {
    let code = reader.u16_be()?;
    let length = reader.u16_be()?;
    let whole = reader.part(length.into())?;
    let fields = || Fields::new().with("code", code).with("name", codes::option_name(code));
    let (mut value, mut known) = (whole, fields());
    match content(code, &mut value, &mut known) {
        Ok(()) if value.is_empty() => Ok(known),
        _ => Ok(fields().with("malformed", true).with("data", Tree::Bytes(whole.rest().to_vec()))),
    }
}

fn content(code: u16, r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    match code {
        3 => fields.push("data", Tree::text_or_bytes(r.take_rest())),
        5..=7 => fields.push("algorithms", r.take_rest().iter().copied().collect::<Tree>()),
        8 => subnet(r, fields)?,
        9 if r.is_empty() => {}
        9 => fields.push("seconds", r.u32_be()?),
        // RFC 7873, section 4: the server's part has 8 to 32 bytes.
        10 => {
            fields.push("client", hex(r.take(8)?));
            if !r.is_empty() {
                fields.push("server", hex(r.take_rest()));
            }
        }
        11 if r.is_empty() => {}
        // In units of 100 ms.
        11 => fields.push("timeoutMillis", u32::from(r.u16_be()?) * 100),
        12 => fields.push("length", r.take_rest().len()),
        13 => fields.push("closestTrustPoint", name::read(r)?),
        14 => {
            let mut tags = Vec::<Tree>::new();
            while !r.is_empty() {
                tags.push(r.u16_be()?.into());
            }
            fields.push("tags", tags);
        }
        15 => {
            let code = r.u16_be()?;
            fields.push("infoCode", code);
            fields.push_some("info", codes::extended_error_name(code));
            fields.push("text", Tree::lossy(r.take_rest()));
        }
        18 => fields.push("agentDomain", name::read(r)?),
        _ => fields.push("data", Tree::Bytes(r.take_rest().to_vec())),
    }
    Ok(())
}

/// RFC 7871, section 6.
fn subnet(r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    let (family, source, scope) = (r.u16_be()?, r.u8()?, r.u8()?);
    let bytes = r.take_rest();
    let mut address = [0; 16];
    let length = match family {
        1 => 4,
        2 => 16,
        _ => return Err(r.error("the family of a subnet is unknown")),
    };
    if bytes.len() > length {
        return Err(r.error("the address of a subnet is too long"));
    }
    address[..bytes.len()].copy_from_slice(bytes);
    let [a, b, c, d, ..] = address;
    let text =
        if family == 1 { Ipv4Addr::new(a, b, c, d).to_string() } else { Ipv6Addr::from(address).to_string() };
    fields.push("family", family);
    fields.push("address", text);
    fields.push("sourcePrefix", source);
    fields.push("scopePrefix", scope);
    Ok(())
}
