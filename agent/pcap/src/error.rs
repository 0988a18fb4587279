use std::fmt;
use std::io;

use crate::input::GzipError;
use crate::{MAX_BLOCK_BYTES, MAX_INTERFACES};

/// Why no more packets come out of a capture. Offsets count bytes of the file after decompression.
#[derive(Debug, thiserror::Error)]
pub enum PcapError {
    #[error("cannot read the capture beyond byte {offset}: {source}")]
    Read { offset: u64, source: io::Error },
    #[error("not a capture file: {found}; give a pcap or pcapng file, plain or compressed with gzip")]
    NotACapture { found: Found },
    /// Everything before `offset` is whole and was handed out.
    #[error(
        "the capture is cut off at byte {end}, inside the {part} at byte {offset}: it was not written or copied to its \
         end; its first {offset} bytes are a whole capture, and what is in them was read"
    )]
    Truncated { offset: u64, end: u64, part: Part },
    /// Everything before `offset` is whole and was handed out.
    #[error(
        "the capture is damaged at byte {offset}: {damage}; its first {offset} bytes are a whole capture, and what is \
         in them was read"
    )]
    Corrupt { offset: u64, damage: Damage },
    #[error(
        "version {major}.{minor} of {format} at byte {offset} is not supported; convert the file with \
         `editcap -F pcapng IN OUT`"
    )]
    UnsupportedVersion { offset: u64, format: &'static str, major: u16, minor: u16 },
}

/// What a file is that is no capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    Empty,
    /// It begins like a capture but is shorter than the file header.
    ShortHeader {
        bytes: usize,
    },
    Text,
    /// A format known by its first bytes.
    Other(&'static str),
    /// First bytes that are known for nothing.
    Magic([u8; 4]),
    /// A pcapng section header whose byte-order magic is none.
    ByteOrderMagic([u8; 4]),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::ShortHeader { bytes } => write!(f, "its {bytes} bytes are fewer than a file header has"),
            Self::Text => f.write_str("it is text"),
            Self::Other(format) => write!(f, "it is {format}"),
            Self::Magic(magic) => write!(f, "its first bytes are {:08x}", u32::from_be_bytes(*magic)),
            Self::ByteOrderMagic(magic) => {
                write!(f, "its byte-order magic at byte 8 is {:08x}", u32::from_be_bytes(*magic))
            }
        }
    }
}

/// Where the input ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    RecordHeader,
    RecordData,
    BlockHeader,
    Block,
    GzipStream,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RecordHeader => "packet record header",
            Self::RecordData => "packet record",
            Self::BlockHeader => "block header",
            Self::Block => "block",
            Self::GzipStream => "gzip-compressed record",
        })
    }
}

/// What contradicts itself in a damaged capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Damage {
    /// A packet record that claims more bytes than the file allows.
    PacketLength {
        bytes: u32,
        limit: u32,
    },
    /// A block length that is too small, too large or no multiple of 4.
    BlockLength {
        bytes: u32,
    },
    /// The two lengths around a block differ.
    TrailingLength {
        leading: u32,
        trailing: u32,
    },
    /// A packet that claims more bytes than its block has.
    PacketAboveBlock {
        packet: u32,
        block: u32,
    },
    /// A packet on an interface that no block described before it.
    UnknownInterface {
        interface: u32,
        known: usize,
    },
    TooManyInterfaces,
    /// A later section header whose byte-order magic is none.
    ByteOrderMagic([u8; 4]),
    /// The compressed stream, in the words of the decoder.
    Gzip(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PacketLength { bytes, limit } => {
                write!(f, "a packet of {bytes} bytes, where at most {limit} are possible")
            }
            Self::BlockLength { bytes } => {
                write!(f, "a block of {bytes} bytes (a multiple of 4 up to {MAX_BLOCK_BYTES} is possible)")
            }
            Self::TrailingLength { leading, trailing } => {
                write!(f, "a block whose length is {leading} before and {trailing} after it")
            }
            Self::PacketAboveBlock { packet, block } => {
                write!(f, "a packet of {packet} bytes in a block of {block}")
            }
            Self::UnknownInterface { interface, known } => {
                write!(f, "a packet on interface {interface}, where {known} are described")
            }
            Self::TooManyInterfaces => write!(f, "more than {MAX_INTERFACES} interfaces"),
            Self::ByteOrderMagic(magic) => {
                write!(f, "a section header with the byte-order magic {:08x}", u32::from_be_bytes(*magic))
            }
            Self::Gzip(message) => f.write_str(message),
        }
    }
}

impl PcapError {
    /// Sorts out whether the input failed or its compressed stream is broken. `offset` is where the record or block
    /// begins that was to be read, `end` how far the bytes went.
    pub(crate) fn from_read(error: io::Error, offset: u64, end: u64) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<GzipError>()) {
            Some(GzipError::Cut) => Self::Truncated { offset, end, part: Part::GzipStream },
            Some(damaged @ GzipError::Damaged(_)) => {
                Self::Corrupt { offset, damage: Damage::Gzip(damaged.to_string()) }
            }
            None => Self::Read { offset, source: error },
        }
    }
}
