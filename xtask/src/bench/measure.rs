//! What a process costs: the figures the kernel keeps of it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait4::Wait4;

use crate::process;

/// One run of a program, with all its threads.
#[derive(Debug, Clone)]
pub(super) struct Cost {
    /// User and system time together.
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
    /// Resident memory at its highest.
    pub(super) peak_bytes: u64,
    /// What it wrote to stderr.
    pub(super) messages: String,
}

/// Runs the program to its end with nothing to read and nobody reading its stdout.
pub(super) fn run(command: &mut Command) -> Result<Cost> {
    let line = process::line(command);
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` can't be started"))?;
    let mut stderr = child.stderr.take().context("a child has no stderr")?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).map(|_| text)
    });
    let used = child.wait4()?;
    let wall = started.elapsed();
    let messages = match reader.join() {
        Ok(text) => String::from_utf8_lossy(&text?).into_owned(),
        Err(_) => bail!("reading the messages of `{line}` panicked"),
    };
    if !used.status.success() {
        bail!("`{line}` failed ({}): {}", used.status, messages.trim());
    }
    let cpu = used.rusage.utime + used.rusage.stime;
    Ok(Cost { cpu, wall, peak_bytes: used.rusage.maxrss, messages })
}

/// The middle one; of two middle ones their mean. 0 of none.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_that_of_the_process() {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done >&2";
        let cost = run(Command::new("sh").args(["-c", busy])).unwrap();
        assert!(cost.cpu > Duration::from_millis(5), "{cost:?}");
        assert!(cost.peak_bytes > 100_000, "{cost:?}");
        assert_eq!(cost.messages, "done\n");
        let idle = run(Command::new("sleep").arg("0.3")).unwrap();
        assert!(idle.wall >= Duration::from_millis(300));
        assert!(idle.cpu < cost.cpu, "{idle:?}");
    }

    #[test]
    fn a_failure_is_no_measurement() {
        let error = run(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
