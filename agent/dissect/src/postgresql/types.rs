//! Values by their type (the catalog `pg_type.dat`), in text and in binary form (the types' `send` functions).

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{text, times};
use crate::{Fields, ParseError, Reader, Tree};

/// What a value is read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Bool,
    Int,
    Oid,
    Float,
    Numeric,
    Text,
    Bytes,
    Jsonb,
    Uuid,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Inet,
    /// Of another type in this table.
    Array,
    Other,
}

/// Type, its name, and how it is read.
const TYPES: [(u32, &str, Class); 70] = [
    (16, "bool", Class::Bool),
    (17, "bytea", Class::Bytes),
    (18, "char", Class::Text),
    (19, "name", Class::Text),
    (20, "int8", Class::Int),
    (21, "int2", Class::Int),
    (22, "int2vector", Class::Other),
    (23, "int4", Class::Int),
    (24, "regproc", Class::Oid),
    (25, "text", Class::Text),
    (26, "oid", Class::Oid),
    (27, "tid", Class::Other),
    (28, "xid", Class::Oid),
    (29, "cid", Class::Oid),
    (30, "oidvector", Class::Other),
    (114, "json", Class::Text),
    (142, "xml", Class::Text),
    (199, "json[]", Class::Array),
    (600, "point", Class::Other),
    (601, "lseg", Class::Other),
    (602, "path", Class::Other),
    (603, "box", Class::Other),
    (604, "polygon", Class::Other),
    (650, "cidr", Class::Inet),
    (700, "float4", Class::Float),
    (701, "float8", Class::Float),
    (705, "unknown", Class::Text),
    (718, "circle", Class::Other),
    (790, "money", Class::Other),
    (829, "macaddr", Class::Other),
    (869, "inet", Class::Inet),
    (1000, "bool[]", Class::Array),
    (1001, "bytea[]", Class::Array),
    (1002, "char[]", Class::Array),
    (1003, "name[]", Class::Array),
    (1005, "int2[]", Class::Array),
    (1007, "int4[]", Class::Array),
    (1009, "text[]", Class::Array),
    (1014, "bpchar[]", Class::Array),
    (1015, "varchar[]", Class::Array),
    (1016, "int8[]", Class::Array),
    (1021, "float4[]", Class::Array),
    (1022, "float8[]", Class::Array),
    (1028, "oid[]", Class::Array),
    (1041, "inet[]", Class::Array),
    (1042, "bpchar", Class::Text),
    (1043, "varchar", Class::Text),
    (1082, "date", Class::Date),
    (1083, "time", Class::Time),
    (1114, "timestamp", Class::Timestamp),
    (1115, "timestamp[]", Class::Array),
    (1182, "date[]", Class::Array),
    (1183, "time[]", Class::Array),
    (1184, "timestamptz", Class::TimestampTz),
    (1185, "timestamptz[]", Class::Array),
    (1186, "interval", Class::Interval),
    (1187, "interval[]", Class::Array),
    (1231, "numeric[]", Class::Array),
    (1266, "timetz", Class::TimeTz),
    (1560, "bit", Class::Other),
    (1562, "varbit", Class::Other),
    (1700, "numeric", Class::Numeric),
    (2249, "record", Class::Other),
    (2278, "void", Class::Text),
    (2950, "uuid", Class::Uuid),
    (2951, "uuid[]", Class::Array),
    (3802, "jsonb", Class::Jsonb),
    (3807, "jsonb[]", Class::Array),
    (3904, "int4range", Class::Other),
    (5069, "xid8", Class::Other),
];

fn find(oid: u32) -> Option<&'static (u32, &'static str, Class)> {
    TYPES.binary_search_by_key(&oid, |&(oid, ..)| oid).ok().and_then(|at| TYPES.get(at))
}

/// A type's name; its number where it is none of the built-in ones listed here.
pub(super) fn name(oid: u32) -> Tree {
    match find(oid) {
        Some(&(_, name, _)) => name.into(),
        None => oid.to_string().into(),
    }
}

/// Caps of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    pub(super) bytes: usize,
    pub(super) entries: usize,
    pub(super) nesting: usize,
}

/// A value as it was sent: `oid` 0 where its type is not known.
pub(super) fn value(oid: u32, binary: bool, bytes: &[u8], caps: Caps) -> Tree {
    if binary {
        let class = find(oid).map_or(Class::Other, |&(.., class)| class);
        in_binary(class, bytes, caps).unwrap_or_else(|_| data(bytes, caps))
    } else {
        let class = find(oid).map_or(Class::Text, |&(.., class)| class);
        in_text(class, bytes, caps)
    }
}

