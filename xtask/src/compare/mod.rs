//! `cargo xtask compare`: what tshark finds in a capture beside what the agent's dissectors find.
//!
//! Both sides are brought to one form, a [`Message`]: protocol, endpoints, and a key that says which message it is. What a key
//! is made of, for each protocol, stands in [`protocols`].

mod layer;
mod matching;
mod ours;
mod protocols;
mod report;
mod tshark;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::say;
use crate::setup::Plan;
use crate::workspace::Workspace;
use matching::Outcome;
use report::Report;
use tshark::Tshark;

/// Holds what the dissectors find in captures against what tshark finds
#[derive(Args, Debug)]
#[command(
    after_help = "A message is a request, a response, or what a protocol has instead. tshark counts as a second opinion, not as the \
                  truth: look at the differences. They do not make the command fail.\n\
                  Example: cargo xtask compare tests/fixtures/http1.pcap\n\
                  Example: cargo xtask compare --all tests/fixtures --decode-as tcp.port==8082-8083,http2 --markdown"
)]
pub(crate) struct Arguments {
    /// pcap or pcapng, plain or gzip
    #[arg(required_unless_present = "all")]
    files: Vec<PathBuf>,
    /// Every capture in this folder and the folders below it
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
    /// For tshark, which knows some protocols by their port alone: its -d, such as tcp.port==8082,http2
    #[arg(long, value_name = "RULE")]
    decode_as: Vec<String>,
    /// More such rules, one a line; lines that begin with # are passed over
    #[arg(long, value_name = "FILE")]
    decode_as_file: Option<PathBuf>,
    /// Only these protocols
    #[arg(long = "protocol", value_name = "NAME", value_parser = protocol)]
    protocols: Vec<String>,
    /// How many differences of a protocol are shown
    #[arg(long, value_name = "N", default_value_t = 5)]
    differences: usize,
    /// Print the table for a page
    #[arg(long)]
    markdown: bool,
}

fn protocol(name: &str) -> Result<String, String> {
    if protocols::all().any(|mapping| mapping.protocol == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = protocols::all().map(|mapping| mapping.protocol).collect();
    Err(format!("there are {}", names.join(", ")))
}

/// One side of a conversation; port 0 where the protocol has none.
type Place = (IpAddr, u16);

/// What both sides speak of.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Message {
    protocol: &'static str,
    /// Nanoseconds since 1970. tshark has the time of the packet that completes a message, the agent that of its first byte.
    time: i64,
    from: Place,
    to: Place,
    key: String,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut plan = Plan::default();
    plan.program(workspace, "tshark", "tshark", "captures are compared with what it finds");
    plan.install(workspace)?;
    let mut files = arguments.files.clone();
    if let Some(folder) = &arguments.all {
        captures(folder, &mut files)?;
    }
    let tshark = Tshark::new(rules(arguments)?)?;
    let wanted = |protocol: &str| {
        arguments.protocols.is_empty() || arguments.protocols.iter().any(|name| name == protocol)
    };

    let mut report = Report::new(arguments.differences);
    for (number, file) in files.iter().enumerate() {
        if files.len() > 1 {
            say!("{} of {}: {}", number + 1, files.len(), file.display());
        }
        let mut theirs = tshark.messages(file)?;
        let mut ours = ours::messages(file);
        theirs.retain(|message| wanted(message.protocol));
        ours.retain(|message| wanted(message.protocol));
        report.add(file, Outcome::of(theirs, ours));
    }
    print!("{}", if arguments.markdown { report.markdown() } else { report.text() });
    Ok(())
}

/// The decode-as rules of the command line and of the file.
fn rules(arguments: &Arguments) -> Result<Vec<String>> {
    let mut rules = arguments.decode_as.clone();
    if let Some(path) = &arguments.decode_as_file {
        let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        rules.extend(lines.map(str::to_owned));
    }
    Ok(rules)
}

/// Adds the captures below a folder, in the order of their paths.
fn captures(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let before = files.len();
    collect(folder, files)?;
    files[before..].sort();
    if files.len() == before {
        bail!("there are no captures below {}", folder.display());
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(name);
        if path.is_dir() {
            collect(&path, files)?;
        } else if [".pcap", ".pcapng", ".cap"].iter().any(|end| name.ends_with(end)) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_read_by_both_is_the_same_to_both() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/http1.pcap");
        let there = std::process::Command::new("tshark").arg("--version").output();
        if !there.is_ok_and(|output| output.status.success()) {
            println!("skipped: tshark is not installed");
            return;
        }
        let theirs = Tshark::new(Vec::new()).unwrap().messages(&file).unwrap();
        let outcome = Outcome::of(theirs, ours::messages(&file));
        let counts = outcome.counts();
        assert_eq!(counts["http1"], matching::Counts { both: 96, theirs: 0, ours: 0 });
    }

    #[test]
    fn the_folders_captures_are_found() {
        let mut files = Vec::new();
        captures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/http1"), &mut files).unwrap();
        assert!(files.iter().any(|path| path.ends_with("formats/gzipped.pcap.gz")));
        assert!(files.iter().any(|path| path.ends_with("http1_basic.pcap")));
        assert!(!files.iter().any(|path| path.extension().is_some_and(|end| end == "jsonl")));
    }

    #[test]
    fn only_known_protocols_can_be_asked_for() {
        assert_eq!(protocol("http1"), Ok("http1".to_owned()));
        assert!(protocol("gopher").unwrap_err().contains("http1, "));
    }
}
