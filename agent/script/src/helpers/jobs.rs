//! `jobs.*`.

use std::rc::Rc;

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use remora_jobs::{JobError, console, limit_of};

use super::{Helpers, answer, arguments, thrown, unknown};

/// Schedules a job of this script and returns its number, under which the prelude keeps the function. A limit of zero is
/// none.
#[cfg_attr(feature = "v8", op2(fast))]
#[cfg_attr(feature = "quickjs", op2(nofast))]
pub(crate) fn op_job_schedule(
    state: &OpState,
    #[string] tag: &str,
    #[string] cron: &str,
    limit: f64,
) -> Result<f64, JsErrorBox> {
    let helpers = Rc::clone(state.borrow::<Rc<Helpers>>());
    let limit = limit_of(limit);
    let (shared, jobs) = (&helpers.shared, &helpers.shared.jobs);
    let mut staging = helpers.staging.borrow_mut();
    let scheduled = match staging.as_mut() {
        Some(staging) => staging.jobs.schedule(tag, cron, limit),
        None => jobs.schedule(shared.id, tag, cron, limit),
    };
    let scheduled = scheduled.map_err(|error| thrown(format!("jobs.schedule: {tag}: {error}")))?;
    shared.console.log(&console::scheduled(&scheduled.tag, cron.trim(), limit));
    // Numbers of jobs stay far below 2^53.
    Ok(scheduled.id.number() as f64)
}

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let failed = |error: JobError| thrown(format!("{helper}: {error}"));
    let (jobs, lines) = (&helpers.shared.jobs, &helpers.shared.console);
    match helper {
        "jobs.remove" => {
            let (tag,): (String,) = arguments(helper, json)?;
            let staged = match helpers.staging.borrow_mut().as_mut() {
                Some(staging) => staging.jobs.remove(&tag).map_err(failed)?,
                None => None,
            };
            let removed = match staged {
                Some(removed) => removed,
                None => jobs.cluster().remove(&tag).map_err(failed)?,
            };
            jobs.forget(std::slice::from_ref(&removed));
            lines.log(&console::removed(&removed.tag));
        }
        "jobs.removeAll" => {
            if let Some(staging) = helpers.staging.borrow_mut().as_mut() {
                staging.jobs.remove_all();
            }
            jobs.forget(&jobs.cluster().remove_all());
            lines.log(console::ALL_REMOVED);
        }
        "jobs.list" => {
            let mut tags = jobs.scheduler().list();
            if let Some(staging) = helpers.staging.borrow().as_ref() {
                let staged = staging.jobs.list();
                tags.retain(|tag| !staged.contains(tag));
                tags.extend(staged);
            }
            return answer(&tags);
        }
        "jobs.run" => {
            let (tag,): (String,) = arguments(helper, json)?;
            let tag = remora_jobs::normalise(&tag).map_err(|error| failed(error.into()))?;
            let mut staging = helpers.staging.borrow_mut();
            match staging.as_mut().filter(|staging| staging.jobs.list().iter().any(|staged| **staged == *tag))
            {
                // It runs once the script has loaded.
                Some(staging) if staging.runs.tags.iter().any(|run| **run == *tag) => {}
                Some(staging) => staging.runs.tags.push(tag.to_string()),
                None => drop(jobs.cluster().run(&tag).map_err(failed)?),
            }
            lines.log(&console::triggered(&tag));
        }
        "jobs.runAll" => {
            match helpers.staging.borrow_mut().as_mut() {
                // They run once the scripts have loaded.
                Some(staging) => staging.runs.all = true,
                None => drop(jobs.cluster().run_all()),
            }
            lines.log(console::ALL_TRIGGERED);
        }
        "jobs.scheduler.isRunning" => return answer(&jobs.scheduler().is_running()),
        "jobs.scheduler.start" => jobs.scheduler().start(),
        "jobs.scheduler.stop" => jobs.scheduler().stop(),
        _ => return Err(unknown(helper)),
    }
    Ok(String::new())
}
