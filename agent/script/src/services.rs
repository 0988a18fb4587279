//! What helpers work with, given by the agent and shared by all scripts.

use std::sync::{Arc, Mutex};

use remora_data::{Files, NameHistory, Streams};
use remora_kfl::{Macros, QueryCache};
use remora_metrics::Registry;
use remora_vendor::{Runner, Vendor};

/// The world behind the helpers. What is missing makes its helpers throw and say so.
#[derive(Clone)]
pub struct Services {
    pub node_name: String,
    /// `vendor.*`, `chatgpt.prompt`.
    pub vendor: Option<(Vendor, Arc<Runner>)>,
    /// `file.*`, and what others upload.
    pub files: Option<Files>,
    /// `pcap.path`, `pcap.snapshot`.
    pub streams: Option<Streams>,
    /// `pcap.nameResolutionHistory`.
    pub names: Arc<Mutex<NameHistory>>,
    /// `prometheus.*`. Scripts are its owners, by their places.
    pub metrics: Arc<Registry>,
    /// `kfl.*`.
    pub queries: Arc<QueryCache>,
}

/// Compiled queries kept where nothing else is set.
const QUERIES: usize = 256;
/// Changes of names kept where nothing else is set.
const NAMES: usize = 1024;

impl Default for Services {
    /// What needs no network and no disk.
    fn default() -> Self {
        Self {
            node_name: String::new(),
            vendor: None,
            files: None,
            streams: None,
            names: Arc::new(Mutex::new(NameHistory::new(NAMES))),
            metrics: Arc::default(),
            queries: Arc::new(QueryCache::new(Macros::default(), QUERIES)),
        }
    }
}
