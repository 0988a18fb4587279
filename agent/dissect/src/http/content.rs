//! Content codings (RFC 9110, section 8.4.1), undone only when somebody reads a body.

use super::fields::Fields;
use crate::unpack::{Coding, DecodeCaps, unpack};

/// Codings stacked on one body. Above it the body is shown as transferred.
const MAX_CODINGS: usize = 4;

/// The codings of a message in the order they were applied, `None` for one that is not known. Transfer codings other than
/// `chunked` come last.
fn codings(fields: Fields<'_>) -> Vec<Option<Coding>> {
    let content = fields.clone().all(b"content-encoding");
    let transfer = fields.all(b"transfer-encoding");
    content
        .chain(transfer)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(|name| name.trim_ascii().to_ascii_lowercase())
        .filter(|name| !matches!(name.as_slice(), b"" | b"identity" | b"chunked" | b"aws-chunked"))
        .map(|name| match name.as_slice() {
            b"gzip" | b"x-gzip" => Some(Coding::Gzip),
            b"deflate" => Some(Coding::Deflate),
            b"br" => Some(Coding::Brotli),
            b"zstd" => Some(Coding::Zstd),
            _ => None,
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
    let limit = caps.allow(body.len());
    let mut decoded = None;
    for &coding in codings.iter().rev() {
        let input = decoded.as_deref().unwrap_or(body);
        match coding.and_then(|coding| unpack(coding, input, limit)) {
            Some(output) => decoded = Some(output),
            None => break,
        }
    }
    decoded
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
        assert_eq!(of(DecodeCaps { bytes: 1 << 30, ratio: 1 }), Some(64 << 10));
        assert_eq!(of(DecodeCaps { bytes: 1 << 30, ratio: 10_000 }), Some(16 << 20));
    }
}
