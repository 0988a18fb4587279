//! Request lines and status lines, and telling them from everything else that TCP carries (RFC 9112, sections 3 and 4).

use std::ops::Range;

use memchr::memchr;

use crate::Probe;
use crate::http::fields::is_token;

/// Bytes of an unfinished start line after which it is taken for something else.
pub(crate) const START_LINE_BYTES: usize = 64 << 10;

/// Bytes of a request line after which a known method and a target of its form are enough.
const CERTAIN_BYTES: usize = 256;

/// Longest method a request line may begin with; the longest registered one has 16 letters.
const METHOD_BYTES: usize = 32;

/// What a message head begins with; ranges are positions in the head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StartLine {
    Request { method: Range<usize>, target: Range<usize>, version: Range<usize> },
    Response { version: Range<usize>, status: u16, reason: Range<usize> },
}

/// Methods of RFC 9110, PATCH, and those of WebDAV, its relatives and UPnP that are seen in the wild. With one of these
/// an HTTP version other than 1.x is still taken for a request, since its answer will be HTTP/1 (505).
const KNOWN_METHODS: [&[u8]; 26] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"PURGE",
    b"LINK",
    b"UNLINK",
    b"MERGE",
    b"NOTIFY",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"M-SEARCH",
];

/// Whether `bytes` begin with a start line. Empty lines before it must be gone already.
pub(crate) fn look(bytes: &[u8]) -> Probe {
    match look_response(bytes) {
        Probe::No => look_request(bytes),
        answer => answer,
    }
}

/// Whether an unfinished start line of which `seen` bytes were looked at before may still be one. `None` where that takes
/// another look at all of it.
pub(crate) fn look_further(bytes: &[u8], seen: usize) -> Option<Probe> {
    let fresh = &bytes[seen..];
    if seen <= METHOD_BYTES || bytes.len() > START_LINE_BYTES || memchr(b'\n', fresh).is_some() {
        return None;
    }
    let fits = fresh.iter().all(|&byte| is_target(byte) || byte == b'\r');
    Some(if fits { Probe::Unsure } else { Probe::No })
}

/// Whether `bytes` begin with a status line: `HTTP/1.x`, a space and three digits.
pub(crate) fn look_response(bytes: &[u8]) -> Probe {
    const SHAPE: &[u8; 12] = b"HTTP/1.0 000";
    for (&byte, &shape) in bytes.iter().zip(SHAPE) {
        let fits = if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
        if !fits {
            return Probe::No;
        }
    }
    match bytes.get(SHAPE.len()) {
        // What follows the digits decides, so that cuts between segments do not.
        None => Probe::Unsure,
        Some(b' ' | b'\r' | b'\n') => Probe::Certain,
        Some(_) => Probe::No,
    }
}

/// Whether `bytes` begin with a request line, of any method.
pub(crate) fn look_request(bytes: &[u8]) -> Probe {
    let method = bytes.iter().take(METHOD_BYTES + 1).take_while(|byte| is_token(**byte)).count();
    match bytes.get(method) {
        None => return Probe::Unsure,
        Some(b' ') if method > 0 && method <= METHOD_BYTES => {}
        Some(_) => return Probe::No,
    }
    match memchr(b'\n', bytes) {
        Some(end) => match request_line(&bytes[..end]) {
            Some(_) => Probe::Certain,
            None => Probe::No,
        },
        None if bytes.len() > START_LINE_BYTES => Probe::No,
        None if bytes.len() >= CERTAIN_BYTES && is_plain(&bytes[..method], &bytes[method + 1..]) => {
            Probe::Certain
        }
        None if bytes[method..].iter().all(|&byte| is_target(byte) || byte == b'\r') => Probe::Unsure,
        None => Probe::No,
    }
}

