//! Packets as they were before the wire: put together where they are sent in several, and taken out of compressed ones
//! (MySQL "Protocol Basics": "MySQL Packets", "Compression").

use super::super::framing::{FULL, Wire};
use crate::frame::{Framed, Step};
use crate::unpack::{self, Coding, DecodeCaps};
use crate::{Context, Direction, Frames, Reader};

/// Payload length and number.
const HEAD: usize = 4;

/// What a frame of Zstandard begins with (RFC 8878, section 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Both sides of a connection; `ToServer` is the client's.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    wire: Wire,
    frames: Frames,
    /// Packets inside of compressed ones, and their bytes that are not a packet yet.
    inner: Frames,
    unpacked: [Vec<u8>; 2],
    /// Captured bytes of compressed packets that no packet was finished by.
    carried: [u64; 2],
    /// Packets that the next one continues.
    partial: [Option<Framed<'static>>; 2],
}

/// A packet, and those that continue it.
#[derive(Debug)]
pub(super) struct Packet<'a> {
    /// Of several, the first with the sizes of all.
    pub(super) framed: Framed<'a>,
    /// The number of the last.
    pub(super) number: u8,
    /// Bytes of the stream.
    pub(super) captured: u64,
}

/// What was in a compressed packet, behind what was left of those before.
#[derive(Debug)]
pub(super) struct Unpacked {
    bytes: Vec<u8>,
    used: usize,
}

impl Assembly {
    pub(super) const fn is_compressed(&self) -> bool {
        self.wire.compressed
    }

    /// Whether packets are inside of compressed ones from here on.
    pub(super) const fn compress(&mut self, compressed: bool) {
        self.wire.compressed = compressed;
    }

    /// Whether the next byte of a side is the first of a packet.
    pub(super) fn is_between(&self, side: Direction) -> bool {
        self.frames.is_between(side)
    }

    pub(super) fn is_lost(&self, side: Direction) -> bool {
        self.frames.is_lost(side)
    }

    /// The place in a side's stream is not known.
    pub(super) fn lose(&mut self, side: Direction) {
        self.frames.lose(side);
    }

    /// The place inside of a side's compressed packets is not known.
    pub(super) fn lose_inside(&mut self, side: Direction) {
        self.inner.lose(side);
    }

    /// Lets go of what is not a packet yet.
    pub(super) fn clear(&mut self, side: Direction) {
        self.partial[side.index()] = None;
        self.unpacked[side.index()].clear();
        self.carried[side.index()] = 0;
    }

    /// As [`Frames::step`].
    pub(super) fn step<'a>(
        &mut self,
        side: Direction,
        bytes: &'a [u8],
        context: &mut Context<'_>,
    ) -> Step<'a> {
        self.frames.step(&self.wire, side, bytes, context)
    }

    /// As [`Frames::gap`].
    pub(super) fn gap(
        &mut self,
        side: Direction,
        missing: u64,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) -> Option<Framed<'static>> {
        self.frames.gap(&self.wire, side, missing, unparsed, context)
    }

    /// As [`Frames::end`].
    pub(super) fn end(
        &mut self,
        side: Direction,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) -> Option<Framed<'static>> {
        self.frames.end(&self.wire, side, unparsed, context)
    }

    /// Takes a packet that is not inside of another.
    pub(super) fn plain<'a>(&mut self, side: Direction, framed: Framed<'a>) -> Option<Packet<'a>> {
        let mut packet = self.join(side, framed)?;
        packet.captured = packet.framed.size;
        Some(packet)
    }

    /// Takes a compressed packet. `None` where not all of it is there, and the place inside is lost.
    pub(super) fn unpack(
        &mut self,
        side: Direction,
        framed: &Framed<'_>,
        context: &Context<'_>,
    ) -> Option<Unpacked> {
        self.carried[side.index()] += framed.size;
        let Some(more) = decompress(framed, context) else {
            self.inner.lose(side);
            return None;
        };
        let mut bytes = std::mem::take(&mut self.unpacked[side.index()]);
        bytes.extend_from_slice(&more);
        Some(Unpacked { bytes, used: 0 })
    }

    /// The next packet of those inside. To be called until there is none, and then [`Self::put_back`].
    pub(super) fn inside<'a>(
        &mut self,
        side: Direction,
        unpacked: &'a mut Unpacked,
        context: &mut Context<'_>,
    ) -> Option<Packet<'a>> {
        let Unpacked { bytes, used } = unpacked;
        let bytes: &'a [u8] = bytes;
        while *used < bytes.len() {
            match self.inner.step(&Wire::default(), side, &bytes[*used..], context) {
                Step::Wait | Step::Invalid(_) => break,
                Step::Used(more) => *used += more,
                Step::Message(framed, more) => {
                    *used += more;
                    if let Some(packet) = self.join(side, framed) {
                        let captured = std::mem::take(&mut self.carried[side.index()]);
                        return Some(Packet { captured, ..packet });
                    }
                }
            }
        }
        None
    }

    /// Keeps what is not a packet yet.
    pub(super) fn put_back(&mut self, side: Direction, unpacked: Unpacked) {
        let Unpacked { mut bytes, used } = unpacked;
        bytes.drain(..used);
        self.unpacked[side.index()] = bytes;
    }

    /// Puts packets together that are continued.
    fn join<'a>(&mut self, side: Direction, framed: Framed<'a>) -> Option<Packet<'a>> {
        let partial = &mut self.partial[side.index()];
        let full = payload_length(&framed) == FULL;
        let number = framed.bytes.get(3).copied().unwrap_or(0);
        let framed = match partial.take() {
            Some(mut first) => {
                first.size += framed.size;
                first.cut += framed.size;
                first.missing += framed.missing;
                first
            }
            None => framed,
        };
        if full {
            *partial = Some(Framed { bytes: framed.bytes.into_owned().into(), ..framed });
            return None;
        }
        Some(Packet { framed, number, captured: 0 })
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        self.frames.memory()
            + self.inner.memory()
            + self.unpacked.iter().map(Vec::capacity).sum::<usize>()
            + self.partial.iter().flatten().map(|partial| partial.bytes.len()).sum::<usize>()
    }
}

impl Packet<'_> {
    /// As far as it is there.
    pub(super) fn payload(&self) -> &[u8] {
        self.framed.bytes.get(HEAD..).unwrap_or_default()
    }

    /// Of the payload, whether it is there or not.
    pub(super) fn length(&self) -> u64 {
        payload_length(&self.framed)
    }

    /// The number of the first, where that is there.
    pub(super) fn first_number(&self) -> Option<u8> {
        self.framed.bytes.get(3).copied()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.framed.is_whole()
    }
}

fn payload_length(framed: &Framed<'_>) -> u64 {
    (framed.size + framed.missing).saturating_sub(HEAD as u64)
}

/// What is inside of a compressed packet; `None` where not all of it is there.
fn decompress(framed: &Framed<'_>, context: &Context<'_>) -> Option<Vec<u8>> {
    let mut reader = Reader::new(&framed.bytes);
    reader.skip(HEAD).ok()?;
    let size = reader.u24_le().ok()? as usize;
    let body = reader.rest();
    if !framed.is_whole() {
        return None;
    }
    if size == 0 {
        return Some(body.to_vec());
    }
    let coding = if body.starts_with(&ZSTD) { Coding::Zstd } else { Coding::Deflate };
    let limit = DecodeCaps::of(context.limits).allow(body.len());
    unpack::unpack(coding, body, limit.min(size)).filter(|bytes| bytes.len() == size)
}
