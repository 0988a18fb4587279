//! `cargo xtask fuzz`: the targets of `fuzz/`, on a stable toolchain.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{self, say};
use crate::setup::Plan;
use crate::workspace::Workspace;

/// LLVM's own coverage pass with the callbacks libFuzzer provides: what nightly's `-Z sanitizer` would bring in. Overflow
/// checks and assertions stay on, since they are what finds most errors in code without `unsafe`.
const FLAGS: &str = "-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
                     -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares \
                     --cfg fuzzing -C codegen-units=1 -C debug-assertions -C overflow-checks";
/// Seconds for one input.
const INPUT_LIMIT: u32 = 10;
/// Megabytes for one target.
const MEMORY_LIMIT: u32 = 1024;

/// Fuzzes the code that reads bytes from outside; fails on a finding and names the input
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Time for each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// The targets; without any, all of them
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut plan = Plan::default();
    plan.program(workspace, "cc", "gcc", "links Rust programs");
    plan.program(workspace, "c++", "g++", "builds libFuzzer");
    plan.install(workspace)?;

    let known = targets(workspace)?;
    if let Some(unknown) = arguments.targets.iter().find(|name| !known.contains(name)) {
        bail!("there is no fuzz target {unknown}; there are {}", known.join(", "));
    }
    let chosen = if arguments.targets.is_empty() { &known } else { &arguments.targets };
    let fuzz = Fuzz { workspace, folder: workspace.root.join("fuzz"), target: workspace.target.join("fuzz") };
    fuzz.build()?;
    let mut findings = 0;
    for name in chosen {
        say!("{name}: fuzzing for {} s", arguments.seconds);
        let outcome = fuzz.fuzz(name, arguments.seconds)?;
        println!("{name}: {outcome}");
        findings += usize::from(outcome.finding.is_some());
    }
    if findings > 0 {
        bail!(
            "{findings} of {} fuzz targets have a finding; run the target's binary with that file to see it again",
            chosen.len()
        );
    }
    Ok(())
}

struct Fuzz<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    target: PathBuf,
}

impl Fuzz<'_> {
    fn build(&self) -> Result<()> {
        let mut command = self.workspace.cargo();
        command.args(["build", "--release", "--locked", "--target-dir"]).arg(&self.target);
        // A named target, even the host's, keeps the flags away from build scripts and procedural macros.
        command.args(["--target", &self.workspace.host]).current_dir(&self.folder);
        command.env("RUSTFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
        process::run(&mut command)
    }

    fn fuzz(&self, name: &str, seconds: u32) -> Result<Outcome> {
        let corpus = self.make(&["corpus", name])?;
        let artifacts = self.make(&["artifacts", name])?;
        let log = self.make(&["logs"])?.join(format!("{name}.log"));
        let mut command = Command::new(self.target.join(&self.workspace.host).join("release").join(name));
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-timeout={INPUT_LIMIT}")).arg(format!("-rss_limit_mb={MEMORY_LIMIT}"));
        command.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/", artifacts.display()));
        let dictionary = self.folder.join("dictionaries").join(format!("{name}.dict"));
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        // What is found goes into the first folder, the second is only read.
        command.arg(&corpus).arg(self.folder.join("seeds").join(name));
        let file = File::create(&log).with_context(|| format!("{} can't be written", log.display()))?;
        let status = command.stdout(file.try_clone()?).stderr(file).status();
        let status = status.with_context(|| format!("{name} can't be started"))?;
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let outcome = outcome(&text, &log, status.success());
        if outcome.finding.is_some() {
            let lines: Vec<_> = text.lines().collect();
            lines[lines.len().saturating_sub(40)..].iter().for_each(|line| eprintln!("{line}"));
        }
        Ok(outcome)
    }

    fn make(&self, parts: &[&str]) -> Result<PathBuf> {
        let mut path = self.target.clone();
        path.extend(parts);
        fs::create_dir_all(&path).with_context(|| format!("{} can't be made", path.display()))?;
        Ok(path)
    }
}

/// The binaries of the fuzz crate, in the order of its manifest.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let mut command = workspace.cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(workspace.root.join("fuzz"));
    let metadata: serde_json::Value = serde_json::from_str(&process::output(&mut command)?)?;
    let targets = metadata["packages"][0]["targets"].as_array().context("the fuzz crate has no targets")?;
    let binaries = targets.iter().filter(|target| target["kind"][0] == "bin");
    Ok(binaries.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect())
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    executions: u64,
    /// The input, or the log where the run left none.
    finding: Option<PathBuf>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.finding {
            None => write!(f, "no finding in {} executions", self.executions),
            Some(path) => write!(f, "FINDING {}", path.display()),
        }
    }
}

fn outcome(log: &str, path: &Path, success: bool) -> Outcome {
    let executions = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0);
    let artifact =
        log.lines().find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path));
    let finding = (!success).then(|| artifact.map_or_else(|| path.to_owned(), PathBuf::from));
    Outcome { executions, finding }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_its_input() {
        let log = "#2 INITED\nartifact_prefix='/t/'; Test unit written to /t/crash-0123\nstat::number_of_executed_units: 17\n";
        let found = outcome(log, Path::new("/t/log"), false);
        assert_eq!(found.to_string(), "FINDING /t/crash-0123");
        assert_eq!(outcome("killed", Path::new("/t/log"), false).to_string(), "FINDING /t/log");
    }

    #[test]
    fn a_run_without_a_finding_says_how_much_it_tried() {
        let log = "stat::number_of_executed_units: 17\nstat::average_exec_per_sec: 1\n";
        assert_eq!(outcome(log, Path::new("/t/log"), true).to_string(), "no finding in 17 executions");
    }
}
