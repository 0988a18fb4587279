//! The agent with each engine, built for a benchmark.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::build::{self, Options};
use crate::engine::{self, Engine};
use crate::process::{self, say};
use crate::workspace::Workspace;

/// Where benchmarks put what they make anew each time.
pub(super) fn folder(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    Ok(folder)
}

/// The release builds with `only` that engine, or with each that can be had.
pub(super) fn build(workspace: &Workspace, only: Option<Engine>) -> Result<Vec<(Engine, PathBuf)>> {
    let folder = folder(workspace)?;
    let mut agents = Vec::new();
    for engine in [Engine::V8, Engine::QuickJs] {
        if only.is_some_and(|only| only != engine) {
            continue;
        }
        let options = Options { engine: Some(engine), debug: false };
        let built = match build::agent(workspace, &options, None) {
            Ok(built) => built,
            Err(error) if only.is_none() => {
                say!("{} is left out: {error:#}", engine.feature());
                continue;
            }
            Err(error) => return Err(error),
        };
        // Both builds have the same path; the next would replace this one.
        let program = folder.join(format!("remora-{}", engine.feature()));
        fs::copy(&built, &program).with_context(|| format!("{} can't be written", program.display()))?;
        agents.push((engine, program));
    }
    ensure!(!agents.is_empty(), "no engine can be had, so there is nothing to measure");
    Ok(agents)
}

/// Builds a benchmark of the script host with an engine that an agent was built with; returns its binary.
pub(super) fn host_bench(workspace: &Workspace, engine: Engine, name: &str) -> Result<PathBuf> {
    let choice = engine::choose(workspace, Some(engine))?;
    bench(workspace, "remora-script", name, |command| engine::apply(workspace, &choice, command))
}

/// Builds a package's benchmark; returns its binary.
pub(super) fn bench(
    workspace: &Workspace,
    package: &str,
    name: &str,
    configure: impl FnOnce(&mut Command) -> Result<()>,
) -> Result<PathBuf> {
    let mut command = workspace.cargo();
    command.args(["bench", "--package", package, "--bench", name, "--no-run"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    configure(&mut command)?;
    let mut binary = None;
    let status = process::read_lines(&mut command, |line| binary = executable(line, name).or(binary.take()))?;
    if !status.success() {
        bail!("the build of the benchmark `{name}` failed ({status})");
    }
    binary.with_context(|| format!("cargo named no binary of the benchmark `{name}`"))
}

/// The path in cargo's message about a finished benchmark.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let target = &message["target"];
    if message["reason"] != "compiler-artifact" || target["name"] != name || target["kind"][0] != "bench" {
        return None;
    }
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_is_told_from_a_library_of_its_name() {
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"hooks","kind":["lib"]},"executable":"/l"}"#;
        let bench =
            r#"{"reason":"compiler-artifact","target":{"name":"hooks","kind":["bench"]},"executable":"/b"}"#;
        assert_eq!(executable(library, "hooks"), None);
        assert_eq!(executable(bench, "other"), None);
        assert_eq!(executable(bench, "hooks"), Some("/b".into()));
    }
}
