//! Chunks (RFC 9260, section 3.3).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::names;
use crate::{Fields, ParseError, Reader, Tree, address, peers};

/// Bytes shown of user data. What it carries is for other protocols to say.
const SHOWN_DATA: usize = 256;

pub(super) struct Chunk<'a> {
    pub(super) kind: u8,
    flags: u8,
    /// Where its value begins in the packet.
    offset: usize,
    value: &'a [u8],
}

/// User data, a whole message or a part of one.
pub(super) struct Data<'a> {
    pub(super) tsn: u32,
    pub(super) stream: u16,
    pub(super) protocol: u32,
    pub(super) begins: bool,
    pub(super) ends: bool,
    pub(super) bytes: &'a [u8],
}

pub(super) fn next<'a>(r: &mut Reader<'a>) -> Result<Chunk<'a>, ParseError> {
    let start = r.position();
    let (kind, flags, length) = (r.u8()?, r.u8()?, r.u16_be()?);
    let Some(length) = usize::from(length).checked_sub(4) else {
        return Err(ParseError { offset: start, what: "a chunk is shorter than its head" });
    };
    let value = r.take(length)?;
    // To a multiple of four.
    r.skip((length.wrapping_neg() & 3).min(r.remaining()))?;
    Ok(Chunk { kind, flags, offset: start + 4, value })
}

/// How many fields a chunk is shown with at most.
const fn fields(chunk: &Chunk<'_>) -> usize {
    match chunk.kind {
        0 | 64 => 15,
        1..=3 => 10,
        _ => 6,
    }
}

/// Whether a chunk has all that is shown of it, without making it out.
pub(super) fn check(chunk: &Chunk<'_>, entries: usize) -> Result<(), ParseError> {
    let length = chunk.value.len();
    let is_whole = match chunk.kind {
        0 => length >= 12,
        64 => length >= 16,
        1 | 2 => chunk.value.get(16..).is_some_and(|list| is_list(list, parameter_fits)),
        3 => match chunk.value {
            [_, _, _, _, _, _, _, _, a, b, c, d, rest @ ..] => {
                let [blocks, duplicates] =
                    [[*a, *b], [*c, *d]].map(|pair| usize::from(u16::from_be_bytes(pair)));
                rest.len() >= 4 * (blocks + duplicates)
            }
            _ => false,
        },
        6 | 9 => is_list(chunk.value, |_, _| true),
        7 | 12 | 13 | 15 | 128 | 192 | 193 => length >= 4,
        130 => is_list(chunk.value, parameter_fits),
        _ => true,
    };
    // Where it has not, what is amiss comes out on the way.
    if is_whole { Ok(()) } else { read(chunk, &mut Fields::new(), entries) }
}

/// The fields of a chunk that has them all.
pub(super) fn shown(chunk: &Chunk<'_>, entries: usize) -> Fields {
    let mut fields = Fields::with_capacity(fields(chunk));
    let _ = read(chunk, &mut fields, entries);
    fields
}

fn read(chunk: &Chunk<'_>, fields: &mut Fields, entries: usize) -> Result<(), ParseError> {
    fields.push("type", chunk.kind);
    fields.push("typeName", names::chunk_name(chunk.kind));
    fields.push("flags", chunk.flags);
    fields.push("length", chunk.value.len() + 4);
    let mut r = Reader::new(chunk.value);
    content(chunk, &mut r, fields, entries)
        .map_err(|error| ParseError { offset: chunk.offset + error.offset, ..error })
}

fn content(
    chunk: &Chunk<'_>,
    r: &mut Reader<'_>,
    fields: &mut Fields,
    entries: usize,
) -> Result<(), ParseError> {
    match chunk.kind {
        0 => user_data(chunk.flags, r, fields)?,
        64 => interleaved(chunk.flags, r, fields)?,
        1 | 2 => {
            for name in ["initiateTag", "advertisedWindow"] {
                fields.push(name, r.u32_be()?);
            }
            for name in ["outboundStreams", "inboundStreams"] {
                fields.push(name, r.u16_be()?);
            }
            fields.push("initialTsn", r.u32_be()?);
            let parameters = list(r, entries, parameter)?;
            fields.push("parameters", parameters);
        }
        3 => selective(r, fields, entries)?,
        4 | 5 => fields.push("infoSize", r.take_rest().len()),
        6 | 9 => {
            let causes = list(r, entries, cause)?;
            fields.push("causes", causes);
        }
        7 => fields.push("cumulativeTsn", r.u32_be()?),
        10 => fields.push("cookieSize", r.take_rest().len()),
        12 | 13 => fields.push("lowestTsn", r.u32_be()?),
        15 => {
            fields.push("sharedKeyId", r.u16_be()?);
            fields.push("hmacId", r.u16_be()?);
        }
        192 => fields.push("newCumulativeTsn", r.u32_be()?),
        128 | 193 => fields.push("serial", r.u32_be()?),
        130 => {
            let parameters = list(r, entries, parameter)?;
            fields.push("parameters", parameters);
        }
        _ => {}
    }
    Ok(())
}

fn message_flags(flags: u8, fields: &mut Fields) {
    for (name, bit) in [("immediate", 8), ("unordered", 4), ("beginning", 2), ("ending", 1)] {
        fields.push(name, flags & bit != 0);
    }
}

fn user_data(flags: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    message_flags(flags, fields);
    fields.push("tsn", r.u32_be()?);
    fields.push("streamId", r.u16_be()?);
    fields.push("streamSequence", r.u16_be()?);
    payload(r, fields)
}

fn payload(r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    let protocol = r.u32_be()?;
    fields.push("payloadProtocol", protocol);
    fields.push_some("payloadProtocolName", names::payload_name(protocol));
    let bytes = r.take_rest();
    fields.push("dataSize", bytes.len());
    fields.push("data", Tree::Bytes(bytes[..bytes.len().min(SHOWN_DATA)].to_vec()));
    Ok(())
}

