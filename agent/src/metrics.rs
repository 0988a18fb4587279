//! What the agent tells Prometheus while it captures.

use std::sync::{Arc, Mutex, PoisonError};

use remora_capture::LiveStats;
use remora_dissect::Counters;
use remora_metrics::{Exposition, Registry, Server, ServerConfig};
use remora_script::{ScriptHost, ScriptStats};
use tokio::runtime::Runtime;

use crate::config::Settings;

/// Counters of the packet thread, as of its last batch.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) dissected: Counters,
    pub(crate) captured: Option<LiveStats>,
}

pub(crate) type SharedFigures = Arc<Mutex<Figures>>;

/// The endpoint, until it is dropped.
pub(crate) struct Endpoint {
    // Dropped before the threads that it runs on.
    _server: Server,
    _runtime: Runtime,
}

impl Endpoint {
    /// Capture is worth more than its metrics: without an endpoint it goes on, and says why there is none.
    pub(crate) fn start(
        settings: &Settings,
        registry: Arc<Registry>,
        host: Arc<ScriptHost>,
        figures: SharedFigures,
    ) -> Option<Self> {
        let started = Self::try_start(settings, registry, host, figures);
        started.inspect_err(|error| eprintln!("remora: no metrics endpoint: {error:#}")).ok()
    }

    fn try_start(
        settings: &Settings,
        registry: Arc<Registry>,
        host: Arc<ScriptHost>,
        figures: SharedFigures,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("metrics")
            .enable_all()
            .build()?;
        let config = ServerConfig {
            host: settings.metrics_host.clone(),
            port: u16::try_from(settings.metrics_port)?,
            token: settings.metrics_token.clone(),
            open: settings.metrics_open,
            ..ServerConfig::default()
        };
        let own = move |exposition: &mut Exposition| {
            let figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
            write_dissected(&figures.dissected, exposition);
            if let Some(captured) = &figures.captured {
                write_captured(captured, exposition);
            }
            drop(figures);
            let help =
                "Times at which a job did not run, because it was running still or its script was late.";
            exposition.counter("remora_job_missed_runs_total", help, &[], host.missed_jobs());
            host.stats().iter().for_each(|stats| write_script(stats, exposition));
        };
        let server = Server::start(runtime.handle(), config, vec![Arc::new(own), registry])?;
        eprintln!("remora: metrics at http://{}/metrics", server.local_addr());
        Ok(Self { _server: server, _runtime: runtime })
    }
}

fn write_dissected(counters: &Counters, exposition: &mut Exposition) {
    counters.each(&mut |name, help, value| {
        exposition.counter(&format!("remora_{name}_total"), help.trim(), &[], value);
    });
}

fn write_captured(stats: &LiveStats, exposition: &mut Exposition) {
    let total = stats.total();
    let mut lost = |stage: &str, value: u64| {
        let help = "Packets that capture lost, by reason.";
        exposition.counter("remora_capture_lost_packets_total", help, &[("reason", stage)], value);
    };
    lost("ring_full", total.lost_packets);
    lost("unreadable", total.unreadable_packets);
    lost("interface_gone", stats.foreign_records);
    exposition.gauge("remora_capture_interfaces", "Interfaces attached.", &[], stats.interfaces.len() as f64);
}

fn write_script(stats: &ScriptStats, exposition: &mut Exposition) {
    let labels = [("script", stats.script.as_str())];
    let mut counter = |name: &str, help: &str, value: u64| {
        exposition.counter(&format!("remora_script_{name}_total"), help, &labels, value);
    };
    counter("calls", "Hook calls begun.", stats.calls);
    counter("job_runs", "Runs of jobs begun.", stats.jobs);
    counter("errors", "Calls that ended in an exception.", stats.errors);
    counter("timeouts", "Calls ended at the time limit.", stats.timeouts);
    counter("heap_overflows", "Calls ended at the heap limit.", stats.heap_overflows);
    counter("shed_events", "Events dropped because the queue was full.", stats.shed);
    counter("console_lines_dropped", "Console lines dropped by the rate limit.", stats.console_suppressed);
    counter("busy_milliseconds", "Time spent in the script.", stats.busy.as_millis() as u64);
    exposition.gauge(
        "remora_script_abandoned",
        "1 for a script that could not be stopped and gets no events any more.",
        &labels,
        f64::from(u8::from(stats.abandoned)),
    );
}
