//! The fixture of a protocol that is not there yet: one connection of two exchanges, in raw IPv4.

use anyhow::Result;
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::{PcapWriter, Resolution};

const SYN: u8 = 0x02;
const FIN: u8 = 0x01;
const ACK: u8 = 0x10;

struct Side {
    address: [u8; 4],
    port: u16,
    sequence: u32,
}

struct Talk {
    /// Client and server.
    sides: [Side; 2],
    writer: PcapWriter<Vec<u8>>,
    nanos: i64,
}

impl Talk {
    fn send(&mut self, from: usize, flags: u8, payload: &[u8]) -> Result<()> {
        let (source, destination) = (&self.sides[from], &self.sides[1 - from]);
        let total = u16::try_from(40 + payload.len())?;
        let mut data = vec![0x45, 0];
        data.extend(total.to_be_bytes());
        data.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        data.extend(source.address);
        data.extend(destination.address);
        data.extend(source.port.to_be_bytes());
        data.extend(destination.port.to_be_bytes());
        data.extend(source.sequence.to_be_bytes());
        data.extend(destination.sequence.to_be_bytes());
        data.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        data.extend(payload);
        self.nanos += 1_000_000;
        let timestamp = Timestamp::from_nanos(self.nanos);
        self.writer.write(&Packet {
            timestamp,
            link: LinkType::RAW,
            interface: 0,
            length: total.into(),
            data: &data,
        })?;
        let length = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sides[from].sequence = self.sides[from].sequence.wrapping_add(length);
        Ok(())
    }
}

fn lines(name: &str) -> [(usize, String); 4] {
    let upper = name.to_ascii_uppercase();
    [(0, "hello there"), (1, "ok"), (0, "bye"), (1, "ok see you")]
        .map(|(from, words)| (from, format!("{upper} {words}\r\n")))
}

/// The capture, as a pcap.
pub(super) fn example(name: &str, port: u16) -> Result<Vec<u8>> {
    let writer = PcapWriter::new(Vec::new(), LinkType::RAW, 0, Resolution::Nanos)?;
    let client = Side { address: [198, 51, 100, 2], port: 40_000, sequence: 1_000 };
    let server = Side { address: [198, 51, 100, 1], port, sequence: 5_000 };
    let mut talk = Talk { sides: [client, server], writer, nanos: 1_700_000_000_000_000_000 };
    talk.send(0, SYN, b"")?;
    talk.send(1, SYN | ACK, b"")?;
    for (from, line) in lines(name) {
        talk.send(from, ACK, line.as_bytes())?;
    }
    talk.send(0, FIN | ACK, b"")?;
    talk.send(1, FIN | ACK, b"")?;
    Ok(talk.writer.into_inner())
}

/// The same conversation for the fuzz target: mode and size of pieces, then each line with its direction and length.
pub(super) fn seed(name: &str) -> Vec<u8> {
    let mut seed = vec![0, 4];
    for (from, line) in lines(name) {
        seed.push(from as u8);
        seed.extend((line.len() as u16).to_be_bytes());
        seed.extend(line.as_bytes());
    }
    seed
}
