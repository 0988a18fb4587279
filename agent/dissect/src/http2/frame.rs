//! Frames (RFC 9113, sections 4 and 6), and how their beginnings are told from other bytes.

/// What a client sends first (section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const HEAD_BYTES: usize = 9;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// A frame's first nine bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    reserved: bool,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[l0, l1, l2, kind, flags, s0, s1, s2, s3] = bytes.first_chunk::<HEAD_BYTES>()?;
        Some(Self {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind,
            flags,
            stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]),
            reserved: s0 & 0x80 != 0,
        })
    }

    /// Bytes of the whole frame.
    pub(super) const fn total(&self) -> u64 {
        HEAD_BYTES as u64 + self.length as u64
    }

    pub(super) const fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & 0x01 != 0
    }

    pub(super) const fn ends_headers(&self) -> bool {
        self.flags & 0x04 != 0
    }

    pub(super) const fn is_padded(&self) -> bool {
        matches!(self.kind, DATA | HEADERS | PUSH_PROMISE) && self.flags & 0x08 != 0
    }

    /// SETTINGS and PING.
    pub(super) const fn is_ack(&self) -> bool {
        self.flags & 0x01 != 0
    }

    /// Carries a header block or a part of one.
    pub(super) const fn carries_fields(&self) -> bool {
        matches!(self.kind, HEADERS | PUSH_PROMISE | CONTINUATION)
    }

    /// Why no endpoint sends such a frame. Kinds that are not known are extensions (section 5.5).
    pub(super) const fn fault(&self) -> Option<&'static str> {
        let of_stream = self.stream != 0;
        match (self.kind, self.length) {
            (DATA | HEADERS | PRIORITY | RST_STREAM | PUSH_PROMISE | CONTINUATION, _) if !of_stream => {
                Some("a frame that belongs to a stream, without one")
            }
            (SETTINGS | PING | GOAWAY, _) if of_stream => Some("a frame of the connection, on a stream"),
            (PRIORITY, 5) | (RST_STREAM | WINDOW_UPDATE, 4) | (PING, 8) => None,
            (PRIORITY | RST_STREAM | WINDOW_UPDATE | PING, _) => Some("a frame of the wrong length"),
            (SETTINGS, length) if length % 6 != 0 => Some("a SETTINGS frame of the wrong length"),
            (GOAWAY, ..8) => Some("a GOAWAY frame that is too short"),
            _ => None,
        }
    }

    /// Whether it is as most implementations send it. For bytes that may be anything.
    fn is_typical(&self) -> bool {
        let flags = match self.kind {
            DATA => 0x09,
            HEADERS => 0x2d,
            SETTINGS | PING => 0x01,
            PUSH_PROMISE => 0x0c,
            CONTINUATION => 0x04,
            _ => 0,
        };
        let length = match self.kind {
            // An empty one is sent only for its flag.
            DATA => u32::from(self.flags & 0x01 == 0)..=1 << 20,
            HEADERS | PUSH_PROMISE | CONTINUATION => 1..=1 << 16,
            SETTINGS if self.is_ack() => 0..=0,
            SETTINGS => 0..=96,
            GOAWAY => 8..=1 << 10,
            _ => 0..=8,
        };
        self.kind <= CONTINUATION
            && !self.reserved
            && self.flags & !flags == 0
            && length.contains(&self.length)
            && self.fault().is_none()
    }

    /// How much it speaks for HTTP/2.
    fn weight(&self, known: &dyn Fn(u32) -> bool) -> u8 {
        match self.kind {
            DATA | HEADERS | PUSH_PROMISE | CONTINUATION if !known(self.stream) => 1,
            _ => 2,
        }
    }
}

/// What frames in a row speak for, at the least, where they begin a segment: two of any kind, or one that fits exactly.
const AT_BEGINNING: u8 = 2;
/// And in the middle of one.
const INSIDE: u8 = 3;

/// Whether frames begin here, where bytes before are missing or were not understood. `inside` a segment more is asked for
/// than at its beginning. `known` says whether a stream is open.
pub(super) fn begin(mut bytes: &[u8], inside: bool, known: &dyn Fn(u32) -> bool) -> bool {
    let enough = if inside { INSIDE } else { AT_BEGINNING };
    let (mut weight, mut frames) = (0, 0);
    while let Some(head) = Head::parse(bytes) {
        if !head.is_typical() || !content_fits(&head, &bytes[HEAD_BYTES..]) {
            return false;
        }
        weight += head.weight(known);
        frames += 1;
        match bytes.get(head.total() as usize..) {
            Some(rest) => bytes = rest,
            // Its end is not here, so that its length tells nothing.
            None => return frames > 1 && weight >= enough,
        }
        if bytes.is_empty() {
            return weight + 1 >= enough;
        }
        if weight > INSIDE {
            return true;
        }
    }
    // Less than a frame's head is left.
    weight >= enough
}

