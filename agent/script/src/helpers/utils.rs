//! `utils.nodeName`, `utils.json2Yaml`.

use std::fmt;

use deno_error::JsErrorBox;

use super::tree::Tree;
use super::{Helpers, answer, arguments, thrown, unknown};

/// The most bytes of YAML. Deep lists are indented by much more than they are long.
const YAML_BYTES: usize = 16 << 20;

/// A text that does not grow beyond its limit.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > YAML_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    match helper {
        "utils.nodeName" => answer(&helpers.services.node_name),
        "utils.json2Yaml" => {
            let (text,): (String,) = arguments(helper, json)?;
            let Tree(value) = serde_json::from_str(&text)
                .map_err(|error| thrown(format!("{helper}: the text is not JSON: {error}")))?;
            let mut yaml = Bounded(String::new());
            serde_saphyr::to_fmt_writer(&mut yaml, &value).map_err(|error| {
                thrown(format!("{helper}: no YAML of at most {YAML_BYTES} bytes: {error}"))
            })?;
            answer(&yaml.0)
        }
        _ => Err(unknown(helper)),
    }
}
