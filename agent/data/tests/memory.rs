//! In a process of its own: what a snapshot needs of memory does not grow with what is in it.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;

use remora_data::{Files, FilesConfig, SnapshotConfig, StreamId, Streams, StreamsConfig, snapshot};
use remora_packet::{LinkType, Packet, Timestamp};

/// The most memory the process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_snapshot_takes_bounded_memory() {
    const PACKETS: i64 = 60_000;
    let place = std::env::temp_dir().join(format!("remora-data-memory-{}", std::process::id()));
    let files = Files::new(&place, FilesConfig::default()).unwrap();
    let streams_config =
        StreamsConfig { buffer_bytes: 1 << 20, wait_for_disk: true, ..StreamsConfig::default() };
    let (mut writer, streams) = Streams::open(&files, streams_config).unwrap();
    let data = [0; 1_400];
    for at in 0..PACKETS {
        let timestamp = Timestamp::from_nanos(at ^ 0x3f);
        let packet = Packet { timestamp, link: LinkType::ETHERNET, interface: 0, length: 1_400, data: &data };
        writer.packet(StreamId::tcp(at as u64 % 80), &packet);
    }
    let before = peak();
    let config = SnapshotConfig { sort_bytes: 1 << 20, open_files: 8 };
    let made = snapshot(&files, &streams, &config, None, None, &mut || true).unwrap();
    let grown = peak() - before;
    drop(writer);
    fs::remove_dir_all(&place).unwrap();
    assert_eq!(made.packets, PACKETS as u64);
    assert!(grown < 12 << 10, "80 MiB of packets took {grown} KiB of memory");
}
