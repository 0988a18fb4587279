//! What is missing on this machine, and how it gets there.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, say};
use crate::setup::{apt, machine};
use crate::workspace::Workspace;

/// A program that cargo builds from the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CargoTool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) purpose: &'static str,
}

/// A program inside a Python package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonTool {
    /// The requirement, with its version.
    pub(crate) package: &'static str,
    /// The folder under the tools folder where it is unpacked.
    pub(crate) folder: &'static str,
    pub(crate) purpose: &'static str,
}

/// The missing things, in the order they are installed: Debian packages, cargo tools, Python tools.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    debian: Vec<(&'static str, &'static str)>,
    cargo: Vec<CargoTool>,
    python: Vec<PythonTool>,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        self.debian.is_empty() && self.cargo.is_empty() && self.python.is_empty()
    }

    pub(crate) fn debian(&mut self, packages: &[&'static str], purpose: &'static str) {
        for package in packages {
            if !self.debian.iter().any(|(known, _)| known == package) {
                self.debian.push((package, purpose));
            }
        }
    }

    /// Asks for a Debian package when the program it brings is not there.
    pub(crate) fn program(
        &mut self,
        workspace: &Workspace,
        name: &str,
        package: &'static str,
        purpose: &'static str,
    ) {
        if workspace.program(name).is_none() {
            self.debian(&[package], purpose);
        }
    }

    /// Asks for a Debian package when the file it brings is not there.
    pub(crate) fn file(&mut self, path: &str, package: &'static str, purpose: &'static str) {
        if !Path::new(path).exists() {
            self.debian(&[package], purpose);
        }
    }

    pub(crate) fn cargo_tool(&mut self, workspace: &Workspace, tool: &CargoTool) {
        if workspace.program(tool.name).is_none() && !self.cargo.contains(tool) {
            self.cargo.push(tool.clone());
        }
    }

    pub(crate) fn python_tool(&mut self, workspace: &Workspace, tool: &PythonTool) {
        if !workspace.tools().join(tool.folder).is_dir() && !self.python.contains(tool) {
            self.python.push(tool.clone());
        }
    }

    /// One line for each missing thing: what, what for, and how it is installed.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for (package, purpose) in &self.debian {
            let _ = writeln!(text, "missing: {package} ({purpose}): Debian package, by apt-get");
        }
        for tool in &self.cargo {
            let _ = writeln!(
                text,
                "missing: {} {} ({}): built from source by cargo install, which takes minutes",
                tool.name, tool.version, tool.purpose
            );
        }
        for tool in &self.python {
            let _ = writeln!(text, "missing: {} ({}): Python package, by pip", tool.package, tool.purpose);
        }
        text
    }

    /// Why this plan can't be carried out on this machine, with what would help; `None` when it can.
    pub(crate) fn obstacle(&self, workspace: &Workspace) -> Option<String> {
        if self.debian.is_empty() {
            return None;
        }
        let packages: Vec<_> = self.debian.iter().map(|(package, _)| *package).collect();
        obstacle(&packages, machine::has_apt(workspace), machine::is_root())
    }

    /// Says what is missing, then installs it. Does nothing, and says nothing, when nothing is missing.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<()> {
        for line in self.describe().lines() {
            say!("{line}");
        }
        if let Some(obstacle) = self.obstacle(workspace) {
            bail!(obstacle);
        }
        if !self.debian.is_empty() {
            apt::install(&self.debian.iter().map(|(package, _)| *package).collect::<Vec<_>>())?;
        }
        for tool in &self.cargo {
            install_cargo_tool(workspace, tool)?;
        }
        for tool in &self.python {
            install_python_tool(workspace, tool)?;
        }
        Ok(())
    }
}

/// Why Debian packages can't be installed here, with the command that would do it.
fn obstacle(packages: &[&str], has_apt: bool, is_root: bool) -> Option<String> {
    let packages = packages.join(" ");
    if !has_apt {
        Some(format!(
            "this machine has no apt-get: install what these Debian packages bring by your own means: {packages}"
        ))
    } else if !is_root {
        Some(format!(
            "only root can install Debian packages: run `sudo apt-get install -y {packages}`, then this again"
        ))
    } else {
        None
    }
}

fn install_cargo_tool(workspace: &Workspace, tool: &CargoTool) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["install", "--locked", "--version", tool.version, "--root"]).arg(workspace.tools());
    command.args(tool.arguments).arg(tool.name);
    for (name, value) in tool.environment {
        command.env(name, value);
    }
    // Its objects are of no use afterwards: cargo removes them only from a target directory of its own choice.
    command.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    process::run(&mut command)
}

fn install_python_tool(workspace: &Workspace, tool: &PythonTool) -> Result<()> {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]);
    command.arg(workspace.tools().join(tool.folder)).arg(tool.package);
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_wanted_twice_is_named_once() {
        let mut plan = Plan::default();
        plan.debian(&["cmake", "zlib1g-dev"], "QuickJS");
        plan.debian(&["cmake"], "something else");
        assert_eq!(plan.describe().matches("cmake").count(), 1);
        assert!(!plan.is_empty());
        assert!(Plan::default().describe().is_empty());
    }

    #[test]
    fn what_stands_in_the_way_comes_with_the_exact_command() {
        assert_eq!(obstacle(&["cmake"], true, true), None);
        let not_root = obstacle(&["cmake", "libsimde-dev"], true, false).unwrap();
        assert!(not_root.contains("`sudo apt-get install -y cmake libsimde-dev`"), "{not_root}");
        assert!(obstacle(&["cmake"], false, true).unwrap().contains("no apt-get"));
    }
}
