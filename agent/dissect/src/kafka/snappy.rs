//! Snappy, raw or in the framing of the `xerial` library that Java clients use.
//!
//! Own code rather than a crate: the size that raw Snappy begins with is a claim that a decoder into one buffer must
//! trust, and none of the well-kept ones knows the framing.

use super::compression::{Output, Stop};
use super::wire::uvarint;
use crate::Reader;

const XERIAL: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];

pub(super) fn unpack(input: &[u8], output: &mut Output) -> Result<(), Stop> {
    if !input.starts_with(&XERIAL) {
        return raw(input, output);
    }
    let mut reader = Reader::new(input);
    // The magic, then two versions.
    reader.skip(XERIAL.len() + 8)?;
    while !reader.is_empty() {
        let length = reader.u32_be()? as usize;
        let here = reader.take(length.min(reader.remaining()))?;
        raw(here, output)?;
        if here.len() < length {
            return Err(Stop::Broken);
        }
    }
    Ok(())
}

/// The size when unpacked, then literals and copies.
pub(super) fn raw(input: &[u8], output: &mut Output) -> Result<(), Stop> {
    let mut reader = Reader::new(input);
    let begin = output.len();
    let size = uvarint(&mut reader)? as usize;
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
                output.push(reader.take(length.saturating_add(1))?)?;
            }
            1 => {
                let distance = (bits >> 3) << 8 | usize::from(reader.u8()?);
                output.copy(distance, (bits & 7) + 4, begin)?;
            }
            2 => {
                let distance = usize::from(reader.u16_le()?);
                output.copy(distance, bits + 1, begin)?;
            }
            _ => {
                let distance = reader.u32_le()? as usize;
                output.copy(distance, bits + 1, begin)?;
            }
        }
    }
    if output.len() - begin == size { Ok(()) } else { Err(Stop::Broken) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(input: &[u8], limit: usize) -> (Vec<u8>, Result<(), Stop>) {
        let mut output = Output::new(limit);
        let result = unpack(input, &mut output);
        (output.into_bytes(), result)
    }

    /// "ab", eight bytes from two back, "c".
    const RAW: [u8; 8] = [11, 1 << 2, b'a', b'b', 4 << 2 | 1, 2, 0, b'c'];

    #[test]
    fn raw_and_framed_are_undone() {
        assert_eq!(
            undo(&RAW, 100),
            (b"ababababab c".iter().copied().filter(|b| *b != b' ').collect(), Ok(()))
        );
        let mut framed = XERIAL.to_vec();
        framed.extend([0, 0, 0, 1, 0, 0, 0, 1]);
        for _ in 0..2 {
            framed.extend([0, 0, 0, 8]);
            framed.extend(RAW);
        }
        assert_eq!(undo(&framed, 100), (b"abababababcabababababc".to_vec(), Ok(())));
        assert_eq!(undo(&framed, 13), (b"abababababcab".to_vec(), Err(Stop::Full)));
        assert_eq!(undo(&framed[..30], 100), (b"abababababc".to_vec(), Err(Stop::Broken)));
    }

    #[test]
    fn hostile_sizes_cost_nothing() {
        assert_eq!(undo(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, b'x'], 100), (b"x".to_vec(), Err(Stop::Broken)));
        assert_eq!(undo(&[1, 63 << 2, 0xff, 0xff, 0xff, 0xff], 100).1, Err(Stop::Broken));
        assert_eq!(undo(&[4, 1, 0], 100).1, Err(Stop::Broken));
    }

    #[test]
    fn all_kinds_of_copies_are_made() {
        let two = [7, 2 << 2, b'x', b'y', b'z', 3 << 2 | 2, 3, 0];
        assert_eq!(undo(&two, 100), (b"xyzxyzx".to_vec(), Ok(())));
        let four = [6, 60 << 2, 2, b'x', b'y', b'z', 2 << 2 | 3, 1, 0, 0, 0];
        assert_eq!(undo(&four, 100), (b"xyzzzz".to_vec(), Ok(())));
    }
}
