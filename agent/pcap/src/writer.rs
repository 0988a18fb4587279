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
        let magic: u32 = match resolution {
            Resolution::Micros => 0xa1b2_c3d4,
            Resolution::Nanos => 0xa1b2_3c4d,
        };
        let mut header = [0; 24];
        header[0..4].copy_from_slice(&magic.to_le_bytes());
        header[4..6].copy_from_slice(&2u16.to_le_bytes());
        header[6..8].copy_from_slice(&4u16.to_le_bytes());
        header[16..20].copy_from_slice(&snaplen.to_le_bytes());
        header[20..24].copy_from_slice(&link.0.to_le_bytes());
        output.write_all(&header)?;
        Ok(Self { output, link, snaplen, resolution })
    }

    /// Appends a packet. Times outside 1970 to 2106, which the format cannot hold, become the nearest it can.
    pub fn write(&mut self, packet: &Packet<'_>) -> Result<(), PcapWriteError> {
        if packet.link != self.link {
            return Err(PcapWriteError::LinkType { expected: self.link.0, found: packet.link.0 });
        }
        let (seconds, nanos) = match u32::try_from(packet.timestamp.seconds()) {
            Ok(seconds) => (seconds, packet.timestamp.subsec_nanos()),
            Err(_) if packet.timestamp.seconds() < 0 => (0, 0),
            Err(_) => (u32::MAX, 999_999_999),
        };
        let fraction = match self.resolution {
            Resolution::Micros => nanos / 1_000,
            Resolution::Nanos => nanos,
        };
        let kept = match self.snaplen as usize {
            0 => packet.data,
            snaplen => &packet.data[..packet.data.len().min(snaplen)],
        };
        let mut header = [0; 16];
        for (field, number) in
            header.chunks_exact_mut(4).zip([seconds, fraction, kept.len() as u32, packet.length])
        {
            field.copy_from_slice(&number.to_le_bytes());
        }
        self.output.write_all(&header)?;
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
