//! What the tests of the host share: a host that records, items, and a world behind the helpers.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

pub(crate) mod items;
pub(crate) mod server;
pub(crate) mod world;

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use remora_dissect::Item;
use remora_script::{
    ConsoleLevel, Event, HostConfig, LoadError, Observer, Script, ScriptHost, ScriptStats, Services, Verdict,
};

/// Keeps all that scripts say: lines as they would be printed, verdicts by item index.
#[derive(Default)]
pub(crate) struct Recorder {
    lines: Mutex<Vec<String>>,
    /// There is a new line.
    written: Condvar,
    verdicts: Mutex<Vec<(u32, Verdict)>>,
}

impl Recorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until the lines are as they should be, and returns them.
    pub(crate) fn wait(&self, until: impl Fn(&[String]) -> bool) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(60);
        let mut lines = self.lines.lock().unwrap();
        while !until(&lines) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{lines:?}");
            lines = self.written.wait_timeout(lines, left).unwrap().0;
        }
        lines.clone()
    }

    fn write(&self, line: String) {
        self.lines.lock().unwrap().push(line);
        self.written.notify_all();
    }

    pub(crate) fn verdicts(&self) -> Vec<(u32, Verdict)> {
        self.verdicts.lock().unwrap().clone()
    }
}

impl Observer for Recorder {
    fn console(&self, script: &str, level: ConsoleLevel, text: &str) {
        let level = if level == ConsoleLevel::Error { "error: " } else { "" };
        self.write(format!("[{script}] {level}{text}"));
    }

    fn clear_console(&self, script: &str) {
        self.write(format!("[{script}] (cleared)"));
    }

    fn verdict(&self, _script: &str, item: &Arc<Item>, verdict: Verdict) {
        self.verdicts.lock().unwrap().push((item.index, verdict));
    }
}

/// Short enough that the tests of endless loops stay short, long enough for a busy machine. QuickJS looks for a request
/// to end once in 10,000 calls and loop turns, which takes its time in an unoptimised build.
pub(crate) const CALL_LIMIT: Duration = Duration::from_millis(if cfg!(feature = "v8") { 500 } else { 2500 });

pub(crate) fn config() -> HostConfig {
    HostConfig {
        call_limit: CALL_LIMIT,
        heap_limit: 32 << 20,
        heap_overdraft: 64 << 20,
        ..HostConfig::default()
    }
}

pub(crate) struct Running {
    pub(crate) host: ScriptHost,
    pub(crate) recorder: Arc<Recorder>,
}

pub(crate) fn try_start(config: HostConfig, scripts: &[(&str, &str)]) -> Result<Running, Vec<LoadError>> {
    try_start_in(config, Services::default(), scripts)
}

/// With a world behind the helpers.
pub(crate) fn try_start_in(
    config: HostConfig,
    services: Services,
    scripts: &[(&str, &str)],
) -> Result<Running, Vec<LoadError>> {
    let recorder = Arc::<Recorder>::default();
    let scripts = scripts.iter().map(|(name, code)| Script::new(*name, *code)).collect();
    let host = ScriptHost::start(scripts, config, services, Arc::clone(&recorder) as Arc<dyn Observer>)?;
    Ok(Running { host, recorder })
}

/// One script, `test.js`.
pub(crate) fn start(code: &str) -> Running {
    start_with(config(), code)
}

pub(crate) fn start_with(config: HostConfig, code: &str) -> Running {
    match try_start(config, &[("test.js", code)]) {
        Ok(running) => running,
        Err(errors) => panic!("{errors:?}"),
    }
}

/// The message of a script that must not load.
pub(crate) fn load_error(code: &str) -> String {
    match try_start(config(), &[("test.js", code)]) {
        Ok(_) => panic!("loaded: {code}"),
        Err(mut errors) => errors.remove(0).message,
    }
}

impl Running {
    /// What scripts show in the place of items.
    pub(crate) fn query(&self, items: &[Arc<Item>], filter: &str) -> Vec<Option<String>> {
        let replies = self.host.query(items, &Arc::from(filter));
        replies.into_iter().map(|reply| reply.text).collect()
    }

    /// Delivers items and waits until they are worked off.
    pub(crate) fn items(&self, items: impl IntoIterator<Item = Arc<Item>>) {
        let ticket = self.host.deliver(items.into_iter().map(Event::Item).collect());
        assert!(ticket.wait_timeout(Duration::from_secs(60)), "the batch was not worked off");
    }

    /// Delivers one item and returns the lines printed so far, without the script's name.
    pub(crate) fn item_lines(&self, item: Arc<Item>) -> Vec<String> {
        self.items([item]);
        self.lines()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.recorder.lines();
        lines.into_iter().map(|line| line.replacen("[test.js] ", "", 1)).collect()
    }

    /// Waits until this line of `test.js` is there.
    pub(crate) fn wait_for(&self, line: &str) {
        let line = format!("[test.js] {line}");
        self.recorder.wait(|lines| lines.contains(&line));
    }

    pub(crate) fn stats(&self) -> ScriptStats {
        self.host.stats().remove(0)
    }
}

/// What `console.log` prints for an expression over `data`, evaluated in `onItemCaptured` for a GET of `/a/b` answered
/// with 200.
pub(crate) fn of_item(expression: &str) -> String {
    let running = start(&format!("function onItemCaptured(data) {{ console.log({expression}) }}"));
    running.item_lines(items::http(0, "/a/b", 200)).join("\n")
}
