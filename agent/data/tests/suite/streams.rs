use std::fs;
use std::io::Read;

use proptest::prelude::*;
use remora_data::{Reason, SnapshotConfig, StreamId, Streams, StreamsConfig, StreamsError, snapshot};
use remora_packet::{LinkType, Timestamp};
use remora_pcap::PcapReader;

use crate::common::{Place, names, packet, records, send, wait_for_disk};

const ETHERNET: u32 = 1;

#[test]
fn a_path_leads_to_all_packets_up_to_now() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    let (tcp, udp) = (StreamId::tcp(1), StreamId::udp(2));
    send(&mut writer, tcp, 1_700_000_000_123_456_789, b"one");
    send(&mut writer, udp, 1_700_000_001_000_000_001, b"other");
    assert!(names(&place.path("pcaps")).is_empty(), "nothing is written before it must be");
    let path = streams.path("000000000001.pcap").unwrap();
    assert_eq!(path, "pcaps/000000000001.pcap");
    let first = (1_700_000_000_123_456_789, ETHERNET, b"one".to_vec());
    assert_eq!(records(&place.path(&path)).as_slice(), std::slice::from_ref(&first));
    send(&mut writer, tcp, 1_700_000_002_000_000_000, b"two");
    assert_eq!(streams.path("000000000001").unwrap(), path);
    assert_eq!(records(&place.path(&path)), [first, (1_700_000_002_000_000_000, ETHERNET, b"two".to_vec())]);
    assert_eq!(streams.path("pcaps/000000000002_udp.pcap").unwrap(), "pcaps/000000000002_udp.pcap");
    let mut bytes = Vec::new();
    files.read("vendor.s3.put", &path).unwrap().0.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, fs::read(place.path(&path)).unwrap());
}

#[test]
fn a_name_of_no_stream_is_said() {
    let place = Place::new();
    let (_files, _writer, streams) = place.streams(StreamsConfig::default());
    for name in ["000000000009.pcap", "", "x", "../../etc/passwd"] {
        let error = streams.path(name).unwrap_err();
        assert!(matches!(error, StreamsError::Unknown { .. }));
        assert!(error.to_string().contains(&format!("{name:?}")));
    }
}

#[test]
fn the_first_packet_decides_the_link_type() {
    let place = Place::new();
    let (_files, mut writer, streams) = place.streams(StreamsConfig::default());
    let id = StreamId::tcp(1);
    for (at, link) in [LinkType::RAW, LinkType::ETHERNET, LinkType::RAW].into_iter().enumerate() {
        writer.packet(id, &packet(at as i64, link, &[at as u8]));
    }
    let path = streams.path("000000000001").unwrap();
    assert_eq!(records(&place.path(&path)), [(0, 101, vec![0]), (2, 101, vec![2])]);
    assert_eq!((streams.counters().packets, streams.counters().packets_other_link), (2, 1));
}

#[test]
fn the_end_of_the_writer_completes_all_files() {
    let place = Place::new();
    let (_files, mut writer, _streams) = place.streams(StreamsConfig::default());
    send(&mut writer, StreamId::tcp(1), 1, b"one");
    drop(writer);
    assert_eq!(records(&place.path("pcaps/000000000001.pcap")).len(), 1);
}

#[test]
fn a_pause_and_an_end_complete_the_file_without_being_asked() {
    let place = Place::new();
    let (_files, mut writer, streams) = place.streams(StreamsConfig::default());
    writer.advance(Timestamp::from_parts(100, 0));
    send(&mut writer, StreamId::tcp(1), 1, b"one");
    writer.advance(Timestamp::from_parts(100, 999_999_999));
    wait_for_disk(&mut writer, &streams);
    assert_eq!(names(&place.path("pcaps")), ["000000000999_udp.pcap"]);
    writer.advance(Timestamp::from_parts(101, 0));
    wait_for_disk(&mut writer, &streams);
    assert_eq!(records(&place.path("pcaps/000000000001.pcap")).len(), 1);
    send(&mut writer, StreamId::udp(2), 1, b"two");
    writer.finish(StreamId::udp(2));
    wait_for_disk(&mut writer, &streams);
    assert_eq!(records(&place.path("pcaps/000000000002_udp.pcap")).len(), 1);
    assert_eq!((streams.counters().buffer_bytes, streams.counters().open_files), (0, 2));
    // A late packet is still taken.
    send(&mut writer, StreamId::udp(2), 2, b"late");
    assert_eq!(records(&place.path(&streams.path("000000000002_udp").unwrap())).len(), 2);
}

