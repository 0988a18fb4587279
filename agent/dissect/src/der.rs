//! Reading DER, and the BER of protocols that use definite lengths only (X.690).
//!
//! Every length is checked against what holds it. Not read: indefinite lengths, and tag numbers above 30, which nothing
//! here uses.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::read::{ParseError, Reader};

/// Identifier octets of universal types, and of those built of others (bit 6).
pub mod tag {
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const OID: u8 = 0x06;
    pub const ENUMERATED: u8 = 0x0a;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const NUMERIC_STRING: u8 = 0x12;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const VISIBLE_STRING: u8 = 0x1a;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;

    /// A context-specific tag of a value built of others: `[0]`.
    pub const fn context(number: u8) -> u8 {
        0xa0 | number
    }

    /// A context-specific tag of a value that is not built of others: `[0] IMPLICIT INTEGER`.
    pub const fn context_primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// Elements one after the other: the content of a SEQUENCE, or a message.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    reader: Reader<'a>,
    /// Where the reader's bytes lie in what is read as a whole.
    base: usize,
}

/// A tag with its content.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// The identifier octet: class, whether it is built of others, number.
    pub tag: u8,
    pub content: &'a [u8],
    /// Where the content lies in what is read as a whole.
    pub offset: usize,
}

impl<'a> Elements<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), base: 0 }
    }

    pub const fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// The tag of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.reader.peek()
    }

    pub fn element(&mut self) -> Result<Element<'a>, ParseError> {
        let base = self.base;
        self.read().map_err(|error| ParseError { offset: error.offset + base, ..error })
    }

    fn read(&mut self) -> Result<Element<'a>, ParseError> {
        let reader = &mut self.reader;
        let tag = reader.u8()?;
        if tag & 0x1f == 0x1f {
            return Err(reader.error("a tag number above 30"));
        }
        let first = reader.u8()?;
        let length = match first {
            0..0x80 => usize::from(first),
            0x80 => return Err(reader.error("an indefinite length")),
            // BER allows leading zeros; more than eight bytes of length are nonsense all the same.
            0x81..=0x88 => {
                let bytes = reader.take(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
                usize::try_from(length).map_err(|_| reader.error("a length beyond all bounds"))?
            }
            _ => return Err(reader.error("a length beyond all bounds")),
        };
        let offset = self.base + reader.position();
        let content = reader.take(length)?;
        Ok(Element { tag, content, offset })
    }

    /// The next element, which must have this tag.
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, ParseError> {
        match self.optional(tag)? {
            Some(element) => Ok(element),
            None => Err(ParseError {
                offset: self.base + self.reader.position(),
                what: if self.is_empty() { "an element is missing" } else { "an element of another type" },
            }),
        }
    }

    /// The next element where it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, ParseError> {
        if self.peek() == Some(tag) { self.element().map(Some) } else { Ok(None) }
    }
}

/// Until the end or an error.
impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_empty() {
            return None;
        }
        let element = self.element();
        if element.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(element)
    }
}

