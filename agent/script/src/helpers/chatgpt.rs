//! `chatgpt.prompt`, `chatgpt.sentiment`.

use deno_error::JsErrorBox;
use serde_json::json;

use super::{Helpers, answer, arguments, unknown, vendor};

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    match helper {
        "chatgpt.prompt" => vendor::prompt(helpers, helper, json),
        "chatgpt.sentiment" => {
            let (text,): (String,) = arguments(helper, json)?;
            let score = remora_sentiment::sentiment(&text);
            answer(&json!({
                "neg": score.negative, "neu": score.neutral, "pos": score.positive, "compound": score.compound,
            }))
        }
        _ => Err(unknown(helper)),
    }
}
