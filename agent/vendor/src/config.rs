//! What an operator sets.

use std::time::Duration;

use crate::Variables;

/// Settings of all helpers. `Config::default()` reaches the public services and knows no node: set `node_name` and
/// `node_ip` before the object stores are used.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long one call may take, retries included. 30 s.
    pub deadline: Duration,
    /// The same for `put` and `clear` of the object stores. 30 s.
    pub upload_deadline: Duration,
    /// The same for `chatgpt.prompt`. 30 s.
    pub chatgpt_deadline: Duration,
    /// Most bytes of an answer's body; a longer one is an error. 4 MiB.
    pub response_bytes: usize,
    /// Where the methods of Slack's Web API are. `https://slack.com/api/`.
    pub slack_base_url: String,
    /// Where `chat/completions` is. `https://api.openai.com/v1/`.
    pub chatgpt_base_url: String,
    /// The model that answers prompts. `gpt-4o-mini`.
    pub chatgpt_model: String,
    /// An S3-compatible service instead of Amazon's: scheme, host, port. Buckets are the first part of the path.
    pub s3_endpoint: Option<String>,
    /// A Cloud Storage emulator instead of Google's: scheme, host, port. Without a service account key, requests to it are
    /// not signed.
    pub gcs_endpoint: Option<String>,
    /// Certificates trusted besides those of the system, as PEM text.
    pub extra_ca_pem: Option<String>,
    /// The node's name, first part of the keys of uploaded objects.
    pub node_name: Option<String>,
    /// The node's address, second part of the keys of uploaded objects.
    pub node_ip: Option<String>,
    /// Tells runs on one node apart, third part of the keys of uploaded objects; left out where absent.
    pub run_id: Option<String>,
    /// The environment variables that proxies and cloud credentials come from.
    pub variables: Variables,
}

impl Default for Config {
    fn default() -> Self {
        const DEADLINE: Duration = Duration::from_secs(30);
        Self {
            deadline: DEADLINE,
            upload_deadline: DEADLINE,
            chatgpt_deadline: DEADLINE,
            response_bytes: 4 << 20,
            slack_base_url: "https://slack.com/api/".to_owned(),
            chatgpt_base_url: "https://api.openai.com/v1/".to_owned(),
            chatgpt_model: "gpt-4o-mini".to_owned(),
            s3_endpoint: None,
            gcs_endpoint: None,
            extra_ca_pem: None,
            node_name: None,
            node_ip: None,
            run_id: None,
            variables: Variables::default(),
        }
    }
}
