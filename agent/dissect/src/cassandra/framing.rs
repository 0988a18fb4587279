//! Envelopes (section 2 of the specification), and the frames around them of version 5 (section 2.2 of version 5).

use super::names::{self, opcode};
use crate::frame::Length;
use crate::{Direction, Framing};

pub(super) const HEADER: usize = 9;
/// Larger ones no server takes.
const LARGEST: u32 = 256 << 20;

pub(super) const COMPRESSED: u8 = 0x01;
pub(super) const TRACING: u8 = 0x02;
pub(super) const CUSTOM_PAYLOAD: u8 = 0x04;
pub(super) const WARNING: u8 = 0x08;
const ALL_FLAGS: u8 = 0x1f;

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) version: u8,
    pub(super) is_response: bool,
    pub(super) flags: u8,
    pub(super) stream: i16,
    pub(super) code: u8,
    pub(super) length: u32,
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let [version, flags, s0, s1, code, l0, l1, l2, l3] = *bytes.first_chunk()?;
        let header = Self {
            version: version & 0x7f,
            is_response: version & 0x80 != 0,
            flags,
            stream: i16::from_be_bytes([s0, s1]),
            code,
            length: u32::from_be_bytes([l0, l1, l2, l3]),
        };
        let (_, of_server) = names::opcode_name(code)?;
        let is_empty = matches!(code, opcode::OPTIONS | opcode::READY) && flags & !0x10 == 0;
        let fits = (3..=5).contains(&header.version)
            && flags & !ALL_FLAGS == 0
            && of_server == header.is_response
            && header.length <= LARGEST
            && (!is_empty || header.length == 0)
            && (header.stream >= 0 || code == opcode::EVENT || header.is_response);
        fits.then_some(header)
    }

    /// Whether what is there of the body can be of such a message.
    pub(super) fn fits(&self, bytes: &[u8]) -> bool {
        let body = bytes.get(HEADER..).unwrap_or_default();
        if self.flags & (COMPRESSED | TRACING | WARNING | CUSTOM_PAYLOAD) != 0 {
            return true;
        }
        let short = || body.first_chunk().map(|bytes| u32::from(u16::from_be_bytes(*bytes)));
        let long = || body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        match self.code {
            opcode::QUERY | opcode::PREPARE => {
                let size = long().is_none_or(|size| size > 0 && size <= self.length.saturating_sub(4));
                size && body
                    .get(4)
                    .is_none_or(|first| first.is_ascii_graphic() || first.is_ascii_whitespace())
            }
            opcode::EXECUTE => short().is_none_or(|size| (1..=64).contains(&size) && size + 5 <= self.length),
            opcode::RESULT => long().is_none_or(|kind| match kind {
                1 => self.length == 4,
                kind => (2..=5).contains(&kind) && self.length > 5,
            }),
            opcode::ERROR => long().is_none_or(|code| names::error(code).is_some()),
            opcode::BATCH => body.first().is_none_or(|kind| *kind <= 2),
            opcode::STARTUP => short().is_none_or(|count| (1..=16).contains(&count)),
            _ => true,
        }
    }
}

/// The head of a frame of version 5.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outer {
    /// Bytes of the head.
    pub(super) head: usize,
    pub(super) length: usize,
    /// What the payload unpacks to; 0 where it is not compressed.
    pub(super) unpacked: usize,
    pub(super) self_contained: bool,
}

/// Behind each payload.
pub(super) const TRAILER: usize = 4;

impl Outer {
    /// Known by the checksum of the head.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        const BITS: u64 = 0x1_ffff;
        let [a, b, c, d, e, f] = *bytes.first_chunk()?;
        let plain = u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]);
        if crc24(&[a, b, c]) == u32::from_le_bytes([d, e, f, 0]) && plain >> 18 == 0 {
            let self_contained = plain >> 17 & 1 == 1;
            return Some(Self { head: 6, length: (plain & BITS) as usize, unpacked: 0, self_contained });
        }
        let [_, _, _, _, _, f, g, h] = *bytes.first_chunk()?;
        let packed = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
        if crc24(&[a, b, c, d, e]) == u32::from_le_bytes([f, g, h, 0]) && packed >> 35 == 0 {
            return Some(Self {
                head: 8,
                length: (packed & BITS) as usize,
                unpacked: (packed >> 17 & BITS) as usize,
                self_contained: packed >> 34 & 1 == 1,
            });
        }
        None
    }

    pub(super) const fn size(&self) -> usize {
        self.head + self.length + TRAILER
    }
}

/// With the polynomial and the start that the specification gives.
pub(super) fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x87_5060, |crc, byte| {
        let [_, top, ..] = crc.to_be_bytes();
        (crc << 8 & 0xff_ffff) ^ CRC24[usize::from(top ^ byte)]
    })
}

/// What a byte at the top adds.
static CRC24: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u32) << 16;
        let mut bit = 0;
        while bit < 8 {
            crc <<= 1;
            if crc & 0x100_0000 != 0 {
                crc ^= 0x197_4f0b;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

pub(super) fn crc32(payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[0xfa, 0x2d, 0x55, 0xca]);
    crc.update(payload);
    crc.finalize()
}

/// What is known of how a direction is cut into messages.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Wire {
    /// Of each direction: frames have begun.
    pub(super) framed: [bool; 2],
    /// The version has no frames.
    pub(super) plain: bool,
}

impl Wire {
    pub(super) fn outer(&self, bytes: &[u8]) -> Option<Outer> {
        if self.plain { None } else { Outer::parse(bytes) }
    }
}

impl Framing for Wire {
    fn length(&self, direction: Direction, bytes: &[u8]) -> Length {
        if bytes.len() < HEADER {
            return Length::Unknown;
        }
        if let Some(outer) = self.outer(bytes) {
            return Length::Known(outer.size() as u64);
        }
        match Header::parse(bytes) {
            _ if self.framed[direction.index()] => Length::Invalid("the checksum of a frame's head is wrong"),
            Some(header) => Length::Known(HEADER as u64 + u64::from(header.length)),
            None => Length::Invalid("the header makes no sense"),
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        self.outer(bytes).is_some()
            || !self.framed[direction.index()]
                && Header::parse(bytes).is_some_and(|header| header.fits(bytes))
    }
}

/// Envelopes inside of frames.
pub(super) struct Inner;

impl Framing for Inner {
    fn length(&self, _: Direction, bytes: &[u8]) -> Length {
        if bytes.len() < HEADER {
            return Length::Unknown;
        }
        match Header::parse(bytes) {
            Some(header) => Length::Known(HEADER as u64 + u64::from(header.length)),
            None => Length::Invalid("the header makes no sense"),
        }
    }

    fn begins(&self, _: Direction, bytes: &[u8]) -> bool {
        Header::parse(bytes).is_some_and(|header| header.fits(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_frames_are_known_by_their_checksum() {
        let mut head = (0x2_0000u32 | 300).to_le_bytes()[..3].to_vec();
        head.extend(&crc24(&head).to_le_bytes()[..3]);
        head.resize(16, 0);
        let outer = Outer::parse(&head).unwrap();
        assert_eq!((outer.length, outer.self_contained, outer.size()), (300, true, 310));
        head[0] ^= 1;
        assert!(Outer::parse(&head).is_none());
    }
}
