//! Captures of every dialect and damage from a collection beside the repository, where it is there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::build::read;
use remora_pcap::PcapError;

fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps").join(name);
    if !path.is_dir() {
        eprintln!("skipped: no captures at {}", path.display());
        return None;
    }
    Some(path)
}

/// Packets read and how it ended.
fn outcome(path: &Path) -> (usize, &'static str) {
    let (seen, result) = read(File::open(path).unwrap());
    let end = match result {
        Ok(()) => "whole",
        Err(PcapError::NotACapture { .. }) => "no capture",
        Err(PcapError::Truncated { .. }) => "truncated",
        Err(PcapError::Corrupt { .. }) => "corrupt",
        Err(PcapError::UnsupportedVersion { .. }) => "unsupported",
        Err(error @ PcapError::Read { .. }) => panic!("{}: {error}", path.display()),
    };
    (seen.len(), end)
}

#[test]
fn damaged_captures() {
    let Some(folder) = folder("own/corrupt") else { return };
    let expected = [
        ("bad_ip_checksum.pcap", 93, "whole"),
        ("bad_magic.pcap", 0, "no capture"),
        ("caplen_2g.pcap", 20, "corrupt"),
        ("caplen_above_len.pcap", 93, "whole"),
        ("caplen_above_snaplen.pcap", 93, "whole"),
        ("caplen_absurd.pcap", 20, "corrupt"),
        ("caplen_zero.pcap", 94, "whole"),
        ("cut_in_record_data.pcap", 40, "truncated"),
        ("cut_in_record_header.pcap", 40, "truncated"),
        ("empty_file.pcap", 0, "no capture"),
        ("garbage_between_records.pcap", 20, "corrupt"),
        ("gzip_cut.pcap.gz", 28, "truncated"),
        ("header_only.pcap", 0, "whole"),
        ("ng_bad_byte_order.pcapng", 0, "no capture"),
        ("ng_block_length_absurd.pcapng", 0, "corrupt"),
        ("ng_block_length_zero.pcapng", 0, "corrupt"),
        ("ng_cut_in_block.pcapng", 8, "truncated"),
        ("ng_epb_caplen_above_block.pcapng", 0, "corrupt"),
        ("ng_interface_id_out_of_range.pcapng", 0, "corrupt"),
        ("ng_packet_before_interface.pcapng", 0, "corrupt"),
        ("ng_trailing_length_differs.pcapng", 0, "corrupt"),
        ("ng_tsresol_255.pcapng", 5, "whole"),
        ("ng_unaligned_length.pcapng", 0, "corrupt"),
        ("short_header.pcap", 0, "no capture"),
        ("snaplen_huge.pcap", 93, "whole"),
        ("snaplen_zero.pcap", 93, "whole"),
        ("text_file.pcap", 0, "no capture"),
        ("time_runs_backwards.pcap", 60, "whole"),
        ("unknown_linktype.pcap", 93, "whole"),
        ("usec_above_million.pcap", 93, "whole"),
        ("version_9_9.pcap", 0, "unsupported"),
    ];
    let mut read = 0;
    for (name, packets, end) in expected {
        let path = folder.join(name);
        if path.exists() {
            assert_eq!(outcome(&path), (packets, end), "{name}");
            read += 1;
        } else {
            eprintln!("skipped: no {name}");
        }
    }
    assert!(read > 0, "the folder has none of the captures it is known for");
}

/// Packet counts of the collection's own table (`| name | packets | ...`).
#[test]
fn whole_captures_have_the_packets_of_their_table() {
    let Some(folder) = folder("own") else { return };
    let table = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut read = 0;
    for line in table.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(name), Some(packets)) = (cells.next(), cells.next()) else { continue };
        // The table counts with a reader that takes a private block for a packet.
        let Ok(packets) = packets
            .parse::<usize>()
            .map(|count| count - usize::from(name.ends_with("unknown_blocks.pcapng")))
        else {
            continue;
        };
        let path = folder.join(name);
        if path.exists() {
            assert_eq!(outcome(&path), (packets, "whole"), "{name}");
            read += 1;
        }
    }
    assert!(read > 0, "no row of the table names a capture that is there");
}

#[test]
fn public_captures_end_well_or_say_why() {
    let Some(folder) = folder("public") else { return };
    let (mut files, mut packets) = (0, 0);
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng" || kind == "cap")
            {
                packets += outcome(&path).0;
                files += 1;
            }
        }
    }
    eprintln!("{files} captures, {packets} packets");
    assert!(files > 0 && packets > 0);
}