/// Text, or an object that says what was cut.
fn shown_text(bytes: &[u8], caps: Caps) -> Tree {
    let shown = text::shorten(bytes, caps.bytes);
    shortened(Tree::text_or_bytes(shown), "text", bytes.len(), shown.len())
}

fn data(bytes: &[u8], caps: Caps) -> Tree {
    let shown = &bytes[..bytes.len().min(caps.bytes)];
    shortened(Tree::Bytes(shown.to_vec()), "data", bytes.len(), shown.len())
}

fn shortened(value: Tree, name: &'static str, size: usize, shown: usize) -> Tree {
    if shown == size {
        return value;
    }
    Fields::with_capacity(3).with(name, value).with("size", size).with("truncated", true).into()
}

fn in_text(class: Class, bytes: &[u8], caps: Caps) -> Tree {
    let text = || std::str::from_utf8(bytes).ok();
    let read = match class {
        Class::Bool => match bytes {
            b"t" => Some(true.into()),
            b"f" => Some(false.into()),
            _ => None,
        },
        Class::Int | Class::Oid => text().and_then(|text| text.parse::<i64>().ok()).map(Tree::from),
        Class::Float => finite(text().and_then(|text| text.parse().ok())),
        Class::Bytes => bytes.strip_prefix(b"\\x").and_then(|digits| hex(digits, caps)),
        _ => None,
    };
    read.unwrap_or_else(|| shown_text(bytes, caps))
}

/// JSON has no other numbers.
fn finite(number: Option<f64>) -> Option<Tree> {
    number.filter(|number| number.is_finite()).map(Tree::from)
}

fn hex(digits: &[u8], caps: Caps) -> Option<Tree> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let size = digits.len() / 2;
    let mut bytes = Vec::with_capacity(size.min(caps.bytes));
    for pair in digits.chunks(2).take(caps.bytes) {
        let [high, low] = pair else { return None };
        bytes.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
    }
    let shown = bytes.len();
    Some(shortened(Tree::Bytes(bytes), "data", size, shown))
}

fn in_binary(class: Class, bytes: &[u8], caps: Caps) -> Result<Tree, ParseError> {
    let mut reader = Reader::new(bytes);
    let value = match class {
        Class::Bool => Tree::Bool(reader.u8()? != 0),
        Class::Int => match bytes.len() {
            2 => reader.i16_be()?.into(),
            4 => reader.i32_be()?.into(),
            _ => reader.i64_be()?.into(),
        },
        Class::Oid => reader.u32_be()?.into(),
        Class::Float => {
            let number = if bytes.len() == 4 {
                // The shortest decimal number that is this one, not its neighbour with twice the digits.
                let single = reader.f32_be()?;
                single.to_string().parse().unwrap_or_else(|_| f64::from(single))
            } else {
                reader.f64_be()?
            };
            finite(Some(number)).unwrap_or_else(|| not_finite(number).into())
        }
        Class::Numeric => numeric(&mut reader)?,
        Class::Text => return Ok(shown_text(bytes, caps)),
        Class::Bytes => return Ok(data(bytes, caps)),
        Class::Jsonb => match reader.u8()? {
            1 => return Ok(shown_text(reader.rest(), caps)),
            _ => return Err(reader.error("an unknown version of jsonb")),
        },
        Class::Uuid => uuid(reader.array()?),
        Class::Date => times::date(reader.i32_be()?),
        Class::Time => times::time(reader.i64_be()?),
        Class::TimeTz => times::time_with_zone(reader.i64_be()?, reader.i32_be()?),
        Class::Timestamp => times::timestamp(reader.i64_be()?, ""),
        Class::TimestampTz => times::timestamp(reader.i64_be()?, "+00"),
        Class::Interval => times::interval(reader.i64_be()?, reader.i32_be()?, reader.i32_be()?),
        Class::Inet => inet(&mut reader)?,
        Class::Array => array(&mut reader, caps)?,
        Class::Other => return Ok(data(bytes, caps)),
    };
    if reader.is_empty() { Ok(value) } else { Err(reader.error("more bytes than the type has")) }
}

fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Zeros of a decimal number that its bytes do not contain.
const NUMERIC_ZEROS: usize = 1_000;

