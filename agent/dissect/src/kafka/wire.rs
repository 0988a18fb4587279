//! Kafka's variable-length integers.

use crate::{ParseError, Reader};

/// Seven bits a byte, the lowest first.
pub(super) fn uvarint(reader: &mut Reader<'_>) -> Result<u32, ParseError> {
    let start = *reader;
    let value = base128(reader, 5)?;
    u32::try_from(value).map_err(|_| start.error("a number is too large"))
}

/// The same, signs in the lowest bit.
pub(super) fn varint(reader: &mut Reader<'_>) -> Result<i32, ParseError> {
    let value = uvarint(reader)?;
    Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

pub(super) fn varlong(reader: &mut Reader<'_>) -> Result<i64, ParseError> {
    let value = base128(reader, 10)?;
    Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

fn base128(reader: &mut Reader<'_>, longest: u32) -> Result<u64, ParseError> {
    let mut value = 0;
    for place in 0..longest {
        let byte = reader.u8()?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(reader.error("a number does not end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_length_are_read() {
        let mut reader = Reader::new(&[0x00, 0xac, 0x02, 0x01, 0x02, 0x03, 0x80, 0x01]);
        assert_eq!(uvarint(&mut reader), Ok(0));
        assert_eq!(uvarint(&mut reader), Ok(300));
        assert_eq!(varint(&mut reader), Ok(-1));
        assert_eq!(varint(&mut reader), Ok(1));
        assert_eq!(varlong(&mut reader), Ok(-2));
        assert_eq!(varlong(&mut reader), Ok(64));
        assert!(uvarint(&mut reader).is_err_and(|error| error.is_early()));
        assert_eq!(uvarint(&mut Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f])), Ok(u32::MAX));
        assert!(uvarint(&mut Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f])).is_err());
        assert!(varlong(&mut Reader::new(&[0xff; 11])).is_err());
    }
}
