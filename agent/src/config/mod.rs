//! Where settings come from: defaults, one config file, `--set`, `--env`.

mod setting;
mod settings;

use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) use settings::Settings;

use crate::cli::Common;
use settings::Applied;

#[derive(thiserror::Error, Debug)]
pub(crate) enum ConfigError {
    #[error("cannot read the config file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    Syntax { path: PathBuf, message: String },
    #[error("{place}: {key}: expected {expected}, found {found}")]
    Kind { place: String, key: String, expected: &'static str, found: String },
    #[error("--set {key}: there is no such setting{}; `remora settings` lists them", did_you_mean(.suggestion))]
    Unknown { key: String, suggestion: Option<&'static str> },
}

fn did_you_mean(near: &Option<&'static str>) -> String {
    near.map_or_else(String::new, |near| format!(", did you mean {near}?"))
}

/// Resolves the settings of one invocation.
pub(crate) fn load(common: &Common) -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    if let Some(path) = common.config.clone().or_else(default_file) {
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        apply_file(&mut settings, &path, &text)?;
        tracing::debug!(file = %path.display(), "settings read");
    }
    for (key, text) in &common.set {
        apply_argument(&mut settings, key, text)?;
    }
    settings.tls_key_logs.extend(common.tls_keylog.iter().cloned());
    settings.script_env.extend(common.env.iter().cloned());
    Ok(settings)
}

/// The first that exists; files are not merged, as users of `kubeshark.yaml` expect.
fn default_file() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".kubeshark/config.yaml"));
    [Some("remora.yaml".into()), Some("kubeshark.yaml".into()), home]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
}

fn apply_file(settings: &mut Settings, path: &Path, text: &str) -> Result<(), ConfigError> {
    // An empty document is a config file that sets nothing.
    let document: Option<Value> = serde_saphyr::from_str(text)
        .map_err(|error| ConfigError::Syntax { path: path.to_owned(), message: error.to_string() })?;
    let mut unknown = Vec::new();
    match document {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => {
            for (key, value) in &map {
                apply_tree(settings, key, value, path, &mut unknown)?;
            }
        }
        Some(_) => {
            let message = "expected a map of settings at the top level".to_owned();
            return Err(ConfigError::Syntax { path: path.to_owned(), message });
        }
    }
    // A kubeshark.yaml is full of keys for other parts of that product; only our own file deserves a warning.
    let ours = path.file_name().is_some_and(|name| name == "remora.yaml");
    for key in unknown {
        if ours {
            tracing::warn!("{}: {key}: there is no such setting, ignored", path.display());
        } else {
            tracing::debug!("{}: {key}: not a setting of this agent, ignored", path.display());
        }
    }
    Ok(())
}

fn apply_tree(
    settings: &mut Settings,
    key: &str,
    value: &Value,
    path: &Path,
    unknown: &mut Vec<String>,
) -> Result<(), ConfigError> {
    match settings.apply(key, value) {
        Applied::Yes => Ok(()),
        Applied::Expected(expected) => Err(ConfigError::Kind {
            place: path.display().to_string(),
            key: key.to_owned(),
            expected,
            found: value.to_string(),
        }),
        Applied::Unknown => match value {
            Value::Object(map) => map.iter().try_for_each(|(name, value)| {
                apply_tree(settings, &format!("{key}.{name}"), value, path, unknown)
            }),
            _ => {
                unknown.push(key.to_owned());
                Ok(())
            }
        },
    }
}

fn apply_argument(settings: &mut Settings, key: &str, text: &str) -> Result<(), ConfigError> {
    if let Some(name) = key.strip_prefix("scripting.env.").filter(|name| !name.is_empty()) {
        settings.script_env.insert(name.to_owned(), text.to_owned());
        return Ok(());
    }
    // The value reads as in a config file; what is not YAML there is a text.
    let value = serde_saphyr::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    match settings.apply(key, &value) {
        Applied::Yes => Ok(()),
        Applied::Expected(expected) => Err(ConfigError::Kind {
            place: "--set".to_owned(),
            key: key.to_owned(),
            expected,
            found: value.to_string(),
        }),
        Applied::Unknown => {
            Err(ConfigError::Unknown { key: key.to_owned(), suggestion: nearest(key, Settings::KEYS) })
        }
    }
}

/// The key with the same last part, or the fewest edits within a third of its length.
fn nearest(key: &str, keys: &[&'static str]) -> Option<&'static str> {
    let last = |key: &str| key.rsplit('.').next().map(str::to_ascii_lowercase);
    let twin = keys.iter().find(|known| last(known) == last(key));
    let close = || {
        let (distance, known) = keys.iter().map(|known| (edits(key, known), known)).min()?;
        (distance <= key.len() / 3).then_some(known)
    };
    twin.or_else(close).copied()
}

/// Levenshtein distance, by rows.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_yaml(text: &str) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        apply_file(&mut settings, Path::new("remora.yaml"), text)?;
        Ok(settings)
    }

    #[test]
    fn a_file_sets_what_it_names_and_nothing_else() {
        let settings = from_yaml(
            "tap:\n  regex: .*\n  capture: {snaplen: 256}\nscripting:\n  env:\n    TOKEN: abc\n    PORT: 80\n  sources: [a.js, b]\n",
        )
        .unwrap();
        assert_eq!(settings.capture_snaplen, 256);
        assert_eq!(settings.script_env["TOKEN"], "abc");
        assert_eq!(settings.script_env["PORT"], "80");
        assert_eq!(settings.script_sources, ["a.js", "b"]);
        assert_eq!(settings.streams, Settings::default().streams);
        from_yaml("").unwrap();
        from_yaml("# only a comment\n").unwrap();
    }

    #[test]
    fn a_wrong_value_names_file_key_and_kind() {
        let error = from_yaml("tap:\n  capture:\n    snaplen: many\n").unwrap_err().to_string();
        assert_eq!(error, "remora.yaml: tap.capture.snaplen: expected a whole number, found \"many\"");
        let error = from_yaml("tap: [\n").unwrap_err().to_string();
        assert!(error.starts_with("remora.yaml: ") && error.contains("line"), "{error}");
        assert!(from_yaml("- a\n- b\n").is_err());
    }

    #[test]
    fn arguments_read_as_in_a_file() {
        let mut settings = Settings::default();
        apply_argument(&mut settings, "scripting.limits.heap", "64Mi").unwrap();
        apply_argument(&mut settings, "scripting.sources", "[x.js, y.js]").unwrap();
        apply_argument(&mut settings, "scripting.env.A", "1: 2").unwrap();
        assert_eq!(settings.script_heap.0, 64 << 20);
        assert_eq!(settings.script_sources, ["x.js", "y.js"]);
        assert_eq!(settings.script_env["A"], "1: 2");
    }

    #[test]
    fn an_unknown_argument_suggests_the_nearest_key() {
        let mut settings = Settings::default();
        let error = apply_argument(&mut settings, "scripting.callMillis", "1").unwrap_err().to_string();
        assert!(error.contains("did you mean scripting.limits.callMillis?"), "{error}");
        let error = apply_argument(&mut settings, "zzzzzz", "1").unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{error}");
    }
}
