//! The world behind the scripts' helpers, as the settings have it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use remora_data::{Files, FilesConfig, NameHistory, StreamWriter, Streams, StreamsConfig};
use remora_dissect::Origin;
use remora_kfl::{Macros, QueryCache};
use remora_metrics::Registry;
use remora_script::{Script, Services};
use remora_vendor::{Runner, Vendor};
use tempfile::TempDir;

use crate::config::Settings;
use crate::pipeline::Pace;

/// Changes of names that the history keeps.
const NAME_CHANGES: usize = 10_000;

/// What is set up for the scripts of one invocation.
pub(crate) struct World {
    pub(crate) services: Services,
    /// Where packets go that streams' pcaps are made of.
    pub(crate) pcaps: Option<StreamWriter>,
    /// Removed at the end.
    _temporary: Option<TempDir>,
}

/// KFL macros: the built-in ones and those of the settings.
pub(crate) fn macros(settings: &Settings) -> anyhow::Result<Macros> {
    Macros::with_custom(&settings.custom_macros).context("tap.customMacros")
}

impl World {
    /// Without scripts, now and later, nothing is set up that they alone would use.
    pub(crate) fn new(
        settings: &Settings,
        origin: &Origin,
        scripts: &[Script],
        has_scripts: bool,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let mut world = Self {
            services: Services {
                node_name: origin.node.name.clone(),
                vendor: None,
                files: None,
                streams: None,
                names: Arc::new(Mutex::new(NameHistory::new(NAME_CHANGES))),
                metrics: Arc::new(Registry::new(settings.metric_caps())),
                queries: Arc::new(QueryCache::new(macros(settings)?, settings.script_queries)),
            },
            pcaps: None,
            _temporary: None,
        };
        if has_scripts {
            world.services.vendor = Some((vendor(settings, origin)?, Arc::new(Runner::new()?)));
            world.open_data(settings, scripts, pace)?;
        }
        Ok(world)
    }

    fn open_data(&mut self, settings: &Settings, scripts: &[Script], pace: Pace) -> anyhow::Result<()> {
        let dir = match settings.data_dir.as_str() {
            "" => {
                let temporary = TempDir::with_prefix("remora-").context("cannot make a temporary folder")?;
                let dir = temporary.path().to_owned();
                self._temporary = Some(temporary);
                dir
            }
            dir => PathBuf::from(dir),
        };
        let config = FilesConfig {
            total_bytes: settings.data_script_bytes.0 as u64,
            write_bytes: settings.data_write_bytes.0 as u64,
        };
        let files = Files::new(&dir, config).with_context(|| cannot_open(&dir))?;
        let config = StreamsConfig {
            enabled: keeps_pcaps(settings, scripts)?,
            ttl: Duration::from_secs(settings.pcap_ttl_seconds),
            total_bytes: settings.pcap_total.0 as u64,
            stream_bytes: settings.pcap_stream.0 as u64,
            open_files: settings.pcap_open_files,
            buffer_bytes: settings.pcap_buffer.0,
            wait_for_disk: pace == Pace::Lossless,
        };
        let enabled = config.enabled;
        let (writer, streams) = Streams::open(&files, config).with_context(|| cannot_open(&dir))?;
        self.pcaps = enabled.then_some(writer);
        self.services.streams = Some(streams);
        self.services.files = Some(files);
        Ok(())
    }
}

fn cannot_open(dir: &Path) -> String {
    format!("cannot use {} as data folder (data.dir)", dir.display())
}

/// Streams are written to pcaps only for scripts that may ask for them: it costs as much as the capture itself.
fn keeps_pcaps(settings: &Settings, scripts: &[Script]) -> anyhow::Result<bool> {
    match settings.pcap_enabled.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        "auto" => Ok(scripts.iter().any(|script| script.code.to_ascii_lowercase().contains("pcap"))),
        other => anyhow::bail!("tap.pcap.enabled: expected true, false or auto, found {other:?}"),
    }
}

fn vendor(settings: &Settings, origin: &Origin) -> anyhow::Result<Vendor> {
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let seconds = Duration::from_secs;
    let certificates = given(&settings.vendor_ca_file)
        .map(|path| {
            std::fs::read_to_string(&path).with_context(|| format!("scripting.vendor.caFile: {path}"))
        })
        .transpose()?;
    let config = remora_vendor::Config {
        deadline: seconds(settings.script_helper_seconds),
        upload_deadline: seconds(settings.script_helper_seconds),
        chatgpt_deadline: seconds(settings.chatgpt_seconds.min(settings.script_helper_seconds)),
        response_bytes: settings.script_response_bytes.0,
        slack_base_url: settings.slack_url.clone(),
        chatgpt_base_url: settings.chatgpt_url.clone(),
        chatgpt_model: settings.chatgpt_model.clone(),
        s3_endpoint: given(&settings.s3_endpoint),
        gcs_endpoint: given(&settings.gcs_endpoint),
        extra_ca_pem: certificates,
        node_name: Some(origin.node.name.clone()),
        node_ip: Some(origin.node.ip.clone()),
        run_id: Some(run_id()),
        variables: remora_vendor::Variables::of_process(),
    };
    Ok(Vendor::new(config)?)
}

/// Tells runs on one node apart: when this one began.
fn run_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().to_string()
}
