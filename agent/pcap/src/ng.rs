//! pcapng: <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>

use std::io::Read;

use remora_packet::{Packet, Timestamp};

use crate::buffer::Buffer;
use crate::classic::{require, truncated};
use crate::error::{Damage, Found, Part, PcapError};
use crate::interface::Interface;
use crate::order::ByteOrder;
use crate::reader::Block;
use crate::{MAX_BLOCK_BYTES, MAX_INTERFACES, MAX_SECRETS_BYTES};

/// The type of the Section Header Block reads the same in both byte orders.
pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
/// Obsolete since 2004, still written by old tools (appendix A of the draft).
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 0x0000_000a;

/// Secrets in the form of a TLS key log (section 4.7 of the draft).
const TLS_KEY_LOG: u32 = 0x544c_534b;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Where the byte-order magic of a Section Header Block ends.
pub(crate) const BYTE_ORDER_END: usize = 12;

/// Type and length before the body, the length again after it.
const BLOCK_HEADER_BYTES: usize = 8;
const BLOCK_FRAME_BYTES: usize = 12;

pub(crate) struct Ng {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Time of the packet before, for those that carry none.
    latest: Timestamp,
    /// Blocks of secrets that are too large or contradict themselves.
    skipped_secrets: u64,
}

struct SecretsLength {
    block: usize,
    secrets: usize,
}

/// Where a packet lies in its block, found before the block is taken out of the buffer.
struct Located {
    timestamp: Timestamp,
    interface: u32,
    wire: u32,
    captured: usize,
    at: usize,
}

impl Ng {
    /// Reads the first Section Header Block, whose first [`BYTE_ORDER_END`] bytes are in the buffer.
    pub(crate) fn new<R: Read>(buffer: &mut Buffer<R>) -> Result<Self, PcapError> {
        let Ok(order) = byte_order(buffer.unread()) else {
            let magic = buffer.unread()[BYTE_ORDER_END - 4..].first_chunk().copied().unwrap_or_default();
            return Err(PcapError::NotACapture { found: Found::ByteOrderMagic(magic) });
        };
        let mut ng = Self { order, interfaces: Vec::new(), latest: Timestamp::default(), skipped_secrets: 0 };
        ng.section_header(buffer)?;
        Ok(ng)
    }

    pub(crate) fn skipped_secrets(&self) -> u64 {
        self.skipped_secrets
    }

