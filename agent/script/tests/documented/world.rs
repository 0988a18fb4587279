//! The world of one example: a data directory, streams, names, services on loopback; and what was seen to happen in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use remora_data::{Files, FilesConfig, NameHistory, StreamId, StreamWriter, Streams, StreamsConfig};
use remora_dissect::{Item, json};
use remora_packet::{LinkType, Packet, Timestamp};
use remora_script::{HostConfig, Services};
use remora_vendor::{Config, Runner, Vendor};
use tempfile::TempDir;

use crate::common::{Running, config, try_start_in};
use crate::server::Server;

/// A deadline that no example is meant to reach.
const LONG: Duration = Duration::from_secs(300);

/// Headers that say who asks, and for what.
const TELLING: [&str; 3] = ["Authorization", "Content-Type", "X-Amz-Security-Token"];

pub(crate) struct World {
    server: Server,
    services: Services,
    folder: TempDir,
    /// Outside of the data directory.
    _secrets: TempDir,
    /// Keeps the streams' thread.
    _writer: StreamWriter,
}

impl World {
    pub(crate) fn new() -> Self {
        let (server, folder, secrets) =
            (Server::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let limits = FilesConfig { total_bytes: 1 << 20, write_bytes: 1 << 18 };
        let files = Files::new(folder.path(), limits).unwrap();
        let (mut writer, streams) = Streams::open(&files, StreamsConfig::default()).unwrap();
        writer.packet(
            StreamId::tcp(25_258),
            &Packet {
                timestamp: Timestamp::from_nanos(1_678_675_066_172_360_504),
                link: LinkType::ETHERNET,
                length: 60,
                data: &[0x45; 60],
                interface: 0,
            },
        );
        let mut names = NameHistory::new(16);
        names.record(1_700_000_000, "10.0.0.9", "influx.shop");
        let vendor = Vendor::new(vendor_config(&server, secrets.path())).unwrap();
        let services = Services {
            node_name: "node-1".into(),
            vendor: Some((vendor, Arc::new(Runner::new().unwrap()))),
            files: Some(files),
            streams: Some(streams),
            names: Arc::new(Mutex::new(names)),
            ..Services::default()
        };
        Self { server, services, folder, _secrets: secrets, _writer: writer }
    }

    /// Keys and addresses, which differ from those of the documentation.
    pub(crate) fn env(&self) -> BTreeMap<String, String> {
        let cloud = STANDARD.encode(format!("0.0.1:{}$127$", self.server.tls_port()));
        let account =
            r#"{"client_email":"a@example","private_key_id":"i","private_key":"k","disable_oauth":true}"#;
        let pairs: [(&str, &str); 17] = [
            ("WEBHOOK_URL", &self.server.url("/hook")),
            ("SLACK_WEBHOOK", &self.server.url("/slack-hook")),
            ("SLACK_AUTH_TOKEN", "xoxb-1"),
            ("SLACK_CHANNEL_ID", "C0123"),
            ("INFLUXDB_URL", &self.server.url("/influx")),
            ("INFLUXDB_TOKEN", "influx-token"),
            ("INFLUXDB_ORGANIZATION", "shop"),
            ("INFLUXDB_BUCKET", "traffic"),
            ("ELASTIC_INDEX", "traffic"),
            ("ELASTIC_CLOUD_ID", &format!("test:{cloud}")),
            ("ELASTIC_API_KEY", "id:key"),
            ("S3_BUCKET", "captures"),
            ("AWS_REGION", "eu-west-3"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("GCS_BUCKET", "google-captures"),
            ("GCS_SA_KEY_JSON", account),
        ];
        let mut env: BTreeMap<_, _> =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        env.insert("OPENAI_API_KEY".into(), "openai-key".into());
        env
    }

    /// Starts the script `test.js` here, or says why it did not load.
    pub(crate) fn start(&self, env: BTreeMap<String, String>, code: &str) -> Result<Running, String> {
        try_start_in(HostConfig { env, ..config() }, self.services.clone(), &[("test.js", code)])
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    /// What has happened, a line each: what was printed, what was asked of the services, what marks items have, what lies
    /// in the data directory. `items` have their names in the stead of their JSON.
    pub(crate) fn seen(&self, running: &Running, items: &[Arc<Item>]) -> Vec<String> {
        let names = Names::new(&self.server, items);
        let mut seen = Vec::new();
        for line in running.lines() {
            names.tell("console: ", &line, &mut seen);
        }
        for request in self.server.requests() {
            seen.push(format!("request: {} {}", request.method, request.target));
            if request.header("X-Kubeshark-Capture") != Some("ignore") {
                seen.push("  not marked as the agent's own".into());
            }
            for name in TELLING {
                seen.extend(request.header(name).map(|value| format!("  {name}: {value}")));
            }
            names.tell_content(&request.body, &mut seen);
        }
        let verdicts = running.recorder.verdicts();
        seen.extend(verdicts.iter().map(|(index, verdict)| format!("mark: item {index}: {verdict:?}")));
        let mut files = Vec::new();
        tell_files(self.folder.path(), "", &mut files);
        files.sort();
        for (title, content) in files {
            seen.push(title);
            names.tell_content(&content, &mut seen);
        }
        let stats = running.stats();
        if stats.calls + stats.jobs > 0 {
            seen.push(format!("calls: {} hooks, {} jobs, {} failed", stats.calls, stats.jobs, stats.errors));
        }
        seen
    }
}

/// Short names in the stead of what is long or differs from run to run.
struct Names(Vec<(String, String)>);

impl Names {
    fn new(server: &Server, items: &[Arc<Item>]) -> Self {
        let mut names = vec![(server.url(""), "http://server".to_owned())];
        for (index, item) in items.iter().enumerate() {
            let mut text = Vec::new();
            json::write_object(&**item, &mut text);
            let mut value: serde_json::Value = serde_json::from_slice(&text).unwrap();
            let text = String::from_utf8(text).unwrap();
            names.push((serde_json::to_string_pretty(&value).unwrap(), format!("<item {index}, indented>")));
            let fields = value.as_object_mut().unwrap();
            fields.retain(|name, _| !matches!(name.as_str(), "passed" | "failed"));
            let unmarked = value.to_string();
            for (text, name) in
                [(text, format!("<item {index}>")), (unmarked, format!("<item {index}, unmarked>"))]
            {
                // As it is, and as a part of a text within JSON.
                let quoted = serde_json::to_string(&text).unwrap();
                names.push((quoted[1..quoted.len() - 1].to_owned(), name.clone()));
                names.push((text, name));
            }
        }
        Self(names)
    }

    fn tell(&self, title: &str, text: &str, seen: &mut Vec<String>) {
        let text = self.0.iter().fold(text.to_owned(), |text, (long, name)| text.replace(long, name));
        seen.extend(text.lines().map(|line| format!("{title}{line}")));
    }

    /// Text line by line; of anything else its length and first bytes.
    fn tell_content(&self, content: &[u8], seen: &mut Vec<String>) {
        match std::str::from_utf8(content) {
            Ok(text) if !text.contains('\0') => self.tell("  ", text, seen),
            _ => {
                let first: String = content.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                seen.push(format!("  {} bytes, {first}…", content.len()));
            }
        }
    }
}

/// Settings under which every service is on loopback.
fn vendor_config(server: &Server, secrets: &Path) -> Config {
    let token = secrets.join("token");
    std::fs::write(&token, "jwt-1").unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/s3-role"),
        ("AWS_ENDPOINT_URL_STS", &server.url("/sts")),
    ];
    Config {
        deadline: LONG,
        upload_deadline: LONG,
        chatgpt_deadline: LONG,
        slack_base_url: server.url("/slack/"),
        chatgpt_base_url: server.url("/ai/v1/"),
        s3_endpoint: Some(server.url("")),
        gcs_endpoint: Some(server.url("")),
        extra_ca_pem: Some(server.certificate.clone()),
        node_name: Some("node-1".into()),
        node_ip: Some("10.0.0.7".into()),
        run_id: Some("42".into()),
        variables: variables.into_iter().collect(),
        ..Config::default()
    }
}

/// Files with what is in them, and folders.
fn tell_files(folder: &Path, prefix: &str, seen: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if name == remora_data::FOLDER {
            // The streams are the agent's.
        } else if entry.file_type().unwrap().is_dir() {
            tell_files(&entry.path(), &format!("{name}/"), seen);
            seen.push((format!("folder: {name}"), Vec::new()));
        } else {
            seen.push((format!("file: {name}"), std::fs::read(entry.path()).unwrap()));
        }
    }
}
