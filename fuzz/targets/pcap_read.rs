//! Any bytes as a capture file.
#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use remora_packet::{LinkType, Packet};
use remora_pcap::{Block, MAX_SECRETS_BYTES, PcapReader, PcapWriter, Resolution};

/// Hands out at most so many bytes a call.
struct Chunks<'a>(&'a [u8], usize);

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(self.1);
        self.0.read(&mut out[..count])
    }
}

/// Compressed bytes can stand for gigabytes; the rest of such a file shows nothing new.
const MAX_PACKETS: usize = 10_000;
const MAX_BYTES: u64 = 16 << 20;

/// Calls `visit` with every packet; returns how the file ended, in the words of the error.
fn read(input: impl Read, mut visit: impl FnMut(&Packet<'_>)) -> String {
    let mut reader = match PcapReader::new(input) {
        Ok(reader) => reader,
        Err(error) => return error.to_string(),
    };
    for _ in 0..MAX_PACKETS {
        let before = reader.offset();
        if before > MAX_BYTES {
            return "enough".to_owned();
        }
        match reader.next_block() {
            Ok(Some(Block::Packet(packet))) => {
                assert!(packet.length as usize >= packet.data.len());
                visit(&packet);
            }
            Ok(Some(Block::TlsKeyLog(text))) => assert!(text.len() <= MAX_SECRETS_BYTES as usize),
            Ok(None) => return "whole".to_owned(),
            Err(error) => {
                assert!(matches!(reader.next(), Ok(None)), "nothing comes after an error");
                return error.to_string();
            }
        }
        assert!(reader.offset() > before, "a packet takes bytes");
    }
    "enough".to_owned()
}

fuzz_target!(|data: &[u8]| {
    let mut packets = Vec::new();
    let end = read(data, |packet| {
        packets.push((packet.timestamp, packet.link, packet.length, packet.data.to_vec()))
    });

    let mut index = 0;
    let chunk = data.last().map_or(1, |byte| usize::from(byte % 40) + 1);
    let chunked_end = read(Chunks(data, chunk), |packet| {
        if let Some((timestamp, link, length, data)) = packets.get(index) {
            assert_eq!((packet.timestamp, packet.link, packet.length), (*timestamp, *link, *length));
            assert_eq!(packet.data, data);
        }
        index += 1;
    });
    // How far a damaged compressed stream goes depends on where the decoder stood; a plain file is read alike.
    if !data.starts_with(&[0x1f, 0x8b]) {
        assert_eq!((index, chunked_end), (packets.len(), end));
    }

    let Ok(mut writer) = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 0, Resolution::Nanos) else {
        return;
    };
    for (timestamp, _, length, data) in &packets {
        let packet =
            Packet { timestamp: *timestamp, link: LinkType::ETHERNET, interface: 0, length: *length, data };
        writer.write(&packet).expect("a Vec takes everything");
    }
    let mut index = 0;
    let end = read(&writer.into_inner()[..], |packet| {
        let (timestamp, _, length, data) = &packets[index];
        let seconds = timestamp.seconds();
        if (0..=i64::from(u32::MAX)).contains(&seconds) {
            assert_eq!(packet.timestamp, *timestamp);
        }
        assert_eq!((packet.length, packet.data), (*length, &data[..]));
        index += 1;
    });
    assert_eq!((index, &end[..]), (packets.len(), "whole"));
});
