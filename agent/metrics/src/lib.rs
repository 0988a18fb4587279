//! Prometheus metrics of the agent and of scripts.
//!
//! [`Registry`] holds what scripts report with `prometheus.metric` and `prometheus.vector`, [`Exposition`] writes the text
//! that a scraper reads, [`Server`] answers the scraper. The agent's own figures are read at scrape time through
//! [`Collect`]. Nothing here knows JavaScript.
//!
//! Format: [exposition formats](https://prometheus.io/docs/instrumenting/exposition_formats/), text format 0.0.4; names:
//! [data model](https://prometheus.io/docs/concepts/data_model/). Every scraper that speaks OpenMetrics reads this format
//! too. OpenMetrics itself is not offered: it wants `_total` at the end of each counter, so the name of a script's counter
//! would depend on who asks.
#![forbid(unsafe_code)]

mod caps;
mod exposition;
mod family;
mod names;
mod refusal;
mod registry;
mod server;

pub use caps::Caps;
pub use exposition::{CONTENT_TYPE, Collect, Exposition};
pub use family::{Helper, Kind};
pub use refusal::{Refusal, RefusalCounts};
pub use registry::{Registry, Sample, Usage};
pub use server::{DEFAULT_HOST, DEFAULT_PORT, Server, ServerConfig, ServerError, ServerLimits};
