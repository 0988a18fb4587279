//! Running other programs. What they print on stdout goes to stderr, unless a caller reads it: xtask's own stdout
//! carries results only (a path, items, a summary).

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// One line about what xtask is doing, on stderr.
macro_rules! say {
    ($($part:tt)*) => { eprintln!("xtask: {}", format_args!($($part)*)) };
}
pub(crate) use say;

/// Prints the command, runs it and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Prints the command, runs it and hands back how it ended.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    say!("{}", line(command));
    let stderr = std::io::stderr().as_fd().try_clone_to_owned()?;
    command.stdout(stderr).status().with_context(|| format!("`{}` can't be started", line(command)))
}

/// Runs the command quietly and returns its stdout; its stderr is part of the error when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("`{}` can't be started", line(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", line(command), output.status, stderr.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not text", line(command)))
}

/// Whether the command can be started and succeeds; it prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Prints the command, runs it and hands every line of its stdout to `each`; stderr goes through.
pub(crate) fn read_lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    say!("{}", line(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{}` can't be started", line(command)))?;
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).lines() {
            each(&text?);
        }
    }
    Ok(child.wait()?)
}

/// The command as one could type it: the variables xtask sets, then program and arguments.
pub(crate) fn line(command: &Command) -> String {
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        // PATH only gains the tools folder; printing it would bury the rest.
        if let Some(value) = value.filter(|_| name != "PATH") {
            let _ = write!(text, "{}={} ", name.display(), quoted(&value.to_string_lossy()));
        }
    }
    let program = std::path::Path::new(command.get_program());
    let name = if program.ends_with("cargo") { "cargo".into() } else { program.to_string_lossy() };
    text.push_str(&quoted(&name));
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&quoted(&argument.to_string_lossy()));
    }
    text
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%^~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again() {
        let mut command = Command::new("/usr/local/bin/cargo");
        command.args(["build", "a b", "it's"]).env("RUSTFLAGS", "-C debuginfo=2").env("PATH", "/usr/bin");
        assert_eq!(line(&command), r"RUSTFLAGS='-C debuginfo=2' cargo build 'a b' 'it'\''s'");
    }

    #[test]
    fn a_failing_program_is_reported_with_its_own_words() {
        let error = output(Command::new("sh").args(["-c", "echo no such thing >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("no such thing"), "{error}");
    }
}
