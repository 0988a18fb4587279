//! Where things are: the repository, cargo's target directory and the user's cache.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The paths every command works with.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, whatever decided it (variable, configuration or default).
    pub(crate) target: PathBuf,
    /// `$XDG_CACHE_HOME/remora`, else `~/.cache/remora`.
    pub(crate) cache: PathBuf,
    /// The host's target triple, such as `x86_64-unknown-linux-gnu`.
    pub(crate) host: String,
    cargo: OsString,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask's folder has no parent")?.to_path_buf();
        if !root.join("Cargo.lock").is_file() {
            bail!(
                "the repository is no longer at {} (xtask was built there); run `cargo xtask` again",
                root.display()
            );
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut metadata = Command::new(&cargo);
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(&root);
        let metadata: serde_json::Value = serde_json::from_str(&process::output(&mut metadata)?)?;
        let target =
            metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
        let host = process::output(Command::new("rustc").arg("-vV"))?
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("`rustc -vV` names no host")?
            .to_owned();
        Ok(Self { target: PathBuf::from(target), cache: cache_directory()?, host, cargo, root })
    }

    /// A cargo command in the repository's root, with the project's own tools in front of `PATH`.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root).env("PATH", self.path_variable());
        command
    }

    /// Where the tools that xtask installs itself live; the user's own installations are left alone.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// `PATH` with [`Self::tools`] searched last, so that what the user has wins.
    pub(crate) fn path_variable(&self) -> OsString {
        let mut path = env::var_os("PATH").unwrap_or_default();
        if !path.is_empty() {
            path.push(":");
        }
        path.push(self.tools().join("bin"));
        path
    }

    /// The program of that name in [`Self::path_variable`].
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        env::split_paths(&self.path_variable())
            .map(|folder| folder.join(name))
            .find(|path| is_executable(path))
    }

    /// The version of a package in `Cargo.lock`; `None` where the workspace does not use it.
    pub(crate) fn locked_version(&self, package: &str) -> Result<Option<String>> {
        let lock = fs::read_to_string(self.root.join("Cargo.lock")).context("Cargo.lock can't be read")?;
        Ok(locked_version(&lock, package))
    }
}

fn cache_directory() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|value| Path::new(value).is_absolute()) {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
            .join(".cache"),
    };
    Ok(base.join("remora"))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    let version = lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_whole_name() {
        let lock = "[[package]]\nname = \"v8x\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"v8\"\nversion = \"150.4.0\"\n";
        assert_eq!(locked_version(lock, "v8").as_deref(), Some("150.4.0"));
        assert_eq!(locked_version(lock, "v9"), None);
    }
}
