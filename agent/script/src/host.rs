//! The scripts of an agent and the way events reach them.

use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::config::{HostConfig, LoadError, Observer, Script};
use crate::event::Event;
use crate::stats::ScriptStats;

pub use crate::batch::Ticket;

/// All scripts of an agent, running.
pub struct ScriptHost {
    _config: HostConfig,
}

impl ScriptHost {
    /// Evaluates the top-level code of every script, each on a thread of its own.
    ///
    /// # Errors
    /// One entry per script that threw, did not parse, or did not end within the limits; then no script runs.
    pub fn start(
        scripts: Vec<Script>,
        config: HostConfig,
        _observer: Arc<dyn Observer>,
    ) -> Result<Self, Vec<LoadError>> {
        if scripts.is_empty() {
            return Ok(Self { _config: config });
        }
        let message = "this build has no JavaScript engine";
        Err(scripts
            .into_iter()
            .map(|script| LoadError { script: script.name, message: message.into() })
            .collect())
    }

    /// Whether some script defines `onPacketCaptured`.
    pub fn wants_packets(&self) -> bool {
        false
    }

    /// Whether some script defines `onItemCaptured`.
    pub fn wants_items(&self) -> bool {
        false
    }

    /// Hands a batch to every script that wants any of it, in order.
    pub fn deliver(&self, events: Vec<Event>) -> Ticket {
        Batch::new(events).ticket()
    }

    pub fn stats(&self) -> Vec<ScriptStats> {
        Vec::new()
    }

    /// Lets the scripts work off what is queued, for `grace` at most, and ends them.
    pub fn finish(self, _grace: Duration) -> Vec<ScriptStats> {
        Vec::new()
    }
}