#[test]
fn nothing_is_kept_where_streams_are_not() {
    let place = Place::new();
    let (files, mut writer, streams) =
        place.streams(StreamsConfig { enabled: false, ..StreamsConfig::default() });
    send(&mut writer, StreamId::tcp(1), 1, b"one");
    writer.finish(StreamId::tcp(1));
    writer.advance(Timestamp::from_parts(100, 0));
    assert!(matches!(streams.path("000000000001"), Err(StreamsError::Disabled)));
    let error = snapshot(&files, &streams, &SnapshotConfig::default(), None, None, &mut || true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pcap.snapshot: \"pcaps\": the packets of streams are not kept: the agent runs without it"
    );
    // The folder is then one like others.
    files.mkdir("pcaps").unwrap();
    files.write("pcaps/a", b"").unwrap();
}

#[test]
fn only_pcaps_of_streams_are_cleared_away_at_the_start() {
    let place = Place::new();
    for name in ["000000000001.pcap", "000000000002_udp.pcap", "1.pcap", "000000000001", "notes.txt"] {
        place.write(&format!("pcaps/{name}"), "old");
    }
    place.write("000000000003.pcap", "a script's");
    let (files, _writer, _streams) = place.streams(StreamsConfig::default());
    assert_eq!(names(&place.path("pcaps")), ["000000000001", "1.pcap", "notes.txt"]);
    assert_eq!(place.text("000000000003.pcap"), "a script's");
    assert_eq!(files.counters().used_bytes, 4096);
}

#[test]
fn streams_of_one_directory_are_opened_once() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    send(&mut writer, StreamId::tcp(1), 1, b"one");
    let path = streams.path("000000000001").unwrap();
    assert!(Streams::open(&files, StreamsConfig::default()).is_err());
    assert_eq!(records(&place.path(&path)).len(), 1);
}

#[test]
fn scripts_may_take_pcaps_but_not_write_where_they_are() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    for number in 1..=3 {
        send(&mut writer, StreamId::tcp(number), 1, b"one");
    }
    let path = streams.path("000000000001").unwrap();
    place.write("a", "a");
    let refused = [
        files.write(&path, b""),
        files.append(&path, b""),
        files.copy("a", "pcaps"),
        files.rename("a", &path),
        files.mkdir("pcaps/x"),
        files.temp("x", "pcaps", "").map(drop),
        files.delete("pcaps").map(drop),
        files.rename("pcaps", "x"),
    ];
    for result in refused {
        assert!(matches!(result.unwrap_err().reason, Reason::Managed));
    }
    let archive = files.tar("pcaps", &mut || true).unwrap();
    assert!(place.text_of_archive(&archive).iter().all(|(_, bytes)| bytes.len() == 24 + 16 + 3));
    let used = files.counters().used_bytes;
    files.rename(&path, "mine.pcap").unwrap();
    files.copy("pcaps/000000000002.pcap", "copy.pcap").unwrap();
    assert!(files.delete("pcaps/000000000003.pcap").unwrap());
    assert!(!files.delete("pcaps/000000000003.pcap").unwrap());
    assert_eq!(files.counters().used_bytes, used + 2 * 4096);
    for number in 1..=3 {
        send(&mut writer, StreamId::tcp(number), 2, b"two");
        streams.path(&StreamId::tcp(number).to_string()).unwrap();
    }
    let kept = |path: &str| records(&place.path(path)).iter().map(|record| record.0).collect::<Vec<_>>();
    assert_eq!([kept("mine.pcap"), kept("copy.pcap")], [[1], [1]]);
    assert_eq!([kept("pcaps/000000000001.pcap"), kept("pcaps/000000000003.pcap")], [[2], [2]]);
    assert_eq!(kept("pcaps/000000000002.pcap"), [1, 2]);
    assert_eq!(streams.counters().removed_by_scripts, 2);
}

