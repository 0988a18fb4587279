//! What a host is started with, and what its scripts are told and ask for.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use remora_dissect::Item;
use remora_jobs::Tz;

/// A script's source, not yet evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// The file name without its folder: the script's name on its console lines and in stack traces.
    pub name: String,
    pub code: String,
}

impl Script {
    pub fn new(name: impl Into<String>, code: impl Into<String>) -> Self {
        Self { name: name.into(), code: code.into() }
    }

    /// Reads a script file.
    ///
    /// # Errors
    /// What [`std::fs::read_to_string`] says: the file is missing, unreadable or not UTF-8.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let code = std::fs::read_to_string(path)?;
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
        Ok(Self { name: name.into_owned(), code })
    }
}

/// What a full queue does with the next event.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Overflow {
    /// [`ScriptHost::deliver`](crate::ScriptHost::deliver) waits: nothing is lost. For replays.
    #[default]
    Wait,
    /// The event is dropped for the script whose queue is full, and counted. For live capture.
    Shed,
}

/// Limits of one script. Each holds for every script by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostConfig {
    /// How long one call into a script may take, its top-level code included. At this time the call is ended; a script
    /// that has not ended by twice this time, on V8 5 s later at least, is abandoned.
    pub call_limit: Duration,
    /// Bytes of JavaScript heap, at which a call is ended. `ArrayBuffer`s, which lie outside of the heap, may take the
    /// same amount once more.
    pub heap_limit: usize,
    /// Bytes of heap beyond the limit that a call may take until it has ended; a script that asks for more at one go is
    /// abandoned.
    pub heap_overdraft: usize,
    /// Events waiting for one script.
    pub queue_events: usize,
    /// Bytes held by the items waiting for one script.
    pub queue_bytes: usize,
    pub overflow: Overflow,
    /// How long one helper may wait for somebody else, and all helpers of one call together. The time does not count for
    /// `call_limit`.
    pub helper_deadline: Duration,
    pub helpers_per_call: Duration,
    /// Jobs that one script may have, and all scripts together.
    pub jobs_per_script: usize,
    pub jobs: usize,
    /// The zone of cron texts that name none.
    pub jobs_zone: Tz,
    /// The `env` object; each key is also a global variable.
    pub env: BTreeMap<String, String>,
    /// Bytes of one console line; the rest is cut off and its length named.
    pub console_line_bytes: usize,
    /// Console lines a script may write in a second; more are dropped and counted. `None` for no such limit.
    pub console_lines_per_second: Option<NonZeroU32>,
}

impl HostConfig {
    /// Longer than any sound hook takes, short enough that a stuck script is noticed while one looks at it.
    pub const CALL_LIMIT: Duration = Duration::from_secs(5);
    pub const HEAP_LIMIT: usize = 128 << 20;
    /// More than any loop allocates between two of the engine's interrupt checks.
    pub const HEAP_OVERDRAFT: usize = 128 << 20;
    pub const QUEUE_EVENTS: usize = 8192;
    pub const QUEUE_BYTES: usize = 32 << 20;
    pub const CONSOLE_LINE_BYTES: usize = 64 << 10;
    pub const HELPER_DEADLINE: Duration = Duration::from_secs(30);
    pub const HELPERS_PER_CALL: Duration = Duration::from_secs(120);
    pub const JOBS_PER_SCRIPT: usize = 1024;
    pub const JOBS: usize = 16_384;
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            call_limit: Self::CALL_LIMIT,
            heap_limit: Self::HEAP_LIMIT,
            heap_overdraft: Self::HEAP_OVERDRAFT,
            queue_events: Self::QUEUE_EVENTS,
            queue_bytes: Self::QUEUE_BYTES,
            overflow: Overflow::default(),
            helper_deadline: Self::HELPER_DEADLINE,
            helpers_per_call: Self::HELPERS_PER_CALL,
            jobs_per_script: Self::JOBS_PER_SCRIPT,
            jobs: Self::JOBS,
            jobs_zone: Tz::UTC,
            env: BTreeMap::new(),
            console_line_bytes: Self::CONSOLE_LINE_BYTES,
            console_lines_per_second: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsoleLevel {
    Log,
    Error,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Passed,
    Failed,
}

/// Hears what scripts say. Called on the scripts' threads, so it must not block for long.
pub trait Observer: Send + Sync {
    /// A line of `console.log` or `console.error`, or an error of the script itself.
    fn console(&self, script: &str, level: ConsoleLevel, text: &str);

    /// `console.clear`: what the script has printed so far is of no interest any more.
    fn clear_console(&self, _script: &str) {}

    /// `test.pass` or `test.fail` of an item; the item itself is marked already.
    fn verdict(&self, script: &str, item: &Arc<Item>, verdict: Verdict);
}

/// Why a script was not loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{script}: {message}")]
pub struct LoadError {
    pub script: String,
    /// The exception with file, line and column.
    pub message: String,
}
