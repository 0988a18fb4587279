//! `cargo xtask check`: what can be said about the code without running it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::ebpf;
use crate::engine::{self, Choice, Engine};
use crate::process::{self, say};
use crate::setup::{self, Plan};
use crate::test::Tally;
use crate::workspace::Workspace;

/// Where RustSec's advisories are published; what `cargo deny` asks when its configuration names nothing else.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";
/// Crates outside the workspace, which cargo's `--all` does not reach.
const APART: [&str; 2] = ["capture-ebpf", "fuzz"];

/// Checks formatting, lints, and the licences, sources and advisories of the dependencies
#[derive(Args, Debug)]
#[command(after_help = "The last line of stdout is `checks: N passed, N failed, N skipped`.")]
pub(crate) struct Arguments {
    /// The JavaScript engine to lint the code with; without it V8 where it can be had, else QuickJS
    #[arg(long, value_name = "ENGINE")]
    engine: Option<Engine>,
    /// A copy of RustSec's advisories, for a machine that can't fetch them
    #[arg(long, value_name = "DIR")]
    advisory_db: Option<PathBuf>,
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let choice = engine::choose(workspace, arguments.engine)?;
    let mut plan = Plan::default();
    setup::build(workspace, &choice, &mut plan);
    setup::check(workspace, &mut plan);
    plan.install(workspace)?;

    let outcomes = [
        ("formatting", formatting(workspace)),
        ("lints", lints(workspace, &choice)),
        ("dependencies", dependencies(workspace)),
        ("advisories", advisories(workspace, arguments.advisory_db.as_deref())),
    ];
    let mut tally = Tally::default();
    for (name, outcome) in outcomes {
        match outcome.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}"))) {
            Outcome::Passed => {
                tally.passed += 1;
                println!("{name}: passed");
            }
            Outcome::Failed(reason) => {
                tally.failed += 1;
                println!("{name}: FAILED: {reason}");
            }
            Outcome::Skipped(reason) => {
                tally.skipped += 1;
                println!("{name}: skipped: {reason}");
            }
        }
    }
    println!("checks: {tally}");
    if tally.failed > 0 {
        bail!("{} checks failed", tally.failed);
    }
    Ok(())
}

fn formatting(workspace: &Workspace) -> Result<Outcome> {
    let mut commands = vec![workspace.cargo()];
    commands[0].args(["fmt", "--all", "--check"]);
    for folder in APART {
        let mut command = workspace.cargo();
        command.args(["fmt", "--check"]).current_dir(workspace.root.join(folder));
        commands.push(command);
    }
    each(commands)
}

fn lints(workspace: &Workspace, choice: &Choice) -> Result<Outcome> {
    let mut command = workspace.cargo();
    command.args(["clippy", "--locked", "--workspace", "--all-targets"]);
    engine::apply(workspace, choice, &mut command)?;
    if let Some(object) = ebpf::built(workspace) {
        command.env(ebpf::OBJECT_VARIABLE, object);
    }
    command.args(["--", "-D", "warnings"]);
    each(vec![command])
}

fn dependencies(workspace: &Workspace) -> Result<Outcome> {
    each(deny(workspace, &["bans", "licenses", "sources"]))
}

fn advisories(workspace: &Workspace, copy: Option<&Path>) -> Result<Outcome> {
    let mut commands = deny(workspace, &["advisories"]);
    match copy {
        Some(copy) => {
            // cargo-deny reads advisories from a git repository of a host only, so git is told to read them elsewhere.
            let repository = repository(workspace, copy)?;
            for command in &mut commands {
                command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_VALUE_0", ADVISORIES);
                command.env("GIT_CONFIG_KEY_0", format!("url.file://{}.insteadOf", repository.display()));
            }
        }
        None if !fetchable() => {
            return Ok(Outcome::Skipped(format!(
                "{ADVISORIES} can't be reached; --advisory-db names a copy"
            )));
        }
        None => {}
    }
    each(commands)
}

/// The command for the workspace and for each crate apart from it; two versions of a crate matter in the workspace only,
/// which is what is shipped.
fn deny(workspace: &Workspace, checks: &[&str]) -> Vec<Command> {
    let command = |manifest: PathBuf, checks: &[&str]| {
        let mut command = workspace.cargo();
        command.args(["deny", "--locked", "--manifest-path"]).arg(manifest);
        command.args(["--config".as_ref(), workspace.root.join("deny.toml").as_os_str()]);
        command.args(["check", "--hide-inclusion-graph"]).args(checks);
        command
    };
    let apart: Vec<_> = checks.iter().copied().filter(|check| *check != "bans").collect();
    let mut commands = vec![command("Cargo.toml".into(), checks)];
    commands.extend(APART.map(|folder| command(Path::new(folder).join("Cargo.toml"), &apart)));
    commands
}

fn fetchable() -> bool {
    let mut command = Command::new("timeout");
    command
        .args(["10", "git", "ls-remote", "--exit-code", ADVISORIES, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0");
    process::succeeds(&mut command)
}

/// A git repository in the cache whose branch `main` holds what is in the folder now.
fn repository(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    let folder = folder.canonicalize().with_context(|| format!("{} can't be read", folder.display()))?;
    let repository = workspace.cache.join("advisory-db.git");
    if !repository.is_dir() {
        fs::create_dir_all(&workspace.cache)?;
        git(&[
            OsStr::new("init"),
            "--quiet".as_ref(),
            "--bare".as_ref(),
            "-b".as_ref(),
            "main".as_ref(),
            repository.as_ref(),
        ])?;
    }
    let at = [OsStr::new("--git-dir"), repository.as_ref(), "--work-tree".as_ref(), folder.as_ref()];
    git(&[&at[..], &["add".as_ref(), "--all".as_ref(), folder.as_ref()]].concat())?;
    let identity =
        ["-c", "user.name=remora", "-c", "user.email=remora@localhost", "-c", "commit.gpgsign=false"];
    let commit = ["commit", "--quiet", "--allow-empty", "-m", "Copy"];
    let words = identity.into_iter().map(OsStr::new).chain(at).chain(commit.into_iter().map(OsStr::new));
    git(&words.collect::<Vec<_>>())?;
    Ok(repository)
}

fn git(arguments: &[&OsStr]) -> Result<()> {
    process::output(Command::new("git").args(arguments)).map(drop)
}

/// Runs all of them, so that one failure does not hide the next.
fn each(commands: Vec<Command>) -> Result<Outcome> {
    let mut failed = Vec::new();
    for mut command in commands {
        if !process::status(&mut command)?.success() {
            failed.push(process::line(&command));
        }
    }
    if failed.is_empty() {
        return Ok(Outcome::Passed);
    }
    say!("failed: {}", failed.join("; "));
    Ok(Outcome::Failed(failed.join("; ")))
}
