//! What a batch's records are compressed with, undone up to a cap.

use super::{lz4, snappy};
use crate::ParseError;
use crate::unpack::{Coding, unpack};

/// Why decompression ended before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// The cap is reached.
    Full,
    Broken,
}

impl From<ParseError> for Stop {
    fn from(_: ParseError) -> Self {
        Self::Broken
    }
}

/// What comes out, never more than the limit.
pub(super) struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    pub(super) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room { Err(Stop::Full) } else { Ok(()) }
    }

    /// Repeats `count` bytes from `distance` back, not from before `begin`. They may overlap what they make.
    pub(super) fn copy(&mut self, distance: usize, count: usize, begin: usize) -> Result<(), Stop> {
        let since = self.bytes.len() - begin;
        if distance == 0 || distance > since {
            return Err(Stop::Broken);
        }
        let allowed = count.min(self.limit - self.bytes.len());
        let start = self.bytes.len() - distance;
        let mut left = allowed;
        while left > 0 {
            let piece = left.min(self.bytes.len() - start);
            self.bytes.extend_from_within(start..start + piece);
            left -= piece;
        }
        if allowed < count { Err(Stop::Full) } else { Ok(()) }
    }
}

/// The lowest three bits of a batch's attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
    Unknown,
}

impl Codec {
    pub(super) const fn of(attributes: i16) -> Self {
        match attributes & 7 {
            0 => Self::None,
            1 => Self::Gzip,
            2 => Self::Snappy,
            3 => Self::Lz4,
            4 => Self::Zstd,
            _ => Self::Unknown,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Unknown => "unknown",
        }
    }

    /// What came out, and why not all of it.
    pub(super) fn undo(self, input: &[u8], limit: usize) -> (Vec<u8>, Result<(), Stop>) {
        let coding = match self {
            Self::Gzip => Coding::Gzip,
            Self::Zstd => Coding::Zstd,
            Self::Snappy | Self::Lz4 => {
                let mut output = Output::new(limit);
                let result = match self {
                    Self::Snappy => snappy::unpack(input, &mut output),
                    _ => lz4::frames(input, &mut output),
                };
                return (output.into_bytes(), result);
            }
            Self::None | Self::Unknown => return (Vec::new(), Err(Stop::Broken)),
        };
        match unpack(coding, input, limit) {
            Some(bytes) if bytes.len() >= limit => (bytes, Err(Stop::Full)),
            Some(bytes) => (bytes, Ok(())),
            None => (Vec::new(), Err(Stop::Broken)),
        }
    }
}
