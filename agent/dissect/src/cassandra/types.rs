//! Types, and values by type (section 6 of the specification).

use super::wire::{self, Cell, Room};
use crate::{Fields, ParseError, Reader, Tree};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Type {
    /// A class of the server's, which has no form on the wire that is known here.
    Custom(String),
    Native(u16),
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<(Type, Type)>),
    Tuple(Vec<Type>),
    Udt(String, Vec<(String, Type)>),
}

const ASCII: u16 = 0x01;
const BIGINT: u16 = 0x02;
const BOOLEAN: u16 = 0x04;
const COUNTER: u16 = 0x05;
const DECIMAL: u16 = 0x06;
const DOUBLE: u16 = 0x07;
const FLOAT: u16 = 0x08;
const INT: u16 = 0x09;
const TIMESTAMP: u16 = 0x0b;
const UUID: u16 = 0x0c;
const VARCHAR: u16 = 0x0d;
const VARINT: u16 = 0x0e;
const TIMEUUID: u16 = 0x0f;
const INET: u16 = 0x10;
const DATE: u16 = 0x11;
const TIME: u16 = 0x12;
const SMALLINT: u16 = 0x13;
const TINYINT: u16 = 0x14;
const DURATION: u16 = 0x15;

fn native_name(id: u16) -> Option<&'static str> {
    Some(match id {
        ASCII => "ascii",
        BIGINT => "bigint",
        0x03 => "blob",
        BOOLEAN => "boolean",
        COUNTER => "counter",
        DECIMAL => "decimal",
        DOUBLE => "double",
        FLOAT => "float",
        INT => "int",
        0x0a => "text",
        TIMESTAMP => "timestamp",
        UUID => "uuid",
        VARCHAR => "varchar",
        VARINT => "varint",
        TIMEUUID => "timeuuid",
        INET => "inet",
        DATE => "date",
        TIME => "time",
        SMALLINT => "smallint",
        TINYINT => "tinyint",
        DURATION => "duration",
        _ => return None,
    })
}

impl Type {
    /// An `[option]`. `left` is how many types may still be read.
    pub(super) fn read(r: &mut Reader<'_>, depth: usize, left: &mut usize) -> Result<Self, ParseError> {
        if depth == 0 || *left == 0 {
            return Err(r.error("more types than are read"));
        }
        *left -= 1;
        let error = r.error("a type is unknown");
        let owned = |bytes: &[u8]| crate::text::lossy(bytes).into_owned();
        Ok(match r.u16_be()? {
            0x00 => Self::Custom(owned(wire::string(r)?)),
            0x20 => Self::List(Box::new(Self::read(r, depth - 1, left)?)),
            0x21 => Self::Map(Box::new((Self::read(r, depth - 1, left)?, Self::read(r, depth - 1, left)?))),
            0x22 => Self::Set(Box::new(Self::read(r, depth - 1, left)?)),
            0x30 => {
                wire::string(r)?;
                let name = owned(wire::string(r)?);
                let mut fields = Vec::new();
                for _ in 0..r.u16_be()? {
                    fields.push((owned(wire::string(r)?), Self::read(r, depth - 1, left)?));
                }
                Self::Udt(name, fields)
            }
            0x31 => {
                let mut parts = Vec::new();
                for _ in 0..r.u16_be()? {
                    parts.push(Self::read(r, depth - 1, left)?);
                }
                Self::Tuple(parts)
            }
            id if native_name(id).is_some() => Self::Native(id),
            _ => return Err(error),
        })
    }

    /// Moves behind one as [`Type::read`] would.
    pub(super) fn skip(r: &mut Reader<'_>, depth: usize, left: &mut usize) -> Result<(), ParseError> {
        if depth == 0 || *left == 0 {
            return Err(r.error("more types than are read"));
        }
        *left -= 1;
        match r.u16_be()? {
            0x00 => {
                wire::string(r)?;
            }
            0x20 | 0x22 => Self::skip(r, depth - 1, left)?,
            0x21 => {
                Self::skip(r, depth - 1, left)?;
                Self::skip(r, depth - 1, left)?;
            }
            0x30 => {
                wire::string(r)?;
                wire::string(r)?;
                for _ in 0..r.u16_be()? {
                    wire::string(r)?;
                    Self::skip(r, depth - 1, left)?;
                }
            }
            0x31 => {
                for _ in 0..r.u16_be()? {
                    Self::skip(r, depth - 1, left)?;
                }
            }
            id if native_name(id).is_some() => {}
            _ => return Err(r.error("a type is unknown")),
        }
        Ok(())
    }

