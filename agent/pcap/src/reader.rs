use std::fmt;
use std::io::Read;

use remora_packet::Packet;

use crate::buffer::Buffer;
use crate::classic::{self, Classic};
use crate::error::{Found, PcapError};
use crate::input::Input;
use crate::ng::{self, Ng};

/// Reads packets one after the other from a capture of any size, in the order of the file.
///
/// The format is recognised by its first bytes: pcap (microsecond, nanosecond and Alexey Kuznetzov's modified magic) or
/// pcapng, either byte order, plain or gzip-compressed. A link type that nobody decodes is no error here.
///
/// Timestamps come out in nanoseconds UTC. A Simple Packet Block has none: its packet gets the time of the packet before
/// it, the epoch when there is none. A wire length below the captured length is raised to it.
pub struct PcapReader<R> {
    buffer: Buffer<Input<R>>,
    format: Format,
    /// Of an input that ended.
    skipped_secrets: u64,
}

/// What a capture holds.
#[derive(Clone, Copy)]
pub enum Block<'a> {
    Packet(Packet<'a>),
    /// Secrets of TLS sessions, in the form of a key log, for packets that follow. A pcapng has them in Decryption Secrets
    /// Blocks.
    TlsKeyLog(&'a [u8]),
}

enum Format {
    Classic(Classic),
    Ng(Ng),
    /// The file ended or broke; nothing more comes.
    Ended,
}

/// Bytes of the beginning that are enough to tell text from a binary format.
const LOOK_BYTES: usize = 64;

impl<R: Read> PcapReader<R> {
    /// Reads the file header. `input` needs no buffering of its own.
    pub fn new(input: R) -> Result<Self, PcapError> {
        let input = Input::detect(input).map_err(|error| PcapError::from_read(error, 0, 0))?;
        let mut buffer = Buffer::new(input);
        let have = match buffer.require(LOOK_BYTES) {
            Ok(have) => have,
            // A compressed stream that breaks early may still have delivered the header.
            Err(_) if buffer.unread().len() >= classic::FILE_HEADER_BYTES => buffer.unread().len(),
            Err(error) => return Err(PcapError::from_read(error, 0, buffer.unread().len() as u64)),
        };
        let first = buffer.unread();
        let format = if let Some(magic) = classic::magic(first) {
            if have < classic::FILE_HEADER_BYTES {
                return Err(PcapError::NotACapture { found: Found::ShortHeader { bytes: have } });
            }
            let classic = Classic::new(magic, first)?;
            buffer.take(classic::FILE_HEADER_BYTES);
            Format::Classic(classic)
        } else if first.starts_with(&ng::SECTION_HEADER.to_le_bytes()) {
            if have < ng::BYTE_ORDER_END {
                return Err(PcapError::NotACapture { found: Found::ShortHeader { bytes: have } });
            }
            Format::Ng(Ng::new(&mut buffer)?)
        } else {
            return Err(PcapError::NotACapture { found: recognise(&first[..have.min(LOOK_BYTES)]) });
        };
        Ok(Self { buffer, format, skipped_secrets: 0 })
    }

    /// The next packet, borrowed until the next call; `None` at the end of the file, and from then on, and after an error.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Packet<'_>>, PcapError> {
        Ok(match self.step(false)? {
            Some(Block::Packet(packet)) => Some(packet),
            _ => None,
        })
    }

    /// As [`Self::next`], with the secrets that lie between packets.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, PcapError> {
        self.step(true)
    }

    #[inline]
    fn step(&mut self, secrets: bool) -> Result<Option<Block<'_>>, PcapError> {
        let result = match &mut self.format {
            Format::Classic(classic) => {
                classic.next(&mut self.buffer).map(|packet| packet.map(Block::Packet))
            }
            Format::Ng(ng) => ng.next(&mut self.buffer, secrets),
            Format::Ended => return Ok(None),
        };
        if !matches!(result, Ok(Some(_))) {
            if let Format::Ng(ng) = &self.format {
                self.skipped_secrets = ng.skipped_secrets();
            }
            self.format = Format::Ended;
        }
        result
    }

    /// Blocks of secrets passed over so far because they are above [`MAX_SECRETS_BYTES`](crate::MAX_SECRETS_BYTES) or
    /// contradict themselves.
    pub fn skipped_secrets(&self) -> u64 {
        if let Format::Ng(ng) = &self.format { ng.skipped_secrets() } else { self.skipped_secrets }
    }

    /// Offset in the file, after decompression, of the first byte not yet read as part of a packet.
    pub fn offset(&self) -> u64 {
        self.buffer.offset()
    }
}

/// Secrets are not shown.
impl fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(packet) => f.debug_tuple("Packet").field(packet).finish(),
            Self::TlsKeyLog(_) => f.debug_tuple("TlsKeyLog").finish_non_exhaustive(),
        }
    }
}

impl<R> fmt::Debug for PcapReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapReader").finish_non_exhaustive()
    }
}

/// What a file is that begins with neither magic.
fn recognise(first: &[u8]) -> Found {
    const OTHERS: [(&[u8], &str); 7] = [
        (b"\x28\xb5\x2f\xfd", "compressed with zstd (decompress it first)"),
        (b"\x04\x22\x4d\x18", "compressed with lz4 (decompress it first)"),
        (b"\xfd7zXZ\0", "compressed with xz (decompress it first)"),
        (b"BZh", "compressed with bzip2 (decompress it first)"),
        (b"PK\x03\x04", "a zip archive (unpack it first)"),
        (b"\x1f\x8b", "compressed with gzip twice (decompress it first)"),
        (b"snoop\0\0\0", "a snoop capture (convert it with `editcap -F pcapng IN OUT`)"),
    ];
    if first.is_empty() {
        return Found::Empty;
    }
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Found::Other(name);
    }
    if first.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..)) {
        return Found::Text;
    }
    match first.first_chunk() {
        Some(magic) => Found::Magic(*magic),
        None => Found::ShortHeader { bytes: first.len() },
    }
}
