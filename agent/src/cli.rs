//! The command line. Scripts of others depend on its names and exit codes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What every exit code means, for `--help` and for [`crate::exit`].
const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  an item failed a test rule (test.fail), or a script did not load
  2  wrong usage, or input that is unreadable or broken (what was readable is still processed)";

const REPLAY_EXAMPLES: &str = "\
Examples:
  Print the items of a capture:
    remora replay capture.pcap
  Run a script on every item, with a variable that it reads as env.TOKEN:
    remora replay --script alert.js --env TOKEN=s3cr3t capture.pcap
  Items as JSON, one a line:
    remora replay --output jsonl capture.pcapng | jq .request.path
  Only what went wrong:
    remora replay --filter 'http and response.status >= 500' capture.pcap
  What is inside TLS, by the secrets of a key log (those in a pcapng are found without):
    remora replay --tls-keylog keys.txt capture.pcap
  A capture as it is taken:
    tcpdump -i eth0 -w - | remora replay -
  In CI: exit 1 and a report when a rule marked an item with test.fail:
    remora replay --script rules.js --output none --junit report.xml fixtures/*.pcap";

const CHECK_EXAMPLES: &str = "\
Examples:
  remora scripts check alert.js
  remora scripts check --strict --env SLACK_WEBHOOK scripts/";

const CHECK_EXIT_CODES: &str = "\
Exit codes:
  0  nothing wrong
  1  something is wrong with a script
  2  a file cannot be read";

const RUN_EXAMPLES: &str = "\
Examples:
  One interface, until Ctrl-C:
    remora run --interface eth0
  Every pod's interface, those that appear later too:
    remora run --interface 'veth.*' --script alert.js
  Only the first 256 bytes of each packet:
    remora run --interface eth0 --set tap.capture.snaplen=256";

#[derive(Parser, Debug)]
#[command(name = "remora", version = VERSION, about, long_about = None, after_help = EXIT_CODES, max_term_width = 110)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[cfg(feature = "quickjs")]
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (engine: QuickJS)");
#[cfg(not(feature = "quickjs"))]
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (engine: V8)");

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Read capture files, print their items and run scripts on them
    #[command(after_help = format!("{REPLAY_EXAMPLES}\n\n{EXIT_CODES}"))]
    Replay(Replay),
    /// Capture live from the kernel, print items and run scripts on them until Ctrl-C (needs root)
    #[command(after_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
    Run(Run),
    /// Look at script files without running them
    Scripts(Scripts),
    /// List every setting for a config file and `--set`, with its default and meaning
    Settings,
    /// Print the completion script of a shell
    #[command(after_help = "Example:\n  remora completions bash > /etc/bash_completion.d/remora")]
    Completions { shell: clap_complete::Shell },
}

#[derive(Args, Debug)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Capture files: pcap or pcapng, gzip-compressed or not; `-` reads standard input
    #[arg(required = true, value_name = "PCAP")]
    pub(crate) captures: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Interface name, or a regular expression that matches whole names; may be given several times. Interfaces that
    /// appear later are attached too
    #[arg(long, short, required = true, value_name = "NAME|REGEX", num_args = 1..)]
    pub(crate) interface: Vec<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Args, Debug)]
pub(crate) struct Scripts {
    #[command(subcommand)]
    pub(crate) command: ScriptsCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ScriptsCommand {
    /// Check scripts: syntax, misspelt hooks and helpers, missing arguments, what only browsers or Node.js have
    #[command(after_help = format!("{CHECK_EXAMPLES}\n\n{CHECK_EXIT_CODES}"))]
    Check(Check),
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Script files, or folders whose *.js files are all checked
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) scripts: Vec<PathBuf>,
    /// Key that scripts will find in `env`; with any, others are pointed out. May be given several times
    #[arg(long, short, value_name = "K")]
    pub(crate) env: Vec<String>,
    /// Count warnings as errors
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Common {
    /// Script file, or a folder whose *.js files are all run; may be given several times
    #[arg(long, short, value_name = "FILE|DIR")]
    pub(crate) script: Vec<PathBuf>,
    /// Variable for scripts, as env.K and as a global K; may be given several times, and wins over the config file
    #[arg(long, short, value_name = "K=V", value_parser = key_value)]
    pub(crate) env: Vec<(String, String)>,
    /// Config file [default: the first of ./remora.yaml, ./kubeshark.yaml, ~/.kubeshark/config.yaml that exists]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How items are printed on standard output
    #[arg(long, short, value_enum, default_value_t = Format::Pretty)]
    pub(crate) output: Format,
    /// Print only the items that match a KFL query, such as 'http and response.status >= 500' (docs/kfl.md). Scripts get
    /// all items
    #[arg(long, short, value_name = "KFL")]
    pub(crate) filter: Option<String>,
    /// Key log (NSS format, as SSLKEYLOGFILE makes it) by whose secrets TLS is decrypted; read at the start. May be given
    /// several times
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_keylog: Vec<String>,
    /// Write the items marked by test.pass and test.fail as a JUnit report
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Set a config key, e.g. scripting.limits.callMillis=500; may be given several times, and wins over the config file
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// One aligned line per item: time (UTC), protocol, method, status, path, source -> destination, milliseconds
    Pretty,
    /// One JSON object per line
    Jsonl,
    /// Nothing; scripts and reports still run
    None,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not of the form KEY=VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn values_may_hold_equals_signs_and_keys_must_not_be_empty() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(key_value("a="), Ok(("a".to_owned(), String::new())));
        assert!(key_value("=b").is_err());
        assert!(key_value("ab").is_err());
    }
}
