//! Captures and their items, for the tests that compare them with files.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::tls::Secrets;
use remora_dissect::{Counters, Engine, Item, Limits, Origin};
use remora_pcap::{Block, PcapReader};
use remora_variants::OwnedPacket;

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// What came of a capture.
pub(crate) struct Replay {
    pub(crate) items: Vec<Item>,
    pub(crate) counters: Counters,
    /// The most heap the engine held between two packets.
    pub(crate) peak: usize,
}

/// Reads a capture to its end or to where it breaks; what was readable before counts.
pub(crate) fn replay(path: &Path, limits: Limits) -> Replay {
    let origin = Origin {
        worker: "192.0.2.1:48999".to_owned(),
        node: Node { ip: "192.0.2.1".to_owned(), name: "node".to_owned() },
        backend: "pcap",
        source: "file",
    };
    let mut engine = Engine::new(limits, Arc::new(origin));
    let (mut items, mut peak) = (Vec::new(), 0);
    if let Ok(mut reader) = PcapReader::new(File::open(path).expect("the capture opens")) {
        while let Ok(Some(block)) = reader.next_block() {
            match block {
                Block::Packet(packet) => {
                    engine.packet(&packet, &mut items);
                }
                Block::TlsKeyLog(text) => engine.tls_key_log(text),
            }
            peak = peak.max(engine.memory());
        }
    }
    engine.finish(&mut items);
    Replay { items, counters: *engine.counters(), peak }
}

/// The limits for a capture whose secrets are beside it, in `<case>.keys.txt`.
pub(crate) fn keyed(path: &Path) -> Option<Limits> {
    let keys = std::fs::read(path.with_file_name(format!("{}.keys.txt", case(path)?))).ok()?;
    let mut secrets = Secrets::default();
    secrets.read(&keys, usize::MAX, |fault| panic!("{}: {fault}", path.display()));
    Some(Limits { tls_secrets: Some(Arc::new(secrets)), ..Limits::default() })
}

/// All packets of a capture, to where it breaks.
pub(crate) fn packets(path: &Path) -> Vec<OwnedPacket> {
    let mut packets = Vec::new();
    if let Ok(mut reader) = PcapReader::new(File::open(path).expect("the capture opens")) {
        while let Ok(Some(packet)) = reader.next() {
            packets.push(OwnedPacket::from(&packet));
        }
    }
    packets
}

/// Captures of other projects beside the repository, with the protocols they are listed with.
pub(crate) struct Public {
    pub(crate) folder: PathBuf,
    index: String,
}

impl Public {
    /// `None`, and a line that says so, where they are not there.
    pub(crate) fn open() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps/public");
        let Ok(index) = std::fs::read_to_string(folder.join("index.tsv")) else {
            eprintln!("skipped: no captures at {}", folder.display());
            return None;
        };
        Some(Self { folder, index })
    }

    /// Each capture's place in the folder, and its protocols.
    pub(crate) fn captures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.index.lines().filter_map(|line| Some((line.split('\t').next()?, line.rsplit('\t').next()?)))
    }
}

/// Whether a capture's protocols have this one, as tshark calls it.
pub(crate) fn carries(protocols: &str, name: &str) -> bool {
    protocols.split(' ').any(|entry| entry.split(':').next() == Some(name))
}

/// All captures in a folder, in the order of their names.
pub(crate) fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| case(path).is_some())
        .collect();
    paths.sort();
    paths
}

/// A capture's name without what tells its format.
pub(crate) fn case(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".pcap").or_else(|| name.strip_suffix(".pcapng"))
}

/// FNV-1a, 64 bits.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
