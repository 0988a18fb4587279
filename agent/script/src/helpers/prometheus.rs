//! `prometheus.metric`, `prometheus.vector`.

use std::collections::BTreeMap;

use deno_error::JsErrorBox;
use remora_metrics::Sample;

use super::{Helpers, arguments, thrown, unknown};

/// Name, help, type, value, labels.
type Arguments = (String, String, Option<f64>, Option<f64>, Option<BTreeMap<String, String>>);

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let (name, help, kind, value, labels): Arguments = arguments(helper, json)?;
    let labels = labels.unwrap_or_default();
    let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
    let number = |value: Option<f64>, what: &str| {
        value.ok_or_else(|| JsErrorBox::type_error(format!("{helper}: {what} must be a number")))
    };
    let sample = Sample {
        name: &name,
        help: &help,
        kind: number(kind, "type")?,
        value: number(value, "value")?,
        labels: &labels,
    };
    let owner = helpers.shared.place.into();
    let registry = &helpers.services.metrics;
    match helper {
        "prometheus.metric" => registry.metric(owner, &sample),
        "prometheus.vector" => registry.vector(owner, &sample),
        _ => return Err(unknown(helper)),
    }
    .map_err(|refusal| thrown(format!("{helper}: {refusal}")))?;
    Ok(String::new())
}
