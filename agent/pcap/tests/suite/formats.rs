//! Every dialect of the two formats gives the packets that were put in.

use std::io::{self, Read, Write};

use crate::build::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::{Block, MAX_SECRETS_BYTES, PcapReader, PcapWriteError, PcapWriter, Resolution};

#[track_caller]
fn whole(file: &[u8]) -> Vec<Seen> {
    let (seen, result) = read(file);
    result.unwrap();
    seen
}

#[test]
fn classic_in_both_orders_and_resolutions() {
    for order in ORDERS {
        for (magic, nanos) in [(MICROS, 5_123_000), (NANOS, 5_123)] {
            let file = [header(order, magic, 65_535), record(order, 0, 5_123, b"frame")].concat();
            let expected = Seen { nanos, link: 1, interface: 0, length: 5, data: b"frame".to_vec() };
            assert_eq!(whole(&file), [expected], "{order:?} {magic:x}");
        }
    }
}

#[test]
fn modified_pcap_has_longer_record_headers() {
    for order in ORDERS {
        let extra = [&order.u32(2)[..], &order.u16(0x0800), &[0, 0]].concat();
        let one = [&order.words(&[7, 9, 3, 60])[..], &extra, b"abc"].concat();
        let file = [&header(order, MODIFIED, 65_535)[..], &one, &one].concat();
        let expected =
            Seen { nanos: 7_000_009_000, link: 1, interface: 0, length: 60, data: b"abc".to_vec() };
        assert_eq!(whole(&file), [expected.clone(), expected]);
    }
}

#[test]
fn old_versions_swap_the_two_lengths() {
    for (minor, first, second) in [(2, 60, 3), (3, 60, 3), (3, 3, 60), (4, 3, 60)] {
        let mut file = header(Order::Little, MICROS, 65_535);
        file[6..8].copy_from_slice(&Order::Little.u16(minor));
        file.extend(Order::Little.words(&[0, 0, first, second]));
        file.extend(b"abc");
        let seen = whole(&file);
        assert_eq!((seen[0].length, &seen[0].data[..]), (60, &b"abc"[..]), "2.{minor}");
    }
}

#[test]
fn unknown_link_types_go_through_and_check_sequence_bits_are_masked() {
    for (field, link) in [(9_999, 9_999), (1 | 2 << 28 | 1 << 26, 1)] {
        let mut file = classic(1);
        file[20..24].copy_from_slice(&Order::Little.u32(field));
        assert_eq!(whole(&file)[0].link, link);
    }
}

#[test]
fn strange_but_harmless_records_are_read() {
    // Snapshot lengths of 0, absurd, and below the packets.
    for snaplen in [0, 10, 0xffff_ffff] {
        let file = [header(Order::Little, MICROS, snaplen), record(Order::Little, 0, 0, &[1; 300])].concat();
        assert_eq!(whole(&file)[0].data.len(), 300);
    }
    // A captured length above the wire length.
    let file = [header(Order::Little, MICROS, 0), Order::Little.words(&[0, 0, 4, 1]), b"abcd".to_vec()];
    assert_eq!(whole(&file.concat())[0].length, 4);
    // More microseconds than a second has, an empty packet, time that runs backwards.
    let file = [
        header(Order::Little, MICROS, 0),
        record(Order::Little, 1, 4_000_000_000, b""),
        record(Order::Little, 1, 0, b""),
    ];
    let seen = whole(&file.concat());
    assert_eq!(
        seen.iter().map(|packet| packet.nanos).collect::<Vec<_>>(),
        [4_001_000_000_000, 1_000_000_000]
    );
    // No packets at all.
    assert_eq!(whole(&classic(0)), []);
}

#[test]
fn a_snapshot_length_above_the_usual_allows_such_packets() {
    let data = vec![3; 400_000];
    let file = [header(Order::Little, MICROS, 1 << 20), record(Order::Little, 0, 0, &data)].concat();
    assert_eq!(whole(&file)[0].data, data);
}

#[test]
fn pcapng_in_both_orders() {
    for order in ORDERS {
        let seen = whole(&ng(order, 50));
        assert_eq!(seen.len(), 50);
        assert_eq!(seen, whole(&classic(50)), "{order:?}");
    }
}

