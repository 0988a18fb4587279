//! What records say, by type. Data that does not have the form of its type is shown as bytes.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::record::Data;
use super::{codes, name, secure};
use crate::{Fields, ParseError, Reader, Tree, address};

/// Reads a record's data, to the end of what `reader` has. Where its form is not known, `value_bytes` of it are shown.
pub(super) fn read(kind: u16, reader: Reader<'_>, value_bytes: usize) -> Data {
    let mut inside = reader;
    match known(kind, &mut inside) {
        Ok(Some(data)) if inside.is_empty() => data,
        Ok(None) => Data::fields(bytes(reader.rest(), value_bytes)),
        _ => Data::fields(bytes(reader.rest(), value_bytes).with("malformed", true)),
    }
}

fn bytes(data: &[u8], value_bytes: usize) -> Fields {
    let kept = &data[..data.len().min(value_bytes)];
    let mut fields = Fields::new().with("data", Tree::Bytes(kept.to_vec()));
    if kept.len() < data.len() {
        fields.push("dataSize", data.len());
    }
    fields
}

fn known(kind: u16, r: &mut Reader<'_>) -> Result<Option<Data>, ParseError> {
    Ok(Some(match kind {
        1 => Data::text("ip", address::ipv4(ipv4(r)?)),
        28 => Data::text("ip", ipv6(r)?.to_string()),
        2 => Data::text("ns", name::read(r)?),
        5 => Data::text("cname", name::read(r)?),
        12 => Data::text("ptr", name::read(r)?),
        16 => texts(r, "txts")?,
        6 => soa(r)?,
        15 => Data::text("mx", format!("{} {}", r.u16_be()?, name::read(r)?)),
        33 => {
            let (priority, weight, port) = (r.u16_be()?, r.u16_be()?, r.u16_be()?);
            Data::text("srv", format!("{priority} {weight} {port} {}", name::read(r)?))
        }
        256 => {
            let (priority, weight) = (r.u16_be()?, r.u16_be()?);
            Data::text("uri", format!("{priority} {weight} {}", text(r.take_rest())))
        }
        39 => Data::field("dname", name::read(r)?),
        7..=9 | 3 | 4 => Data::field(codes::type_name(kind).to_ascii_lowercase(), name::read(r)?),
        13 => {
            let fields = Fields::new().with("cpu", string(r)?).with("os", string(r)?);
            Data::field("hinfo", fields)
        }
        17 => {
            let fields = Fields::new().with("mailbox", name::read(r)?).with("text", name::read(r)?);
            Data::field("rp", fields)
        }
        18 => numbered(r, "afsdb", "subtype", "host")?,
        36 => numbered(r, "kx", "preference", "exchanger")?,
        29 => location(r)?,
        35 => {
            let mut fields = Fields::new().with("order", r.u16_be()?).with("preference", r.u16_be()?);
            for name in ["flags", "services", "regexp"] {
                fields.push(name, string(r)?);
            }
            Data::field("naptr", fields.with("replacement", name::read(r)?))
        }
        99 | 258 | 261 | 262 => text_list(r, codes::type_name(kind).to_ascii_lowercase().into())?,
        64 => Data::field("svcb", service(r)?),
        65 => Data::field("https", service(r)?),
        108 | 109 => {
            let bytes = r.take(if kind == 108 { 6 } else { 8 })?;
            let text: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Data::field(if kind == 108 { "eui48" } else { "eui64" }, text.join("-"))
        }
        257 => {
            let flags = r.u8()?;
            let tag = string(r)?;
            let fields = Fields::new().with("critical", flags & 0x80 != 0).with("tag", tag);
            Data::field("caa", fields.with("value", text(r.take_rest())))
        }
        _ => return secure::known(kind, r),
    }))
}

pub(super) fn ipv4(r: &mut Reader<'_>) -> Result<Ipv4Addr, ParseError> {
    r.array().map(|bytes: [u8; 4]| bytes.into())
}

pub(super) fn ipv6(r: &mut Reader<'_>) -> Result<Ipv6Addr, ParseError> {
    r.array().map(|bytes: [u8; 16]| bytes.into())
}

fn text(bytes: &[u8]) -> String {
    crate::text::lossy(bytes).into_owned()
}

/// A character string (RFC 1035, section 3.3).
fn string(r: &mut Reader<'_>) -> Result<String, ParseError> {
    let length = r.u8()?;
    r.take(length.into()).map(text)
}