    /// Whether its values have parts that take no bytes.
    pub(super) fn has_tuple(&self) -> bool {
        match self {
            Self::Native(_) | Self::Custom(_) => false,
            Self::List(of) | Self::Set(of) => of.has_tuple(),
            Self::Map(of) => of.0.has_tuple() || of.1.has_tuple(),
            Self::Tuple(_) => true,
            Self::Udt(_, fields) => fields.iter().any(|(_, of)| of.has_tuple()),
        }
    }

    /// As CQL writes it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Custom(name) | Self::Udt(name, _) => name.clone(),
            Self::Native(id) => native_name(*id).unwrap_or_default().to_owned(),
            Self::List(of) => format!("list<{}>", of.name()),
            Self::Set(of) => format!("set<{}>", of.name()),
            Self::Map(of) => format!("map<{}, {}>", of.0.name(), of.1.name()),
            Self::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(Self::name).collect();
                format!("tuple<{}>", parts.join(", "))
            }
        }
    }

    /// Bytes of heap it holds, roughly.
    pub(super) fn heap(&self) -> usize {
        match self {
            Self::Native(_) => 0,
            Self::Custom(name) => name.len(),
            Self::List(of) | Self::Set(of) => size_of::<Self>() + of.heap(),
            Self::Map(of) => 2 * size_of::<Self>() + of.0.heap() + of.1.heap(),
            Self::Tuple(parts) => parts.iter().map(|part| size_of::<Self>() + part.heap()).sum(),
            Self::Udt(name, fields) => {
                let field =
                    |(name, of): &(String, Self)| size_of::<(String, Self)>() + name.len() + of.heap();
                name.len() + fields.iter().map(field).sum::<usize>()
            }
        }
    }
}

/// A value without a type: text where it is some, else bytes.
pub(super) fn untyped(cell: Cell<'_>, room: &Room) -> Tree {
    shown(cell, |bytes| room.bytes(bytes))
}

/// A value by its type; as bytes where it is not of that type.
pub(super) fn typed(cell: Cell<'_>, of: &Type, room: &mut Room) -> Tree {
    shown(cell, |bytes| decode(bytes, of, room).unwrap_or_else(|| room.bytes(bytes)))
}

fn shown(cell: Cell<'_>, show: impl FnOnce(&[u8]) -> Tree) -> Tree {
    match cell {
        Cell::Null => Tree::Null,
        Cell::Unset => Fields::new().with("unset", true).into(),
        Cell::Bytes(bytes) => show(bytes),
    }
}

fn decode(bytes: &[u8], of: &Type, room: &mut Room) -> Option<Tree> {
    let mut r = Reader::new(bytes);
    let value = match of {
        Type::Custom(_) => return None,
        Type::Native(id) => return native(*id, bytes, room),
        Type::List(of) | Type::Set(of) => {
            let count = wire::count(&mut r).ok()?;
            let mut list = Vec::new();
            for index in 0..count {
                let cell = wire::cell(&mut r).ok()?;
                if room.entry(index) {
                    list.push(typed(cell, of, room));
                }
            }
            counted(list, count)
        }
        Type::Map(of) => {
            let count = wire::count(&mut r).ok()?;
            let mut list = Vec::new();
            for index in 0..count {
                let (key, value) = (wire::cell(&mut r).ok()?, wire::cell(&mut r).ok()?);
                if room.entry(index) {
                    let key = typed(key, &of.0, room);
                    list.push(Fields::new().with("key", key).with("value", typed(value, &of.1, room)).into());
                }
            }
            counted(list, count)
        }
        Type::Tuple(parts) => {
            let mut list = Vec::new();
            for (index, of) in parts.iter().enumerate() {
                let cell = if r.is_empty() { Cell::Null } else { wire::cell(&mut r).ok()? };
                if room.entry(index) {
                    list.push(typed(cell, of, room));
                }
            }
            counted(list, parts.len())
        }
        Type::Udt(_, parts) => {
            let mut fields = Fields::new();
            // Fields that were added to the type later are left out at the end.
            for (index, (name, of)) in parts.iter().enumerate() {
                if r.is_empty() {
                    break;
                }
                let cell = wire::cell(&mut r).ok()?;
                if room.entry(index) {
                    fields.push(name.clone(), typed(cell, of, room));
                }
            }
            fields.into()
        }
    };
    r.is_empty().then_some(value)
}

