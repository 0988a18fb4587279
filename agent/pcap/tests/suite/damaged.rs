//! Damaged files give the packets before the damage and one error that says where it is; never a panic.

use std::io::{self, Read, Write};

use crate::build::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use remora_pcap::{Damage, Found, Part, PcapError};

#[track_caller]
fn damaged(file: &[u8], good: usize) -> PcapError {
    let (seen, result) = read(file);
    assert_eq!(seen.len(), good);
    let error = result.unwrap_err();
    match &error {
        PcapError::Truncated { offset, .. } | PcapError::Corrupt { offset, .. } if *offset > 0 => {
            let (kept, rest) = read(&file[..*offset as usize]);
            rest.expect("the error said that what is before it is a whole capture");
            assert_eq!(kept, seen);
        }
        _ => {}
    }
    error
}

fn patched(mut file: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

fn gzip(file: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(file).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_no_capture_is_named() {
    let short = &classic(0)[..13];
    let cases: [(&[u8], Found); 12] = [
        (b"", Found::Empty),
        (short, Found::ShortHeader { bytes: 13 }),
        (&section(Order::Big, &[])[..9], Found::ShortHeader { bytes: 9 }),
        (b"\x01\x02", Found::ShortHeader { bytes: 2 }),
        (b"this is not a capture file\n", Found::Text),
        ("größer".as_bytes(), Found::Text),
        (b"\xde\xad\xbe\xef\x02\0\x04\0", Found::Magic([0xde, 0xad, 0xbe, 0xef])),
        (b"\x28\xb5\x2f\xfd\0\0", Found::Other("compressed with zstd (decompress it first)")),
        (b"BZh91AY", Found::Other("compressed with bzip2 (decompress it first)")),
        (&gzip(b""), Found::Empty),
        (&gzip(b"text"), Found::Text),
        (&gzip(&gzip(b"")), Found::Other("compressed with gzip twice (decompress it first)")),
    ];
    for (file, expected) in cases {
        match damaged(file, 0) {
            PcapError::NotACapture { found } => assert_eq!(found, expected),
            other => panic!("{other}"),
        }
    }
    let magic = patched(ng(Order::Big, 1), 8, &[0x11, 0x22, 0x33, 0x44]);
    assert_eq!(
        damaged(&magic, 0).to_string(),
        "not a capture file: its byte-order magic at byte 8 is 11223344; give a pcap or pcapng file, plain or compressed with gzip"
    );
}

/// What a file is taken for must not depend on how much of it a read happened to bring.
#[test]
fn only_the_beginning_tells_text() {
    let file = [&[b'x'; 64][..], &[0; 64]].concat();
    assert!(matches!(damaged(&file, 0), PcapError::NotACapture { found: Found::Text }));
}

#[test]
fn versions_that_nobody_wrote_are_refused() {
    let file = patched(classic(1), 4, &[9, 0, 9, 0]);
    assert!(matches!(damaged(&file, 0), PcapError::UnsupportedVersion { offset: 4, major: 9, minor: 9, .. }));
    let file = patched(ng(Order::Little, 1), 12, &[2, 0, 0, 0]);
    assert!(matches!(damaged(&file, 0), PcapError::UnsupportedVersion { offset: 12, major: 2, .. }));
}

#[test]
fn a_cut_record_comes_after_all_whole_ones() {
    let file = classic(41);
    let start = record_offset(40);
    let error = damaged(&file[..start + 9], 40);
    assert!(matches!(error, PcapError::Truncated { offset, end, part: Part::RecordHeader }
        if offset == start as u64 && end == start as u64 + 9));
    assert_eq!(
        error.to_string(),
        format!(
            "the capture is cut off at byte {}, inside the packet record header at byte {start}: it was not written or \
             copied to its end; its first {start} bytes are a whole capture, and what is in them was read",
            start + 9
        )
    );
    let error = damaged(&file[..start + 16 + 20], 40);
    assert!(matches!(error, PcapError::Truncated { part: Part::RecordData, .. }));
}

#[test]
fn absurd_record_lengths_are_damage() {
    for bytes in [0xffff_fff0u32, 0x7fff_ffff, (256 << 10) + 1] {
        let start = record_offset(20);
        let file = patched(classic(40), start + 8, &bytes.to_le_bytes());
        match damaged(&file, 20) {
            PcapError::Corrupt { offset, damage } => {
                assert_eq!(offset, start as u64);
                assert_eq!(damage, Damage::PacketLength { bytes, limit: 256 << 10 });
            }
            other => panic!("{other}"),
        }
    }
    // Garbage between records reads as a record header.
    let mut file = classic(40);
    file.splice(record_offset(20)..record_offset(20), [0xad; 37]);
    assert!(matches!(damaged(&file, 20), PcapError::Corrupt { .. }));
}

#[test]
fn damaged_blocks_are_named() {
    let order = Order::Big;
    let first = NG_PACKETS;
    let cases: [(Vec<u8>, Damage); 9] = [
        (patched(ng(order, 9), first + 4, &[0; 4]), Damage::BlockLength { bytes: 0 }),
        (patched(ng(order, 9), first + 4, &[255; 4]), Damage::BlockLength { bytes: u32::MAX }),
        (patched(ng(order, 9), first + 7, &[53]), Damage::BlockLength { bytes: 53 }),
        (patched(ng(order, 9), first + 7, &[28]), Damage::BlockLength { bytes: 28 }),
        (
            patched(ng(order, 9), first + 20, &[0, 0x10, 0, 0]),
            Damage::PacketAboveBlock { packet: 1 << 20, block: 52 },
        ),
        (
            patched(ng(order, 9), first + 8, &[0, 0, 0, 99]),
            Damage::UnknownInterface { interface: 99, known: 1 },
        ),
        (
            [section(order, &[]), enhanced(order, 0, 0, b"", &[])].concat(),
            Damage::UnknownInterface { interface: 0, known: 0 },
        ),
        (
            [section(order, &[]), block(order, 3, &[0; 8])].concat(),
            Damage::UnknownInterface { interface: 0, known: 0 },
        ),
        (
            [section(order, &[]), patched(block(order, 0xbad, &[0; 8]), 16, &[0, 0, 0, 24])].concat(),
            Damage::TrailingLength { leading: 20, trailing: 24 },
        ),
    ];
    for (file, expected) in cases {
        match damaged(&file, 0) {
            PcapError::Corrupt { damage, .. } => assert_eq!(damage, expected),
            other => panic!("{other}"),
        }
    }
    let file = patched(ng(order, 9), first - 1, &[24]);
    match damaged(&file, 0) {
        PcapError::Corrupt { offset: 28, damage } => {
            assert_eq!(damage, Damage::TrailingLength { leading: 20, trailing: 24 });
        }
        other => panic!("{other}"),
    }
    let file = [ng(order, 9), patched(section(order, &[]), 8, b"oops")].concat();
    assert!(matches!(damaged(&file, 9), PcapError::Corrupt { damage: Damage::ByteOrderMagic(_), .. }));
}

#[test]
fn more_interfaces_than_the_cap_are_damage() {
    let order = Order::Little;
    let mut file = section(order, &[]);
    for _ in 0..=remora_pcap::MAX_INTERFACES {
        file.extend(interface(order, 1, 0, &[]));
    }
    match damaged(&file, 0) {
        PcapError::Corrupt { damage, .. } => assert_eq!(damage, Damage::TooManyInterfaces),
        other => panic!("{other}"),
    }
}

#[test]
fn a_cut_block_comes_after_all_whole_ones() {
    let order = Order::Little;
    let file = ng(order, 10);
    let error = damaged(&file[..file.len() - 1], 9);
    assert!(matches!(error, PcapError::Truncated { part: Part::Block, .. }));
    let file = [ng(order, 10), block(order, 0xbad, &[0; 64])].concat();
    match damaged(&file[..file.len() - 2], 10) {
        PcapError::Truncated { offset, end, part: Part::Block } => {
            assert_eq!((offset, end), (file.len() as u64 - 76, file.len() as u64 - 2));
        }
        other => panic!("{other}"),
    }
    assert!(matches!(
        damaged(&file[..file.len() - 70], 10),
        PcapError::Truncated { part: Part::BlockHeader, .. }
    ));
}

#[test]
fn a_broken_gzip_stream_delivers_what_it_can() {
    // Bytes without repetition, so that the compressed stream is about as long as the file.
    let mut state = 1u32;
    let mut file = header(Order::Little, MICROS, 0);
    for second in 0..200 {
        let data: Vec<u8> = (0..100)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        file.extend(record(Order::Little, second, 0, &data));
    }
    let compressed = gzip(&file);
    let (seen, result) = read(&compressed[..compressed.len() / 2]);
    assert!(seen.len() > 50 && seen.len() < 150, "{}", seen.len());
    assert!(matches!(result, Err(PcapError::Truncated { part: Part::GzipStream, .. })));

    let checksum = compressed.len() - 8;
    let (seen, result) = read(&patched(compressed.clone(), checksum, &[0; 4])[..]);
    assert_eq!(seen.len(), 200);
    match result {
        Err(PcapError::Corrupt { damage: Damage::Gzip(message), .. }) => assert!(message.contains("gzip")),
        other => panic!("{other:?}"),
    }
}

/// Fails after its bytes, as a disk does.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out) {
            Ok(0) => Err(io::Error::from_raw_os_error(5)),
            result => result,
        }
    }
}

#[test]
fn a_failing_disk_is_no_damage() {
    let file = classic(10);
    for file in [file.clone(), gzip(&file)] {
        let (_, result) = read(Failing(&file[..file.len() - 3]));
        match result {
            Err(PcapError::Read { source, .. }) => assert_eq!(source.raw_os_error(), Some(5)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn any_cut_gives_a_prefix() {
    for file in [classic(6), ng(Order::Big, 6)] {
        let all = read(&file[..]).0;
        for end in 0..file.len() {
            let (seen, _) = read(&file[..end]);
            assert_eq!(seen, all[..seen.len()]);
        }
    }
}

#[test]
fn any_flipped_bit_is_survived() {
    for file in [classic(4), ng(Order::Little, 4)] {
        for at in 0..file.len() {
            for bit in 0..8 {
                let file = patched(file.clone(), at, &[file[at] ^ 1 << bit]);
                let (seen, _) = read(&file[..]);
                assert!(seen.len() <= 5);
            }
        }
    }
}
