//! Snappy and LZ4 blocks, undone up to a cap.
//!
//! Own code rather than crates: the size that a block says it unpacks to is a claim that those decoders allocate by, and
//! what is cut or broken shall give what came before.

use crate::read::{ParseError, Reader};

/// Why unpacking ended before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// The cap is reached.
    Full,
    Broken,
}

impl From<ParseError> for Stop {
    fn from(_: ParseError) -> Self {
        Self::Broken
    }
}

/// What came out, never more than the limit, and whether it is all.
pub(crate) type Unpacked = (Vec<u8>, Result<(), Stop>);

/// Raw Snappy (<https://github.com/google/snappy/blob/main/format_description.txt>).
pub(crate) fn snappy(input: &[u8], limit: usize) -> Unpacked {
    let mut output = Output { bytes: Vec::new(), limit };
    let result = output.snappy(input);
    (output.bytes, result)
}

/// An LZ4 block (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>).
pub(crate) fn lz4_block(input: &[u8], limit: usize) -> Unpacked {
    let mut output = Output { bytes: Vec::new(), limit };
    let result = output.lz4(input);
    (output.bytes, result)
}

struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room { Err(Stop::Full) } else { Ok(()) }
    }

    /// Repeats `count` bytes from `distance` back. They may overlap what they make.
    fn copy(&mut self, distance: usize, count: usize) -> Result<(), Stop> {
        let start = self.bytes.len().checked_sub(distance).filter(|_| distance > 0).ok_or(Stop::Broken)?;
        let allowed = count.min(self.limit - self.bytes.len());
        let mut left = allowed;
        while left > 0 {
            let piece = left.min(self.bytes.len() - start);
            self.bytes.extend_from_within(start..start + piece);
            left -= piece;
        }
        if allowed < count { Err(Stop::Full) } else { Ok(()) }
    }

    /// The size when unpacked, then literals and copies.
    fn snappy(&mut self, input: &[u8]) -> Result<(), Stop> {
        let mut reader = Reader::new(input);
        let size = varint(&mut reader)?;
        while !reader.is_empty() {
            let tag = reader.u8()?;
            let bits = usize::from(tag >> 2);
            match tag & 3 {
                0 => {
                    let length = match bits {
                        60 => usize::from(reader.u8()?),
                        61 => usize::from(reader.u16_le()?),
                        62 => reader.u24_le()? as usize,
                        63 => reader.u32_le()? as usize,
                        short => short,
                    };
                    self.literals(length.saturating_add(1), &mut reader)?;
                }
                1 => {
                    let distance = (bits >> 3) << 8 | usize::from(reader.u8()?);
                    self.copy(distance, (bits & 7) + 4)?;
                }
                2 => self.copy(usize::from(reader.u16_le()?), bits + 1)?,
                _ => self.copy(reader.u32_le()? as usize, bits + 1)?,
            }
        }
        if self.bytes.len() as u64 == size { Ok(()) } else { Err(Stop::Broken) }
    }

    /// Literals and copies in turns; the last are literals.
    fn lz4(&mut self, input: &[u8]) -> Result<(), Stop> {
        let mut reader = Reader::new(input);
        loop {
            let token = reader.u8()?;
            let literals = lz4_length(token >> 4, &mut reader)?;
            self.literals(literals, &mut reader)?;
            if reader.is_empty() {
                return Ok(());
            }
            let distance = usize::from(reader.u16_le()?);
            let count = lz4_length(token & 0x0f, &mut reader)?.saturating_add(4);
            self.copy(distance, count)?;
        }
    }

    /// As many as are there, where that is fewer.
    fn literals(&mut self, count: usize, reader: &mut Reader<'_>) -> Result<(), Stop> {
        let here = reader.take(count.min(reader.remaining()))?;
        self.push(here)?;
        if here.len() < count { Err(Stop::Broken) } else { Ok(()) }
    }
}

fn varint(reader: &mut Reader<'_>) -> Result<u64, Stop> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = reader.u8()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Stop::Broken)
}

/// 15 goes on in the following bytes, up to one that is not 255.
fn lz4_length(start: u8, reader: &mut Reader<'_>) -> Result<usize, Stop> {
    let mut length = usize::from(start);
    if start == 15 {
        loop {
            let more = reader.u8()?;
            length = length.saturating_add(usize::from(more));
            if more != u8::MAX {
                break;
            }
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "ab", eight bytes from two back, "c".
    const SNAPPY: [u8; 8] = [11, 1 << 2, b'a', b'b', 4 << 2 | 1, 2, 0, b'c'];
    /// "ab", ten bytes from two back, "c".
    const LZ4: [u8; 7] = [0x26, b'a', b'b', 2, 0, 0x10, b'c'];

    #[test]
    fn blocks_are_undone() {
        assert_eq!(snappy(&SNAPPY, 100), (b"abababababc".to_vec(), Ok(())));
        assert_eq!(lz4_block(&LZ4, 100), (b"ababababababc".to_vec(), Ok(())));
        let two = [7, 2 << 2, b'x', b'y', b'z', 3 << 2 | 2, 3, 0];
        assert_eq!(snappy(&two, 100), (b"xyzxyzx".to_vec(), Ok(())));
        let four = [6, 60 << 2, 2, b'x', b'y', b'z', 2 << 2 | 3, 1, 0, 0, 0];
        assert_eq!(snappy(&four, 100), (b"xyzzzz".to_vec(), Ok(())));
    }

    #[test]
    fn what_is_cut_or_too_large_gives_what_came_before() {
        assert_eq!(snappy(&SNAPPY, 5), (b"ababa".to_vec(), Err(Stop::Full)));
        assert_eq!(lz4_block(&LZ4, 5), (b"ababa".to_vec(), Err(Stop::Full)));
        for length in 0..SNAPPY.len() {
            let (output, result) = snappy(&SNAPPY[..length], 100);
            assert!(b"abababababc".starts_with(&output) && result == Err(Stop::Broken), "{length}");
        }
    }

    #[test]
    fn hostile_sizes_cost_nothing() {
        assert_eq!(snappy(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, b'x'], 100), (b"x".to_vec(), Err(Stop::Broken)));
        assert_eq!(snappy(&[1, 63 << 2, 0xff, 0xff, 0xff, 0xff], 100).1, Err(Stop::Broken));
        assert_eq!(snappy(&[4, 1, 0], 100).1, Err(Stop::Broken));
        assert_eq!(lz4_block(&[0xf0, 0xff, 0xff], 100).1, Err(Stop::Broken));
        assert_eq!(lz4_block(&[0x10, b'a', 0, 0], 100), (b"a".to_vec(), Err(Stop::Broken)));
    }
}