#[test]
fn sections_have_their_own_order_and_interfaces() {
    let (little, big) = (Order::Little, Order::Big);
    let file = [
        section(little, &option(little, 4, b"some recorder")),
        interface(little, 1, 0, &[]),
        enhanced(little, 0, 1, b"one", &[]),
        section(big, &[]),
        interface(big, 101, 0, &[]),
        interface(big, 113, 0, &option(big, 9, &[9])),
        enhanced(big, 1, 2, b"two", &option(big, 1, "a comment ✓".as_bytes())),
        enhanced(big, 0, 3, b"three", &[]),
    ];
    let seen = whole(&file.concat());
    let facts: Vec<_> = seen.iter().map(|seen| (seen.link, seen.interface, seen.nanos)).collect();
    assert_eq!(facts, [(1, 0, 1_000), (113, 1, 2), (101, 0, 3_000)]);
    assert_eq!(seen.iter().map(|seen| &seen.data[..]).collect::<Vec<_>>(), [&b"one"[..], b"two", b"three"]);
}

#[test]
fn clocks_of_interfaces() {
    for order in ORDERS {
        let clocks: [(Vec<u8>, u64, i64); 6] = [
            (vec![], 1_500_000, 1_500_000_000),
            (option(order, 9, &[3]), 1_500, 1_500_000_000),
            (option(order, 9, &[0x8a]), 1_536, 1_500_000_000),
            (option(order, 14, &order.u64(1_000)), 1, 1_000_000_001_000),
            (option(order, 14, &order.u64(-1i64 as u64)), 0, -1_000_000_000),
            (option(order, 9, &[255]), 1_678_675_066_172_360, 0),
        ];
        for (options, time, nanos) in clocks {
            let file =
                [section(order, &[]), interface(order, 1, 0, &options), enhanced(order, 0, time, b"x", &[])];
            assert_eq!(whole(&file.concat())[0].nanos, nanos, "{order:?} {options:?}");
        }
        // The ends of the range are kept to; options that are cut or of a wrong size count for nothing.
        let file = [
            section(order, &[]),
            interface(
                order,
                1,
                0,
                &[option(order, 9, &[0]), option(order, 14, &order.u64(i64::MAX as u64))].concat(),
            ),
            interface(order, 1, 0, &[option(order, 9, &[9, 9]), order.words(&[0xffff_ffff])].concat()),
            enhanced(order, 0, u64::MAX, b"", &[]),
            enhanced(order, 1, 1, b"", &[]),
        ];
        let seen = whole(&file.concat());
        assert_eq!((seen[0].nanos, seen[1].nanos), (i64::MAX, 1_000));
    }
}

#[test]
fn simple_packets_take_the_time_of_the_packet_before() {
    let order = Order::Little;
    let simple = |wire, data: &[u8]| block(order, 3, &[&order.u32(wire)[..], data].concat());
    let file = [
        section(order, &[]),
        interface(order, 1, 4, &[]),
        simple(3, b"abc"),
        enhanced(order, 0, 7, b"defg", &[]),
        simple(1_500, b"hijk"),
    ];
    let seen = whole(&file.concat());
    assert_eq!(seen.iter().map(|seen| seen.nanos).collect::<Vec<_>>(), [0, 7_000, 7_000]);
    assert_eq!(seen.iter().map(|seen| seen.length).collect::<Vec<_>>(), [3, 4, 1_500]);
    assert_eq!(seen.iter().map(|seen| &seen.data[..]).collect::<Vec<_>>(), [&b"abc"[..], b"defg", b"hijk"]);
}

#[test]
fn obsolete_packet_blocks_are_read() {
    let order = Order::Big;
    let fields = [&order.u16(0)[..], &order.u16(0xffff), &order.words(&[0, 7, 3, 90])].concat();
    let file = [
        section(order, &[]),
        interface(order, 1, 0, &[]),
        block(order, 2, &[&fields[..], b"abc\0", &option(order, 1, b"comment")].concat()),
    ];
    let expected = Seen { nanos: 7_000, link: 1, interface: 0, length: 90, data: b"abc".to_vec() };
    assert_eq!(whole(&file.concat()), [expected]);
}

#[test]
fn blocks_without_packets_are_passed_over() {
    let order = Order::Little;
    let mut file = [section(order, &[]), interface(order, 1, 0, &[])].concat();
    // Names, statistics, journal, secrets, the two custom kinds, private ones; one larger than the buffer.
    for (kind, bytes) in
        [(4, 40), (5, 12), (9, 33), (10, 1 << 20), (0xbad, 10), (0x4000_0bad, 4), (0x8000_0001, 0), (77, 8)]
    {
        file.extend(block(order, kind, &vec![6; bytes]));
        file.extend(enhanced(order, 0, 1, b"x", &[]));
    }
    assert_eq!(whole(&file).len(), 8);
}

#[test]
fn gzip_is_seen_through() {
    for file in [classic(40), ng(Order::Big, 40)] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&file[..500]).unwrap();
        let mut compressed = encoder.finish().unwrap();
        // Members one after the other are one file (RFC 1952 section 2.2).
        let mut encoder = GzEncoder::new(&mut compressed, Compression::fast());
        encoder.write_all(&file[500..]).unwrap();
        encoder.finish().unwrap();
        assert_eq!(whole(&compressed), whole(&file));
    }
}