/// As [`look_request`] where the bytes may just as well be the middle of a body: only a known method and a target
/// without blanks count.
pub(crate) fn look_known(bytes: &[u8]) -> Probe {
    let may_be = |method: &&[u8]| {
        let len = method.len().min(bytes.len());
        bytes[..len] == method[..len] && bytes.get(method.len()).is_none_or(|&byte| byte == b' ')
    };
    if !KNOWN_METHODS.iter().any(may_be) {
        return Probe::No;
    }
    let mut words = bytes.splitn(4, |&byte| byte == b' ');
    let (_method, target, version, more) = (words.next(), words.next(), words.next(), words.next());
    let begins = version.is_none_or(|version| {
        let len = version.len().min(5);
        version[..len] == b"HTTP/"[..len]
    });
    if more.is_some() && target == Some(b"") || !begins { Probe::No } else { look_request(bytes) }
}

/// Whether a long, unfinished line can only be a request: RTSP and SIP share some methods, but not such targets.
fn is_plain(method: &[u8], target: &[u8]) -> bool {
    let begins =
        target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://");
    begins && KNOWN_METHODS.contains(&method) && target.iter().all(|&byte| is_target(byte) && byte != b' ')
}

/// What a request line may hold after its method. Spaces inside the target and bytes above ASCII are not allowed by
/// RFC 9112, but clients send them.
const fn is_target(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f
}

