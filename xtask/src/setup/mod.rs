//! `cargo xtask setup`: everything the other commands need, and the lists of it.

mod apt;
pub(crate) mod machine;
mod plan;

use anyhow::Result;
use clap::Args;

use crate::ebpf;
use crate::engine::{self, Choice, Engine, V8Archive};
use crate::process::say;
use crate::workspace::Workspace;
pub(crate) use plan::{CargoTool, Plan, PythonTool};

/// The test runner: a process for each test, and a report that says what every test printed.
pub(crate) const NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.143",
    // The size and speed of the tool do not matter, the minutes it takes to build do.
    arguments: &["--profile", "dev", "--no-default-features", "--features", "default-no-update"],
    environment: &[],
    purpose: "runs the tests",
};

const DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    arguments: &["--profile", "dev"],
    environment: &[],
    purpose: "checks licences, duplicates and sources of the dependencies",
};

/// Installs what the other commands need
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Only say what is missing and how it would be installed
    #[arg(long)]
    dry_run: bool,
    /// Set up for this JavaScript engine instead of the one that would be chosen
    #[arg(long, value_name = "ENGINE")]
    engine: Option<Engine>,
    /// Also what `.ci/run` needs: the tools of `check`, and both engines
    #[arg(long)]
    ci: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let choice = engine::choose(workspace, arguments.engine)?;
    let mut plan = Plan::default();
    build(workspace, &choice, &mut plan);
    ebpf::requirements(workspace, &mut plan);
    test(workspace, &mut plan);
    if arguments.ci {
        build(workspace, &Choice::QuickJs, &mut plan);
        check(workspace, &mut plan);
    }
    if arguments.dry_run {
        print!("{}", plan.describe());
    } else {
        plan.install(workspace)?;
    }
    if plan.is_empty() {
        say!("nothing is missing");
    }
    Ok(())
}

/// What a build of the agent with that engine needs.
pub(crate) fn build(workspace: &Workspace, choice: &Choice, plan: &mut Plan) {
    plan.program(workspace, "cc", "gcc", "links Rust programs");
    if matches!(choice, Choice::V8(V8Archive::Mirror | V8Archive::Release))
        && workspace.program("python3").is_none()
    {
        plan.program(workspace, "curl", "curl", "downloads V8's archive");
    }
    if choice.engine() == Engine::QuickJs {
        plan.program(workspace, "cmake", "cmake", "builds QuickJS");
        plan.program(workspace, "c++", "g++", "builds QuickJS");
        plan.program(workspace, "make", "make", "builds QuickJS");
        plan.file(engine::SIMDE_HEADERS, "libsimde-dev", "headers that QuickJS's WebAssembly part includes");
    }
}

/// What the tests need; the real servers and clients of the live tests only where those can run.
pub(crate) fn test(workspace: &Workspace, plan: &mut Plan) {
    plan.cargo_tool(workspace, &NEXTEST);
    if machine::is_root() {
        plan.program(workspace, "ip", "iproute2", "network namespaces of the live tests");
        plan.program(workspace, "nginx", "nginx", "server of the live tests");
        plan.program(workspace, "curl", "curl", "client of the live tests");
        plan.program(workspace, "wrk", "wrk", "client of the live tests");
        plan.program(workspace, "tshark", "tshark", "second opinion on the captures that scripts make");
    }
}

/// What `check` needs.
pub(crate) fn check(workspace: &Workspace, plan: &mut Plan) {
    plan.cargo_tool(workspace, &DENY);
    plan.program(workspace, "git", "git", "reads the advisories");
}
