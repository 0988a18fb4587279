//! `utils.nodeName`, `utils.json2Yaml`.

use deno_error::JsErrorBox;

use super::{Helpers, answer, arguments, thrown, unknown};

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    match helper {
        "utils.nodeName" => answer(&helpers.services.node_name),
        "utils.json2Yaml" => {
            let (text,): (String,) = arguments(helper, json)?;
            let value: serde_json::Value = serde_json::from_str(&text)
                .map_err(|error| thrown(format!("{helper}: the text is not JSON: {error}")))?;
            let yaml =
                serde_saphyr::to_string(&value).map_err(|error| thrown(format!("{helper}: {error}")))?;
            answer(&yaml)
        }
        _ => Err(unknown(helper)),
    }
}
