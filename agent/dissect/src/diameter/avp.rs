//! AVPs (RFC 6733, section 4).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::dictionary::{self, Kind};
use super::names;
use crate::{Fields, Limits, ParseError, Reader, Tree, address};

pub(super) const TGPP: u32 = 10_415;

/// From 1900, where times on the wire begin, to 1970.
const EPOCH: i64 = 2_208_988_800;

/// Bytes of a typical AVP.
const TYPICAL: usize = 24;

/// One AVP as it lies there.
pub(super) struct Avp<'a> {
    pub(super) code: u32,
    pub(super) vendor: u32,
    mandatory: bool,
    pub(super) data: &'a [u8],
}

#[inline]
pub(super) fn next<'a>(r: &mut Reader<'a>) -> Result<Avp<'a>, ParseError> {
    let start = r.position();
    let Ok([a, b, c, d, flags, high, middle, low]) = r.array() else { return Err(short(*r)) };
    let (code, length) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([0, high, middle, low]));
    let with_vendor = flags & 0x80 != 0;
    let vendor = if with_vendor { r.u32_be()? } else { 0 };
    let head = if with_vendor { 12 } else { 8 };
    let Some(length) = usize::try_from(length).ok().and_then(|length| length.checked_sub(head)) else {
        return Err(ParseError { offset: start, what: "an AVP is shorter than its head" });
    };
    let data = r.take(length)?;
    // To a multiple of four; some leave it out at the end.
    r.skip((length.wrapping_neg() & 3).min(r.remaining()))?;
    Ok(Avp { code, vendor, mandatory: flags & 0x40 != 0, data })
}

/// Which part of a head is not all there.
#[cold]
fn short(mut r: Reader<'_>) -> ParseError {
    let parts = r.u32_be().and_then(|_| r.u8()).and_then(|_| r.u24_be());
    parts.err().unwrap_or_else(|| r.error("an AVP has no head"))
}

/// How much of AVPs is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    pub(super) entries: usize,
    value_bytes: usize,
    nesting: usize,
}

impl Caps {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self { entries: limits.list_entries, value_bytes: limits.value_bytes, nesting: limits.nesting }
    }
}

/// AVPs made out.
#[derive(Debug)]
pub(super) struct Avps {
    pub(super) list: Vec<Tree>,
    /// Of those found, shown or not, on all levels together.
    pub(super) count: usize,
}

impl Avps {
    /// All up to the end, or to an error.
    pub(super) fn read(r: Reader<'_>, caps: Caps) -> Self {
        let mut reading = Reading { caps, room: caps.entries, count: 0 };
        let (list, _) = reading.list(r, 0);
        Self { list, count: reading.count }
    }
}

/// What stays the same while AVPs inside AVPs are read.
struct Reading {
    caps: Caps,
    /// AVPs that may still be kept, on all levels together.
    room: usize,
    /// Of those found.
    count: usize,
}

impl Reading {
    /// All AVPs up to the end. An error comes with those before it.
    fn list(&mut self, mut r: Reader<'_>, depth: usize) -> (Vec<Tree>, Result<(), ParseError>) {
        let mut list = Vec::with_capacity(usize::min(self.room, r.remaining() / TYPICAL));
        while !r.is_empty() {
            let avp = match next(&mut r) {
                Ok(avp) => avp,
                Err(error) => return (list, Err(error)),
            };
            self.count += 1;
            if self.room > 0 {
                self.room -= 1;
                list.push(self.shown(&avp, depth).into());
            }
        }
        (list, Ok(()))
    }

    fn shown(&mut self, avp: &Avp<'_>, depth: usize) -> Fields {
        let entry = dictionary::find(avp.vendor, avp.code);
        // Most have these four, those of a vendor two more.
        let mut fields = Fields::with_capacity(if avp.vendor == 0 { 4 } else { 6 });
        fields.push("code", avp.code);
        fields.push_some("name", entry.map(|entry| entry.name));
        if avp.vendor != 0 {
            fields.push("vendorId", avp.vendor);
            fields.push_some("vendor", names::vendor_name(avp.vendor));
        }
        fields.push("mandatory", avp.mandatory);
        let kind = entry.map_or(Kind::Octets, |entry| entry.kind);
        if kind == Kind::Grouped && depth < self.caps.nesting {
            let inside = self.list(Reader::new(avp.data), depth + 1);
            if let (list, Ok(())) = inside {
                fields.push("avps", list);
                return fields;
            }
        }
        let kept = &avp.data[..avp.data.len().min(self.caps.value_bytes)];
        let mut r = Reader::new(kept);
        match typed(kind, &mut r) {
            Ok(value) if r.is_empty() => {
                let number = value.as_int().and_then(|number| u32::try_from(number).ok());
                fields.push("value", value);
                let number = number.filter(|_| avp.vendor == 0);
                fields.push_some("valueName", number.and_then(|number| names::value_name(avp.code, number)));
            }
            _ => fields.push("value", Tree::Bytes(kept.to_vec())),
        }
        if kept.len() < avp.data.len() {
            fields.push("size", avp.data.len());
        }
        fields
    }
}

fn typed(kind: Kind, r: &mut Reader<'_>) -> Result<Tree, ParseError> {
    Ok(match kind {
        Kind::Text => Tree::lossy(r.take_rest()),
        Kind::Octets | Kind::Grouped => Tree::text_or_bytes(r.take_rest()),
        Kind::Secret => {
            r.take_rest();
            "***".into()
        }
        Kind::Integer => r.i32_be()?.into(),
        Kind::Integer64 => r.i64_be()?.into(),
        Kind::Unsigned | Kind::Enumerated => r.u32_be()?.into(),
        Kind::Unsigned64 => r.u64_be()?.into(),
        // The era that begins in 2036 counts from 0 again (RFC 6733, section 4.3.1).
        Kind::Time => {
            let seconds = i64::from(r.u32_be()?);
            let era = if seconds & 0x8000_0000 == 0 { 1 << 32 } else { 0 };
            (seconds + era - EPOCH).into()
        }
        Kind::Address => match r.u16_be()? {
            1 => address::ipv4(Ipv4Addr::from(r.array()?)).into(),
            2 => Ipv6Addr::from(r.array::<16>()?).to_string().into(),
            _ => return Err(r.error("the family of an address is unknown")),
        },
    })
}
