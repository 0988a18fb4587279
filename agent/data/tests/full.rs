//! In a process of its own, whose files can be a few KiB long only: what a disk does that is full.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::process::Command;

use remora_data::{Files, FilesConfig, Reason, StreamId, Streams, StreamsConfig};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::PcapReader;

const LIMITED: &str = "REMORA_TEST_LIMITED";

#[test]
fn what_does_not_fit_is_lost_and_the_rest_stays_whole() {
    if std::env::var_os(LIMITED).is_some() {
        return within_the_limit();
    }
    // The limit is in units of 512 bytes, or 1024 in some shells. Ignored signals stay ignored in what is run.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16 && exec \"$0\" --exact what_does_not_fit_is_lost_and_the_rest_stays_whole"])
        .arg(std::env::current_exe().unwrap())
        .env(LIMITED, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn within_the_limit() {
    let place = std::env::temp_dir().join(format!("remora-data-full-{}", std::process::id()));
    let files = Files::new(&place, FilesConfig::default()).unwrap();
    let (mut writer, streams) = Streams::open(&files, StreamsConfig::default()).unwrap();
    let data = [7; 100];
    let mut packet = Packet {
        timestamp: Timestamp::default(),
        link: LinkType::RAW,
        interface: 0,
        length: 100,
        data: &data,
    };
    let mut errors = 0;
    for nanos in 0..500 {
        packet.timestamp = Timestamp::from_nanos(nanos);
        writer.packet(StreamId::tcp(1), &packet);
        if nanos % 7 == 0 {
            errors += u64::from(streams.path("000000000001").is_err());
        }
    }
    let counters = streams.counters();
    assert!(errors > 0 && counters.write_errors == errors, "{counters:?}");
    // The disk has what was told to be there, whole, and the other packets are told to be lost.
    let mut reader = PcapReader::new(fs::File::open(place.join("pcaps/000000000001.pcap")).unwrap()).unwrap();
    let mut kept = 0;
    while let Some(packet) = reader.next().unwrap() {
        assert_eq!(packet.timestamp.nanos(), kept);
        kept += 1;
    }
    assert!((20..200).contains(&kept), "{kept}");
    let unwritten = 500 - 1 - 497;
    assert_eq!(kept as u64 + counters.packets_lost + unwritten, 500);

    let used = files.counters().used_bytes;
    files.write("a", b"before").unwrap();
    for result in [files.write("a", &[0; 40_000]), files.append("a", &[0; 40_000])] {
        assert!(matches!(result.unwrap_err().reason, Reason::Io(_)));
    }
    assert_eq!(fs::read(place.join("a")).unwrap(), b"before");
    assert_eq!(files.counters().used_bytes, used + 4096);
    drop(writer);
    fs::remove_dir_all(&place).unwrap();
}
