//! A data directory of a test's own, and captures in it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::read::GzDecoder;
use remora_data::{Files, FilesConfig, StreamId, StreamWriter, Streams, StreamsConfig};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_pcap::{PcapReader, PcapWriter, Resolution};

/// Removed at the end, with a folder beside the data directory that no path may reach.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let place = std::env::temp_dir().join(format!("remora-data-{}-{number}", std::process::id()));
        fs::create_dir_all(place.join("outside")).unwrap();
        fs::create_dir_all(place.join("data")).unwrap();
        Self(place)
    }

    /// Of the data directory.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.join("data").join(path)
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.0.join("outside")
    }

    pub(crate) fn files(&self) -> Files {
        self.files_with(FilesConfig::default())
    }

    pub(crate) fn files_with(&self, config: FilesConfig) -> Files {
        Files::new(&self.path("."), config).unwrap()
    }

    pub(crate) fn streams(&self, config: StreamsConfig) -> (Files, StreamWriter, Streams) {
        let files = self.files();
        let (writer, streams) = Streams::open(&files, config).unwrap();
        (files, writer, streams)
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), content).unwrap();
    }

    /// Paths and contents, in the archive's order.
    pub(crate) fn text_of_archive(&self, path: &str) -> Vec<(String, Vec<u8>)> {
        let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(self.path(path)).unwrap()));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (path, content)
        });
        entries.collect()
    }

    /// Names in the data directory, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.path("."))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Time in nanoseconds, link type, bytes.
pub(crate) type Record = (i64, u32, Vec<u8>);

pub(crate) fn packet<'a>(nanos: i64, link: LinkType, data: &'a [u8]) -> Packet<'a> {
    let timestamp = Timestamp::from_nanos(nanos);
    Packet { timestamp, link, interface: 0, length: data.len() as u32, data }
}

pub(crate) fn send(writer: &mut StreamWriter, id: StreamId, nanos: i64, data: &[u8]) {
    writer.packet(id, &packet(nanos, LinkType::ETHERNET, data));
}

/// The disk's thread works in order, so once this returns it did all that was given to it before.
pub(crate) fn wait_for_disk(writer: &mut StreamWriter, streams: &Streams) {
    let id = StreamId::udp(999);
    send(writer, id, 0, b"");
    streams.path(&id.to_string()).unwrap();
}

/// All packets of a file, which must be whole.
pub(crate) fn records(path: &Path) -> Vec<Record> {
    let mut reader = PcapReader::new(fs::File::open(path).unwrap()).unwrap();
    let mut records = Vec::new();
    while let Some(packet) = reader.next().unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        records.push((packet.timestamp.nanos(), packet.link.0, packet.data.to_vec()));
    }
    records
}

pub(crate) fn capture(link: LinkType, records: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), link, 0, Resolution::Nanos).unwrap();
    for (nanos, data) in records {
        writer.write(&packet(*nanos, link, data)).unwrap();
    }
    writer.into_inner()
}
