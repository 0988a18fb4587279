//! The project's own commands, as `cargo xtask COMMAND`. Results go to stdout, everything else to stderr.

#![forbid(unsafe_code)]

mod bench;
mod build;
mod check;
mod compare;
mod ebpf;
mod engine;
mod fuzz;
mod launch;
mod new_protocol;
mod process;
mod setup;
mod table;
mod test;
mod v8;
mod vary;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use workspace::Workspace;

/// Sets up, builds, runs and tests Remora
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Setup(setup::Arguments),
    Build(build::Arguments),
    /// Builds the kernel programs; the last line of stdout is the path of the object file
    BuildEbpf,
    /// Builds the agent with the kernel programs, then runs it on live traffic (as root)
    #[command(after_help = "Example: cargo xtask run --interface eth0 --script scripts/log-items.js")]
    Run(launch::Arguments),
    /// Builds the agent, then replays capture files through it
    #[command(
        after_help = "Example: cargo xtask replay tests/fixtures/http1.pcap --script scripts/log-items.js"
    )]
    Replay(launch::Arguments),
    Test(test::Arguments),
    Check(check::Arguments),
    Compare(compare::Arguments),
    Fuzz(fuzz::Arguments),
    NewProtocol(new_protocol::Arguments),
    Bench(bench::Arguments),
    V8(v8::Arguments),
    Vary(vary::Arguments),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup(arguments) => setup::run(&workspace, &arguments),
        Command::Build(arguments) => build::run(&workspace, &arguments),
        Command::BuildEbpf => {
            println!("{}", ebpf::build(&workspace)?.display());
            Ok(())
        }
        Command::Run(arguments) => launch::run(&workspace, &arguments),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Compare(arguments) => compare::run(&workspace, &arguments),
        Command::Vary(arguments) => vary::run(&arguments),
        Command::V8(arguments) => v8::run(&workspace, &arguments),
        Command::NewProtocol(arguments) => new_protocol::run(&workspace, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Check(arguments) => check::run(&workspace, &arguments),
        Command::Replay(arguments) => launch::replay(&workspace, &arguments),
    }
}