/// RFC 8260, section 2.1: the place of the payload's protocol holds a number in all but the first fragment.
fn interleaved(flags: u8, r: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    message_flags(flags, fields);
    fields.push("tsn", r.u32_be()?);
    fields.push("streamId", r.u16_be()?);
    r.skip(2)?;
    fields.push("messageId", r.u32_be()?);
    if flags & 2 != 0 {
        return payload(r, fields);
    }
    fields.push("fragmentSequence", r.u32_be()?);
    fields.push("dataSize", r.take_rest().len());
    Ok(())
}

fn selective(r: &mut Reader<'_>, fields: &mut Fields, entries: usize) -> Result<(), ParseError> {
    fields.push("cumulativeTsn", r.u32_be()?);
    fields.push("advertisedWindow", r.u32_be()?);
    let (blocks, duplicates) = (r.u16_be()?, r.u16_be()?);
    let (mut gaps, mut twice) = (Vec::<Tree>::new(), Vec::<Tree>::new());
    for _ in 0..blocks {
        let gap = Fields::with_capacity(2).with("start", r.u16_be()?).with("end", r.u16_be()?);
        if gaps.len() < entries {
            gaps.push(gap.into());
        }
    }
    for _ in 0..duplicates {
        let tsn = r.u32_be()?;
        if twice.len() < entries {
            twice.push(tsn.into());
        }
    }
    fields.push("gapBlockCount", blocks);
    fields.push("gapBlocks", gaps);
    fields.push("duplicateTsnCount", duplicates);
    fields.push("duplicateTsns", twice);
    Ok(())
}

/// Parameters, or causes: type, length, value.
fn list(
    r: &mut Reader<'_>,
    entries: usize,
    show: fn(u16, &mut Reader<'_>) -> Result<Fields, ParseError>,
) -> Result<Vec<Tree>, ParseError> {
    let mut list = Vec::new();
    while !r.is_empty() {
        let start = r.position();
        let (kind, length) = (r.u16_be()?, r.u16_be()?);
        let Some(length) = usize::from(length).checked_sub(4) else {
            return Err(ParseError { offset: start, what: "a parameter is shorter than its head" });
        };
        let mut value = r.part(length)?;
        r.skip((length.wrapping_neg() & 3).min(r.remaining()))?;
        let shown = show(kind, &mut value)
            .map_err(|error| ParseError { offset: start + 4 + error.offset, ..error })?;
        if list.len() < entries {
            list.push(shown.into());
        }
    }
    Ok(list)
}

/// Whether parameters, or causes, reach to the end.
fn is_list(bytes: &[u8], fits: fn(kind: u16, length: usize) -> bool) -> bool {
    let mut r = Reader::new(bytes);
    while !r.is_empty() {
        let (Ok(kind), Ok(length)) = (r.u16_be(), r.u16_be()) else { return false };
        let Some(length) = usize::from(length).checked_sub(4) else { return false };
        if r.skip(length).is_err() || !fits(kind, length) {
            return false;
        }
        let _ = r.skip((length.wrapping_neg() & 3).min(r.remaining()));
    }
    true
}

/// Whether a parameter has the address that it is to have.
fn parameter_fits(kind: u16, length: usize) -> bool {
    match kind {
        5 => length >= 4,
        6 => length >= 16,
        _ => true,
    }
}

fn parameter(kind: u16, r: &mut Reader<'_>) -> Result<Fields, ParseError> {
    let mut fields = Fields::with_capacity(3).with("type", kind);
    fields.push_some("name", names::parameter_name(kind));
    match kind {
        5 => fields.push("address", address::ipv4(Ipv4Addr::from(r.array()?))),
        6 => fields.push("address", Ipv6Addr::from(r.array::<16>()?).to_string()),
        0x8003 | 0x8008 => {
            let names: Tree = r.take_rest().iter().map(|kind| names::chunk_name(*kind)).collect();
            fields.push("chunks", names);
        }
        _ => fields.push("size", r.take_rest().len()),
    }
    Ok(fields)
}

fn cause(code: u16, r: &mut Reader<'_>) -> Result<Fields, ParseError> {
    let mut fields = Fields::with_capacity(3).with("code", code);
    fields.push_some("name", names::cause_name(code));
    let info = r.take_rest();
    if !info.is_empty() {
        fields.push("info", Tree::text_or_bytes(&info[..info.len().min(SHOWN_DATA)]));
    }
    Ok(fields)
}

pub(super) fn initiate_tag(chunk: &Chunk<'_>) -> Option<u32> {
    Reader::new(chunk.value).u32_be().ok()
}

/// The cause with which an association is given up.
pub(super) fn first_cause(chunk: &Chunk<'_>) -> Option<&'static str> {
    Reader::new(chunk.value).u16_be().ok().and_then(names::cause_name)
}

pub(super) fn fingerprint(chunk: &Chunk<'_>) -> u64 {
    peers::fingerprint(chunk.value)
}

/// The user data of a chunk that carries it.
pub(super) fn data<'a>(chunk: &Chunk<'a>) -> Option<Data<'a>> {
    if chunk.kind != 0 {
        return None;
    }
    let mut r = Reader::new(chunk.value);
    let (tsn, stream) = (r.u32_be().ok()?, r.u16_be().ok()?);
    r.skip(2).ok()?;
    let protocol = r.u32_be().ok()?;
    let (begins, ends) = (chunk.flags & 2 != 0, chunk.flags & 1 != 0);
    Some(Data { tsn, stream, protocol, begins, ends, bytes: r.take_rest() })
}
