//! The objects of INFO and CONNECT, without secrets.

use serde_json::Value;

use crate::{Fields, Limits, Tree};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// Members that let others in. The server reads names in any case.
const SECRETS: [&str; 6] = ["pass", "password", "auth_token", "token", "sig", "jwt"];

/// An object as fields; `None` where the text is not one.
pub(super) fn object(text: &[u8], limits: &Limits) -> Option<Fields> {
    match serde_json::from_slice(text) {
        Ok(value @ Value::Object(_)) => match tree(value, limits, limits.nesting) {
            Tree::Fields(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    }
}

fn tree(value: Value, limits: &Limits, levels: usize) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match number.as_i64() {
            Some(value) => value.into(),
            None => number.as_f64().map_or(Tree::Null, Into::into),
        },
        Value::String(text) => cut(text, limits).into(),
        Value::Array(_) | Value::Object(_) if levels == 0 => "(nested too deep)".into(),
        Value::Array(list) => {
            let count = list.len();
            let mut list: Vec<Tree> = list
                .into_iter()
                .take(limits.list_entries)
                .map(|value| tree(value, limits, levels - 1))
                .collect();
            if count > list.len() {
                list.push(format!("({} more)", count - list.len()).into());
            }
            list.into()
        }
        Value::Object(object) => {
            let count = object.len();
            let mut fields = Fields::with_capacity(count.min(limits.list_entries));
            for (name, value) in object.into_iter().take(limits.list_entries) {
                let is_secret = SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
                let value = match value {
                    // An empty one is none.
                    Value::String(text) if is_secret && text.is_empty() => "".into(),
                    Value::Null => Tree::Null,
                    _ if is_secret => HIDDEN.into(),
                    value => tree(value, limits, levels - 1),
                };
                fields.push(name, value);
            }
            if count > limits.list_entries {
                fields.push("(more)", count - limits.list_entries);
            }
            fields.into()
        }
    }
}

fn cut(mut text: String, limits: &Limits) -> String {
    if text.len() > limits.value_bytes {
        let whole = text.len();
        text.truncate(text.floor_char_boundary(limits.value_bytes));
        text.push_str(&format!("… ({whole} bytes)"));
    }
    text
}
