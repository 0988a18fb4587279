//! `cargo xtask test`: every suite, by nextest, with one closing line for each.

mod report;
mod summary;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::ebpf;
use crate::engine::{self, Choice, Engine};
use crate::process::{self, say};
use crate::setup::{self, Plan, machine};
use crate::workspace::Workspace;
use summary::Suite;
pub(crate) use summary::Tally;

/// The crates in which a script engine runs; the others don't have its features.
const WITH_ENGINE: [&str; 2] = ["remora", "remora-script"];

/// Runs every test; the live kernel tests too when run as root
#[derive(Args, Debug)]
#[command(after_help = "The last line of stdout is `tests: N passed, N failed, N skipped`.")]
pub(crate) struct Arguments {
    /// The JavaScript engine; without it V8 where it can be had, else QuickJS
    #[arg(long, value_name = "ENGINE", conflicts_with = "both")]
    engine: Option<Engine>,
    /// Everything on V8, then the tests that run scripts on QuickJS as well
    #[arg(long)]
    both: bool,
    /// Write what the golden tests produce into their golden files
    #[arg(long)]
    bless: bool,
    /// Only the tests of this package; can be given several times
    #[arg(short, long = "package", value_name = "NAME")]
    packages: Vec<String>,
    /// Only tests whose name contains one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let asked = if arguments.both { Some(Engine::V8) } else { arguments.engine };
    let choice = engine::choose(workspace, asked)?;
    prepare(workspace, &choice, arguments.both)?;
    let object = ebpf::build_if_possible(workspace, "tests that load them will be skipped")?;
    if !machine::is_root() {
        say!("not root: the live kernel tests will be skipped");
    }

    let run = Run { workspace, arguments, object: object.as_deref() };
    let mut suites = run.nextest(&choice, &arguments.packages)?;
    if arguments.packages.is_empty() && arguments.filters.is_empty() {
        suites.push(run.documentation(&choice)?);
    }
    if arguments.both {
        let mut packages = WITH_ENGINE.map(str::to_owned).to_vec();
        packages.retain(|name| arguments.packages.is_empty() || arguments.packages.contains(name));
        if !packages.is_empty() {
            let mut again = run.nextest(&Choice::QuickJs, &packages)?;
            again.iter_mut().for_each(|suite| suite.name.push_str(" (quickjs)"));
            suites.append(&mut again);
        }
    }

    print!("{}", summary::closing_lines(&suites));
    let total = summary::total(&suites);
    if total.total() == 0 {
        bail!("no test has such a name");
    }
    if total.failed > 0 {
        bail!("{} tests failed", total.failed);
    }
    Ok(())
}

fn prepare(workspace: &Workspace, choice: &Choice, both: bool) -> Result<()> {
    let mut plan = Plan::default();
    setup::build(workspace, choice, &mut plan);
    if both {
        setup::build(workspace, &Choice::QuickJs, &mut plan);
    }
    setup::test(workspace, &mut plan);
    plan.install(workspace)
}

struct Run<'a> {
    workspace: &'a Workspace,
    arguments: &'a Arguments,
    object: Option<&'a Path>,
}

impl Run<'_> {
    fn nextest(&self, choice: &Choice, packages: &[String]) -> Result<Vec<Suite>> {
        // A report of an earlier run must not stand in for one that this run failed to write.
        let folder = self.workspace.target.join("nextest");
        let report = folder.join("default/junit.xml");
        if report.exists() {
            fs::remove_file(&report).with_context(|| format!("{} can't be removed", report.display()))?;
        }
        // nextest itself would write into `target` of the repository, wherever cargo's target directory is.
        fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let store = folder.join("store.toml");
        fs::write(&store, format!("[store]\ndir = {folder:?}\n"))
            .with_context(|| format!("{} can't be written", store.display()))?;
        let mut command = self.workspace.cargo();
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass", "--tool-config-file"]);
        command.arg(format!("xtask:{}", store.display()));
        self.configure(&mut command, choice, packages)?;
        command.args(&self.arguments.filters);
        let status = process::status(&mut command)?;
        let Ok(text) = fs::read_to_string(&report) else {
            bail!("the tests could not be built or run ({status})");
        };
        let mut suites = report::junit(&text)?;
        suites.sort_by(|a, b| a.name.cmp(&b.name));
        if !status.success() && summary::total(&suites).failed == 0 {
            bail!("the test runner failed ({status}), though no test did");
        }
        Ok(suites)
    }

    /// The examples in the documentation, which nextest does not run.
    fn documentation(&self, choice: &Choice) -> Result<Suite> {
        let mut command = self.workspace.cargo();
        command.args(["test", "--doc", "--no-fail-fast"]);
        self.configure(&mut command, choice, &[])?;
        let mut suite = Suite { name: "documentation".into(), ..Suite::default() };
        let status = process::read_lines(&mut command, |line| {
            eprintln!("{line}");
            report::documentation(line, &mut suite);
        })?;
        if !status.success() && suite.tally.failed == 0 {
            bail!("the documentation tests could not be built or run ({status})");
        }
        Ok(suite)
    }

    /// What nextest and rustdoc are told alike, so that one's build serves the other.
    fn configure(&self, command: &mut Command, choice: &Choice, packages: &[String]) -> Result<()> {
        if packages.is_empty() {
            command.arg("--workspace");
        }
        for package in packages {
            command.args(["--package", package]);
        }
        if packages.is_empty() || packages.iter().any(|name| WITH_ENGINE.contains(&name.as_str())) {
            engine::apply(self.workspace, choice, command)?;
        }
        if let Some(object) = self.object {
            command.env(ebpf::OBJECT_VARIABLE, object);
        }
        if self.arguments.bless {
            command.env("REMORA_BLESS", "1");
        }
        Ok(())
    }
}
