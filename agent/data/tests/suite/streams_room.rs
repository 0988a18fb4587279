//! What goes when, and what a disk that fails does.

use std::fs;
use std::time::Duration;

use remora_data::{StreamId, StreamsConfig, StreamsError};
use remora_packet::Timestamp;

use crate::common::{Place, names, records, send, wait_for_disk};

#[test]
fn a_pcap_goes_its_time_after_the_last_packet() {
    let place = Place::new();
    let ttl = Duration::from_secs(10);
    let (_files, mut writer, streams) = place.streams(StreamsConfig { ttl, ..StreamsConfig::default() });
    // Before anybody said what time it is, nothing is old.
    send(&mut writer, StreamId::tcp(1), 0, b"one");
    for second in 1_000..1_030 {
        writer.advance(Timestamp::from_parts(second, 0));
        match second {
            1_005 => send(&mut writer, StreamId::tcp(2), 0, b"two"),
            1_008 => send(&mut writer, StreamId::tcp(1), 0, b"again"),
            _ => {}
        }
        assert_eq!(streams.path("000000000001").is_ok(), second < 1_018, "{second}");
        assert_eq!(streams.path("000000000002").is_ok(), (1_005..1_015).contains(&second), "{second}");
    }
    let counters = streams.counters();
    assert_eq!((counters.removed_by_age, counters.streams, counters.disk_bytes), (2, 0, 0));
    wait_for_disk(&mut writer, &streams);
    assert_eq!(names(&place.path("pcaps")), ["000000000999_udp.pcap"]);
    assert_eq!(streams.counters().open_files, 1);
}

#[test]
fn time_that_runs_backwards_stands_still() {
    let place = Place::new();
    let ttl = Duration::from_secs(10);
    let (_files, mut writer, streams) = place.streams(StreamsConfig { ttl, ..StreamsConfig::default() });
    writer.advance(Timestamp::from_parts(1_000, 0));
    send(&mut writer, StreamId::tcp(1), 0, b"one");
    for second in [0, 1_009, -5, 1_009] {
        writer.advance(Timestamp::from_parts(second, 0));
        assert!(streams.path("000000000001").is_ok());
    }
    writer.advance(Timestamp::from_parts(1_010, 0));
    assert!(streams.path("000000000001").is_err());
}

#[test]
fn finished_streams_go_first_then_those_longest_without_a_packet() {
    let place = Place::new();
    let (_files, mut writer, streams) =
        place.streams(StreamsConfig { total_bytes: 5 * 4096, ..StreamsConfig::default() });
    for number in 1..=5 {
        send(&mut writer, StreamId::tcp(number), 0, b"x");
    }
    writer.finish(StreamId::tcp(1));
    // It was not the end.
    send(&mut writer, StreamId::tcp(1), 1, b"x");
    writer.finish(StreamId::tcp(5));
    writer.finish(StreamId::tcp(4));
    let mut kept = vec![1, 2, 3, 4, 5];
    for (number, goes) in [(6, 5), (7, 4), (8, 2), (9, 3), (10, 1), (11, 6)] {
        send(&mut writer, StreamId::udp(number), 2, b"x");
        kept.retain(|other| *other != goes);
        kept.push(number);
        let is_kept = |number: u64| {
            let id = if number > 5 { StreamId::udp(number) } else { StreamId::tcp(number) };
            streams.path(&id.to_string()).is_ok()
        };
        assert_eq!((1..=number).filter(|number| is_kept(*number)).collect::<Vec<_>>(), kept, "at {number}");
        assert!(streams.counters().disk_bytes <= 5 * 4096);
    }
    assert_eq!(streams.counters().removed_by_size, 6);
    assert_eq!(names(&place.path("pcaps")).len(), 5);
}

