//! What goes into a snapshot.

use std::process::Command;

use remora_data::{
    Files, FilesConfig, Reason, Snapshot, SnapshotConfig, StreamId, Streams, StreamsConfig, snapshot,
};
use remora_packet::LinkType;

use crate::common::{Place, capture, packet, records, send};

fn make(
    files: &Files,
    streams: &Streams,
    selected: Option<&[&str]>,
    dir: Option<&str>,
) -> Result<Snapshot, remora_data::FileError> {
    let selected = selected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    snapshot(files, streams, &SnapshotConfig::default(), selected.as_deref(), dir, &mut || true)
}

#[test]
fn the_streams_up_to_now_are_in_it() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    send(&mut writer, StreamId::tcp(1), 30, b"c");
    send(&mut writer, StreamId::udp(2), 10, b"a");
    send(&mut writer, StreamId::tcp(1), 20, b"b");
    let made = make(&files, &streams, None, None).unwrap();
    let seconds = made.path.strip_suffix(".pcap").unwrap();
    assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000);
    let kept: Vec<_> = records(&place.path(&made.path)).into_iter().map(|record| record.2).collect();
    assert_eq!(kept, [b"a", b"b", b"c"]);
    assert_eq!((made.files, made.packets, made.link), (2, 3, 1));
    send(&mut writer, StreamId::tcp(1), 40, b"d");
    let again = make(&files, &streams, None, Some("./pcaps/")).unwrap();
    assert_ne!(again.path, made.path);
    assert_eq!(records(&place.path(&again.path)).len(), 4);
}

#[test]
fn selected_streams_are_understood_however_they_are_called() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    for number in 1..=4 {
        send(&mut writer, StreamId::tcp(number), number as i64, b"x");
    }
    let selected =
        ["000000000001.pcap", "000000000003", "pcaps/000000000004.pcap", "000000000003.pcap", "no", "9"];
    let made = make(&files, &streams, Some(&selected), None).unwrap();
    let times: Vec<_> = records(&place.path(&made.path)).iter().map(|record| record.0).collect();
    assert_eq!(times, [1, 3, 4]);
    assert_eq!((made.missing.as_slice(), made.files_missing), (&["no".to_owned(), "9".to_owned()][..], 2));
    let error = make(&files, &streams, Some(&["no", "000000000009"]), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pcap.snapshot: \"pcaps\": none of the 2 selected captures is there: no, 000000000009"
    );
    assert_eq!(make(&files, &streams, Some(&[]), None).unwrap().packets, 0);
}

#[test]
fn a_folder_of_a_scripts_own_is_merged_with_what_is_readable_in_it() {
    let place = Place::new();
    let (files, _writer, streams) = place.streams(StreamsConfig::default());
    let whole = capture(LinkType::ETHERNET, &[(1, vec![1; 9]), (4, vec![4; 9])]);
    place.write("in/a.pcap", &whole);
    place.write("in/b.pcap", &whole[..whole.len() - 3]);
    place.write("in/c.pcap", "no capture");
    place.write("in/d.pcap", "");
    place.write("in/e.pcapng", pcapng(&[(2, b"ng"), (3, b"ng")]));
    place.write("in/f.txt", &whole);
    place.write("in/deep/g.pcap", &whole);
    let made = make(&files, &streams, None, Some("in")).unwrap();
    let times: Vec<_> = records(&place.path(&made.path)).iter().map(|record| record.0).collect();
    assert_eq!(times, [1, 1, 4, 2_000, 3_000]);
    assert_eq!((made.files, made.files_cut, made.files_unreadable, made.packets), (3, 1, 2, 5));
    let made = make(&files, &streams, Some(&["e", "in/b.pcap", "f.txt"]), Some("./in/")).unwrap();
    assert_eq!((made.files, made.packets, made.files_missing), (2, 3, 1));
    assert!(matches!(make(&files, &streams, None, Some("no")).unwrap_err().reason, Reason::NotFound));
    assert!(matches!(
        make(&files, &streams, None, Some("in/a.pcap")).unwrap_err().reason,
        Reason::NotAFolder
    ));
    assert!(matches!(make(&files, &streams, None, Some("../outside")).unwrap_err().reason, Reason::Outside));
}

/// Microseconds and bytes of each packet.
fn pcapng(packets: &[(u64, &[u8; 2])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = (body.len() as u32 + 12).to_le_bytes();
        bytes.extend([&kind.to_le_bytes()[..], &length, body, &length].concat());
    };
    block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    block(1, &[1, 0, 0, 0, 0, 0, 0, 0]);
    for (micros, data) in packets {
        let mut body = vec![0; 24];
        body[8..12].copy_from_slice(&(*micros as u32).to_le_bytes());
        body[12] = 2;
        body[16] = 2;
        body[20..22].copy_from_slice(*data);
        block(6, &body);
    }
    bytes
}

