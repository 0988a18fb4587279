//! Debian packages, by apt-get.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, say};

const LISTS: &str = "/var/lib/apt/lists";
const POLICY: &str = "/usr/sbin/policy-rc.d";
const MARK: &str = "# Written by cargo xtask for one installation of packages.";

/// Installs the packages without their recommendations, and without starting the services they bring.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let _policy = NoServiceStart::set()?;
    if !has_lists(Path::new(LISTS)) {
        update()?;
    }
    if process::run(&mut install_command(packages)).is_err() {
        // The lists may be older than the archive: versions they name are gone.
        say!("trying again with fresh package lists");
        update()?;
        process::run(&mut install_command(packages))?;
    }
    Ok(())
}

fn update() -> Result<()> {
    process::run(apt_get().arg("update"))
}

fn install_command(packages: &[&str]) -> Command {
    let mut command = apt_get();
    command.args(["install", "-y", "--no-install-recommends"]).args(packages);
    command
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    // Another apt run (a timer's) is waited for instead of failing on its lock.
    command.args(["-q", "-o", "DPkg::Lock::Timeout=300"]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// An image often comes without package lists: the folder then holds `lock` and `partial` only.
fn has_lists(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
    })
}

/// While it lives, packages do not start their services (nginx would take port 80 of the machine): Debian's
/// policy-rc.d answers 101, "not allowed". The script answers so only while this process lives, so that a run that
/// was killed leaves nothing that matters behind.
struct NoServiceStart {
    written: bool,
}

impl NoServiceStart {
    fn set() -> Result<Self> {
        let path = Path::new(POLICY);
        match fs::read_to_string(path) {
            // Left by a run that was killed.
            Ok(script) if script.contains(MARK) => fs::remove_file(path)?,
            Ok(_) => return Ok(Self { written: false }),
            Err(_) => {}
        }
        let script = format!("#!/bin/sh\n{MARK}\n[ -d /proc/{} ] && exit 101\nexit 0\n", std::process::id());
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(path)
            .with_context(|| format!("{POLICY} can't be written"))?;
        std::io::Write::write_all(&mut file, script.as_bytes())?;
        Ok(Self { written: true })
    }
}

impl Drop for NoServiceStart {
    fn drop(&mut self) {
        if self.written
            && let Err(error) = fs::remove_file(POLICY)
        {
            say!("{POLICY} could not be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_there_once_an_index_of_packages_is() {
        let folder = std::env::temp_dir().join(format!("xtask-apt-{}", std::process::id()));
        fs::create_dir_all(folder.join("partial")).unwrap();
        fs::write(folder.join("lock"), "").unwrap();
        assert!(!has_lists(&folder));
        fs::write(folder.join("archive_dists_bookworm_main_binary-amd64_Packages.lz4"), "").unwrap();
        assert!(has_lists(&folder));
        fs::remove_dir_all(&folder).unwrap();
    }
}
