//! The order of a snapshot, against sorting everything in memory.

use std::fs;

use proptest::prelude::*;
use remora_data::{Snapshot, SnapshotConfig, Streams, StreamsConfig, snapshot};
use remora_packet::LinkType;

use crate::common::{Place, Record, capture, names, records};

const SMALL: SnapshotConfig = SnapshotConfig { sort_bytes: 2_000, open_files: 3 };

fn merge(place: &Place, config: &SnapshotConfig, go_on: &mut dyn FnMut() -> bool) -> Snapshot {
    let files = place.files();
    let (_writer, streams) = Streams::open(&files, StreamsConfig::default()).unwrap();
    snapshot(&files, &streams, config, None, Some("in"), go_on).unwrap()
}

fn naive(files: &[Vec<(i64, Vec<u8>)>]) -> Vec<Record> {
    let mut all: Vec<Record> =
        files.iter().flatten().map(|(nanos, data)| (*nanos, 1, data.clone())).collect();
    all.sort_by_key(|record| record.0);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_snapshot_is_what_sorting_all_packets_gives(
        files in prop::collection::vec(prop::collection::vec((0i64..50, 0usize..80), 0..60), 0..12),
        sort_bytes in 0usize..4_000,
        open_files in 0usize..5,
    ) {
        let place = Place::new();
        fs::create_dir(place.path("in")).unwrap();
        let mut number = 0u32;
        let files: Vec<Vec<(i64, Vec<u8>)>> = files
            .into_iter()
            .map(|packets| {
                let packets = packets.into_iter().map(|(nanos, length)| {
                    number += 1;
                    (nanos, [&number.to_be_bytes()[..], &vec![0; length]].concat())
                });
                packets.collect()
            })
            .collect();
        for (at, packets) in files.iter().enumerate() {
            place.write(&format!("in/{at:03}.pcap"), capture(LinkType::ETHERNET, packets));
        }
        let made = merge(&place, &SnapshotConfig { sort_bytes, open_files }, &mut || true);
        prop_assert_eq!(records(&place.path(&made.path)), naive(&files));
        prop_assert_eq!(made.packets, u64::from(number));
        prop_assert_eq!(place.names().len(), 3, "no temporary file stays");
    }
}

#[test]
fn more_files_than_may_be_open_are_merged_with_few_open() {
    let place = Place::new();
    let files: Vec<Vec<(i64, Vec<u8>)>> = (0..95)
        .map(|file| (0..50).map(|at| (at * 100 + (file * 37) % 100, vec![file as u8; 40])).collect())
        .collect();
    for (at, packets) in files.iter().enumerate() {
        place.write(&format!("in/{at:03}.pcap"), capture(LinkType::ETHERNET, packets));
    }
    let (mut most, mut most_temporary) = (0, 0);
    let root = place.path(".").canonicalize().unwrap();
    let made = merge(&place, &SnapshotConfig { sort_bytes: 8_000, open_files: 8 }, &mut || {
        let open = fs::read_dir("/proc/self/fd").unwrap().filter(|entry| {
            let target = fs::read_link(entry.as_ref().unwrap().path()).unwrap_or_default();
            target.starts_with(&root) && target.extension().is_some()
        });
        most = most.max(open.count());
        most_temporary =
            most_temporary.max(names(&root).iter().filter(|name| name.ends_with(".part")).count());
        true
    });
    assert_eq!(records(&place.path(&made.path)), naive(&files));
    assert!((2..=10).contains(&most), "{most} files were open at once");
    assert!(most_temporary > 8, "there were {most_temporary} runs at once only");
}

#[test]
fn work_that_is_stopped_leaves_nothing_wherever_it_is() {
    let place = Place::new();
    let packets: Vec<(i64, Vec<u8>)> = (0..2_000).map(|at| (at, vec![0; 10])).collect();
    place.write("in/a.pcap", capture(LinkType::ETHERNET, &packets));
    let files = place.files();
    let (_writer, streams) = Streams::open(&files, StreamsConfig::default()).unwrap();
    let used = files.counters().used_bytes;
    let mut questions = 0;
    merge_with(&files, &streams, &mut || {
        questions += 1;
        true
    })
    .unwrap();
    files.delete(place.names().iter().find(|name| name.ends_with(".pcap")).unwrap()).unwrap();
    assert!(questions > 10);
    for last in 0..questions {
        let mut asked = 0;
        let error = merge_with(&files, &streams, &mut || {
            asked += 1;
            asked <= last
        })
        .unwrap_err();
        assert!(error.to_string().contains("stopped"), "{error}");
        assert_eq!(place.names(), ["in", "pcaps"]);
        assert_eq!(files.counters().used_bytes, used);
    }
}

fn merge_with(
    files: &remora_data::Files,
    streams: &Streams,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Snapshot, remora_data::FileError> {
    let config = SnapshotConfig { sort_bytes: 20_000, ..SMALL };
    snapshot(files, streams, &config, None, Some("in"), go_on)
}