/// A list, beside its count where it is shortened.
fn counted(list: Vec<Tree>, count: usize) -> Tree {
    if list.len() == count {
        return list.into();
    }
    Fields::new().with("values", list).with("count", count).with("truncated", true).into()
}

fn native(id: u16, bytes: &[u8], room: &Room) -> Option<Tree> {
    let mut r = Reader::new(bytes);
    let value = match id {
        ASCII | VARCHAR | 0x0a => return std::str::from_utf8(bytes).ok().map(|_| room.text(bytes)),
        // Empty values are allowed for types that have no empty form.
        _ if bytes.is_empty() && id != 0x03 => return Some("".into()),
        BIGINT | COUNTER | TIMESTAMP | TIME => r.i64_be().ok()?.into(),
        BOOLEAN => (r.u8().ok()? != 0).into(),
        DECIMAL => {
            let scale = r.i32_be().ok()?;
            decimal(integer(r.take_rest())?, scale)?.into()
        }
        DOUBLE => r.f64_be().ok()?.into(),
        FLOAT => f64::from(r.f32_be().ok()?).into(),
        INT => r.i32_be().ok()?.into(),
        UUID | TIMEUUID => return wire::uuid(bytes).map(Tree::from),
        VARINT => {
            let value = integer(r.take_rest())?;
            i64::try_from(value).map_or_else(|_| value.to_string().into(), Tree::Int)
        }
        INET => return wire::address(bytes),
        // Days, with 1970 in the middle of the range.
        DATE => (i64::from(r.u32_be().ok()?) - (1 << 31)).into(),
        SMALLINT => r.i16_be().ok()?.into(),
        TINYINT => r.i8().ok()?.into(),
        DURATION => {
            let (months, days) = (vint(&mut r)?, vint(&mut r)?);
            Fields::new().with("months", months).with("days", days).with("nanoseconds", vint(&mut r)?).into()
        }
        _ => return Some(room.bytes(bytes)),
    };
    r.is_empty().then_some(value)
}

/// Two's complement of any size up to 16 bytes.
fn integer(bytes: &[u8]) -> Option<i128> {
    let first = bytes.first().filter(|_| bytes.len() <= 16)?;
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(start, |value: i128, byte| value << 8 | i128::from(*byte)))
}

fn decimal(unscaled: i128, scale: i32) -> Option<String> {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    let Some(scale) = usize::try_from(scale).ok().filter(|scale| *scale <= 64) else {
        return Some(format!("{sign}{digits}E{}", scale.checked_neg()?));
    };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    Some(if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

/// A zigzag number whose leading ones tell how many bytes follow the first.
fn vint(r: &mut Reader<'_>) -> Option<i64> {
    let first = r.u8().ok()?;
    let more = first.leading_ones();
    let start = u64::from(first) & (0xff_u64 >> more);
    let bytes = r.take(more as usize).ok()?;
    let value = bytes.iter().fold(start, |value, byte| value << 8 | u64::from(*byte));
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_are_read() {
        assert_eq!(integer(&[0xff, 0x7f]), Some(-129));
        assert_eq!(decimal(-12345, 2).as_deref(), Some("-123.45"));
        assert_eq!(decimal(5, 3).as_deref(), Some("0.005"));
        assert_eq!(decimal(5, -3).as_deref(), Some("5E3"));
        assert_eq!(vint(&mut Reader::new(&[0x81, 0x00])), Some(128));
        assert_eq!(vint(&mut Reader::new(&[0x03])), Some(-2));
        assert_eq!(vint(&mut Reader::new(&[0xff; 9])), Some(i64::MIN));
    }
}
