//! What `replay` and `run` share: scripts are loaded, a source feeds the pipeline, the end is summed up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use remora_dissect::Origin;
use remora_kfl::Query;

use crate::cli::Common;
use crate::config::Settings;
use crate::exit::Exit;
use crate::metrics::Endpoint;
use crate::output::View;
use crate::pipeline::{Downstream, Pace, Pipeline};
use crate::report::Listener;
use crate::scripts;
use crate::services::{self, World};
use crate::summary::Summary;
use crate::watch::ScriptWatcher;

/// The query of `--filter`.
fn filter(common: &Common, settings: &Settings) -> anyhow::Result<Option<(String, Query)>> {
    let Some(text) = &common.filter else { return Ok(None) };
    let macros = services::macros(settings)?;
    let query = Query::compile(text, &macros)
        .map_err(|error| anyhow::anyhow!("--filter: {error}\n  {}\n  {:>2$}", text, "^", error.column))?;
    Ok(Some((text.clone(), query)))
}

/// `feed` brings all packets and says how that went.
pub(crate) fn run(
    common: &Common,
    settings: &Settings,
    pace: Pace,
    origin: Arc<Origin>,
    stop: Arc<AtomicBool>,
    feed: impl FnOnce(&mut Pipeline) -> (Exit, Summary),
) -> anyhow::Result<Exit> {
    let filter = filter(common, settings)?;
    let listener = Arc::new(Listener::new(common.junit.is_some()));
    let watched = pace == Pace::Live && settings.script_watch;
    let sources = scripts::sources(&common.script, settings);
    let (files, scripts): (Vec<_>, Vec<_>) = scripts::read(&sources, watched)?.into_iter().unzip();
    let names: Vec<String> = scripts.iter().map(|script| script.name.clone()).collect();
    let code: Vec<String> = scripts.iter().map(|script| script.code.clone()).collect();
    let has_scripts = watched && !sources.is_empty() || !scripts.is_empty();
    let world = World::new(settings, &origin, &scripts, has_scripts, pace)?;
    let write_report = |errors: &[remora_script::LoadError]| match &common.junit {
        Some(path) => listener
            .write_junit(path, &names, errors)
            .with_context(|| format!("cannot write the report {}", path.display())),
        None => Ok(()),
    };
    let metrics = Arc::clone(&world.services.metrics);
    let streams = world.services.streams.clone();
    let host = match Pipeline::start_host(scripts, settings, pace, world.services.clone(), listener.clone()) {
        Ok(host) => Arc::new(host),
        Err(errors) => {
            for error in &errors {
                eprintln!("[{}] error: {}", error.script, error.message);
            }
            write_report(&errors)?;
            eprintln!("remora: {} of {} scripts did not load", errors.len(), names.len());
            return Ok(Exit::Failed);
        }
    };
    let watcher = (watched && !sources.is_empty())
        .then(|| ScriptWatcher::start(sources, files.into_iter().zip(code).collect(), Arc::clone(&host)))
        .transpose()
        .context("cannot watch the script files")?;
    let downstream = Downstream {
        host: Arc::clone(&host),
        pcaps: world.pcaps,
        view: View::new(Arc::clone(&host), filter),
        format: common.output,
    };
    let mut pipeline = Pipeline::new(downstream, settings, pace, origin, stop)?;
    let endpoint = (pace == Pace::Live && settings.metrics_enabled)
        .then(|| Endpoint::start(settings, metrics, host, pipeline.figures()))
        .flatten();
    let (mut exit, mut summary) = feed(&mut pipeline);
    // No script begins any more.
    drop(watcher);
    let outcome = pipeline.finish();
    drop(endpoint);
    if outcome.printed.failed != 0 {
        exit = exit.max(Exit::Failed);
    }
    if let Some(error) = &outcome.printed.error {
        eprintln!("remora: cannot write to standard output: {error}");
        exit = Exit::Broken;
    }
    let reported = write_report(&[]);
    summary.take(&outcome);
    if let Some(streams) = streams {
        summary.take_pcaps(&streams.counters());
    }
    eprintln!("{summary}");
    reported?;
    Ok(exit)
}
