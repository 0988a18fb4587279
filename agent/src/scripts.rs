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

/// A script file and the name its script goes by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ScriptFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// The files and folders that scripts come from, in order.
pub(crate) fn sources(arguments: &[PathBuf], settings: &Settings) -> Vec<PathBuf> {
    let configured = std::iter::once(&settings.script_source).chain(&settings.script_sources);
    let configured = configured.filter(|source| !source.is_empty()).map(PathBuf::from);
    arguments.iter().cloned().chain(configured).collect()
}

/// Reads every script, in the order of `sources`; the files of a folder by name. A file given twice is read once.
pub(crate) fn read(
    sources: &[PathBuf],
    may_be_empty: bool,
) -> Result<Vec<(ScriptFile, Script)>, ScriptFileError> {
    let paths = paths(sources, may_be_empty)?;
    let names = names(&paths);
    let read = |(path, name): (PathBuf, String)| {
        let script = Script { name: name.clone(), code: text_of(&path)? };
        Ok((ScriptFile { path, name }, script))
    };
    paths.into_iter().zip(names).map(read).collect()
}

/// The script files there are now.
pub(crate) fn paths(sources: &[PathBuf], may_be_empty: bool) -> Result<Vec<PathBuf>, ScriptFileError> {
    let mut paths = Vec::new();
    for source in sources {
        if source.is_dir() {
            let files = files_of(source)?;
            if files.is_empty() && !may_be_empty {
                return Err(ScriptFileError::EmptyFolder { path: source.clone() });
            }
            paths.extend(files);
        } else {
            paths.push(source.clone());
        }
    }
    let mut seen = HashSet::new();
    paths.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(paths)
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
    files.sort();
    Ok(files)
}

/// The file name, or the whole path where two scripts share a file name.
pub(crate) fn names(paths: &[PathBuf]) -> Vec<String> {
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

pub(crate) fn text_of(path: &Path) -> Result<String, ScriptFileError> {
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