    /// The next packet, or secrets where they are `wanted`.
    #[inline]
    pub(crate) fn next<'b, R: Read>(
        &mut self,
        buffer: &'b mut Buffer<R>,
        wanted: bool,
    ) -> Result<Option<Block<'b>>, PcapError> {
        loop {
            let have = require(buffer, BLOCK_FRAME_BYTES)?;
            if have < BLOCK_FRAME_BYTES {
                return if have == 0 { Ok(None) } else { Err(truncated(buffer, Part::BlockHeader)) };
            }
            let kind = self.order.u32(buffer.unread(), 0);
            let minimum_body = match kind {
                ENHANCED_PACKET | OBSOLETE_PACKET => 20,
                SIMPLE_PACKET => 4,
                INTERFACE_DESCRIPTION => 8,
                SECTION_HEADER => {
                    self.section_header(buffer)?;
                    continue;
                }
                DECRYPTION_SECRETS if wanted => {
                    if let Some(length) = self.secrets(buffer)? {
                        let block = buffer.take(length.block);
                        return Ok(Some(Block::TlsKeyLog(
                            &block[BLOCK_HEADER_BYTES + 8..][..length.secrets],
                        )));
                    }
                    continue;
                }
                _ => {
                    self.skip_block(buffer)?;
                    continue;
                }
            };
            let length = self.whole_block(buffer, minimum_body)?;
            let body = &buffer.unread()[BLOCK_HEADER_BYTES..length - 4];
            let located = match kind {
                ENHANCED_PACKET => self.enhanced_packet(body),
                OBSOLETE_PACKET => self.obsolete_packet(body),
                SIMPLE_PACKET => self.simple_packet(body),
                _ => {
                    if self.interfaces.len() >= MAX_INTERFACES {
                        return Err(corrupt(buffer, Damage::TooManyInterfaces));
                    }
                    self.interfaces.push(Interface::new(self.order, body));
                    buffer.take(length);
                    continue;
                }
            };
            let packet = match located {
                Ok(packet) => packet,
                Err(damage) => return Err(corrupt(buffer, damage)),
            };
            self.latest = packet.timestamp;
            return Ok(Some(Block::Packet(Packet {
                timestamp: packet.timestamp,
                link: self.interfaces[packet.interface as usize].link,
                interface: packet.interface,
                length: packet.wire.max(packet.captured as u32),
                data: &buffer.take(length)[BLOCK_HEADER_BYTES + packet.at..][..packet.captured],
            })));
        }
    }

    /// A new section: its own byte order, its own interfaces.
    fn section_header<R: Read>(&mut self, buffer: &mut Buffer<R>) -> Result<(), PcapError> {
        self.order = match byte_order(buffer.unread()) {
            Ok(order) => order,
            Err(magic) => return Err(corrupt(buffer, Damage::ByteOrderMagic(magic))),
        };
        let length = self.whole_block(buffer, 16)?;
        let (major, minor) = (self.order.u16(buffer.unread(), 12), self.order.u16(buffer.unread(), 14));
        // 1.2 was written by some and differs in nothing (section 4.1 of the draft).
        if major != 1 || !matches!(minor, 0 | 2) {
            let offset = buffer.offset() + 12;
            return Err(PcapError::UnsupportedVersion { offset, format: "pcapng", major, minor });
        }
        self.interfaces.clear();
        buffer.take(length);
        Ok(())
    }

    /// The length of the block at hand, once it is known to make sense.
    fn block_length<R: Read>(&self, buffer: &Buffer<R>, minimum_body: usize) -> Result<usize, PcapError> {
        let bytes = self.order.u32(buffer.unread(), 4);
        let length = bytes as usize;
        if length < BLOCK_FRAME_BYTES + minimum_body || bytes > MAX_BLOCK_BYTES || !length.is_multiple_of(4) {
            return Err(corrupt(buffer, Damage::BlockLength { bytes }));
        }
        Ok(length)
    }

    /// Gets the whole block at hand into the buffer and checks its lengths.
    #[inline]
    fn whole_block<R: Read>(&self, buffer: &mut Buffer<R>, minimum_body: usize) -> Result<usize, PcapError> {
        let length = self.block_length(buffer, minimum_body)?;
        if require(buffer, length)? < length {
            return Err(truncated(buffer, Part::Block));
        }
        let trailing = self.order.u32(buffer.unread(), length - 4);
        if trailing as usize != length {
            return Err(corrupt(buffer, Damage::TrailingLength { leading: length as u32, trailing }));
        }
        Ok(length)
    }

    /// Gets a block of secrets into the buffer; passes over it where it is not of TLS, or not sound.
    #[cold]
    fn secrets<R: Read>(&mut self, buffer: &mut Buffer<R>) -> Result<Option<SecretsLength>, PcapError> {
        let block = self.block_length(buffer, 0)?;
        if block > MAX_SECRETS_BYTES as usize + BLOCK_FRAME_BYTES + 8 || block < BLOCK_FRAME_BYTES + 8 {
            self.skipped_secrets += 1;
            self.skip_block(buffer)?;
            return Ok(None);
        }
        self.whole_block(buffer, 8)?;
        let body = &buffer.unread()[BLOCK_HEADER_BYTES..block - 4];
        let (kind, secrets) = (self.order.u32(body, 0), self.order.u32(body, 4) as usize);
        let is_sound = secrets <= body.len() - 8;
        if kind == TLS_KEY_LOG && is_sound {
            return Ok(Some(SecretsLength { block, secrets }));
        }
        self.skipped_secrets += u64::from(!is_sound);
        buffer.take(block);
        Ok(None)
    }

    /// Passes over a block that holds no packet: names, statistics, secrets, custom and private ones.
    fn skip_block<R: Read>(&self, buffer: &mut Buffer<R>) -> Result<(), PcapError> {
        let offset = buffer.offset();
        let length = self.block_length(buffer, 0)?;
        let left_at = |end| move |error| PcapError::from_read(error, offset, end);
        let skipped = buffer.skip(length as u64 - 4).map_err(left_at(offset))?;
        let have = buffer.require(4).map_err(left_at(offset + skipped))?;
        if have < 4 {
            let end = offset + skipped + have as u64;
            return Err(PcapError::Truncated { offset, end, part: Part::Block });
        }
        let trailing = self.order.u32(buffer.take(4), 0);
        if trailing as usize != length {
            let damage = Damage::TrailingLength { leading: length as u32, trailing };
            return Err(PcapError::Corrupt { offset, damage });
        }
        Ok(())
    }

    #[inline]
    fn enhanced_packet(&self, body: &[u8]) -> Result<Located, Damage> {
        self.located(body, self.order.u32(body, 0))
    }

    fn obsolete_packet(&self, body: &[u8]) -> Result<Located, Damage> {
        self.located(body, self.order.u16(body, 0).into())
    }

    /// Both kinds of packet block have the same fields after the interface.
    #[inline]
    fn located(&self, body: &[u8], interface: u32) -> Result<Located, Damage> {
        let Some(described) = self.interfaces.get(interface as usize) else {
            return Err(Damage::UnknownInterface { interface, known: self.interfaces.len() });
        };
        let (captured, wire) = (self.order.u32(body, 12), self.order.u32(body, 16));
        if captured as usize > body.len() - 20 {
            return Err(Damage::PacketAboveBlock { packet: captured, block: block_bytes(body) });
        }
        let timestamp = described.timestamp(self.order.high_low(body, 4));
        Ok(Located { timestamp, interface, wire, captured: captured as usize, at: 20 })
    }

    /// Has neither interface (it is the first), time, nor captured length (it is the wire's up to the interface's limit).
    fn simple_packet(&self, body: &[u8]) -> Result<Located, Damage> {
        let Some(described) = self.interfaces.first() else {
            return Err(Damage::UnknownInterface { interface: 0, known: 0 });
        };
        let wire = self.order.u32(body, 0);
        let kept = if described.snaplen == 0 { wire } else { wire.min(described.snaplen) };
        if kept as usize > body.len() - 4 {
            return Err(Damage::PacketAboveBlock { packet: kept, block: block_bytes(body) });
        }
        Ok(Located { timestamp: self.latest, interface: 0, wire, captured: kept as usize, at: 4 })
    }
}

fn block_bytes(body: &[u8]) -> u32 {
    (body.len() + BLOCK_FRAME_BYTES) as u32
}

/// The byte order of the Section Header Block that `block` begins with, or the magic that is none.
fn byte_order(block: &[u8]) -> Result<ByteOrder, [u8; 4]> {
    let magic = block[BYTE_ORDER_END - 4..].first_chunk().copied().unwrap_or_default();
    match BYTE_ORDER_MAGIC {
        number if number == u32::from_le_bytes(magic) => Ok(ByteOrder::Little),
        number if number == u32::from_be_bytes(magic) => Ok(ByteOrder::Big),
        _ => Err(magic),
    }
}

#[cold]
fn corrupt<R: Read>(buffer: &Buffer<R>, damage: Damage) -> PcapError {
    PcapError::Corrupt { offset: buffer.offset(), damage }
}
