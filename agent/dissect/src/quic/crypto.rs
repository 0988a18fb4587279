//! The handshake's bytes, put in order (RFC 9000, sections 7.5 and 19.6).

use remora_packet::Timestamp;

use crate::pieces::Pieces;
use crate::read::{ParseError, Reader};

use super::packet::variable;

/// Bytes of a direction's handshake that are kept. A ClientHello with post-quantum keys has less than a tenth.
const MAX_BYTES: usize = 64 << 10;

/// What an Initial packet may say besides the handshake.
#[derive(Debug)]
pub(super) struct Close<'a> {
    pub code: u64,
    pub reason: &'a [u8],
}

/// One direction's part of the handshake.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pieces: Pieces,
    /// When the first byte was captured.
    pub since: Option<Timestamp>,
}

impl Stream {
    /// Adds what comes at a place of the stream. What is beyond the caps is left out.
    fn add(&mut self, offset: u64, data: &[u8]) {
        if let Ok(offset) = usize::try_from(offset) {
            self.pieces.add(offset, data, MAX_BYTES);
        }
    }

    /// What is there without a hole, from the beginning on.
    pub(super) fn whole(&self) -> &[u8] {
        self.pieces.whole()
    }

    /// Reads the frames of an Initial packet.
    pub(super) fn frames<'a>(&mut self, payload: &'a [u8]) -> Result<Option<Close<'a>>, ParseError> {
        let mut reader = Reader::new(payload);
        while !reader.is_empty() {
            match variable(&mut reader)? {
                // PADDING, much of it
                0 => {
                    let rest = reader.rest();
                    let padding = rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
                    reader.skip(padding)?;
                }
                // PING
                1 => {}
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
        self.pieces.memory()
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
    fn hostile_offsets_cost_nothing() {
        let mut stream = Stream::default();
        stream.add(1 << 62, b"x");
        stream.add(u64::MAX, b"x");
        assert_eq!(stream.memory(), 0);
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
