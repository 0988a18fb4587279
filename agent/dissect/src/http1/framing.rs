//! Where a message body ends (RFC 9112, section 6.3).

use super::start_line::StartLine;

/// All Content-Length fields of a head taken together.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum ContentLength {
    #[default]
    None,
    Bytes(u64),
    /// Not a number, too large for one, or several that differ.
    Invalid,
}

impl ContentLength {
    /// Adds a field's value. A list of equal numbers counts as that number.
    pub(crate) fn add(&mut self, value: &[u8]) {
        for part in value.split(|&byte| byte == b',') {
            *self = match (*self, number(part.trim_ascii())) {
                (Self::None, Some(bytes)) => Self::Bytes(bytes),
                (Self::Bytes(known), Some(bytes)) if known == bytes => Self::Bytes(known),
                _ => Self::Invalid,
            };
        }
    }

    /// A folded continuation of the field.
    pub(crate) fn fold(&mut self, line: &[u8]) {
        if *self != Self::None && !line.trim_ascii().is_empty() {
            *self = Self::Invalid;
        }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, &digit| match digit {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// All Transfer-Encoding fields of a head taken together.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum TransferEncoding {
    #[default]
    None,
    /// `chunked` is the outermost coding, so the body delimits itself.
    Chunked,
    /// Another coding is; the body's end can't be told from its bytes.
    Other,
}

impl TransferEncoding {
    pub(crate) fn add(&mut self, value: &[u8]) {
        for coding in value.split(|&byte| byte == b',') {
            let name = coding.split(|&byte| byte == b';').next().unwrap_or(coding).trim_ascii();
            if name.eq_ignore_ascii_case(b"chunked") {
                *self = Self::Chunked;
            } else if !name.is_empty() && !name.eq_ignore_ascii_case(b"identity") {
                *self = Self::Other;
            }
        }
    }

    /// A folded continuation of the field.
    pub(crate) fn fold(&mut self, line: &[u8]) {
        if *self != Self::None {
            self.add(line);
        }
    }
}

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
    /// It can't be told; the receiver has to give up on the connection, and so does the dissector on the message.
    Unknown(&'static str),
    /// No body, and no further HTTP message: the connection is a tunnel or speaks another protocol from here on.
    Tunnel,
}

/// What is known of the request when its response comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RequestKind {
    Head,
    Connect,
    Other,
}

/// The rules of section 6.3, in their order.
pub(crate) fn framing(
    start: &StartLine,
    length: ContentLength,
    encoding: TransferEncoding,
    request: RequestKind,
) -> Framing {
    match start {
        StartLine::Response { status, .. } => match (status, request) {
            (101, _) | (200..=299, RequestKind::Connect) => Framing::Tunnel,
            (100..=199 | 204 | 304, _) | (_, RequestKind::Head) => Framing::Length(0),
            _ => match (encoding, length) {
                (TransferEncoding::Chunked, _) => Framing::Chunked,
                (TransferEncoding::Other, _) | (_, ContentLength::None) => Framing::UntilClose,
                (_, ContentLength::Bytes(bytes)) => Framing::Length(bytes),
                (_, ContentLength::Invalid) => Framing::Unknown("invalid Content-Length"),
            },
        },
        StartLine::Request { .. } => match (encoding, length) {
            (TransferEncoding::Chunked, _) => Framing::Chunked,
            (TransferEncoding::Other, _) => Framing::Unknown("Transfer-Encoding does not end in chunked"),
            (_, ContentLength::None) => Framing::Length(0),
            (_, ContentLength::Bytes(bytes)) => Framing::Length(bytes),
            (_, ContentLength::Invalid) => Framing::Unknown("invalid Content-Length"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(values: &[&str]) -> ContentLength {
        let mut length = ContentLength::None;
        values.iter().for_each(|value| length.add(value.as_bytes()));
        length
    }

    #[test]
    fn equal_lengths_are_one_and_all_else_is_invalid() {
        assert_eq!(length(&[]), ContentLength::None);
        assert_eq!(length(&[" 42 "]), ContentLength::Bytes(42));
        assert_eq!(length(&["42", "42"]), ContentLength::Bytes(42));
        assert_eq!(length(&["42, 42"]), ContentLength::Bytes(42));
        assert_eq!(length(&["18446744073709551615"]), ContentLength::Bytes(u64::MAX));
        let bad: [&[&str]; 9] = [
            &["42", "43"],
            &["42,43"],
            &["+1"],
            &["-1"],
            &["0x10"],
            &[""],
            &["1 2"],
            &["18446744073709551616"],
            &["1", ""],
        ];
        for values in bad {
            assert_eq!(length(values), ContentLength::Invalid, "{values:?}");
        }
    }

    #[test]
    fn only_a_final_chunked_delimits() {
        let encoding = |values: &[&str]| {
            let mut encoding = TransferEncoding::None;
            values.iter().for_each(|value| encoding.add(value.as_bytes()));
            encoding
        };
        assert_eq!(encoding(&["chunked"]), TransferEncoding::Chunked);
        assert_eq!(encoding(&["gzip, Chunked"]), TransferEncoding::Chunked);
        assert_eq!(encoding(&["gzip", "chunked"]), TransferEncoding::Chunked);
        assert_eq!(encoding(&["identity"]), TransferEncoding::None);
        assert_eq!(encoding(&["chunked, gzip"]), TransferEncoding::Other);
        assert_eq!(encoding(&["xchunked"]), TransferEncoding::Other);
    }

    #[test]
    fn the_rules_apply_in_their_order() {
        use RequestKind::{Connect, Head, Other};
        let response = |status| StartLine::Response { version: 0..8, status, reason: 0..0 };
        let request = StartLine::Request { method: 0..3, target: 4..5, version: 6..14 };
        let (five, none) = (ContentLength::Bytes(5), ContentLength::None);
        let (plain, chunked) = (TransferEncoding::None, TransferEncoding::Chunked);
        let cases = [
            (response(200), five, plain, Head, Framing::Length(0)),
            (response(200), none, chunked, Head, Framing::Length(0)),
            (response(204), five, plain, Other, Framing::Length(0)),
            (response(304), five, plain, Other, Framing::Length(0)),
            (response(100), five, plain, Other, Framing::Length(0)),
            (response(101), none, plain, Other, Framing::Tunnel),
            (response(200), five, plain, Connect, Framing::Tunnel),
            (response(407), five, plain, Connect, Framing::Length(5)),
            (response(200), five, chunked, Other, Framing::Chunked),
            (response(200), five, TransferEncoding::Other, Other, Framing::UntilClose),
            (response(200), five, plain, Other, Framing::Length(5)),
            (response(200), none, plain, Other, Framing::UntilClose),
            (response(200), ContentLength::Invalid, chunked, Other, Framing::Chunked),
            (request.clone(), none, plain, Other, Framing::Length(0)),
            (request.clone(), five, plain, Other, Framing::Length(5)),
            (request.clone(), five, chunked, Other, Framing::Chunked),
        ];
        for (start, length, encoding, kind, expected) in cases {
            assert_eq!(
                framing(&start, length, encoding, kind),
                expected,
                "{start:?} {length:?} {encoding:?}"
            );
        }
        assert!(matches!(
            framing(&response(200), ContentLength::Invalid, plain, Other),
            Framing::Unknown("invalid Content-Length")
        ));
        assert!(matches!(framing(&request, none, TransferEncoding::Other, Other), Framing::Unknown(_)));
    }
}
