//! `cargo xtask build`: the agent, with the engine that can be had.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::ebpf;
use crate::engine::{self, Choice, Engine};
use crate::process;
use crate::setup::{self, Plan};
use crate::workspace::Workspace;

/// Builds the agent; the last line of stdout is the path of the binary
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
}

/// How the agent is built, also before `run` and `replay`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// The JavaScript engine; without it V8 where it can be had, else QuickJS
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<Engine>,
    /// Build without optimisation
    #[arg(long)]
    pub(crate) debug: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let object = ebpf::build_if_possible(workspace, "this agent replays but can't capture")?;
    let binary = agent(workspace, &arguments.options, object.as_deref())?;
    println!("{}", binary.display());
    Ok(())
}

/// Installs what the build needs, builds the agent and returns the path of its binary. `object` is the object file of the kernel programs
/// to build into it; without it the agent replays only.
pub(crate) fn agent(workspace: &Workspace, options: &Options, object: Option<&Path>) -> Result<PathBuf> {
    let choice = engine::choose(workspace, options.engine)?;
    let mut plan = Plan::default();
    setup::build(workspace, &choice, &mut plan);
    plan.install(workspace)?;
    compile(workspace, &choice, options.debug, object)
}

fn compile(workspace: &Workspace, choice: &Choice, debug: bool, object: Option<&Path>) -> Result<PathBuf> {
    let mut command = workspace.cargo();
    command.args([
        "build",
        "--package",
        "remora",
        "--bin",
        "remora",
        "--message-format",
        "json-render-diagnostics",
    ]);
    if !debug {
        command.arg("--release");
    }
    engine::apply(workspace, choice, &mut command)?;
    if let Some(object) = object {
        command.env(ebpf::OBJECT_VARIABLE, object);
    }
    let mut binary = None;
    let status = process::read_lines(&mut command, |line| binary = executable(line).or(binary.take()))?;
    if !status.success() {
        bail!("the build of the agent failed ({status})");
    }
    binary.context("cargo named no binary of the agent")
}

/// The path in cargo's message about a finished binary of the agent.
fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" || message["target"]["name"] != "remora" {
        return None;
    }
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_among_cargos_messages() {
        let library = r#"{"reason":"compiler-artifact","target":{"name":"remora"},"executable":null}"#;
        let other =
            r#"{"reason":"compiler-artifact","target":{"name":"build-script"},"executable":"/t/build"}"#;
        let binary =
            r#"{"reason":"compiler-artifact","target":{"name":"remora"},"executable":"/t/release/remora"}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable(other), None);
        assert_eq!(executable("not JSON"), None);
        assert_eq!(executable(binary), Some("/t/release/remora".into()));
    }
}