impl<'a> Element<'a> {
    /// What it is built of.
    pub const fn elements(&self) -> Elements<'a> {
        Elements { reader: Reader::new(self.content), base: self.offset }
    }

    pub const fn error(&self, what: &'static str) -> ParseError {
        ParseError { offset: self.offset, what }
    }

    /// An INTEGER or ENUMERATED of at most eight bytes.
    pub fn integer(&self) -> Result<i64, ParseError> {
        let (Some(first), 1..=8) = (self.content.first(), self.content.len()) else {
            return Err(self.error("an integer of no or more than eight bytes"));
        };
        let sign = if first & 0x80 == 0 { 0 } else { -1 };
        Ok(self.content.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
    }

    pub fn boolean(&self) -> Result<bool, ParseError> {
        match self.content {
            [value] => Ok(*value != 0),
            _ => Err(self.error("a boolean that is not one byte")),
        }
    }

    /// The bytes of a BIT STRING of whole bytes.
    pub fn bits(&self) -> Result<&'a [u8], ParseError> {
        match self.content {
            [0..=7, bytes @ ..] => Ok(bytes),
            _ => Err(self.error("a bit string that does not say its unused bits")),
        }
    }

    /// An object identifier as `1.2.840.113549`.
    pub fn oid(&self) -> Result<String, ParseError> {
        oid(self.content).ok_or_else(|| self.error("a malformed object identifier"))
    }

    /// A character string; U+FFFD for what its character set does not have.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        Some(match self.tag {
            tag::UTF8_STRING
            | tag::NUMERIC_STRING
            | tag::PRINTABLE_STRING
            | tag::IA5_STRING
            | tag::VISIBLE_STRING
            | tag::OCTET_STRING => crate::text::lossy(self.content),
            // In practice Latin-1.
            tag::TELETEX_STRING => Cow::Owned(self.content.iter().map(|byte| char::from(*byte)).collect()),
            tag::BMP_STRING => {
                let units = self.content.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
                Cow::Owned(
                    char::decode_utf16(units)
                        .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
                        .collect(),
                )
            }
            tag::UNIVERSAL_STRING => {
                let units = self.content.as_chunks::<4>().0.iter().map(|unit| u32::from_be_bytes(*unit));
                Cow::Owned(
                    units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
                )
            }
            _ => return None,
        })
    }

    /// A UTCTime or GeneralizedTime as RFC 3339 has it: `2026-01-31T12:00:00Z`.
    pub fn time(&self) -> Result<String, ParseError> {
        time(self.tag, self.content).ok_or_else(|| self.error("a malformed time"))
    }
}

fn oid(content: &[u8]) -> Option<String> {
    if content.last().is_none_or(|last| last & 0x80 != 0) {
        return None;
    }
    let mut text = String::with_capacity(content.len() * 3);
    let mut arc = 0u64;
    let mut begun = false;
    for byte in content {
        // Nine groups of seven bits fit.
        if arc >> 56 != 0 {
            return None;
        }
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = if begun {
            write!(text, ".{arc}")
        } else {
            let root = (arc / 40).min(2);
            write!(text, "{root}.{}", arc - 40 * root)
        };
        begun = true;
        arc = 0;
    }
    Some(text)
}