/// Parses a start line; `line` ends before its line feed.
pub(crate) fn parse(line: &[u8]) -> Option<StartLine> {
    if look_response(line) == Probe::Certain { Some(status_line(line)) } else { request_line(line) }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Without the blanks at its end. Not those of [`u8::is_ascii_whitespace`]: an unfinished line with a tab is no start
/// line, so that a finished one may not be either.
fn without_blanks(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\r')).map_or(0, |last| last + 1);
    &line[..end]
}

/// `line` is known to begin with a status line's shape.
fn status_line(line: &[u8]) -> StartLine {
    let line = without_return(line);
    let digit = |at: usize| u16::from(line[at] - b'0');
    StartLine::Response {
        version: 0..8,
        status: digit(9) * 100 + digit(10) * 10 + digit(11),
        reason: line.len().min(13)..line.len(),
    }
}

fn request_line(line: &[u8]) -> Option<StartLine> {
    const VERSION_BYTES: usize = 8;
    let line = without_blanks(line);
    let method = memchr(b' ', line).filter(|&end| (1..=METHOD_BYTES).contains(&end))?;
    if !line[..method].iter().all(|&byte| is_token(byte)) {
        return None;
    }
    let version = line.len().checked_sub(VERSION_BYTES)?;
    let [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', b'0'..=b'9'] = line[version..] else {
        return None;
    };
    if major != b'1' && !KNOWN_METHODS.contains(&&line[..method]) {
        return None;
    }
    let target_end = without_blanks(line[..version].strip_suffix(b" ")?).len();
    let target_start =
        method + line.get(method..target_end)?.iter().take_while(|byte| **byte == b' ').count();
    if target_start >= target_end || !line[target_start..target_end].iter().all(|&byte| is_target(byte)) {
        return None;
    }
    Some(StartLine::Request {
        method: 0..method,
        target: target_start..target_end,
        version: version..line.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(line: &'a str, range: &Range<usize>) -> &'a str {
        &line[range.clone()]
    }

    #[test]
    fn a_request_line_is_split_at_its_outer_spaces() {
        let cases = [
            ("GET / HTTP/1.1\r", "GET", "/", "HTTP/1.1"),
            ("FROBNICATE /x?y=1 HTTP/1.0", "FROBNICATE", "/x?y=1", "HTTP/1.0"),
            ("GET /a b HTTP/1.1", "GET", "/a b", "HTTP/1.1"),
            ("GET  /two  HTTP/1.1 ", "GET", "/two", "HTTP/1.1"),
            ("OPTIONS * HTTP/1.1", "OPTIONS", "*", "HTTP/1.1"),
            ("CONNECT example.test:443 HTTP/1.1", "CONNECT", "example.test:443", "HTTP/1.1"),
            ("GET / HTTP/2.0", "GET", "/", "HTTP/2.0"),
        ];
        for (line, method, target, version) in cases {
            let Some(StartLine::Request { method: m, target: t, version: v }) = parse(line.as_bytes()) else {
                panic!("{line:?} is not taken for a request");
            };
            assert_eq!((at(line, &m), at(line, &t), at(line, &v)), (method, target, version));
        }
    }

    #[test]
    fn a_status_line_may_lack_its_reason() {
        for (line, status, reason) in [
            ("HTTP/1.1 200 OK\r", 200, "OK"),
            ("HTTP/1.0 404 Not Found", 404, "Not Found"),
            ("HTTP/1.1 204 ", 204, ""),
            ("HTTP/1.1 302\r", 302, ""),
        ] {
            let Some(StartLine::Response { status: s, reason: r, .. }) = parse(line.as_bytes()) else {
                panic!("{line:?} is not taken for a response");
            };
            assert_eq!((s, at(line, &r)), (status, reason));
        }
    }

    #[test]
    fn other_protocols_are_told_apart() {
        for text in [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "EHLO client.example.test\r\n",
            "MAIL FROM:<a@b>\r\n",
            "USER anonymous\r\n",
            "220 ready\r\n",
            "*1\r\n$4\r\nPING\r\n",
            "PING\r\n",
            "+OK\r\n",
            "get key\r\n",
            "GET key\r\n",
            "GET /small.txt\r\n",
            "DESCRIBE rtsp://x/y RTSP/1.0\r\n",
            "RTSP/1.0 200 OK\r\n",
            "INVITE sip:a@b SIP/2.0\r\n",
            "SIP/2.0 200 OK\r\n",
            "HTTP/1.1 2x0 OK\r\n",
            "HTTP/1.1 2000\r\n",
            "HTTP/2 200\r\n",
            "GARBAGE\u{1}\u{2} nonsense\r\n",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0",
            " GET / HTTP/1.1\r\n",
            "GET HTTP/1.1\r\n",
            "GET / HTTP/1.1\t\r\n",
            "SSH-2.0-OpenSSH_9.2\r\n",
        ] {
            assert_eq!(look(text.as_bytes()), Probe::No, "{text:?}");
        }
    }

    #[test]
    fn where_a_body_may_be_only_plain_request_lines_count() {
        for (text, expected) in [
            ("GET /a HTTP/1.1\r\n", Probe::Certain),
            ("GET /a HTTP/1.1\r\nHost: a b c d\r\n", Probe::Certain),
            ("M-SEARCH * HTTP/1.1\r\n", Probe::Certain),
            ("PO", Probe::Unsure),
            ("POST", Probe::Unsure),
            ("POST /x", Probe::Unsure),
            ("POST /x HT", Probe::Unsure),
            ("some text that goes on GET / HTTP/1.1\r\n", Probe::No),
            ("GET is a method HTTP/1.1\r\n", Probe::No),
            ("FROBNICATE / HTTP/1.1\r\n", Probe::No),
            ("POSTER / HTTP/1.1\r\n", Probe::No),
            ("word", Probe::No),
        ] {
            assert_eq!(look_known(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn every_prefix_of_a_start_line_may_still_become_one() {
        for text in ["GET /a?b HTTP/1.1\r\n", "FROBNICATE / HTTP/1.0\n", "HTTP/1.1 200 OK\r\n"] {
            let certain = if text.starts_with("HTTP") { "HTTP/1.1 200 ".len() } else { text.len() };
            for end in 0..=text.len() {
                let expected = if end < certain { Probe::Unsure } else { Probe::Certain };
                assert_eq!(look(&text.as_bytes()[..end]), expected, "{:?}", &text[..end]);
            }
        }
        // Body bytes, which a cut behind the digits must not make a status line.
        assert_eq!(look(b"HTTP/1.1 200\0"), Probe::No);
        let long = |start: &str, len| look(format!("{start}{}", "a".repeat(len)).as_bytes());
        assert_eq!(long("GET /", CERTAIN_BYTES), Probe::Certain);
        assert_eq!(long("OPTIONS rtsp://h/", CERTAIN_BYTES), Probe::Unsure);
        assert_eq!(long("FROBNICATE /", CERTAIN_BYTES), Probe::Unsure);
        assert_eq!(long("GET /", START_LINE_BYTES), Probe::No);
    }
}
