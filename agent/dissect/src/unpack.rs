//! Decompression with a cap on what comes out, for every protocol that compresses.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use crate::Limits;

/// Below this size a body may decode to any ratio.
const RATIO_FREE_BYTES: usize = 64 << 10;

/// The largest window a sender may use for zstd (RFC 9659, section 3).
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;

/// How far a compressed body may grow; copied from the limits since items outlive the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeCaps {
    pub bytes: usize,
    pub ratio: usize,
}

impl DecodeCaps {
    pub const fn of(limits: &Limits) -> Self {
        Self { bytes: limits.decoded_bytes, ratio: limits.decode_ratio }
    }

    /// Bytes that `compressed` bytes may decode to.
    pub fn allow(self, compressed: usize) -> usize {
        self.bytes.min(compressed.saturating_mul(self.ratio).max(RATIO_FREE_BYTES))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    Gzip,
    /// zlib (RFC 1950) as it should be, or raw deflate (RFC 1951) as some send it.
    Deflate,
    Brotli,
    Zstd,
}

/// Undoes one coding, up to `limit` bytes. What is broken or grows too large gives what could be decoded before; `None`
/// where not one byte could.
pub fn unpack(coding: Coding, input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    let whole = match coding {
        Coding::Gzip => read(MultiGzDecoder::new(input), limit, &mut output),
        Coding::Deflate if is_zlib(input) => read(ZlibDecoder::new(input), limit, &mut output),
        Coding::Deflate => read(DeflateDecoder::new(input), limit, &mut output),
        Coding::Brotli => read(brotli_decompressor::Decompressor::new(input, 4096), limit, &mut output),
        Coding::Zstd => unzstd(input, limit, &mut output),
    };
    (whole || !output.is_empty()).then_some(output)
}

fn read(source: impl Read, limit: usize, output: &mut Vec<u8>) -> bool {
    let left = limit.saturating_sub(output.len());
    // On an error the output keeps what was decoded before it.
    source.take(left as u64).read_to_end(output).is_ok()
}

/// Some senders mean raw deflate; a zlib header's two bytes are a multiple of 31 (RFC 1950, section 2.2).
fn is_zlib(input: &[u8]) -> bool {
    matches!(input, [cmf, flg, ..] if cmf & 0x0f == 8 && u16::from_be_bytes([*cmf, *flg]).is_multiple_of(31))
}

/// A zstd body may hold several frames, and frames to be skipped (RFC 8878, section 3.1).
fn unzstd(mut input: &[u8], limit: usize, output: &mut Vec<u8>) -> bool {
    while !input.is_empty() && output.len() < limit {
        let before = input;
        match StreamingDecoder::new_with_max_window_size(&mut input, ZSTD_WINDOW_BYTES) {
            Ok(frame) => {
                if !read(frame, limit, output) {
                    return false;
                }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                // Magic number and length, four bytes each, then what is to be skipped.
                input = before.get(8 + length as usize..).unwrap_or(&[]);
            }
            Err(_) => return false,
        }
    }
    true
}