fn time(tag: u8, content: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(content).ok()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, mut rest) = text.split_at_checked(digits)?;
    let (century, number) = match tag {
        tag::UTC_TIME => {
            let year: u8 = number.get(..2)?.parse().ok()?;
            // RFC 5280, section 4.1.2.5.1.
            (if year >= 50 { "19" } else { "20" }, number)
        }
        tag::GENERALIZED_TIME => ("", number),
        _ => return None,
    };
    let (date, number) = number.split_at_checked(if century.is_empty() { 8 } else { 6 })?;
    let (year, month_day) = date.split_at_checked(date.len() - 4)?;
    let (month, day) = month_day.split_at_checked(2)?;
    let part = |from: usize| number.get(from..from + 2);
    let hour = part(0)?;
    let minute = part(2).unwrap_or("00");
    let second = part(4).unwrap_or("00");
    let within =
        |text: &str, from: u8, to: u8| text.parse().is_ok_and(|value: u8| (from..=to).contains(&value));
    if !within(month, 1, 12)
        || !within(day, 1, 31)
        || !within(hour, 0, 24)
        || !within(minute, 0, 59)
        || !within(second, 0, 60)
        || !matches!(number.len(), 2 | 4 | 6)
    {
        return None;
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        rest = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
    }
    let zone = match rest {
        "Z" => "Z".to_owned(),
        // Local time of nobody knows where.
        "" => String::new(),
        _ => {
            let (sign, offset) = rest.split_at_checked(1)?;
            let valid =
                matches!(sign, "+" | "-") && offset.len() == 4 && offset.bytes().all(|b| b.is_ascii_digit());
            let (hours, minutes) = valid.then(|| offset.split_at_checked(2))??;
            format!("{sign}{hours}:{minutes}")
        }
    };
    Some(format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: &[u8]) -> Element<'_> {
        Elements::new(bytes).element().unwrap()
    }

    #[test]
    fn elements_nest_and_know_their_place() {
        let bytes = [0x30, 0x06, 0x02, 0x01, 0x80, 0xa0, 0x01, 0x05, 0x04, 0x00];
        let mut outer = Elements::new(&bytes);
        let sequence = outer.expect(tag::SEQUENCE).unwrap();
        let mut inner = sequence.elements();
        assert_eq!(inner.optional(tag::OID).unwrap().map(|element| element.tag), None);
        assert_eq!(inner.expect(tag::INTEGER).unwrap().integer(), Ok(-128));
        let context = inner.expect(tag::context(0)).unwrap();
        assert_eq!((context.content, context.offset), (&[5][..], 7));
        assert_eq!(
            context.elements().element().unwrap_err(),
            ParseError { offset: 8, what: "the message ends early" }
        );
        assert_eq!(inner.expect(tag::OID).unwrap_err().what, "an element is missing");
        assert_eq!(outer.expect(tag::OID).unwrap_err().what, "an element of another type");
        assert_eq!(outer.next().unwrap().unwrap().content, b"");
        assert!(outer.next().is_none());
    }

    #[test]
    fn lengths_that_lie_are_errors() {
        for bytes in [
            &[0x30][..],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x05, 0],
            &[0x30, 0x82, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x30, 0xff],
            &[0x1f, 0x81, 0x01, 0],
        ] {
            let mut elements = Elements::new(bytes);
            assert!(elements.next().unwrap().is_err(), "{bytes:x?}");
            assert!(elements.next().is_none());
        }
        assert_eq!(one(&[0x04, 0x84, 0, 0, 0, 1, 9]).content, [9]);
    }

    #[test]
    fn integers_of_all_sizes() {
        assert_eq!(one(&[2, 1, 0x7f]).integer(), Ok(127));
        assert_eq!(one(&[2, 2, 0, 0x80]).integer(), Ok(128));
        assert_eq!(one(&[2, 8, 0x7f, 255, 255, 255, 255, 255, 255, 255]).integer(), Ok(i64::MAX));
        assert_eq!(one(&[2, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]).integer(), Ok(i64::MIN));
        assert!(one(&[2, 0]).integer().is_err());
        assert!(one(&[2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]).integer().is_err());
    }

    #[test]
    fn object_identifiers_as_text() {
        let text = |content: &[u8]| oid(content);
        assert_eq!(text(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]).unwrap(), "1.2.840.113549.1.1.11");
        assert_eq!(text(&[0x55, 4, 3]).unwrap(), "2.5.4.3");
        assert_eq!(text(&[0x88, 0x37, 3]).unwrap(), "2.999.3");
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[0x55, 0x84]), None);
        assert_eq!(text(&[0xff; 20]), None);
    }

    #[test]
    fn strings_of_all_character_sets() {
        let text = |tag: u8, content: &[u8]| Element { tag, content, offset: 0 }.text().map(Cow::into_owned);
        assert_eq!(text(tag::UTF8_STRING, "ä".as_bytes()).unwrap(), "ä");
        assert_eq!(text(tag::TELETEX_STRING, &[0xe4]).unwrap(), "ä");
        assert_eq!(text(tag::BMP_STRING, &[0, 0xe4, 0xd8, 0x3d, 0xde, 0]).unwrap(), "ä😀");
        assert_eq!(text(tag::UNIVERSAL_STRING, &[0, 1, 0xf6, 0]).unwrap(), "😀");
        assert_eq!(text(tag::INTEGER, &[1]), None);
    }

    #[test]
    fn times_as_rfc_3339() {
        let text = |tag: u8, content: &str| time(tag, content.as_bytes());
        assert_eq!(text(tag::UTC_TIME, "500131120000Z").unwrap(), "1950-01-31T12:00:00Z");
        assert_eq!(text(tag::UTC_TIME, "4912312359Z").unwrap(), "2049-12-31T23:59:00Z");
        assert_eq!(text(tag::GENERALIZED_TIME, "20500101000000Z").unwrap(), "2050-01-01T00:00:00Z");
        assert_eq!(
            text(tag::GENERALIZED_TIME, "20500101000000.5+0130").unwrap(),
            "2050-01-01T00:00:00+01:30"
        );
        for wrong in
            ["", "Z", "501331120000Z", "500131120060", "50013112000Z", "500131120000X", "500131120000+1"]
        {
            let found = text(tag::UTC_TIME, wrong);
            assert!(found.is_none() || wrong == "500131120060", "{wrong}: {found:?}");
        }
    }
}
