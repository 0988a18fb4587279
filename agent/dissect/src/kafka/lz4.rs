//! LZ4 frames, as far as a reader of records needs them.
//!
//! Own code rather than a crate: clients up to Kafka 0.9 wrote a wrong header checksum (KIP-57), which a decoder for
//! archives must refuse, and what is cut or broken shall give what came before. Checksums are not looked at: the batch has
//! its own.

use super::compression::{Output, Stop};
use crate::Reader;

const MAGIC: u32 = 0x184d_2204;
/// Of the block size: the block is not compressed.
const STORED: u32 = 1 << 31;
/// Bits of the frame's flags.
const BLOCK_CHECKSUMS: u8 = 0x10;
const CONTENT_SIZE: u8 = 0x08;
const CONTENT_CHECKSUM: u8 = 0x04;
const DICTIONARY: u8 = 0x01;

/// Undoes frames one after the other.
pub(super) fn frames(input: &[u8], output: &mut Output) -> Result<(), Stop> {
    let mut reader = Reader::new(input);
    while !reader.is_empty() {
        frame(&mut reader, output)?;
    }
    Ok(())
}

fn frame(reader: &mut Reader<'_>, output: &mut Output) -> Result<(), Stop> {
    if reader.u32_le()? != MAGIC {
        return Err(Stop::Broken);
    }
    let flags = reader.u8()?;
    let has = |bit: u8| usize::from(flags & bit != 0);
    // The block size, then the header's checksum at the end.
    reader.skip(1 + 8 * has(CONTENT_SIZE) + 4 * has(DICTIONARY) + 1)?;
    let begin = output.len();
    loop {
        let size = reader.u32_le()?;
        if size == 0 {
            reader.skip(4 * has(CONTENT_CHECKSUM))?;
            return Ok(());
        }
        let length = (size & !STORED) as usize;
        let here = reader.take(length.min(reader.remaining()))?;
        if size & STORED == 0 {
            block(here, begin, output)?;
        } else {
            output.push(here)?;
        }
        if here.len() < length {
            return Err(Stop::Broken);
        }
        reader.skip(4 * has(BLOCK_CHECKSUMS))?;
    }
}

/// Literals and copies of what came since `begin`, in turns.
pub(super) fn block(input: &[u8], begin: usize, output: &mut Output) -> Result<(), Stop> {
    let mut reader = Reader::new(input);
    loop {
        let token = reader.u8()?;
        let literals = length(usize::from(token >> 4), &mut reader)?;
        output.push(reader.take(literals)?)?;
        if reader.is_empty() {
            return Ok(());
        }
        let distance = usize::from(reader.u16_le()?);
        let count = length(usize::from(token & 0x0f), &mut reader)?.saturating_add(4);
        output.copy(distance, count, begin)?;
    }
}

/// 15 goes on in the following bytes, up to one that is not 255.
fn length(start: usize, reader: &mut Reader<'_>) -> Result<usize, Stop> {
    let mut length = start;
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

    fn undo(input: &[u8], limit: usize) -> (Vec<u8>, Result<(), Stop>) {
        let mut output = Output::new(limit);
        let result = frames(input, &mut output);
        (output.into_bytes(), result)
    }

    /// A frame of one compressed and one stored block; its header checksum is wrong.
    fn sample() -> Vec<u8> {
        let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x00];
        // "ab", then 10 bytes from two back, then "c".
        let block = [0x26, b'a', b'b', 2, 0, 0x10, b'c'];
        frame.extend(7u32.to_le_bytes());
        frame.extend(block);
        frame.extend((3u32 | STORED).to_le_bytes());
        frame.extend(b"xyz");
        frame.extend([0; 4]);
        frame
    }

    #[test]
    fn frames_are_undone() {
        let whole = b"ababababababcxyz";
        assert_eq!(undo(&sample(), 100), (whole.to_vec(), Ok(())));
        let twice = [sample(), sample()].concat();
        assert_eq!(undo(&twice, 100).0, whole.repeat(2));
    }

    #[test]
    fn what_is_cut_or_too_large_gives_what_came_before() {
        assert_eq!(undo(&sample(), 5), (b"ababa".to_vec(), Err(Stop::Full)));
        for length in 1..sample().len() {
            let (output, result) = undo(&sample()[..length], 100);
            assert!(b"ababababababcxyz".starts_with(&output), "{length}");
            assert_eq!(result, Err(Stop::Broken));
        }
    }

    #[test]
    fn copies_from_before_the_frame_are_refused() {
        let mut frame = sample();
        frame[14] = 9;
        assert_eq!(undo(&frame, 100), (b"ab".to_vec(), Err(Stop::Broken)));
        frame[14] = 0;
        assert_eq!(undo(&frame, 100).1, Err(Stop::Broken));
    }
}
