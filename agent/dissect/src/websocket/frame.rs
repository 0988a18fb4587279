//! Frames (RFC 6455, section 5.2): their heads, their masks, and whether some begin where that is not known.

use crate::read::Reader;

/// Longest payload of a control frame (section 5.5).
const CONTROL_BYTES: u64 = 125;

/// Text of so many bytes tells frames from other bytes. Clients mask, so that little else unmasks to text.
const TELLING_TEXT: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// Of a message; control frames are always final.
    pub(super) last: bool,
    /// RSV1, which permessage-deflate sets on the first frame of a compressed message (RFC 7692, section 6).
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub(super) length: u64,
    /// Bytes of the head itself.
    pub(super) bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parsed {
    Head(Head),
    Partial,
    Invalid(&'static str),
}

/// Reads the head that `bytes` begin with.
pub(super) fn head(bytes: &[u8]) -> Parsed {
    let Some(&first) = bytes.first() else { return Parsed::Partial };
    let opcode = match first & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Parsed::Invalid("reserved opcode"),
    };
    let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    if first & 0x30 != 0 {
        return Parsed::Invalid("reserved bit set");
    }
    if opcode.is_control() && (!last || compressed) {
        return Parsed::Invalid("control frame fragmented or compressed");
    }
    match rest(bytes, opcode) {
        Ok(Ok((mask, length, bytes))) => Parsed::Head(Head { last, compressed, opcode, mask, length, bytes }),
        Ok(Err(why)) => Parsed::Invalid(why),
        Err(_) => Parsed::Partial,
    }
}

type Rest = Result<(Option<[u8; 4]>, u64, usize), &'static str>;

/// Length and mask, behind the first byte.
fn rest(bytes: &[u8], opcode: Opcode) -> Result<Rest, crate::read::ParseError> {
    let mut reader = Reader::new(bytes);
    reader.skip(1)?;
    let second = reader.u8()?;
    let short = u64::from(second & 0x7f);
    if opcode.is_control() && short > CONTROL_BYTES {
        return Ok(Err("control frame too long"));
    }
    let length = match short {
        126 => u64::from(reader.u16_be()?),
        127 => reader.u64_be()?,
        _ => short,
    };
    // The shortest form must be used, and the most significant bit be 0.
    if short == 126 && length < 126 || short == 127 && (length <= 0xffff || length >> 63 != 0) {
        return Ok(Err("invalid payload length"));
    }
    let mask = if second & 0x80 == 0 { None } else { Some(reader.array()?) };
    Ok(Ok((mask, length, reader.position())))
}

/// Appends `bytes`, which lie `at` bytes into a payload, without their mask (section 5.3).
pub(super) fn unmask(bytes: &[u8], mask: [u8; 4], at: u64, into: &mut Vec<u8>) {
    let from = into.len();
    into.extend_from_slice(bytes);
    let mut mask = mask;
    mask.rotate_left((at % 4) as usize);
    let (groups, rest) = into[from..].as_chunks_mut::<4>();
    let whole = u32::from_ne_bytes(mask);
    groups.iter_mut().for_each(|group| *group = (u32::from_ne_bytes(*group) ^ whole).to_ne_bytes());
    rest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

/// How much speaks for frames that begin somewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Evidence {
    None,
    /// What is there of the first frame may be one.
    Open,
    /// They fit the segment to its end, as other bytes may by chance.
    Weak,
    Strong,
}

