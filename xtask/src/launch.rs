//! `cargo xtask replay` and `cargo xtask run`: build the agent, then become it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build::{self, Options};
use crate::ebpf;
use crate::process::say;
use crate::setup::machine;
use crate::workspace::Workspace;

/// Options of the build, then the agent's own arguments.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Handed on to the agent; `-- --help` shows what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    agent: Vec<OsString>,
}

pub(crate) fn replay(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    // A replay needs neither the kernel programs' toolchain nor root to install it.
    let binary = build::agent(workspace, &arguments.options, ebpf::built(workspace).as_deref())?;
    become_agent(&binary, "replay", &arguments.agent)
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let help = arguments.agent.iter().any(|argument| argument == "--help" || argument == "-h");
    if !help && !machine::is_root() {
        bail!(
            "loading eBPF programs takes root: \
             sudo -E env \"PATH=$PATH\" cargo xtask run {}",
            arguments.agent.join(" ".as_ref()).display()
        );
    }
    let object = ebpf::build(workspace)?;
    let binary = build::agent(workspace, &arguments.options, Some(&object))?;
    become_agent(&binary, "run", &arguments.agent)
}

/// Replaces this process, so that signals, exit code and pipes are the agent's own.
fn become_agent(binary: &std::path::Path, subcommand: &str, arguments: &[OsString]) -> Result<()> {
    say!("{} {subcommand}", binary.display());
    let error = Command::new(binary).arg(subcommand).args(arguments).exec();
    Err(error).with_context(|| format!("{} can't be started", binary.display()))
}