/// Character strings to the end: joined, as those who use them do, and as a list where there are several.
fn texts(r: &mut Reader<'_>, slot: &'static str) -> Result<Data, ParseError> {
    let mut strings = Vec::new();
    while !r.is_empty() {
        strings.push(string(r)?);
    }
    let mut data = Data::text(slot, strings.concat());
    if strings.len() > 1 {
        data.more.push("strings", strings.into_iter().collect::<Tree>());
    }
    Ok(data)
}

fn text_list(r: &mut Reader<'_>, field: Cow<'static, str>) -> Result<Data, ParseError> {
    let mut strings = Vec::new();
    while !r.is_empty() {
        strings.push(string(r)?);
    }
    Ok(Data::field(field, strings.into_iter().collect::<Tree>()))
}

fn soa(r: &mut Reader<'_>) -> Result<Data, ParseError> {
    let (primary, mailbox) = (name::read(r)?, name::read(r)?);
    let [serial, refresh, retry, expire] = [r.u32_be()?, r.u32_be()?, r.u32_be()?, r.u32_be()?];
    let minimum = r.u32_be()?;
    // The serial is the third word: names with spaces in them are shown without.
    let (primary, mailbox) = (primary.replace(' ', "\\032"), mailbox.replace(' ', "\\032"));
    Ok(Data::text("soa", format!("{primary} {mailbox} {serial} {refresh} {retry} {expire} {minimum}")))
}

fn numbered(
    r: &mut Reader<'_>,
    field: &'static str,
    number: &'static str,
    target: &'static str,
) -> Result<Data, ParseError> {
    let fields = Fields::new().with(number, r.u16_be()?).with(target, name::read(r)?);
    Ok(Data::field(field, fields))
}

/// RFC 1876: degrees, and metres.
fn location(r: &mut Reader<'_>) -> Result<Data, ParseError> {
    if r.u8()? != 0 {
        return Err(r.error("the version of a location is unknown"));
    }
    let metres = |byte: u8| f64::from(byte >> 4) * 10f64.powi(i32::from(byte & 15)) / 100.0;
    let [size, horizontal, vertical] = r.array()?;
    let degrees = |value: u32| (f64::from(value) - 2_147_483_648.0) / 3_600_000.0;
    let (latitude, longitude) = (degrees(r.u32_be()?), degrees(r.u32_be()?));
    let altitude = f64::from(r.u32_be()?) / 100.0 - 100_000.0;
    let fields = Fields::new()
        .with("latitude", latitude)
        .with("longitude", longitude)
        .with("altitude", altitude)
        .with("size", metres(size))
        .with("horizontalPrecision", metres(horizontal))
        .with("verticalPrecision", metres(vertical));
    Ok(Data::field("loc", fields))
}

/// Service bindings (RFC 9460, section 2.2).
fn service(r: &mut Reader<'_>) -> Result<Fields, ParseError> {
    let fields = Fields::new().with("priority", r.u16_be()?).with("target", name::read(r)?);
    let mut params = Fields::new();
    let mut least = 0u32;
    while !r.is_empty() {
        let code = r.u16_be()?;
        if u32::from(code) < least {
            return Err(r.error("parameters are not in order"));
        }
        least = u32::from(code) + 1;
        let length = r.u16_be()?;
        let value = r.part(length.into())?;
        params.push(codes::parameter_name(code), parameter(code, value)?);
    }
    Ok(fields.with("params", params))
}

fn parameter(code: u16, mut value: Reader<'_>) -> Result<Tree, ParseError> {
    let mut list = Vec::<Tree>::new();
    let value = &mut value;
    match code {
        0 => {
            while !value.is_empty() {
                list.push(codes::parameter_name(value.u16_be()?).into());
            }
        }
        1 => {
            while !value.is_empty() {
                list.push(string(value)?.into());
            }
        }
        2 | 8 if value.is_empty() => return Ok(true.into()),
        3 => return Ok(value.u16_be()?.into()),
        4 => {
            while !value.is_empty() {
                list.push(address::ipv4(ipv4(value)?).into());
            }
        }
        6 => {
            while !value.is_empty() {
                list.push(ipv6(value)?.to_string().into());
            }
        }
        7 => return Ok(Tree::lossy(value.take_rest())),
        _ => return Ok(Tree::Bytes(value.take_rest().to_vec())),
    }
    Ok(list.into())
}