/// Whether a segment begins with a message's first frame; `masked` where it is known of its sender. All of its frames
/// must make sense.
pub(super) fn look(bytes: &[u8], masked: Option<bool>) -> Evidence {
    let (mut at, mut points, mut whole) = (0, 0, 0);
    let mut masked = masked;
    let mut inside = false;
    while at < bytes.len() {
        let head = match head(&bytes[at..]) {
            Parsed::Head(head) => head,
            Parsed::Partial => break,
            Parsed::Invalid(_) => return Evidence::None,
        };
        let continues = head.opcode == Opcode::Continuation;
        if head.mask.is_some() != *masked.get_or_insert(head.mask.is_some())
            || at == 0 && !head.last
            || !head.opcode.is_control() && continues != inside
            || continues && head.compressed
        {
            return Evidence::None;
        }
        if !head.opcode.is_control() {
            inside = !head.last;
        }
        let payload = &bytes[at + head.bytes..];
        let here = usize::try_from(head.length).unwrap_or(usize::MAX).min(payload.len());
        let is_whole = here as u64 == head.length;
        let is_text = head.opcode == Opcode::Text && !head.compressed && is_text(&payload[..here], head.mask);
        if head.opcode == Opcode::Text && !head.compressed && !is_text {
            return Evidence::None;
        }
        points += match (is_text && here >= TELLING_TEXT, is_whole) {
            (true, true) => 2,
            // A short frame is seldom sent in two segments.
            (true, false) if head.length > CONTROL_BYTES => 2,
            (_, false) => 0,
            // Other protocols have messages that begin like a short binary frame without a mask.
            (false, true) => usize::from(head.mask.is_some()),
        };
        whole += usize::from(is_whole);
        at = at.saturating_add(head.bytes).saturating_add(here);
    }
    match (points, whole) {
        (2.., _) => Evidence::Strong,
        (_, 0) => Evidence::Open,
        _ => Evidence::Weak,
    }
}

/// Whether a payload, of which the end may be missing, is text without control characters.
fn is_text(payload: &[u8], mask: Option<[u8; 4]>) -> bool {
    let mut clear = Vec::new();
    let payload = &payload[..payload.len().min(64)];
    let text = match mask {
        Some(mask) => {
            unmask(payload, mask, 0, &mut clear);
            clear.as_slice()
        }
        None => payload,
    };
    let plain =
        text.iter().all(|&byte| byte >= b' ' && byte != 0x7f || matches!(byte, b'\t' | b'\r' | b'\n'));
    plain && std::str::from_utf8(text).map_or_else(|error| error.error_len().is_none(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_lengths() {
        let head = |bytes: &[u8]| head(bytes);
        let of = |opcode, mask, length, bytes| {
            Parsed::Head(Head { last: true, compressed: false, opcode, mask, length, bytes })
        };
        assert_eq!(head(b"\x81\x05hello"), of(Opcode::Text, None, 5, 2));
        assert_eq!(head(b"\x89\x80\x01\x02\x03\x04"), of(Opcode::Ping, Some([1, 2, 3, 4]), 0, 6));
        assert_eq!(head(b"\x82\x7e\x01\x00"), of(Opcode::Binary, None, 256, 4));
        assert_eq!(head(b"\x82\x7f\0\0\0\0\0\x01\0\0"), of(Opcode::Binary, None, 65_536, 10));
        for end in 0..10 {
            assert_eq!(head(&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..end]), Parsed::Partial);
        }
        for bytes in [
            &b"\x83\0"[..],
            b"\x91\0",
            b"\x09\0",
            b"\xc9\0",
            b"\x89\x7e\0\x7e",
            b"\x81\x7e\0\x05",
            b"\x81\x7f\0\0\0\0\0\0\xff\xff",
            b"\x81\x7f\x80\0\0\0\0\0\0\0",
        ] {
            assert!(matches!(head(bytes), Parsed::Invalid(_)), "{bytes:x?}");
        }
    }

    #[test]
    fn a_mask_is_undone_from_any_place_on() {
        let mask = [1, 2, 3, 4];
        let text = b"the quick brown fox";
        let mut masked = Vec::new();
        unmask(text, mask, 0, &mut masked);
        for cut in 0..text.len() {
            let mut clear = Vec::new();
            unmask(&masked[..cut], mask, 0, &mut clear);
            unmask(&masked[cut..], mask, cut as u64, &mut clear);
            assert_eq!(clear, text);
        }
    }

    #[test]
    fn frames_are_told_from_other_bytes() {
        assert_eq!(look(b"\x81\x12more than 16 bytes", None), Evidence::Strong);
        assert_eq!(look(b"\x81\x12more than 16 bytes", Some(true)), Evidence::None);
        assert_eq!(look(b"\x82\x82\0\0\0\0ab\x89\x80\0\0\0\0", None), Evidence::Strong);
        assert_eq!(look(b"\x81\x05hello", None), Evidence::Weak);
        for other in [
            // MQTT SUBSCRIBE.
            &b"\x82\x0a\0\x01\0\x05topic\0"[..],
            b"\x81\x05hello and more",
            b"\x80\x05hello",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x81\x05\x01\x02\x03\x04\x05",
        ] {
            assert!(look(other, None) < Evidence::Strong, "{other:x?}");
        }
    }
}