#[test]
fn readers_on_other_threads_always_find_whole_records() {
    const PACKETS: i64 = 20_000;
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig {
        open_files: 1,
        buffer_bytes: 20_000,
        wait_for_disk: true,
        ..StreamsConfig::default()
    });
    send(&mut writer, StreamId::tcp(0), 0, b"");
    send(&mut writer, StreamId::tcp(1), 0, b"");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for nanos in 1..PACKETS {
                send(&mut writer, StreamId::tcp(nanos as u64 % 2), nanos, &[7; 90]);
            }
        });
        for number in 0..2 {
            let (streams, files) = (streams.clone(), files.clone());
            scope.spawn(move || {
                let path = streams.path(&StreamId::tcp(number).to_string()).unwrap();
                for _ in 0..50 {
                    let (file, bytes) = files.read("vendor.s3.put", &path).unwrap();
                    let mut reader = PcapReader::new(file.take(bytes)).unwrap();
                    let mut last = -1;
                    while let Some(packet) = reader.next().unwrap() {
                        assert!(packet.timestamp.nanos() > last);
                        last = packet.timestamp.nanos();
                    }
                }
            });
        }
    });
    let packets: usize = [0, 1]
        .map(|number| records(&place.path(&streams.path(&StreamId::tcp(number).to_string()).unwrap())).len())
        .iter()
        .sum();
    assert_eq!(packets as i64, PACKETS + 1);
}

#[derive(Clone, Debug)]
enum Step {
    Packet(u64, usize),
    Finish(u64),
    Path(u64),
    Advance(i64),
}

/// Even numbers are UDP.
fn either(number: u64) -> StreamId {
    if number.is_multiple_of(2) { StreamId::udp(number) } else { StreamId::tcp(number) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_file_has_its_streams_packets_whatever_is_closed_and_flushed_between(
        steps in prop::collection::vec(
            prop_oneof![
                8 => (0u64..6, 0usize..3000).prop_map(|(id, n)| Step::Packet(id, n)),
                1 => (0u64..6, 65_000usize..300_000).prop_map(|(id, n)| Step::Packet(id, n)),
                1 => (0u64..6).prop_map(Step::Finish),
                1 => (0u64..6).prop_map(Step::Path),
                1 => (0i64..3).prop_map(Step::Advance),
            ],
            0..120,
        ),
        open_files in 0usize..3,
        buffer_bytes in 0usize..9000,
    ) {
        let place = Place::new();
        let (_files, mut writer, streams) =
            place.streams(StreamsConfig { open_files, buffer_bytes, wait_for_disk: true, ..StreamsConfig::default() });
        let mut expected = std::collections::BTreeMap::<StreamId, Vec<_>>::new();
        let mut now = 0;
        for (nanos, step) in steps.into_iter().enumerate() {
            match step {
                Step::Packet(id, length) => {
                    let id = either(id);
                    send(&mut writer, id, nanos as i64, &vec![nanos as u8; length]);
                    expected.entry(id).or_default().push((
                        nanos as i64, ETHERNET, vec![nanos as u8; length.min(256 << 10)],
                    ));
                }
                Step::Finish(id) => writer.finish(either(id)),
                Step::Path(id) => drop(streams.path(&either(id).to_string())),
                Step::Advance(seconds) => {
                    now += seconds;
                    writer.advance(Timestamp::from_parts(now, 0));
                }
            }
            let counters = streams.counters();
            prop_assert!(counters.open_files <= open_files.max(1) as u64);
            // The smallest job is always taken.
            prop_assert!(counters.buffer_bytes <= buffer_bytes as u64 + 128);
        }
        for (id, packets) in expected {
            let path = streams.path(&id.to_string()).unwrap();
            prop_assert_eq!(records(&place.path(&path)), packets);
        }
        prop_assert_eq!(streams.counters().restarted, 0);
    }
}
