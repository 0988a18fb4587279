use std::io::{self, Write};

use remora_packet::{LinkType, Packet};

/// Units of the record timestamps, told by the file's magic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// Read by every tool.
    Micros,
    /// Keeps what the kernel and [`remora_packet::Timestamp`] have.
    Nanos,
}

#[derive(Debug, thiserror::Error)]
pub enum PcapWriteError {
    #[error("a classic pcap has one link type: this one's is {expected}, the packet's is {found}")]
    LinkType { expected: u32, found: u32 },
    #[error("cannot write the capture: {0}")]
    Write(#[from] io::Error),
}

/// Bytes of [`file_header`].
pub const FILE_HEADER_BYTES: usize = crate::classic::FILE_HEADER_BYTES;

/// Bytes of [`record_header`].
pub const RECORD_HEADER_BYTES: usize = 16;

/// What a little-endian classic pcap of version 2.4 begins with: for those who keep records in buffers of their own.
pub fn file_header(link: LinkType, snaplen: u32, resolution: Resolution) -> [u8; FILE_HEADER_BYTES] {
    let magic: u32 = match resolution {
        Resolution::Micros => 0xa1b2_c3d4,
        Resolution::Nanos => 0xa1b2_3c4d,
    };
    let mut header = [0; FILE_HEADER_BYTES];
    header[0..4].copy_from_slice(&magic.to_le_bytes());
    header[4..6].copy_from_slice(&2u16.to_le_bytes());
    header[6..8].copy_from_slice(&4u16.to_le_bytes());
    header[16..20].copy_from_slice(&snaplen.to_le_bytes());
    header[20..24].copy_from_slice(&link.0.to_le_bytes());
    header
}

/// What comes before the `kept` bytes of a packet. Times outside 1970 to 2106, which the format cannot hold, become the
/// nearest it can.
#[inline]
pub fn record_header(packet: &Packet<'_>, kept: u32, resolution: Resolution) -> [u8; RECORD_HEADER_BYTES] {
    let (seconds, nanos) = match u32::try_from(packet.timestamp.seconds()) {
        Ok(seconds) => (seconds, packet.timestamp.subsec_nanos()),
        Err(_) if packet.timestamp.seconds() < 0 => (0, 0),
        Err(_) => (u32::MAX, 999_999_999),
    };
    let fraction = match resolution {
        Resolution::Micros => nanos / 1_000,
        Resolution::Nanos => nanos,
    };
    let mut header = [0; RECORD_HEADER_BYTES];
    for (field, number) in header.chunks_exact_mut(4).zip([seconds, fraction, kept, packet.length]) {
        field.copy_from_slice(&number.to_le_bytes());
    }
    header
}

/// The bytes of a packet that a file of this `snaplen` keeps.
fn kept<'a>(packet: &Packet<'a>, snaplen: u32) -> &'a [u8] {
    match snaplen as usize {
        0 => packet.data,
        snaplen => &packet.data[..packet.data.len().min(snaplen)],
    }
}

/// Writes a classic pcap, little-endian, version 2.4.
///
/// Each packet makes two small writes; wrap a file in a [`std::io::BufWriter`].
#[derive(Debug)]
pub struct PcapWriter<W> {
    output: W,
    link: LinkType,
    snaplen: u32,
    resolution: Resolution,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header. Packets longer than `snaplen` bytes are cut to it; 0 keeps them whole.
    pub fn new(
        mut output: W,
        link: LinkType,
        snaplen: u32,
        resolution: Resolution,
    ) -> Result<Self, PcapWriteError> {
        output.write_all(&file_header(link, snaplen, resolution))?;
        Ok(Self { output, link, snaplen, resolution })
    }

    /// Appends a packet, its time as [`record_header`] has it.
    pub fn write(&mut self, packet: &Packet<'_>) -> Result<(), PcapWriteError> {
        if packet.link != self.link {
            return Err(PcapWriteError::LinkType { expected: self.link.0, found: packet.link.0 });
        }
        let kept = kept(packet, self.snaplen);
        self.output.write_all(&record_header(packet, kept.len() as u32, self.resolution))?;
        self.output.write_all(kept)?;
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    pub fn into_inner(self) -> W {
        self.output
    }
}
