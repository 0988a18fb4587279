//! `cargo xtask bench`: measures the release build beside other programs doing the same, and prints the ratios.

mod agents;
mod capture;
mod dissect;
mod measure;
mod namespace;
mod replay;
mod scripts;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::workspace::Workspace;

/// Measures the agent beside other programs, in one go on one machine
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand, Debug)]
enum Bench {
    Dissect(dissect::Arguments),
    Replay(replay::Arguments),
    Scripts(scripts::Arguments),
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    match &arguments.bench {
        Bench::Dissect(arguments) => dissect::run(workspace, arguments),
        Bench::Replay(arguments) => replay::run(workspace, arguments),
        Bench::Scripts(arguments) => scripts::run(workspace, arguments),
    }
}
