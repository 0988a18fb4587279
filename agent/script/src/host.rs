//! The scripts of an agent and the way events reach them.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::batch::{Batch, Ticket};
use crate::config::{HostConfig, LoadError, Observer, Script};
use crate::engine;
use crate::event::Event;
use crate::queue::Wants;
use crate::stats::{Counters, ScriptStats};
use crate::watchdog::Watchdog;
use crate::worker::{self, Shared};

/// How long a thread that was told to end may take, beyond the work it was granted.
const END_GRACE: Duration = Duration::from_secs(1);

/// All scripts of an agent, running. Dropping it ends them without waiting.
pub struct ScriptHost {
    scripts: Vec<(Arc<Shared>, Wants)>,
    watchdog: Arc<Watchdog>,
}

impl ScriptHost {
    /// Evaluates the top-level code of every script, each on a thread of its own, and waits for all.
    ///
    /// # Errors
    /// One entry per script that threw, did not parse, or did not end within the limits; then no script runs.
    pub fn start(
        scripts: Vec<Script>,
        config: HostConfig,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Vec<LoadError>> {
        let config = Arc::new(config);
        let watchdog = Watchdog::start(config.call_limit).map_err(|error| {
            let error =
                |script: &Script| LoadError { script: script.name.clone(), message: error.to_string() };
            scripts.iter().map(error).collect::<Vec<_>>()
        })?;
        let mut host = Self { scripts: Vec::with_capacity(scripts.len()), watchdog };
        let (sender, loaded) = channel();
        for (index, script) in scripts.into_iter().enumerate() {
            let report = {
                let sender = sender.clone();
                // The receiver is there as long as results are missing.
                Box::new(move |result| drop(sender.send((index, result))))
            };
            let shared =
                Arc::new(Shared::new(script.name, Arc::clone(&config), Arc::clone(&observer), report));
            let body = {
                let (shared, watchdog) = (Arc::clone(&shared), Arc::clone(&host.watchdog));
                move || worker::run(&script.code, shared, &watchdog)
            };
            if let Err(error) = engine::spawn(format!("script-{}", shared.name), body) {
                drop(sender.send((index, Err(error.to_string()))));
            }
            host.scripts.push((shared, Wants::default()));
        }
        drop(sender);
        let mut results = vec![None; host.scripts.len()];
        while results.iter().any(Option::is_none) {
            let Ok((index, result)) = loaded.recv() else { break };
            results[index].get_or_insert(result);
        }
        let mut errors = Vec::new();
        for ((shared, wants), result) in host.scripts.iter_mut().zip(results) {
            match result.unwrap_or_else(|| Err("its thread ended early".into())) {
                Ok(found) => *wants = found,
                Err(message) => errors.push(LoadError { script: shared.name.clone(), message }),
            }
        }
        if errors.is_empty() { Ok(host) } else { Err(errors) }
    }

    /// Whether some script defines `onPacketCaptured`.
    pub fn wants_packets(&self) -> bool {
        self.scripts.iter().any(|(_, wants)| wants.packets)
    }

    /// Whether some script defines `onItemCaptured`.
    pub fn wants_items(&self) -> bool {
        self.scripts.iter().any(|(_, wants)| wants.items)
    }

    /// Hands a batch to every script that wants any of it. Each script sees the events in the order of delivery.
    ///
    /// With [`Overflow::Wait`](crate::Overflow::Wait) this waits while a queue is full, at most until the script that
    /// holds it up is abandoned. What is shed is counted in [`ScriptStats::shed`].
    pub fn deliver(&self, events: Vec<Event>) -> Ticket {
        let batch = Batch::new(events);
        for (shared, wants) in &self.scripts {
            let shed = shared.queue.push(&batch, *wants, shared.config.overflow);
            if shed > 0 {
                Counters::add(&shared.counters.shed, shed);
            }
        }
        batch.ticket()
    }

    /// What each script has done so far, in the order they were given.
    pub fn stats(&self) -> Vec<ScriptStats> {
        self.scripts.iter().map(|(shared, _)| shared.counters.read(&shared.name)).collect()
    }

    /// Lets the scripts work off what is queued, for `grace` at most, then ends them. Events that are left count as shed.
    pub fn finish(self, grace: Duration) -> Vec<ScriptStats> {
        let end = Instant::now() + grace;
        for (shared, _) in &self.scripts {
            shared.queue.close();
        }
        for (shared, _) in &self.scripts {
            shared.queue.wait_idle(end);
        }
        self.stop();
        let end = Instant::now() + END_GRACE;
        for (shared, _) in &self.scripts {
            if !shared.wait_ended(end) {
                shared.abandon("it could not be ended with the agent");
            }
        }
        self.stats()
    }

    /// Ends the queues and the running calls.
    fn stop(&self) {
        for (shared, _) in &self.scripts {
            shared.stop();
        }
        self.watchdog.cut_all();
    }
}

impl Drop for ScriptHost {
    fn drop(&mut self) {
        self.stop();
        self.watchdog.stop();
    }
}
