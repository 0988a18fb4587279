//! Length-encoded numbers and strings.

use crate::{ParseError, Reader};

/// A number of one, three, four or nine bytes. 0xfb is null and 0xff an error where they can be.
pub(super) fn number(reader: &mut Reader<'_>) -> Result<u64, ParseError> {
    Ok(match reader.u8()? {
        0xfc => reader.u16_le()?.into(),
        0xfd => reader.u24_le()?.into(),
        0xfe => reader.u64_le()?,
        0xfb | 0xff => return Err(reader.error("not a length")),
        number => number.into(),
    })
}

pub(super) fn string<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = number(reader)?;
    match usize::try_from(length) {
        Ok(length) => reader.take(length),
        Err(_) => Err(reader.error("the message ends early")),
    }
}

/// A string that may be null.
pub(super) fn nullable<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, ParseError> {
    if reader.peek() == Some(0xfb) {
        reader.skip(1)?;
        return Ok(None);
    }
    string(reader).map(Some)
}
