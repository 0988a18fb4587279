//! The notations of section 3 of the specification.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::names;
use crate::limits::ValueLimits;
use crate::{Fields, ParseError, Reader, Tree};

/// Lists and values of one message together keep so many times what one list may.
pub(super) const LISTS: usize = 10;

/// How much of one message is kept.
pub(super) struct Room {
    pub(super) limits: ValueLimits,
    /// Entries of all lists together that are still to be had.
    entries: usize,
    /// Entries were left out.
    pub(super) spent: bool,
}

impl Room {
    pub(super) fn new(limits: ValueLimits) -> Self {
        Self { limits, entries: limits.list_entries.saturating_mul(LISTS), spent: false }
    }

    /// Takes the entry at `index` of a list.
    pub(super) fn entry(&mut self, index: usize) -> bool {
        let fits = index < self.limits.list_entries && self.entries > 0;
        self.entries -= usize::from(fits);
        self.spent |= !fits;
        fits
    }

    /// Text, or what is kept of it beside its size.
    pub(super) fn text(&self, bytes: &[u8]) -> Tree {
        self.cut(bytes, Tree::lossy)
    }

    pub(super) fn bytes(&self, bytes: &[u8]) -> Tree {
        self.cut(bytes, |kept| Tree::Bytes(kept.to_vec()))
    }

    fn cut(&self, bytes: &[u8], show: fn(&[u8]) -> Tree) -> Tree {
        match bytes.get(..self.limits.value_bytes) {
            Some(kept) if kept.len() < bytes.len() => Fields::new()
                .with("value", show(kept))
                .with("size", bytes.len())
                .with("truncated", true)
                .into(),
            _ => show(bytes),
        }
    }
}

/// A count that is an `[int]`.
pub(super) fn count(r: &mut Reader<'_>) -> Result<usize, ParseError> {
    let error = r.error("a count is negative");
    usize::try_from(r.i32_be()?).map_err(|_| error)
}

pub(super) fn string<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = r.u16_be()?;
    r.take(length.into())
}

pub(super) fn text(r: &mut Reader<'_>) -> Result<Tree, ParseError> {
    string(r).map(Tree::lossy)
}

pub(super) fn long_string<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = count(r)?;
    r.take(length)
}

/// `[bytes]`: `None` where the length is negative.
pub(super) fn bytes<'a>(r: &mut Reader<'a>) -> Result<Option<&'a [u8]>, ParseError> {
    match usize::try_from(r.i32_be()?) {
        Ok(length) => r.take(length).map(Some),
        Err(_) => Ok(None),
    }
}

/// `[value]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cell<'a> {
    Null,
    Unset,
    Bytes(&'a [u8]),
}

pub(super) fn cell<'a>(r: &mut Reader<'a>) -> Result<Cell<'a>, ParseError> {
    match r.i32_be()? {
        -2 => Ok(Cell::Unset),
        length => match usize::try_from(length) {
            Ok(length) => r.take(length).map(Cell::Bytes),
            Err(_) => Ok(Cell::Null),
        },
    }
}

pub(super) fn string_list(r: &mut Reader<'_>, room: &mut Room) -> Result<Tree, ParseError> {
    let mut list = Vec::new();
    for index in 0..usize::from(r.u16_be()?) {
        let entry = string(r)?;
        if room.entry(index) {
            list.push(Tree::lossy(entry));
        }
    }
    Ok(list.into())
}

pub(super) fn string_map(r: &mut Reader<'_>, room: &mut Room) -> Result<Fields, ParseError> {
    let mut map = Fields::new();
    for index in 0..usize::from(r.u16_be()?) {
        let (name, value) = (string(r)?, string(r)?);
        if room.entry(index) {
            map.push(crate::text::lossy(name).into_owned(), Tree::lossy(value));
        }
    }
    Ok(map)
}

pub(super) fn string_multimap(r: &mut Reader<'_>, room: &mut Room) -> Result<Fields, ParseError> {
    let mut map = Fields::new();
    for index in 0..usize::from(r.u16_be()?) {
        let name = string(r)?;
        let values = string_list(r, room)?;
        if room.entry(index) {
            map.push(crate::text::lossy(name).into_owned(), values);
        }
    }
    Ok(map)
}

pub(super) fn bytes_map(r: &mut Reader<'_>, room: &mut Room) -> Result<Fields, ParseError> {
    let mut map = Fields::new();
    for index in 0..usize::from(r.u16_be()?) {
        let (name, value) = (string(r)?, bytes(r)?);
        if room.entry(index) {
            let value = value.map(|value| room.bytes(value));
            map.push(crate::text::lossy(name).into_owned(), value);
        }
    }
    Ok(map)
}

pub(super) fn consistency(r: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let level = r.u16_be()?;
    Ok(names::consistency(level).map_or(Tree::Int(level.into()), Tree::from))
}

/// An address of 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<Tree> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).to_string().into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).to_string().into())
}

/// `[inetaddr]`: an address behind its size.
pub(super) fn inet_address(r: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let error = r.error("an address has an impossible size");
    address(inet_bytes(r)?).ok_or(error)
}

pub(super) fn inet_bytes<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let error = r.error("an address has an impossible size");
    let size = r.u8()?;
    let bytes = r.take(size.into())?;
    if matches!(size, 4 | 16) { Ok(bytes) } else { Err(error) }
}

pub(super) fn uuid(bytes: &[u8]) -> Option<String> {
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    let hex = crate::tree::hex(&bytes);
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
