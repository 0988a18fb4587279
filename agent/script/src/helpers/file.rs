//! `file.*`.

use std::rc::Rc;
use std::time::{Duration, Instant};

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use remora_data::Files;

use super::{Helpers, answer, arguments, missing, thrown, unknown};

pub(super) fn files<'a>(helpers: &'a Helpers, helper: &str) -> Result<&'a Files, JsErrorBox> {
    helpers
        .services
        .files
        .as_ref()
        .ok_or_else(|| missing(helper, "the agent has no data directory (data.dir)"))
}

/// `file.write`, `file.append`: short work, which counts as the script's own time.
#[cfg_attr(feature = "v8", op2(fast))]
#[cfg_attr(feature = "quickjs", op2(nofast))]
pub(crate) fn op_file_add(
    state: &OpState,
    append: bool,
    #[string] path: &str,
    #[string] content: &str,
) -> Result<(), JsErrorBox> {
    let helpers = Rc::clone(state.borrow::<Rc<Helpers>>());
    let files = files(&helpers, if append { "file.append" } else { "file.write" })?;
    let added =
        if append { files.append(path, content.as_bytes()) } else { files.write(path, content.as_bytes()) };
    added.map_err(thrown)
}

/// Whether long work may go on.
pub(super) fn until(helpers: &Helpers, time: Duration) -> impl FnMut() -> bool + '_ {
    let end = Instant::now() + time;
    move || Instant::now() < end && !helpers.waits.is_ending()
}

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let files = files(helpers, helper)?;
    match helper {
        "file.move" => {
            let (from, to): (String, String) = arguments(helper, json)?;
            helpers.wait(|_| files.rename(&from, &to))?;
        }
        "file.copy" => {
            let (from, to): (String, String) = arguments(helper, json)?;
            helpers.wait(|_| files.copy(&from, &to))?;
        }
        "file.delete" => {
            let (path,): (String,) = arguments(helper, json)?;
            helpers.wait(|_| files.delete(&path))?;
        }
        "file.mkdir" => {
            let (path,): (String,) = arguments(helper, json)?;
            files.mkdir(&path).map_err(thrown)?;
        }
        "file.mkdirTemp" => {
            let (name, dir): (Option<String>, Option<String>) = arguments(helper, json)?;
            let made = files.mkdir_temp(&name.unwrap_or_default(), &dir.unwrap_or_default());
            return answer(&made.map_err(thrown)?);
        }
        "file.temp" => {
            let (name, dir, extension): (Option<String>, Option<String>, Option<String>) =
                arguments(helper, json)?;
            let [name, dir, extension] = [name, dir, extension].map(Option::unwrap_or_default);
            return answer(&files.temp(&name, &dir, &extension).map_err(thrown)?);
        }
        "file.tar" => {
            let (dir,): (String,) = arguments(helper, json)?;
            return answer(&helpers.wait(|time| files.tar(&dir, &mut until(helpers, time)))?);
        }
        _ => return Err(unknown(helper)),
    }
    Ok(String::new())
}
