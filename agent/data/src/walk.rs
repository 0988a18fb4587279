//! Looking through a tree of the data directory: without recursion, without following links.

use std::io;

use cap_std::fs::Dir;

use crate::path::MAX_DEPTH;

pub(crate) struct Found {
    /// Below where the walk began, with `/`.
    pub(crate) path: String,
    pub(crate) is_folder: bool,
    pub(crate) bytes: u64,
    pub(crate) depth: usize,
}

/// Calls `visit` with each file and folder below `start`, a folder before what is in it, names in order of their bytes.
/// Links, sockets and the like are left out, and so is what is deeper than [`MAX_DEPTH`], which no script can make. What
/// vanishes on the way is passed over. `visit` says whether to look inside a folder.
pub(crate) fn walk<E: From<io::Error>>(
    start: &Dir,
    visit: &mut dyn FnMut(Found) -> Result<bool, E>,
) -> Result<(), E> {
    let mut pending = children(start, "", 1)?;
    while let Some(found) = pending.pop() {
        let (path, is_folder, depth) = (found.path.clone(), found.is_folder, found.depth);
        if visit(found)? && is_folder && depth < MAX_DEPTH {
            match start.open_dir(&path) {
                Ok(folder) => pending.extend(children(&folder, &path, depth + 1)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The last name first: they are taken from the end.
fn children(folder: &Dir, prefix: &str, depth: usize) -> io::Result<Vec<Found>> {
    let mut children = Vec::new();
    for entry in folder.entries()? {
        let entry = entry?;
        // Scripts make names of UTF-8 only; another is not theirs.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if metadata.is_dir() || metadata.is_file() {
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            children.push(Found { path, is_folder: metadata.is_dir(), bytes: metadata.len(), depth });
        }
    }
    children.sort_unstable_by(|a, b| b.path.cmp(&a.path));
    Ok(children)
}
