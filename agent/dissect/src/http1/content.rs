//! Content codings (RFC 9110, section 8.4.1), undone only when somebody reads a body.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::fields::Fields;

/// Below this size a body may decode to any ratio.
const RATIO_FREE_BYTES: usize = 64 << 10;

/// Codings stacked on one body. Above it the body is shown as transferred.
const MAX_CODINGS: usize = 4;

/// The largest window a sender may use for the `zstd` coding (RFC 9659, section 3).
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;

/// How far a body may grow; copied from the limits since items outlive the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DecodeCaps {
    pub(crate) bytes: usize,
    pub(crate) ratio: usize,
}

impl DecodeCaps {
    fn for_body(self, transferred: usize) -> usize {
        self.bytes.min(transferred.saturating_mul(self.ratio).max(RATIO_FREE_BYTES))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
    Unknown,
}

/// The codings of a message in the order they were applied. Transfer codings other than `chunked` come last.
fn codings(fields: Fields<'_>) -> Vec<Coding> {
    let content = fields.clone().all(b"content-encoding");
    let transfer = fields.all(b"transfer-encoding");
    content
        .chain(transfer)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(|name| name.trim_ascii().to_ascii_lowercase())
        .filter(|name| !matches!(name.as_slice(), b"" | b"identity" | b"chunked" | b"aws-chunked"))
        .map(|name| match name.as_slice() {
            b"gzip" | b"x-gzip" => Coding::Gzip,
            b"deflate" => Coding::Deflate,
            b"br" => Coding::Brotli,
            b"zstd" => Coding::Zstd,
            _ => Coding::Unknown,
        })
        .collect()
}

/// The decoded form of `body`; `None` where it is the body itself, because it has no coding or one that is not known.
/// A body that is broken or grows too large gives what could be decoded.
pub(crate) fn decode(body: &[u8], fields: Fields<'_>, caps: DecodeCaps) -> Option<Vec<u8>> {
    let codings = codings(fields);
    if body.is_empty() || codings.len() > MAX_CODINGS {
        return None;
    }
    let limit = caps.for_body(body.len());
    let mut decoded = None;
    for &coding in codings.iter().rev() {
        let input = decoded.as_deref().unwrap_or(body);
        match undo(coding, input, limit) {
            Some(output) => decoded = Some(output),
            None => break,
        }
    }
    decoded
}

/// Undoes one coding; `None` where not one byte could be decoded.
fn undo(coding: Coding, input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    let whole = match coding {
        Coding::Gzip => read(MultiGzDecoder::new(input), limit, &mut output),
        Coding::Deflate if is_zlib(input) => read(ZlibDecoder::new(input), limit, &mut output),
        Coding::Deflate => read(DeflateDecoder::new(input), limit, &mut output),
        Coding::Brotli => read(brotli_decompressor::Decompressor::new(input, 4096), limit, &mut output),
        Coding::Zstd => unzstd(input, limit, &mut output),
        Coding::Unknown => false,
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const CAPS: DecodeCaps = DecodeCaps { bytes: 1 << 20, ratio: 100 };
    const TEXT: &[u8] =
        b"the quick brown fox jumps over the lazy dog, the quick brown fox jumps over the lazy dog";

    /// `TEXT` by Google's brotli at quality 11 and by `zstd -19`.
    const BROTLI: &[u8] = &[
        0x1b, 0x57, 0x00, 0x00, 0x8c, 0x94, 0x6e, 0xe6, 0x62, 0x84, 0x4a, 0x87, 0x3a, 0x59, 0xaa, 0xb7, 0xfe,
        0x35, 0x42, 0xd1, 0x08, 0xc8, 0x37, 0xb4, 0x30, 0xd8, 0x80, 0x03, 0x87, 0x04, 0xf2, 0x17, 0x1a, 0xe4,
        0x7a, 0xb6, 0xcc, 0x2e, 0xb1, 0xb3, 0x63, 0xb2, 0x45, 0x09, 0xcb, 0xc3, 0x46, 0xd9, 0xea, 0x0f, 0x93,
        0xf2, 0x09, 0x00,
    ];
    const ZSTD: &[u8] = &[
        0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0xad, 0x01, 0x00, 0xd4, 0x02, 0x74, 0x68, 0x65, 0x20, 0x71, 0x75,
        0x69, 0x63, 0x6b, 0x20, 0x62, 0x72, 0x6f, 0x77, 0x6e, 0x20, 0x66, 0x6f, 0x78, 0x20, 0x6a, 0x75, 0x6d,
        0x70, 0x73, 0x20, 0x6f, 0x76, 0x65, 0x72, 0x20, 0x74, 0x68, 0x65, 0x20, 0x6c, 0x61, 0x7a, 0x79, 0x20,
        0x64, 0x6f, 0x67, 0x2c, 0x20, 0x01, 0x00, 0x05, 0x9a, 0xaa, 0x0c, 0xc7, 0xaa, 0x36, 0x43,
    ];

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(body: &[u8], encoding: &str) -> Option<Vec<u8>> {
        decode(body, Fields::of_lines(format!("Content-Encoding: {encoding}\r\n").as_bytes()), CAPS)
    }

    #[test]
    fn every_coding_is_undone() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        for (encoding, body) in [
            ("gzip", gzip(TEXT)),
            ("x-GZIP", gzip(TEXT)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", BROTLI.to_vec()),
            ("zstd", ZSTD.to_vec()),
            ("gzip, gzip", gzip(&gzip(TEXT))),
            ("br, gzip", gzip(BROTLI)),
        ] {
            assert_eq!(decoded(&body, encoding).as_deref(), Some(TEXT), "{encoding}");
        }
        assert_eq!(
            decoded(&[gzip(b"one "), gzip(b"two")].concat(), "gzip").as_deref(),
            Some(&b"one two"[..])
        );
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], ZSTD].concat();
        assert_eq!(decoded(&[ZSTD, &skippable].concat(), "zstd"), Some(TEXT.repeat(2)));
        let fields = b"Content-Encoding: br\r\nTransfer-Encoding: gzip, chunked\r\n";
        assert_eq!(decode(&gzip(BROTLI), Fields::of_lines(fields), CAPS).as_deref(), Some(TEXT));
    }

