//! Script files from the command line and the config.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use remora_script::Script;

use crate::config::Settings;

#[derive(thiserror::Error, Debug)]
pub(crate) enum ScriptFileError {
    #[error("cannot read the script {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the script {} is not UTF-8 text: the byte at offset {offset} is not valid", path.display())]
    NotText { path: PathBuf, offset: usize },
    #[error("the script folder {} has no file that ends in .js", path.display())]
    EmptyFolder { path: PathBuf },
}

/// Reads every script, in the order given; the files of a folder by name. A file given twice is read once.
pub(crate) fn read(arguments: &[PathBuf], settings: &Settings) -> Result<Vec<Script>, ScriptFileError> {
    let configured = std::iter::once(&settings.script_source).chain(&settings.script_sources);
    let configured = configured.filter(|source| !source.is_empty()).map(PathBuf::from);
    let mut paths = Vec::new();
    for source in arguments.iter().cloned().chain(configured) {
        if source.is_dir() {
            paths.extend(files_of(&source)?);
        } else {
            paths.push(source);
        }
    }
    let mut seen = HashSet::new();
    paths.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    let names = names(&paths);
    paths.iter().zip(names).map(|(path, name)| Ok(Script { name, code: text_of(path)? })).collect()
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, ScriptFileError> {
    let unreadable = |source| ScriptFileError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "js") && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(ScriptFileError::EmptyFolder { path: folder.to_owned() });
    }
    files.sort();
    Ok(files)
}

/// The file name, or the whole path where two scripts share a file name.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let shared = |name: &String| paths.iter().filter(|path| short(path) == *name).count() > 1;
    paths
        .iter()
        .map(|path| {
            let name = short(path);
            if shared(&name) { path.to_string_lossy().into_owned() } else { name }
        })
        .collect()
}

fn text_of(path: &Path) -> Result<String, ScriptFileError> {
    let bytes = std::fs::read(path)
        .map_err(|source| ScriptFileError::Unreadable { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        ScriptFileError::NotText { path: path.to_owned(), offset }
    })?;
    // Editors on other systems put a byte order mark in front; it is no JavaScript.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_named_by_file_unless_two_share_it() {
        let paths = ["a/x.js", "b/y.js"].map(PathBuf::from);
        assert_eq!(names(&paths), ["x.js", "y.js"]);
        let paths = ["a/x.js", "b/x.js", "y.js"].map(PathBuf::from);
        assert_eq!(names(&paths), ["a/x.js", "b/x.js", "y.js"]);
    }
}
