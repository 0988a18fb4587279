//! What `replay` and `run` share: scripts are loaded, a source feeds the pipeline, the end is summed up.

use std::sync::Arc;

use anyhow::Context as _;
use remora_dissect::Origin;

use crate::cli::Common;
use crate::config::Settings;
use crate::exit::Exit;
use crate::pipeline::{Pace, Pipeline};
use crate::report::Listener;
use crate::scripts;
use crate::summary::Summary;

/// `feed` brings all packets and says how that went.
pub(crate) fn run(
    common: &Common,
    settings: &Settings,
    pace: Pace,
    origin: Arc<Origin>,
    feed: impl FnOnce(&mut Pipeline) -> (Exit, Summary),
) -> anyhow::Result<Exit> {
    let listener = Arc::new(Listener::new(common.junit.is_some()));
    let scripts = scripts::read(&common.script, settings)?;
    let names: Vec<String> = scripts.iter().map(|script| script.name.clone()).collect();
    let write_report = |errors: &[remora_script::LoadError]| match &common.junit {
        Some(path) => listener
            .write_junit(path, &names, errors)
            .with_context(|| format!("cannot write the report {}", path.display())),
        None => Ok(()),
    };
    let host = match Pipeline::start_host(scripts, settings, pace, listener.clone()) {
        Ok(host) => host,
        Err(errors) => {
            for error in &errors {
                eprintln!("[{}] error: {}", error.script, error.message);
            }
            write_report(&errors)?;
            eprintln!("remora: {} of {} scripts did not load", errors.len(), names.len());
            return Ok(Exit::Failed);
        }
    };
    let mut pipeline = Pipeline::new(host, settings, pace, common.output, origin)
        .context("cannot start the output thread")?;
    let (mut exit, mut summary) = feed(&mut pipeline);
    let outcome = pipeline.finish();
    if outcome.printed.failed != 0 {
        exit = exit.max(Exit::Failed);
    }
    if let Some(error) = &outcome.printed.error {
        eprintln!("remora: cannot write to standard output: {error}");
        exit = Exit::Broken;
    }
    let reported = write_report(&[]);
    summary.take(&outcome);
    eprintln!("{summary}");
    reported?;
    Ok(exit)
}
