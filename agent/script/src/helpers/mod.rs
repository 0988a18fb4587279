//! The native side of the helpers: one file per namespace, one extension for all.

mod chatgpt;
mod console;
mod file;
mod jobs;
mod kfl;
mod pcap;
mod prometheus;
mod test;
mod tree;
mod utils;
mod vendor;

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::jobs::Staging;
use crate::services::Services;
use crate::waits::Waits;
use crate::worker::Shared;

pub(crate) use console::{op_console, op_console_clear};
pub(crate) use file::op_file_add;
pub(crate) use jobs::op_job_schedule;
pub(crate) use kfl::{op_kfl_match, op_kfl_match_item, op_kfl_validate};
pub(crate) use test::{Judge, op_verdict};

/// What ops find in their state.
pub(crate) struct Helpers {
    pub(crate) shared: Arc<Shared>,
    pub(crate) services: Arc<Services>,
    pub(crate) waits: Rc<Waits>,
    /// Until the script has loaded.
    pub(crate) staging: RefCell<Option<Staging>>,
}

/// The most bytes of an error's text, which may repeat what the script gave. An engine without room for it would end the
/// process: `deno_core` takes it for granted that there is.
const ERROR_BYTES: usize = 4 << 10;

fn short(mut text: String) -> String {
    if text.len() > ERROR_BYTES {
        text.truncate(text.floor_char_boundary(ERROR_BYTES));
        text.push_str("...");
    }
    text
}

/// Becomes a JavaScript `Error` with the text of `error`.
fn thrown(error: impl Display) -> JsErrorBox {
    JsErrorBox::generic(short(error.to_string()))
}

impl Helpers {
    /// Does `work`, which takes a while, within the time that helpers have.
    fn wait<T, E: Display>(&self, work: impl FnOnce(Duration) -> Result<T, E>) -> Result<T, JsErrorBox> {
        self.waits.wait(work).map_err(thrown)?.map_err(thrown)
    }
}

fn missing(what: &str, setting: &str) -> JsErrorBox {
    JsErrorBox::generic(format!("{what}: not available, {setting}"))
}

/// The most bytes of JSON that a helper is given. Outside of the script's heap arguments take several times that.
const ARGUMENT_BYTES: usize = 16 << 20;

/// The arguments of a helper, which the prelude made.
fn arguments<T: DeserializeOwned>(helper: &str, json: &str) -> Result<T, JsErrorBox> {
    if json.len() > ARGUMENT_BYTES {
        return Err(thrown(format!(
            "{helper}: the arguments have {} bytes, {ARGUMENT_BYTES} at most are possible",
            json.len()
        )));
    }
    serde_json::from_str(json).map_err(|error| JsErrorBox::type_error(short(format!("{helper}: {error}"))))
}

fn answer(value: &impl Serialize) -> Result<String, JsErrorBox> {
    serde_json::to_string(value).map_err(thrown)
}

/// Calls a helper that needs no op of its own: arguments and result are JSON, an empty text is no result.
#[op2]
#[string]
pub(crate) fn op_call(
    state: &OpState,
    #[string] helper: &str,
    #[string] json: &str,
) -> Result<String, JsErrorBox> {
    let helpers = Rc::clone(state.borrow::<Rc<Helpers>>());
    match helper.split_once('.').map_or(helper, |(namespace, _)| namespace) {
        "vendor" => vendor::call(&helpers, helper, json),
        "chatgpt" => chatgpt::call(&helpers, helper, json),
        "pcap" => pcap::call(&helpers, helper, json),
        "file" => file::call(&helpers, helper, json),
        "jobs" => jobs::call(&helpers, helper, json),
        "utils" => utils::call(&helpers, helper, json),
        "prometheus" => prometheus::call(&helpers, helper, json),
        _ => Err(unknown(helper)),
    }
}

fn unknown(helper: &str) -> JsErrorBox {
    JsErrorBox::generic(format!("there is no helper {helper}"))
}
