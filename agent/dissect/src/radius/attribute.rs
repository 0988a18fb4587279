//! Attributes (RFC 2865, section 5), those of vendors (RFC 2865, section 5.26), and those with longer numbers (RFC 6929).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::dictionary::{self, Kind};
use super::{values, vendor};
use crate::{Fields, ParseError, Reader, Tree, address};

/// What is shown of a secret.
const HIDDEN: &str = "***";

/// The next attribute's number and value.
pub(super) fn next<'a>(reader: &mut Reader<'a>) -> Result<(u8, &'a [u8]), ParseError> {
    let start = reader.position();
    let (kind, length) = (reader.u8()?, reader.u8()?);
    let Some(length) = usize::from(length).checked_sub(2) else {
        return Err(ParseError { offset: start, what: "an attribute is shorter than its head" });
    };
    Ok((kind, reader.take(length)?))
}

pub(super) fn read(kind: u8, value: &[u8]) -> Fields {
    let mut fields = Fields::with_capacity(4);
    fields.push("type", kind);
    match dictionary::find(kind) {
        Some(entry) => {
            fields.push("name", entry.name);
            put(&mut fields, entry.kind, value, |number| values::name(kind, number));
        }
        None => {
            fields.push("name", format!("Attr-{kind}"));
            fields.push("value", Tree::Bytes(value.to_vec()));
        }
    }
    fields
}

/// The value as its type says; bytes where it does not fit the type.
pub(super) fn put(fields: &mut Fields, kind: Kind, value: &[u8], name: impl Fn(u32) -> Option<&'static str>) {
    let mut r = Reader::new(value);
    match typed(fields, kind, &mut r) {
        Ok(tree) if r.is_empty() => {
            let number = tree.as_int().and_then(|number| u32::try_from(number).ok());
            fields.push("value", tree);
            fields.push_some("valueName", number.and_then(name));
        }
        _ => fields.push("value", Tree::Bytes(value.to_vec())),
    }
}

fn typed(fields: &mut Fields, kind: Kind, r: &mut Reader<'_>) -> Result<Tree, ParseError> {
    Ok(match kind {
        Kind::Text => Tree::lossy(r.take_rest()),
        Kind::Octets => Tree::Bytes(r.take_rest().to_vec()),
        Kind::Secret => {
            r.take_rest();
            HIDDEN.into()
        }
        Kind::Integer | Kind::Date => r.u32_be()?.into(),
        Kind::Integer64 => r.u64_be()?.into(),
        // RFC 2868, section 3: a tag of 0 groups nothing.
        Kind::TaggedInteger => {
            let tag = r.u8()?;
            let number = r.u24_be()?;
            fields.push("tag", tag);
            number.into()
        }
        // A first byte above 31 is text already.
        Kind::TaggedText => {
            if let Some(tag) = r.peek().filter(|byte| *byte <= 0x1f) {
                r.skip(1)?;
                fields.push("tag", tag);
            }
            Tree::lossy(r.take_rest())
        }
        Kind::Address => address::ipv4(Ipv4Addr::from(r.array()?)).into(),
        Kind::Address6 => Ipv6Addr::from(r.array::<16>()?).to_string().into(),
        Kind::Prefix => {
            let (_, length) = (r.u8()?, r.u8()? & 0x3f);
            format!("{}/{length}", Ipv4Addr::from(r.array()?)).into()
        }
        Kind::Prefix6 => {
            let (_, length) = (r.u8()?, r.u8()?);
            let (mut address, bytes) = ([0; 16], r.take_rest());
            let Some(room) = address.get_mut(..bytes.len()) else {
                return Err(r.error("a prefix is too long"));
            };
            room.copy_from_slice(bytes);
            format!("{}/{length}", Ipv6Addr::from(address)).into()
        }
        Kind::InterfaceId => {
            let groups: [u16; 4] = [r.u16_be()?, r.u16_be()?, r.u16_be()?, r.u16_be()?];
            groups.map(|group| format!("{group:x}")).join(":").into()
        }
        Kind::Vendor => {
            vendor::put(fields, r)?;
            return Ok(Tree::Bytes(r.take_rest().to_vec()));
        }
        Kind::Extended => {
            fields.push("extendedType", r.u8()?);
            Tree::Bytes(r.take_rest().to_vec())
        }
        Kind::LongExtended => {
            fields.push("extendedType", r.u8()?);
            fields.push("more", r.u8()? & 0x80 != 0);
            Tree::Bytes(r.take_rest().to_vec())
        }
    })
}
