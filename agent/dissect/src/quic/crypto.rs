//! The handshake's bytes, put in order (RFC 9000, sections 7.5 and 19.6).

use remora_packet::Timestamp;

use crate::read::{ParseError, Reader};

use super::packet::variable;

/// Bytes of a direction's handshake that are kept. A ClientHello with post-quantum keys has less than a tenth.
const MAX_BYTES: usize = 64 << 10;

/// Pieces with holes between them. Clients that shuffle on purpose make a dozen.
const MAX_PIECES: usize = 64;

/// What an Initial packet may say besides the handshake.
#[derive(Debug)]
pub(super) struct Close<'a> {
    pub code: u64,
    pub reason: &'a [u8],
}

/// One direction's part of the handshake.
#[derive(Debug, Default)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    /// What of them is there: from, to; in order, with holes between them.
    pieces: Vec<(usize, usize)>,
    /// When the first byte was captured.
    pub since: Option<Timestamp>,
}

impl Stream {
    /// Adds what comes at a place of the stream. What is beyond the caps is left out.
    fn add(&mut self, offset: u64, data: &[u8]) {
        let Some(from) = usize::try_from(offset).ok().filter(|from| *from < MAX_BYTES) else { return };
        let data = &data[..data.len().min(MAX_BYTES - from)];
        if data.is_empty() {
            return;
        }
        let to = from + data.len();
        let first = self.pieces.partition_point(|(_, end)| *end < from);
        let last = self.pieces.partition_point(|(start, _)| *start <= to);
        if first == last && self.pieces.len() >= MAX_PIECES {
            return;
        }
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        self.bytes[from..to].copy_from_slice(data);
        let touched = &self.pieces[first..last];
        let merged = touched.iter().fold((from, to), |(a, b), (start, end)| (a.min(*start), b.max(*end)));
        self.pieces.splice(first..last, [merged]);
    }

    /// What is there without a hole, from the beginning on.
    pub(super) fn whole(&self) -> &[u8] {
        match self.pieces.first() {
            Some((0, end)) => &self.bytes[..*end],
            _ => &[],
        }
    }

    /// Reads the frames of an Initial packet.
    pub(super) fn frames<'a>(&mut self, payload: &'a [u8]) -> Result<Option<Close<'a>>, ParseError> {
        let mut reader = Reader::new(payload);
        while !reader.is_empty() {
            match variable(&mut reader)? {
                // PADDING, PING
                0 | 1 => {}
                kind @ 2..=3 => acknowledgement(&mut reader, kind == 3)?,
                6 => {
                    let offset = variable(&mut reader)?;
                    let data = block(&mut reader)?;
                    self.add(offset, data);
                }
                0x1c => {
                    let code = variable(&mut reader)?;
                    variable(&mut reader)?;
                    return Ok(Some(Close { code, reason: block(&mut reader)? }));
                }
                _ => return Err(reader.error("a frame that Initial packets do not have")),
            }
        }
        Ok(None)
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<(usize, usize)>()
    }
}

pub(super) fn block<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = variable(reader)?;
    reader.take(usize::try_from(length).unwrap_or(usize::MAX))
}

fn acknowledgement(reader: &mut Reader<'_>, counts_ecn: bool) -> Result<(), ParseError> {
    variable(reader)?;
    variable(reader)?;
    let ranges = variable(reader)?;
    variable(reader)?;
    // Each takes two bytes, so that a lying count ends with the packet.
    for _ in 0..ranges {
        variable(reader)?;
        variable(reader)?;
    }
    for _ in 0..if counts_ecn { 3 } else { 0 } {
        variable(reader)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_in_any_order_become_whole() {
        let mut stream = Stream::default();
        for (offset, data) in [(4, &b"efg"[..]), (9, b"jk"), (2, b"cde"), (7, b"hij"), (4, b"e")] {
            stream.add(offset, data);
            assert_eq!(stream.whole(), b"");
        }
        assert_eq!(stream.pieces, [(2, 11)]);
        stream.add(0, b"ab");
        assert_eq!(stream.whole(), b"abcdefghijk");
    }

    #[test]
    fn hostile_offsets_cost_nothing() {
        let mut stream = Stream::default();
        stream.add(1 << 62, b"x");
        stream.add(u64::MAX, b"x");
        assert_eq!(stream.memory(), 0);
        for place in 0..10_000 {
            stream.add(place * 2, b"x");
        }
        assert_eq!(stream.pieces.len(), MAX_PIECES);
        stream.add(0, &[0; 100_000]);
        assert_eq!(stream.whole().len(), MAX_BYTES);
    }

    #[test]
    fn frames_are_read_and_what_is_no_frame_is_an_error() {
        let mut stream = Stream::default();
        let close = stream
            .frames(&[0, 0, 1, 2, 5, 0, 0, 1, 6, 0, 2, 9, 8, 0x1c, 0x41, 0x28, 6, 2, b'n', b'o'])
            .unwrap()
            .unwrap();
        assert_eq!((close.code, close.reason), (0x128, &b"no"[..]));
        assert_eq!(stream.whole(), [9, 8]);
        assert!(stream.frames(&[8, 0]).is_err());
        assert!(stream.frames(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]).is_err());
        assert!(stream.frames(&[6, 0, 9, 1]).is_err());
    }
}