/// Digits in groups of four, the first with the weight 10000^weight (`numeric_send`).
fn numeric(reader: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let (count, weight) = (usize::from(reader.u16_be()?), i32::from(reader.i16_be()?));
    let (sign, scale) = (reader.u16_be()?, usize::from(reader.u16_be()? & 0x3fff));
    let mut digits = reader.part(count.saturating_mul(2))?;
    match sign {
        0x0000 | 0x4000 => {}
        0xc000 => return Ok("NaN".into()),
        0xd000 => return Ok("Infinity".into()),
        0xf000 => return Ok("-Infinity".into()),
        _ => return Err(reader.error("an unknown sign")),
    }
    // Few bytes may stand for 150,000 digits; no longer than this is written out.
    if usize::try_from(weight).unwrap_or(0) * 4 + scale > count * 4 + NUMERIC_ZEROS {
        return Err(reader.error("more zeros than are written out"));
    }
    let mut groups = Vec::with_capacity(count);
    while !digits.is_empty() {
        groups.push(digits.u16_be()?);
    }
    let group =
        |at: i32| usize::try_from(weight - at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
    let mut text = String::from(if sign == 0x4000 { "-" } else { "" });
    let _ = write!(text, "{}", group(weight.max(0)));
    for at in (0..weight.max(0)).rev() {
        let _ = write!(text, "{:04}", group(at));
    }
    if scale > 0 {
        text.push('.');
        let whole = text.len();
        let mut at = -1;
        while text.len() - whole < scale {
            let _ = write!(text, "{:04}", group(at));
            at -= 1;
        }
        text.truncate(whole + scale);
    }
    Ok(text.into())
}

fn uuid(bytes: [u8; 16]) -> Tree {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

/// Family, bits of the prefix, whether it is a network, bytes of the address, the address.
fn inet(reader: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let (family, bits) = (reader.u8()?, reader.u8()?);
    let (network, _) = (reader.u8()? != 0, reader.u8()?);
    let (address, all) = match family {
        2 => (Ipv4Addr::from(reader.array::<4>()?).to_string(), 32),
        3 => (Ipv6Addr::from(reader.array::<16>()?).to_string(), 128),
        _ => return Err(reader.error("an unknown address family")),
    };
    Ok(if network || bits != all { format!("{address}/{bits}").into() } else { address.into() })
}

/// Dimensions, whether there are nulls, the elements' type, size and lower bound of each dimension, the elements
/// (`array_send`).
fn array(reader: &mut Reader<'_>, caps: Caps) -> Result<Tree, ParseError> {
    let dimensions = reader.u32_be()?;
    reader.skip(4)?;
    let oid = reader.u32_be()?;
    // The server knows no more (MAXDIM).
    if dimensions > 6 || dimensions as usize > caps.nesting {
        return Err(reader.error("too many dimensions"));
    }
    let class = find(oid).map_or(Class::Other, |&(.., class)| class);
    if class == Class::Array {
        return Err(reader.error("an array of arrays"));
    }
    let mut sizes = Vec::new();
    for _ in 0..dimensions {
        sizes.push(reader.u32_be()?);
        reader.skip(4)?;
    }
    let mut left = caps.entries;
    let list = if sizes.is_empty() {
        Tree::List(Vec::new())
    } else {
        elements(reader, &sizes, class, caps, &mut left)?
    };
    if left > 0 {
        return Ok(list);
    }
    // Cut off, or exactly at the cap.
    let total = sizes.iter().fold(1usize, |total, &size| total.saturating_mul(size as usize));
    reader.skip(reader.remaining())?;
    if total <= caps.entries {
        return Ok(list);
    }
    Ok(Fields::with_capacity(3).with("list", list).with("size", total).with("truncated", true).into())
}

fn elements(
    reader: &mut Reader<'_>,
    sizes: &[u32],
    class: Class,
    caps: Caps,
    left: &mut usize,
) -> Result<Tree, ParseError> {
    let Some((&size, inner)) = sizes.split_first() else { return Ok(Tree::Null) };
    let mut list = Vec::new();
    for _ in 0..size {
        if *left == 0 {
            break;
        }
        if inner.is_empty() {
            *left -= 1;
            list.push(match reader.i32_be()? {
                -1 => Tree::Null,
                length => {
                    let length = usize::try_from(length).map_err(|_| reader.error("an impossible length"))?;
                    in_binary(class, reader.take(length)?, caps)?
                }
            });
        } else if reader.is_empty() {
            // A dimension of nothing would cost time without costing bytes.
            break;
        } else {
            list.push(elements(reader, inner, class, caps, left)?);
        }
    }
    Ok(Tree::List(list))
}

/// A type that says nothing of how text values look.
pub(super) fn type_field(oid: u32) -> Option<Cow<'static, str>> {
    match name(oid) {
        Tree::Text(name) if oid != 0 => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: Caps = Caps { bytes: 8, entries: 3, nesting: 32 };

    fn binary(oid: u32, bytes: &[u8]) -> Tree {
        value(oid, true, bytes, CAPS)
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(TYPES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn numbers_are_numbers_in_either_form() {
        assert_eq!(value(23, false, b"-7", CAPS), Tree::Int(-7));
        assert_eq!(binary(23, &[0xff, 0xff, 0xff, 0xf9]), Tree::Int(-7));
        assert_eq!(binary(21, &[0, 3]), Tree::Int(3));
        assert_eq!(binary(700, &0.1f32.to_be_bytes()), Tree::Float(0.1));
        assert_eq!(binary(701, &f64::NAN.to_be_bytes()), "NaN".into());
        assert_eq!(value(701, false, b"Infinity", CAPS), "Infinity".into());
        assert_eq!(value(16, false, b"t", CAPS), Tree::Bool(true));
    }

    #[test]
    fn decimals_keep_their_digits() {
        let numeric = |weight: i16, sign: u16, scale: u16, groups: &[u16]| {
            let mut bytes = u16::try_from(groups.len()).unwrap().to_be_bytes().to_vec();
            bytes.extend(weight.to_be_bytes());
            bytes.extend(sign.to_be_bytes());
            bytes.extend(scale.to_be_bytes());
            groups.iter().for_each(|group| bytes.extend(group.to_be_bytes()));
            binary(1700, &bytes)
        };
        assert_eq!(numeric(0, 0, 2, &[1, 5000]), "1.50".into());
        assert_eq!(numeric(1, 0x4000, 3, &[12, 345, 6780]), "-120345.678".into());
        assert_eq!(numeric(-1, 0, 4, &[1]), "0.0001".into());
        assert_eq!(numeric(-2, 0, 6, &[1200]), "0.000012".into());
        assert_eq!(numeric(2, 0, 0, &[7]), "700000000".into());
        assert_eq!(numeric(0, 0xc000, 0, &[]), "NaN".into());
        assert!(matches!(numeric(i16::MAX, 0, 0, &[1]), Tree::Fields(_)));
    }

    #[test]
    fn long_values_say_that_they_were_cut() {
        let Tree::Fields(cut) = value(25, false, "0123456\u{e4}".as_bytes(), CAPS) else { panic!("not cut") };
        assert_eq!(cut.field("text"), Some(&"0123456".into()));
        assert_eq!(cut.field("size"), Some(&Tree::Int(9)));
        let Tree::Fields(cut) = value(17, false, b"\\x00112233445566778899", CAPS) else { panic!("not cut") };
        assert_eq!(cut.field("data"), Some(&Tree::Bytes(vec![0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77])));
        assert_eq!(value(17, false, b"\\x00ff", CAPS), Tree::Bytes(vec![0, 0xff]));
    }

    #[test]
    fn arrays_are_lists_up_to_a_cap() {
        let array = |count: u32| {
            let mut bytes = [1u32, 0, 23, count, 1].map(u32::to_be_bytes).concat();
            for number in 0..count {
                bytes.extend([4, number].map(u32::to_be_bytes).concat());
            }
            binary(1007, &bytes)
        };
        assert_eq!(array(2), Tree::List(vec![Tree::Int(0), Tree::Int(1)]));
        assert_eq!(array(3).as_list().map(<[Tree]>::len), Some(3));
        let Tree::Fields(cut) = array(4) else { panic!("not cut") };
        assert_eq!(cut.field("size"), Some(&Tree::Int(4)));
        // Claims of 2^32 elements with nothing in them.
        let hostile = [2u32, 0, 23, u32::MAX, 1, 0, 1].map(u32::to_be_bytes).concat();
        assert_eq!(binary(1007, &hostile), Tree::List(Vec::new()));
    }

    #[test]
    fn addresses_and_identifiers_are_text() {
        assert_eq!(binary(869, &[2, 24, 0, 4, 192, 0, 2, 1]), "192.0.2.1/24".into());
        let text = binary(2950, &[0x12; 16]);
        assert_eq!(text, "12121212-1212-1212-1212-121212121212".into());
        assert_eq!(binary(3802, b"\x01{}"), "{}".into());
        assert_eq!(binary(2950, &[1]), Tree::Bytes(vec![1]));
    }
}