#[test]
fn several_link_types_become_raw_ip() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    let ip = [0x45, 0, 0, 20];
    let frame = |ethertype: [u8; 2]| [&[0; 12][..], &ethertype, &ip].concat();
    writer.packet(StreamId::tcp(1), &packet(1, LinkType::ETHERNET, &frame([8, 0])));
    writer.packet(StreamId::tcp(1), &packet(2, LinkType::ETHERNET, &frame([8, 6])));
    writer.packet(StreamId::tcp(2), &packet(3, LinkType::RAW, &ip));
    let made = make(&files, &streams, None, None).unwrap();
    assert_eq!(records(&place.path(&made.path)), [(1, 101, ip.to_vec()), (3, 101, ip.to_vec())]);
    assert_eq!((made.link, made.packets, made.packets_not_ip), (101, 2, 1));
    let made = make(&files, &streams, Some(&["000000000001"]), None).unwrap();
    assert_eq!((made.link, made.packets, made.packets_not_ip), (1, 2, 0));
}

#[test]
fn a_snapshot_of_nothing_is_a_capture_too() {
    let place = Place::new();
    let (files, _writer, streams) = place.streams(StreamsConfig::default());
    let made = make(&files, &streams, None, None).unwrap();
    assert!(records(&place.path(&made.path)).is_empty());
}

#[test]
fn a_snapshot_counts_in_what_scripts_may_take() {
    let place = Place::new();
    let files = place.files_with(FilesConfig { total_bytes: 8 * 4096, ..FilesConfig::default() });
    let (mut writer, streams) = Streams::open(&files, StreamsConfig::default()).unwrap();
    for nanos in 0..20 {
        send(&mut writer, StreamId::tcp(1), nanos, &[0; 1000]);
    }
    let made = make(&files, &streams, None, None).unwrap();
    assert_eq!(files.counters().used_bytes, 5 * 4096);
    let error = make(&files, &streams, None, None).unwrap_err();
    assert!(matches!(error.reason, Reason::Quota { .. }), "{error}");
    assert_eq!(place.names(), [made.path.as_str(), "pcaps"]);
    assert_eq!(files.counters().used_bytes, 5 * 4096);
}

#[test]
fn packets_that_the_disk_refused_do_not_keep_the_others_out() {
    let place = Place::new();
    let (files, mut writer, streams) =
        place.streams(StreamsConfig { open_files: 1, ..StreamsConfig::default() });
    for (number, data) in [(1, b"one"), (2, b"two")] {
        send(&mut writer, StreamId::tcp(number), number as i64, data);
        streams.path(&StreamId::tcp(number).to_string()).unwrap();
    }
    let path = place.path("pcaps/000000000001.pcap");
    std::fs::rename(&path, place.path("aside")).unwrap();
    std::fs::create_dir(&path).unwrap();
    send(&mut writer, StreamId::tcp(1), 3, b"lost");
    writer.finish(StreamId::tcp(1));
    crate::common::wait_for_disk(&mut writer, &streams);
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(place.path("aside"), &path).unwrap();
    let made = make(&files, &streams, Some(&["000000000001", "000000000002"]), None).unwrap();
    let times: Vec<_> = records(&place.path(&made.path)).iter().map(|record| record.0).collect();
    assert_eq!((times.as_slice(), made.files_cut), (&[1, 2][..], 1));
    assert_eq!(streams.counters().packets_lost, 1);
}

/// The second opinion: other people's tools find the same packets.
#[test]
fn other_tools_read_a_snapshot() {
    let place = Place::new();
    let (files, mut writer, streams) = place.streams(StreamsConfig::default());
    for number in 0..50 {
        let id = if number % 2 == 0 { StreamId::udp(number) } else { StreamId::tcp(number) };
        for at in 0..20 {
            let nanos = 1_700_000_000_000_000_000 + (at * 50 + (number as i64 * 7) % 50) * 1_001;
            send(&mut writer, id, nanos, &[&[0; 12][..], &[8, 0, 0x45, number as u8, at as u8]].concat());
        }
    }
    let made = make(&files, &streams, None, None).unwrap();
    let path = place.path(&made.path);
    let run = |program: &str, arguments: &[&str]| -> Option<String> {
        match Command::new(program).args(arguments).arg(&path).output() {
            Ok(output) => {
                assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
                Some(String::from_utf8(output.stdout).unwrap())
            }
            Err(_) => {
                println!("skipped: {program} (Debian: tshark) is not installed");
                None
            }
        }
    };
    if let Some(text) = run("capinfos", &["-c", "-E", "-o", "-M"]) {
        assert!(text.contains("1000") && text.contains("True"), "{text}");
    }
    let Some(text) =
        run("tshark", &["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-n", "-r"])
    else {
        return;
    };
    let found: Vec<_> = text.lines().map(|line| line.replace('\t', " ")).collect();
    let expected: Vec<_> = records(&path)
        .iter()
        .map(|(nanos, _, data)| {
            format!("{}.{:09} {}", nanos / 1_000_000_000, nanos % 1_000_000_000, data.len())
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 1_000);
}