    #[test]
    fn what_cannot_be_undone_stays() {
        assert_eq!(decoded(TEXT, "identity"), None);
        assert_eq!(decoded(TEXT, "compress"), None);
        assert_eq!(decoded(b"", "gzip"), None);
        for encoding in ["gzip", "zstd"] {
            assert_eq!(decoded(b"not compressed at all", encoding), None, "{encoding}");
        }
        assert_eq!(decoded(&gzip(TEXT), "gzip, gzip, gzip, gzip, gzip"), None);
        let body = gzip(TEXT);
        let cut = decoded(&body[..body.len() - 12], "gzip").unwrap_or_default();
        assert!(TEXT.starts_with(&cut));
    }

    #[test]
    fn growth_is_capped_by_size_and_by_ratio() {
        let bomb = gzip(&vec![0; 16 << 20]);
        assert!(bomb.len() < 20_000, "{}", bomb.len());
        let of = |caps| {
            decode(&bomb, Fields::of_lines(b"Content-Encoding: gzip\r\n"), caps).map(|body| body.len())
        };
        assert_eq!(of(DecodeCaps { bytes: 1 << 20, ratio: 10_000 }), Some(1 << 20));
        assert_eq!(of(DecodeCaps { bytes: 1 << 30, ratio: 10 }), Some(bomb.len() * 10));
        assert_eq!(of(DecodeCaps { bytes: 1 << 30, ratio: 1 }), Some(RATIO_FREE_BYTES));
        assert_eq!(of(DecodeCaps { bytes: 1 << 30, ratio: 10_000 }), Some(16 << 20));
    }
}
