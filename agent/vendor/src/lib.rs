//! The outside world behind the script helpers `vendor.*` and `chatgpt.prompt`: webhooks, Slack, InfluxDB,
//! Elasticsearch, S3, Google Cloud Storage, chat completions. Knows nothing of a JavaScript engine: the script host
//! turns the arguments of a call into a request of this crate ([`arguments`] tells older argument orders apart), has
//! [`Runner::run`] wait for it, and turns an [`Error`] into an exception.
//!
//! What holds for every request:
//!
//! * One HTTP client with one connection pool serves all, the object stores included. A pinned certificate
//!   ([`Elastic::fingerprint`]) has a client of its own, because the decision belongs to the connection.
//! * It carries `X-Kubeshark-Capture: ignore`, so that captured traffic never feeds on itself.
//! * It ends at its deadline ([`Config::deadline`] or the one of its kind), retries and waits for rate limits included.
//! * An answer longer than [`Config::response_bytes`] is an error, read no further.
//! * An error names method, host and path, the status and the beginning of the answer. Tokens, keys, passwords, queries
//!   and paths that are secrets themselves are left out.
//! * It is repeated only where that is safe: see each method.
//! * Proxies come from [`Config::variables`] (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`); link-local addresses,
//!   where clouds hand out credentials, are never asked through one.
//!
//! ```no_run
//! use remora_vendor::{Cancel, Config, Runner, Vendor, Webhook};
//!
//! # fn main() -> Result<(), remora_vendor::Error> {
//! let (vendor, runner, cancel) = (Vendor::new(Config::default())?, Runner::new()?, Cancel::new());
//! let deadline = vendor.config().deadline;
//! let url = String::from("http://127.0.0.1:8080/hook");
//! let body = runner.run(deadline, &cancel, async move {
//!     vendor.webhook(Webhook { method: "POST", url: &url, body: Some("{}"), headers: &[] }).await
//! })?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod arguments;
mod chatgpt;
mod client;
mod cloud_id;
mod config;
mod content_type;
mod elastic;
mod error;
mod exchange;
mod file;
mod gcs;
mod influxdb;
mod line_protocol;
mod multipart;
mod recent;
mod retry;
mod runner;
mod s3;
mod scrub;
mod slack;
mod slack_bot;
mod store;
mod target;
mod tls;
mod variables;
mod vendor;
mod webhook;

pub use cap_std;
pub use chatgpt::Prompt;
pub use config::Config;
pub use elastic::Elastic;
pub use error::Error;
pub use gcs::{GcsClear, GcsPut};
pub use influxdb::Influxdb;
pub use runner::{Cancel, Runner};
pub use s3::{S3Clear, S3Keys, S3Put};
pub use slack::Slack;
pub use slack_bot::{Posted, SlackBot, SlackFile};
pub use store::{Cleared, Stored};
pub use target::Target;
pub use variables::Variables;
pub use vendor::Vendor;
pub use webhook::{Webhook, WebhookForm};
