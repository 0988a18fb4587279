//! Where a script's lines go, with their caps.

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{ConsoleLevel, HostConfig, Observer};
use crate::stats::Counters;

const WINDOW: Duration = Duration::from_secs(1);

pub(crate) struct Console {
    script: String,
    observer: Arc<dyn Observer>,
    counters: Arc<Counters>,
    line_bytes: usize,
    rate: Option<NonZeroU32>,
    window: Mutex<Window>,
}

struct Window {
    since: Instant,
    lines: u32,
    suppressed: u64,
}

impl Console {
    pub(crate) fn new(
        script: &str,
        config: &HostConfig,
        observer: Arc<dyn Observer>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            script: script.to_owned(),
            observer,
            counters,
            line_bytes: config.console_line_bytes,
            rate: config.console_lines_per_second,
            window: Mutex::new(Window { since: Instant::now(), lines: 0, suppressed: 0 }),
        }
    }

    pub(crate) fn line_bytes(&self) -> usize {
        self.line_bytes
    }

    pub(crate) fn log(&self, text: &str) {
        self.write(ConsoleLevel::Log, text, 0);
    }

    pub(crate) fn clear(&self) {
        self.observer.clear_console(&self.script);
    }

    pub(crate) fn error(&self, text: &str) {
        self.write(ConsoleLevel::Error, text, 0);
    }

    /// Writes a line from which `cut` characters were cut before it came here.
    pub(crate) fn write(&self, level: ConsoleLevel, text: &str, cut: usize) {
        if !self.admit() {
            self.counters.console_suppressed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let (kept, rest) = text.split_at(text.floor_char_boundary(self.line_bytes));
        let cut = cut + rest.chars().count();
        if cut == 0 {
            self.observer.console(&self.script, level, kept);
        } else {
            self.observer.console(&self.script, level, &format!("{kept}... ({cut} more characters)"));
        }
    }

    /// Whether the rate limit lets a line through; says so once when it had held some back.
    fn admit(&self) -> bool {
        let Some(rate) = self.rate else { return true };
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.elapsed() >= WINDOW {
            let suppressed = std::mem::take(&mut window.suppressed);
            (window.since, window.lines) = (Instant::now(), 0);
            if suppressed > 0 {
                let text = format!("{suppressed} lines dropped: more than {rate} in a second");
                self.observer.console(&self.script, ConsoleLevel::Error, &text);
            }
        }
        if window.lines >= rate.get() {
            window.suppressed += 1;
            return false;
        }
        window.lines += 1;
        true
    }
}