/// Looks into frames whose content is easily told. `content` may go on behind the frame, or end early.
fn content_fits(head: &Head, content: &[u8]) -> bool {
    let word = content.first_chunk().map(|word| u32::from_be_bytes(*word));
    match head.kind {
        SETTINGS => content
            .chunks_exact(6)
            .take(head.length as usize / 6)
            .all(|setting| is_setting(u16::from_be_bytes([setting[0], setting[1]]))),
        RST_STREAM => word.is_none_or(|code| code <= 0x0d),
        WINDOW_UPDATE => word.is_none_or(|increment| (1..1 << 31).contains(&increment)),
        _ => true,
    }
}

/// Settings of IANA's registry, of gRPC's C core (true binary metadata), and those that are to be passed over (of the form
/// 0x?a?a, draft-bishop-httpbis-grease).
const fn is_setting(id: u16) -> bool {
    matches!(id, 1..=0x10 | 0xfe03) || id & 0x0f0f == 0x0a0a
}

/// Whether these are the settings that an endpoint sends first, whole.
pub(super) fn begin_with_settings(bytes: &[u8]) -> bool {
    Head::parse(bytes).is_some_and(|head| {
        head.kind == SETTINGS
            && head.length > 0
            && !head.is_ack()
            && head.is_typical()
            && bytes.len() as u64 >= head.total()
            && content_fits(&head, &bytes[HEAD_BYTES..])
    })
}

/// Whether these are the first bytes of the settings that an endpoint sends first: their end is not here.
pub(super) fn may_begin_with_settings(bytes: &[u8]) -> bool {
    // Settings are few.
    const FORM: [Option<u8>; HEAD_BYTES] =
        [Some(0), Some(0), None, Some(SETTINGS), Some(0), Some(0), Some(0), Some(0), Some(0)];
    let is_in_form = bytes.iter().zip(FORM).all(|(byte, form)| form.is_none_or(|form| form == *byte));
    is_in_form
        && Head::parse(bytes).is_none_or(|head| {
            head.length > 0
                && head.is_typical()
                && (bytes.len() as u64) < head.total()
                && content_fits(&head, &bytes[HEAD_BYTES..])
        })
}

/// The name of an error code (RFC 9113, section 7).
pub(super) fn error_name(code: u32) -> &'static str {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES.get(code as usize).copied().unwrap_or("unknown error")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
    }

    fn begins(bytes: &[u8], inside: bool) -> bool {
        begin(bytes, inside, &|stream| stream == 7)
    }

    #[test]
    fn frames_are_found_by_several_heads_that_fit() {
        let headers = frame(HEADERS, 0x04, 5, b"\x82\x86");
        let data = frame(DATA, 0x01, 5, b"hello");
        let window = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0x10, 0]);
        assert!(begins(&headers, false) && !begins(&headers, true));
        assert!(begins(&[&headers[..], &data].concat(), true));
        assert!(begins(&[&window[..], &window].concat(), true));
        assert!(begins(&frame(DATA, 0x01, 7, b"hello"), true));
        assert!(!begins(&data[..10], false));
        assert!(!begins(&frame(DATA, 0, 5, b""), false));
        assert!(!begins(&frame(WINDOW_UPDATE, 0, 0, &[0; 4]), false));
        assert!(begin_with_settings(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])));
        assert!(!begin_with_settings(&frame(SETTINGS, 1, 0, &[])));
    }

    #[test]
    fn other_bytes_are_not_frames() {
        for other in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            &[0; 100],
            &[0xff; 100],
            &[1; 100],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaa",
            // PostgreSQL's SSLRequest, Kafka's ApiVersions, a DNS query over TCP, MongoDB's OP_MSG, AMQP.
            &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f],
            &[0, 0, 0, 20, 0, 18, 0, 0, 0, 0, 0, 1, 0, 6, b'c', b'l', b'i', b'e', b'n', b't'],
            &[0, 28, 0xab, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, b'w', b'w', b'w'],
            &[0x2a, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0],
            b"AMQP\0\0\x09\x01",
            &[0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0],
        ] {
            for start in 0..other.len() {
                assert!(!begins(&other[start..], start > 0), "{other:?} from {start}");
            }
        }
    }
}
