//! `remora`: the agent's command line.
#![forbid(unsafe_code)]

mod check;
mod cli;
mod config;
mod exit;
mod live;
mod metrics;
mod origin;
mod output;
mod pipeline;
mod replay;
mod report;
mod scripts;
mod services;
mod session;
mod signals;
mod summary;
mod watch;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command, ScriptsCommand};
use exit::Exit;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Logs go to standard error; scripts' console lines are no logs and are not filtered.
    let filter = EnvFilter::try_from_env("REMORA_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    logs.with_ansi(colour).with_target(false).init();
    match dispatch(&cli.command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("remora: {error:#}");
            Exit::Broken.into()
        }
    }
}

fn dispatch(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Replay(arguments) => replay::replay(arguments, &config::load(&arguments.common)?),
        Command::Run(arguments) => live::run(arguments, &config::load(&arguments.common)?),
        Command::Scripts(scripts) => match &scripts.command {
            ScriptsCommand::Check(arguments) => check::check(arguments),
        },
        Command::Settings => {
            list_settings();
            Ok(Exit::Fine)
        }
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "remora", &mut io::stdout());
            Ok(Exit::Fine)
        }
    }
}

/// A reader that closes the pipe early is no error.
fn list_settings() {
    let mut stdout = io::stdout().lock();
    config::Settings::default().each(&mut |key, default, meaning| {
        let _ = writeln!(stdout, "{key} = {default}\n    {meaning}");
    });
}
