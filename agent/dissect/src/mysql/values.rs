//! Values by their type, in the text and in the binary protocol.

use std::fmt::Write;

use super::lenenc;
use crate::{Fields, ParseError, Reader, Tree};

/// The character set that means bytes.
const BINARY: u16 = 63;

/// What is known of a column or parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Type {
    pub(super) number: u8,
    pub(super) unsigned: bool,
    pub(super) charset: u16,
}

/// A value of the text protocol.
pub(super) fn in_text(kind: Option<Type>, bytes: &[u8], cap: usize) -> Tree {
    let text = std::str::from_utf8(bytes).ok();
    let read = match kind.map(|kind| kind.number) {
        // With ZEROFILL the zeros in front are lost; the number is the same.
        Some(1 | 2 | 3 | 8 | 9 | 13) => text.and_then(|text| text.parse::<i64>().ok()).map(Tree::from),
        Some(4 | 5) => {
            text.and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite()).map(Tree::from)
        }
        _ => None,
    };
    read.unwrap_or_else(|| string(kind, bytes, cap))
}

/// A string: bytes where its type says so.
fn string(kind: Option<Type>, bytes: &[u8], cap: usize) -> Tree {
    let binary = kind.is_some_and(|kind| match kind.number {
        16 | 242 | 255 => true,
        15 | 249..=254 => kind.charset == BINARY,
        _ => false,
    });
    let shown = if binary { &bytes[..bytes.len().min(cap)] } else { shorten(bytes, cap) };
    let (name, value) =
        if binary { ("data", Tree::Bytes(shown.to_vec())) } else { ("text", Tree::text_or_bytes(shown)) };
    if shown.len() == bytes.len() {
        return value;
    }
    Fields::with_capacity(3).with(name, value).with("size", bytes.len()).with("truncated", true).into()
}

/// At most `cap` bytes, without half a UTF-8 character at the end.
pub(super) fn shorten(bytes: &[u8], cap: usize) -> &[u8] {
    if bytes.len() <= cap {
        return bytes;
    }
    let mut end = cap;
    while end > 0 && cap - end < 3 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    &bytes[..end]
}

/// Reads a value of the binary protocol.
pub(super) fn in_binary(kind: Type, reader: &mut Reader<'_>, cap: usize) -> Result<Tree, ParseError> {
    Ok(match kind.number {
        1 if kind.unsigned => reader.u8()?.into(),
        1 => reader.i8()?.into(),
        2 | 13 if kind.unsigned => reader.u16_le()?.into(),
        2 | 13 => reader.i16_le()?.into(),
        3 | 9 if kind.unsigned => reader.u32_le()?.into(),
        3 | 9 => reader.i32_le()?.into(),
        8 if kind.unsigned => reader.u64_le()?.into(),
        8 => reader.i64_le()?.into(),
        4 => {
            let single = reader.f32_le()?;
            // The shortest decimal number that is this one, not its neighbour with twice the digits.
            float(single.to_string().parse().unwrap_or_else(|_| f64::from(single)))
        }
        5 => float(reader.f64_le()?),
        6 => Tree::Null,
        7 | 10 | 12 | 14 | 17 | 18 => date(kind.number, reader)?,
        11 | 19 => time(reader)?,
        0 | 15 | 16 | 242 | 245..=255 => string(Some(kind), lenenc::string(reader)?, cap),
        _ => return Err(reader.error("an unknown type")),
    })
}

fn float(number: f64) -> Tree {
    if number.is_finite() { number.into() } else { number.to_string().into() }
}

/// As many fields as are not zero at the end.
fn date(kind: u8, reader: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let length = usize::from(reader.u8()?);
    let mut part = reader.part(length)?;
    let (mut year, mut month, mut day) = (0, 0, 0);
    if length >= 4 {
        (year, month, day) = (part.u16_le()?, part.u8()?, part.u8()?);
    }
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if !matches!(kind, 10 | 14) {
        let (mut hour, mut minute, mut second) = (0, 0, 0);
        if length >= 7 {
            (hour, minute, second) = (part.u8()?, part.u8()?, part.u8()?);
        }
        let _ = write!(text, " {hour:02}:{minute:02}:{second:02}");
        if length >= 11 {
            let _ = write!(text, ".{:06}", part.u32_le()?);
        }
    }
    if matches!(length, 0 | 4 | 7 | 11) { Ok(text.into()) } else { Err(reader.error("not a date")) }
}

fn time(reader: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let length = usize::from(reader.u8()?);
    let mut part = reader.part(length)?;
    let (mut negative, mut hours, mut minute, mut second) = (false, 0, 0, 0);
    if length >= 8 {
        negative = part.u8()? != 0;
        hours = u64::from(part.u32_le()?) * 24 + u64::from(part.u8()?);
        (minute, second) = (part.u8()?, part.u8()?);
    }
    let mut text = format!("{}{hours:02}:{minute:02}:{second:02}", if negative { "-" } else { "" });
    if length >= 12 {
        let _ = write!(text, ".{:06}", part.u32_le()?);
    }
    if matches!(length, 0 | 8 | 12) { Ok(text.into()) } else { Err(reader.error("not a time")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(number: u8, unsigned: bool, bytes: &[u8]) -> Tree {
        in_binary(Type { number, unsigned, charset: 33 }, &mut Reader::new(bytes), 8).expect("it is valid")
    }

    #[test]
    fn values_read_as_the_text_protocol_shows_them() {
        assert_eq!(binary(1, false, &[0xff]), Tree::Int(-1));
        assert_eq!(binary(1, true, &[0xff]), Tree::Int(255));
        assert_eq!(binary(4, false, &0.1f32.to_le_bytes()), Tree::Float(0.1));
        assert_eq!(binary(10, false, &[4, 0xe8, 7, 2, 29]), "2024-02-29".into());
        assert_eq!(
            binary(12, false, &[11, 0xe8, 7, 2, 29, 1, 2, 3, 1, 0, 0, 0]),
            "2024-02-29 01:02:03.000001".into()
        );
        assert_eq!(binary(12, false, &[0]), "0000-00-00 00:00:00".into());
        assert_eq!(binary(11, false, &[8, 1, 1, 0, 0, 0, 2, 3, 4]), "-26:03:04".into());
        assert_eq!(binary(253, false, b"\x02ab"), "ab".into());
        assert_eq!(in_text(Some(Type { number: 3, ..Type::default() }), b"12", 8), Tree::Int(12));
        assert_eq!(
            in_text(Some(Type { number: 252, charset: BINARY, ..Type::default() }), b"a", 8),
            Tree::Bytes(vec![b'a'])
        );
        assert_eq!(in_text(Some(Type { number: 246, ..Type::default() }), b"1.50", 8), "1.50".into());
        let Tree::Fields(cut) = in_text(None, b"0123456789", 8) else { panic!("not cut") };
        assert_eq!(cut.field("size"), Some(&Tree::Int(10)));
    }

    #[test]
    fn lengths_that_no_date_has_are_errors() {
        for bytes in [&[5, 0, 0, 0, 0, 0][..], &[11, 0], &[0xff]] {
            assert!(in_binary(Type { number: 12, ..Type::default() }, &mut Reader::new(bytes), 8).is_err());
        }
    }
}