/// Gives one to three bytes a call.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 3 + 1;
        let count = self.1.min(out.len());
        self.0.read(&mut out[..count])
    }
}

#[test]
fn how_the_bytes_come_does_not_matter() {
    for file in [classic(60), ng(Order::Little, 60)] {
        assert_eq!(read(Trickle(&file, 0)).0, whole(&file));
    }
}

#[test]
fn the_offset_counts_what_was_read() {
    let file = classic(3);
    let mut reader = PcapReader::new(&file[..]).unwrap();
    for index in 0..3 {
        assert_eq!(reader.offset(), record_offset(index) as u64);
        reader.next().unwrap().unwrap();
    }
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.offset(), file.len() as u64);
}

fn packet(nanos: i64, length: u32, data: &[u8]) -> Packet<'_> {
    Packet { timestamp: Timestamp::from_nanos(nanos), link: LinkType::ETHERNET, interface: 3, length, data }
}

#[test]
fn what_is_written_is_read_again() {
    for (resolution, nanos) in
        [(Resolution::Micros, 1_700_000_000_123_456_000), (Resolution::Nanos, 1_700_000_000_123_456_789)]
    {
        let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 4, resolution).unwrap();
        writer.write(&packet(1_700_000_000_123_456_789, 9, b"abcdef")).unwrap();
        writer.write(&packet(0, 2, b"gh")).unwrap();
        let seen = whole(&writer.into_inner());
        assert_eq!((seen[0].nanos, seen[0].length, &seen[0].data[..]), (nanos, 9, &b"abcd"[..]));
        assert_eq!((seen[1].nanos, seen[1].length, &seen[1].data[..]), (0, 2, &b"gh"[..]));
    }
}

#[test]
fn writing_keeps_to_what_the_format_can_hold() {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 0, Resolution::Nanos).unwrap();
    writer.write(&packet(-5, 1, b"a")).unwrap();
    writer.write(&packet(i64::MAX, 1, b"b")).unwrap();
    let raw = Packet { link: LinkType::RAW, ..packet(0, 1, b"c") };
    assert!(matches!(writer.write(&raw), Err(PcapWriteError::LinkType { expected: 1, found: 101 })));
    let seen = whole(&writer.into_inner());
    assert_eq!(seen.iter().map(|seen| seen.nanos).collect::<Vec<_>>(), [0, 4_294_967_295_999_999_999]);
}

#[test]
fn secrets_come_in_their_place_and_not_to_those_who_want_packets() {
    for order in ORDERS {
        let secrets = |kind: u32, claimed: u32, data: &[u8]| {
            let body = [order.words(&[kind, claimed]), data.to_vec()].concat();
            block(order, 10, &body)
        };
        const KEY_LOG: u32 = 0x544c_534b;
        let file = [
            section(order, &[]),
            interface(order, 1, 0, &[]),
            secrets(KEY_LOG, 5, b"first\0\0\0"),
            enhanced(order, 0, 1, b"frame", &[]),
            secrets(KEY_LOG, 0xffff_ffff, b"lies"),
            secrets(0x5747_4b4c, 4, b"wire"),
            block(order, 10, &[1, 2, 3, 4]),
            secrets(KEY_LOG, 6, b"second\0\0"),
        ]
        .concat();
        assert_eq!(whole(&file).len(), 1);
        let mut reader = PcapReader::new(&file[..]).unwrap();
        let mut seen = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            seen.push(match block {
                Block::Packet(packet) => packet.data.to_vec(),
                Block::TlsKeyLog(text) => text.to_vec(),
            });
        }
        assert_eq!(seen, [&b"first"[..], b"frame", b"second"]);
        assert_eq!(reader.skipped_secrets(), 2);
    }
}

#[test]
fn secrets_above_the_cap_are_passed_over() {
    let order = Order::Little;
    let large = vec![b'#'; MAX_SECRETS_BYTES as usize + 4];
    let body = [order.words(&[0x544c_534b, large.len() as u32]), large].concat();
    let file = [
        section(order, &[]),
        interface(order, 1, 0, &[]),
        block(order, 10, &body),
        enhanced(order, 0, 1, b"frame", &[]),
    ]
    .concat();
    let mut reader = PcapReader::new(&file[..]).unwrap();
    assert!(matches!(reader.next_block(), Ok(Some(Block::Packet(_)))));
    assert_eq!(reader.skipped_secrets(), 1);
    assert!(!format!("{:?}", Block::TlsKeyLog(b"secret")).contains("115"));
}
