//! `pcap.*`.

use std::sync::PoisonError;

use deno_error::JsErrorBox;
use remora_data::{SnapshotConfig, snapshot};

use super::file::{files, until};
use super::{Helpers, answer, arguments, missing, thrown, unknown};

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let services = &helpers.services;
    let streams = || {
        services.streams.as_ref().ok_or_else(|| missing(helper, "the agent has no data directory (data.dir)"))
    };
    match helper {
        "pcap.nameResolutionHistory" => {
            Ok(services.names.lock().unwrap_or_else(PoisonError::into_inner).to_json())
        }
        "pcap.path" => {
            let (stream,): (String,) = arguments(helper, json)?;
            answer(&streams()?.path(&stream).map_err(thrown)?)
        }
        "pcap.snapshot" => {
            let (selected, dir): (Option<Vec<String>>, Option<String>) = arguments(helper, json)?;
            let (files, streams) = (files(helpers, helper)?, streams()?);
            let made = helpers.wait(|time| {
                let config = SnapshotConfig::default();
                snapshot(
                    files,
                    streams,
                    &config,
                    selected.as_deref(),
                    dir.as_deref(),
                    &mut until(helpers, time),
                )
            })?;
            answer(&made.path)
        }
        _ => Err(unknown(helper)),
    }
}
