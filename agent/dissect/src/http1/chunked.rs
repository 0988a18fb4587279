//! The chunked transfer coding (RFC 9112, section 7.1), decoded as its bytes arrive.

use memchr::memchr;

/// Longest chunk-size line with its extensions, and longest trailer section.
const LINE_BYTES: usize = 16 << 10;

/// Position inside a chunked body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Chunked {
    /// Before a chunk-size line.
    Size,
    /// So many bytes of the chunk are still to come.
    Data(u64),
    /// Before the line end that follows a chunk's data.
    DataEnd,
    /// After the last chunk.
    Trailers,
}

/// What the bytes at hand begin with.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A line of framing: so many bytes.
    Framing(usize),
    /// So many bytes of body.
    Data(usize),
    /// The trailer section, its empty line included; the body is over.
    End(usize),
    /// An unfinished line.
    More,
    Invalid(&'static str),
}

impl Chunked {
    /// Decides on the front of `bytes`, which is not empty, and moves past it.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Step {
        match *self {
            Self::Data(left) => {
                let len = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.skip(len as u64);
                Step::Data(len)
            }
            Self::DataEnd => match bytes {
                [b'\n', ..] => self.after_line(Self::Size, 1),
                [b'\r', b'\n', ..] => self.after_line(Self::Size, 2),
                [b'\r'] => Step::More,
                _ => Step::Invalid("chunk data does not end where its size says"),
            },
            Self::Size => match memchr(b'\n', bytes) {
                None if bytes.len() > LINE_BYTES || size(bytes).is_none() => {
                    Step::Invalid("invalid chunk size")
                }
                None => Step::More,
                Some(end) => match size(&bytes[..end]) {
                    Some(0) => self.after_line(Self::Trailers, end + 1),
                    Some(size) => self.after_line(Self::Data(size), end + 1),
                    None => Step::Invalid("invalid chunk size"),
                },
            },
            Self::Trailers => trailers(bytes),
        }
    }

    fn after_line(&mut self, next: Self, line: usize) -> Step {
        *self = next;
        Step::Framing(line)
    }

    /// Passes over `bytes` of chunk data that are not there; false where they reach beyond the chunk.
    pub(crate) fn skip(&mut self, bytes: u64) -> bool {
        match self {
            Self::Data(left) if bytes < *left => *left -= bytes,
            Self::Data(left) if bytes == *left => *self = Self::DataEnd,
            _ => return false,
        }
        true
    }
}

/// The size at the front of a chunk-size line that may still grow; its extensions are of no interest. An empty line is
/// `None` only once it has ended.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let after = line[digits..].trim_ascii_start();
    if !(after.is_empty() || after[0] == b';') || digits == 0 {
        return None;
    }
    line[..digits].iter().try_fold(0u64, |sum, &digit| {
        let value = (digit as char).to_digit(16)?;
        sum.checked_mul(16)?.checked_add(value.into())
    })
}

fn trailers(bytes: &[u8]) -> Step {
    let mut line_start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = &bytes[line_start..end];
        line_start = end + 1;
        if line.is_empty() || line == b"\r" {
            return Step::End(line_start);
        }
        if !line.contains(&b':') && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            return Step::Invalid("invalid trailer");
        }
    }
    if bytes.len() > LINE_BYTES { Step::Invalid("trailers too long") } else { Step::More }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in pieces of `piece` bytes, keeping what is not used, as a stream would.
    fn decode(text: &[u8], piece: usize) -> Result<(Vec<u8>, usize), &'static str> {
        let (mut chunked, mut pending, mut body, mut used) = (Chunked::Size, Vec::new(), Vec::new(), 0);
        for part in text.chunks(piece) {
            pending.extend_from_slice(part);
            while !pending.is_empty() {
                let step = chunked.step(&pending);
                let len = match step {
                    Step::More => break,
                    Step::Invalid(why) => return Err(why),
                    Step::Framing(len) => len,
                    Step::Data(len) => {
                        body.extend_from_slice(&pending[..len]);
                        len
                    }
                    Step::End(len) => return Ok((body, used + len)),
                };
                used += len;
                pending.drain(..len);
            }
        }
        Err("unfinished")
    }

    #[test]
    fn sizes_extensions_and_trailers_in_any_piece_size() {
        let text = b"5\r\nhello\r\n6;ext=\"a;b\";x\r\n world\r\n00\r\nX-Sum: 1\r\n folded\r\n\r\n";
        let lines = b"A \n0123456789\n0\n\n";
        for piece in 1..text.len() {
            assert_eq!(decode(text, piece), Ok((b"hello world".to_vec(), text.len())), "pieces of {piece}");
            assert_eq!(decode(lines, piece), Ok((b"0123456789".to_vec(), lines.len())), "pieces of {piece}");
        }
    }

    #[test]
    fn broken_framing_is_found() {
        for text in [
            "g\r\n",
            "\r\n",
            "-1\r\n",
            "0x5\r\nhello\r\n",
            "5hello\r\n",
            "10000000000000000\r\n",
            "3\r\nhello\r\n",
            "0\r\nno colon\r\n\r\n",
        ] {
            for piece in [1, 3, text.len()] {
                let why = decode(text.as_bytes(), piece).unwrap_err();
                assert_ne!(why, "unfinished", "{text:?} in pieces of {piece}");
            }
        }
        assert!(decode(&vec![b'0'; LINE_BYTES + 2], 4096).is_err());
    }

    #[test]
    fn a_hole_inside_a_chunk_is_passed_over() {
        let mut chunked = Chunked::Data(10);
        assert!(chunked.skip(4) && chunked == Chunked::Data(6));
        assert!(!chunked.skip(7) && chunked == Chunked::Data(6));
        assert!(chunked.skip(6) && chunked == Chunked::DataEnd);
        assert!(!chunked.skip(1));
    }
}