#[test]
fn one_stream_takes_its_share_and_no_more() {
    let place = Place::new();
    let (_files, mut writer, streams) = place.streams(StreamsConfig {
        total_bytes: 1 << 20,
        stream_bytes: 10_000,
        ..StreamsConfig::default()
    });
    for nanos in 0..20 {
        send(&mut writer, StreamId::tcp(1), nanos, &[0; 1000]);
    }
    let path = place.path(&streams.path("000000000001").unwrap());
    assert_eq!(fs::metadata(&path).unwrap().len(), 24 + 9 * 1016);
    assert_eq!(records(&path).len(), 9);
    assert_eq!(streams.counters().packets_over_stream_bytes, 11);
}

#[test]
fn what_was_begun_again_replaces_what_was_removed() {
    let place = Place::new();
    let (_files, mut writer, streams) =
        place.streams(StreamsConfig { total_bytes: 2 * 4096, ..StreamsConfig::default() });
    for (nanos, number) in [1, 2, 3, 1].into_iter().enumerate() {
        send(&mut writer, StreamId::tcp(number), nanos as i64, b"x");
        streams.path(&StreamId::tcp(number).to_string()).unwrap();
    }
    assert_eq!(records(&place.path("pcaps/000000000001.pcap")), [(3, 1, b"x".to_vec())]);
    assert_eq!(streams.counters().begun, 4);
}

#[test]
fn a_disk_that_fails_costs_packets_and_nothing_else() {
    let place = Place::new();
    let (_files, mut writer, streams) =
        place.streams(StreamsConfig { open_files: 1, ..StreamsConfig::default() });
    let path = place.path("pcaps/000000000001.pcap");
    send(&mut writer, StreamId::tcp(1), 1, b"kept");
    streams.path("000000000001").unwrap();
    // A folder in place of the file cannot be written; opening the other stream's file closes this one's.
    fs::rename(&path, place.path("aside")).unwrap();
    fs::create_dir(&path).unwrap();
    send(&mut writer, StreamId::tcp(2), 2, b"x");
    streams.path("000000000002").unwrap();
    send(&mut writer, StreamId::tcp(1), 3, b"lost");
    let error = streams.path("000000000001").unwrap_err();
    assert!(matches!(&error, StreamsError::Write { name, .. } if name == "000000000001.pcap"), "{error}");
    for nanos in 4..2_000 {
        send(&mut writer, StreamId::tcp(1), nanos, &[0; 100]);
    }
    wait_for_disk(&mut writer, &streams);
    let counters = streams.counters();
    assert!(counters.write_errors >= 2 && counters.packets_lost > 500, "{counters:?}");
    fs::remove_dir(&path).unwrap();
    fs::rename(place.path("aside"), &path).unwrap();
    streams.path("000000000001").unwrap();
    let kept = records(&path);
    assert_eq!(kept[0], (1, 1, b"kept".to_vec()));
    assert_eq!(kept.len() as u64 + streams.counters().packets_lost, 1 + 1 + 1_996);
    assert_eq!(kept.last().unwrap().0, 1_999);
}

#[test]
fn a_file_removed_or_cut_by_hand_begins_anew_and_one_made_longer_loses_that() {
    let place = Place::new();
    let (_files, mut writer, streams) =
        place.streams(StreamsConfig { open_files: 1, ..StreamsConfig::default() });
    type Change = fn(&std::path::Path);
    let change: [(Change, &[i64]); 3] = [
        (|path| fs::remove_file(path).unwrap(), &[2]),
        (|path| fs::write(path, "short").unwrap(), &[2]),
        (|path| fs::write(path, [fs::read(path).unwrap(), vec![1; 500]].concat()).unwrap(), &[1, 2]),
    ];
    for (number, (change, expected)) in change.into_iter().enumerate() {
        let id = StreamId::tcp(number as u64 + 1);
        send(&mut writer, id, 1, b"one");
        let path = place.path(&streams.path(&id.to_string()).unwrap());
        send(&mut writer, StreamId::udp(9), 1, b"closes the other");
        streams.path("000000000009_udp").unwrap();
        change(&path);
        send(&mut writer, id, 2, b"two");
        streams.path(&id.to_string()).unwrap();
        assert_eq!(records(&path).iter().map(|record| record.0).collect::<Vec<_>>(), *expected);
    }
    assert_eq!(streams.counters().restarted, 2);
}
