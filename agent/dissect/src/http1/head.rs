//! A message head: where it ends, and the few fields that decide where the message ends.

use memchr::memchr_iter;

use super::framing::{ContentLength, TransferEncoding};
use super::start_line::{self, StartLine};

/// What one pass over a head finds out. The fields themselves stay text until somebody asks for them.
#[derive(Debug)]
pub(crate) struct Head {
    /// Bytes up to and including the empty line.
    pub(crate) len: usize,
    pub(crate) start: StartLine,
    pub(crate) length: ContentLength,
    pub(crate) encoding: TransferEncoding,
    /// The request waits for `100 Continue` before it sends its body.
    pub(crate) expects_continue: bool,
    /// It has an Upgrade field.
    pub(crate) upgrade: bool,
    /// The sender asks not to be shown: `X-Kubeshark-Capture: ignore`, which the requests of scripts carry.
    pub(crate) ignore: bool,
}

#[derive(Debug)]
pub(crate) enum Parsed {
    Head(Head),
    /// The empty line has not come yet.
    Partial,
    /// The first line is not a start line, or there are more fields than allowed.
    Invalid,
}

/// Parses the head that `bytes` begin with. Lines may end in a bare line feed (RFC 9112, section 2.2).
pub(crate) fn parse(bytes: &[u8], max_fields: usize) -> Parsed {
    let mut scan = Scan::default();
    let mut line_start = 0;
    for end in memchr_iter(b'\n', bytes) {
        let line = &bytes[line_start..end];
        line_start = end + 1;
        if scan.start.is_none() {
            match start_line::parse(line) {
                Some(start) => scan.start = Some(start),
                None => return Parsed::Invalid,
            }
        } else if line.is_empty() || line == b"\r" {
            return scan.finish(line_start);
        } else {
            scan.fields += 1;
            if scan.fields > max_fields {
                return Parsed::Invalid;
            }
            scan.field(line);
        }
    }
    Parsed::Partial
}

/// Parses a head that lost its end: every line that came whole counts.
pub(crate) fn parse_cut(bytes: &[u8], max_fields: usize) -> Option<Head> {
    let whole = memchr::memrchr(b'\n', bytes)? + 1;
    let mut text = Vec::with_capacity(whole + 2);
    text.extend_from_slice(&bytes[..whole]);
    text.extend_from_slice(b"\r\n");
    match parse(&text, max_fields) {
        Parsed::Head(head) => Some(Head { len: head.len.min(whole), ..head }),
        Parsed::Partial | Parsed::Invalid => None,
    }
}

#[derive(Default)]
struct Scan {
    start: Option<StartLine>,
    fields: usize,
    length: ContentLength,
    encoding: TransferEncoding,
    expects_continue: bool,
    upgrade: bool,
    ignore: bool,
    /// Which of the above the previous line fed, for a folded continuation.
    folds_into_framing: bool,
}

impl Scan {
    /// Only fields that decide on framing and on what follows, and the one that hides a message, are looked into; the
    /// first letter and the name's length rule out the rest.
    fn field(&mut self, line: &[u8]) {
        let named = |name: &[u8]| {
            line.get(name.len()) == Some(&b':') && line[..name.len()].eq_ignore_ascii_case(name)
        };
        let was_framing = std::mem::take(&mut self.folds_into_framing);
        match line[0] {
            b'c' | b'C' if named(b"content-length") => {
                self.length.add(&line[15..]);
                self.folds_into_framing = true;
            }
            b't' | b'T' if named(b"transfer-encoding") => {
                self.encoding.add(&line[18..]);
                self.folds_into_framing = true;
            }
            b'e' | b'E' if named(b"expect") => {
                self.expects_continue = line[7..].trim_ascii().eq_ignore_ascii_case(b"100-continue");
            }
            b'u' | b'U' if named(b"upgrade") => self.upgrade = true,
            b'x' | b'X' if named(b"x-kubeshark-capture") => {
                self.ignore = line[20..].trim_ascii().eq_ignore_ascii_case(b"ignore");
            }
            b' ' | b'\t' if was_framing => {
                // A folded Content-Length or Transfer-Encoding has no honest sender; a length that continues on the
                // next line is not a number.
                self.length.fold(line);
                self.encoding.fold(line);
                self.folds_into_framing = true;
            }
            _ => {}
        }
    }

    fn finish(self, len: usize) -> Parsed {
        match self.start {
            Some(start) => Parsed::Head(Head {
                len,
                start,
                length: self.length,
                encoding: self.encoding,
                expects_continue: self.expects_continue,
                upgrade: self.upgrade,
                ignore: self.ignore,
            }),
            None => Parsed::Invalid,
        }
    }
}

/// Finds the end of a head that arrives in pieces, without looking at any byte twice.
///
/// `seen` bytes were searched before; the answer is whether an empty line ends within `bytes`.
pub(crate) fn has_end(bytes: &[u8], seen: usize) -> bool {
    // An empty line that began in the seen part: its line feed may be up to three bytes back.
    let from = seen.saturating_sub(3);
    memchr_iter(b'\n', &bytes[from..]).any(|at| {
        let rest = &bytes[from + at + 1..];
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    })
}
