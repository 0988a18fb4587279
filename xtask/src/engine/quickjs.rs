//! QuickJS builds without a network: its WebAssembly part would clone the `simde` headers, but takes a folder instead.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// The headers of Debian's `libsimde-dev`.
pub(crate) const SIMDE_HEADERS: &str = "/usr/include/simde";

/// Makes CMake take the installed headers. A toolchain file is the one input of CMake that a variable can name; a user
/// who names one already is left to it.
pub(super) fn apply(workspace: &Workspace, command: &mut Command) -> Result<()> {
    if env::var_os("CMAKE_TOOLCHAIN_FILE").is_none() {
        command.env("CMAKE_TOOLCHAIN_FILE", write_toolchain(&workspace.cache.join("quickjs"))?);
    }
    Ok(())
}

fn write_toolchain(folder: &Path) -> Result<std::path::PathBuf> {
    // The build expects the root of simde's repository, where the headers are in a folder `simde`.
    let source = folder.join("simde-source");
    fs::create_dir_all(&source).with_context(|| format!("{} can't be made", source.display()))?;
    let link = source.join("simde");
    if fs::symlink_metadata(&link).is_err() {
        symlink(SIMDE_HEADERS, &link).with_context(|| format!("{} can't be made", link.display()))?;
    }
    let file = folder.join("offline.cmake");
    let text = format!("set(FETCHCONTENT_SOURCE_DIR_SIMDE \"{}\" CACHE PATH \"\")\n", source.display());
    // An untouched file keeps its time, so that nothing is built again for it.
    if fs::read_to_string(&file).ok().as_deref() != Some(&text) {
        fs::write(&file, text).with_context(|| format!("{} can't be written", file.display()))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_file_names_a_folder_with_the_headers() {
        let folder = env::temp_dir().join(format!("xtask-quickjs-{}", std::process::id()));
        let file = write_toolchain(&folder).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("\"{}\"", folder.join("simde-source").display())), "{text}");
        assert_eq!(fs::read_link(folder.join("simde-source/simde")).unwrap(), Path::new(SIMDE_HEADERS));
        assert_eq!(write_toolchain(&folder).unwrap(), file, "a second time changes nothing");
        fs::remove_dir_all(&folder).unwrap();
    }
}
