//! The world behind the helpers: a data directory with captures, names, metrics, queries, and a server for all requests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remora_data::{Files, FilesConfig, NameHistory, StreamId, StreamWriter, Streams, StreamsConfig};
use remora_kfl::{Macros, QueryCache};
use remora_metrics::{Collect, Exposition};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_script::{HostConfig, Services};
use remora_vendor::{Config, Runner, Vendor};

use super::server::Server;
use super::{Running, config, try_start_in};

/// A deadline that no test is meant to reach.
const LONG: Duration = Duration::from_secs(300);
/// What scripts' files may take.
pub(crate) const FILES_BYTES: u64 = 1 << 20;

/// The stream of the items of `common::items`, and another.
pub(crate) const STREAM: &str = "000000025258.pcap";
pub(crate) const OTHER_STREAM: &str = "000000000007_udp.pcap";

pub(crate) struct World {
    pub(crate) services: Services,
    folder: tempfile::TempDir,
    /// Keeps the streams' thread.
    _writer: StreamWriter,
}

/// Settings under which every service is at `server`.
pub(crate) fn vendor_config(server: &Server) -> Config {
    Config {
        deadline: LONG,
        upload_deadline: LONG,
        chatgpt_deadline: LONG,
        slack_base_url: server.url("/slack/"),
        chatgpt_base_url: server.url("/ai/v1/"),
        s3_endpoint: Some(server.url("")),
        gcs_endpoint: Some(server.url("")),
        node_name: Some("node-1".into()),
        node_ip: Some("10.0.0.7".into()),
        ..Config::default()
    }
}

impl World {
    pub(crate) fn new(server: &Server) -> Self {
        Self::with(vendor_config(server))
    }

    pub(crate) fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let limits = FilesConfig { total_bytes: FILES_BYTES, write_bytes: FILES_BYTES / 4 };
        let files = Files::new(folder.path(), limits).unwrap();
        let (mut writer, streams) = Streams::open(&files, StreamsConfig::default()).unwrap();
        for (second, id) in [(2, StreamId::tcp(25_258)), (1, StreamId::udp(7)), (3, StreamId::tcp(25_258))] {
            writer.packet(id, &packet(second));
        }
        let mut names = NameHistory::new(16);
        names.record(1_700_000_000, "10.0.0.9", "influx.shop");
        let macros = Macros::with_custom([("broken", "response.status >= 500")]).unwrap();
        let services = Services {
            node_name: "node-1".into(),
            vendor: Some((Vendor::new(config).unwrap(), Arc::new(Runner::new().unwrap()))),
            files: Some(files),
            streams: Some(streams),
            names: Arc::new(Mutex::new(names)),
            metrics: Arc::default(),
            queries: Arc::new(QueryCache::new(macros, 16)),
        };
        Self { services, folder, _writer: writer }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The text of a file in the data directory.
    pub(crate) fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Names in the data directory, but for the folder of the streams.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != remora_data::FOLDER).collect();
        names.sort();
        names
    }

    /// What Prometheus would read, without the agent's own metrics.
    pub(crate) fn exposition(&self) -> Vec<String> {
        let mut exposition = Exposition::new();
        self.services.metrics.collect(&mut exposition);
        let text = exposition.finish();
        text.lines().filter(|line| !line.contains("remora_")).map(str::to_owned).collect()
    }

    /// Starts the script `test.js` here; the server's address is `URL` in it.
    pub(crate) fn start(&self, server: &Server, code: &str) -> Running {
        self.start_with(HostConfig { env: [("URL".to_owned(), server.url(""))].into(), ..config() }, code)
    }

    pub(crate) fn start_with(&self, config: HostConfig, code: &str) -> Running {
        match try_start_in(config, self.services.clone(), &[("test.js", code)]) {
            Ok(running) => running,
            Err(errors) => panic!("{errors:?}"),
        }
    }
}

fn packet(second: i64) -> Packet<'static> {
    Packet {
        timestamp: Timestamp::from_nanos(second * 1_000_000_000),
        link: LinkType::ETHERNET,
        interface: 0,
        length: 60,
        data: &[0x45; 60],
    }
}

/// The seconds of the packets of a capture, in its order.
pub(crate) fn seconds(capture: &[u8]) -> Vec<i64> {
    let mut reader = remora_pcap::PcapReader::new(capture).unwrap();
    let mut seconds = Vec::new();
    while let Some(packet) = reader.next().unwrap() {
        seconds.push(packet.timestamp.seconds());
    }
    seconds
}
