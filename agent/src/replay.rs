//! `remora replay`: capture files in, items out; stages wait for each other and nothing is dropped.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use remora_pcap::{Block, PcapReader};

use crate::cli::Replay;
use crate::config::Settings;
use crate::exit::Exit;
use crate::pipeline::{Pace, Pipeline};
use crate::summary::Summary;
use crate::{origin, session, signals};

pub(crate) fn replay(arguments: &Replay, settings: &Settings) -> anyhow::Result<Exit> {
    let stop = signals::stop_flag().context("cannot watch for Ctrl-C")?;
    let origin = Arc::new(origin::of(settings, "pcap", "pcap"));
    session::run(&arguments.common, settings, Pace::Lossless, origin, Arc::clone(&stop), |pipeline| {
        let begun = Instant::now();
        let mut exit = Exit::Fine;
        let mut progress = Progress::new(&arguments.captures);
        for path in &arguments.captures {
            if let Err(error) = read_capture(path, pipeline, &stop, &mut progress) {
                progress.clear();
                eprintln!("remora: {}: {error:#}", name_of(path));
                exit = Exit::Broken;
            }
            pipeline.end_of_capture();
            if done(pipeline, &stop) {
                break;
            }
        }
        progress.clear();
        (exit, Summary::new("replay", begun.elapsed()))
    })
}

fn done(pipeline: &Pipeline, stop: &AtomicBool) -> bool {
    stop.load(Ordering::Relaxed) || pipeline.output_closed()
}

fn name_of(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// Packets between two looks at the clock and the stop flag.
const CHECK_EVERY: u32 = 4096;

fn read_capture(
    path: &Path,
    pipeline: &mut Pipeline,
    stop: &AtomicBool,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).context("cannot open the capture")?;
        anyhow::ensure!(!file.metadata()?.is_dir(), "is a folder, not a capture");
        Box::new(file)
    };
    let mut reader = PcapReader::new(source)?;
    let mut packets = 0_u32;
    while let Some(block) = reader.next_block()? {
        match block {
            Block::Packet(packet) => pipeline.packet(&packet),
            Block::TlsKeyLog(text) => pipeline.tls_key_log(text),
        }
        packets = packets.wrapping_add(1);
        if packets.is_multiple_of(CHECK_EVERY) {
            progress.show(reader.offset());
            if done(pipeline, stop) {
                return Ok(());
            }
        }
    }
    if reader.skipped_secrets() > 0 {
        tracing::warn!("{}: blocks of TLS secrets passed over: {}", name_of(path), reader.skipped_secrets());
    }
    progress.file_done(reader.offset());
    Ok(())
}

/// A line on the terminal that says how far a long replay is.
struct Progress {
    total: u64,
    done: u64,
    next: Instant,
    shown: bool,
    enabled: bool,
}

const PROGRESS_EVERY: Duration = Duration::from_secs(1);

impl Progress {
    fn new(captures: &[std::path::PathBuf]) -> Self {
        let size = |path: &std::path::PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
        let total = captures.iter().map(size).sum();
        // Items on the same terminal show progress enough, and would be torn by the line.
        let enabled = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { total, done: 0, next: Instant::now() + PROGRESS_EVERY, shown: false, enabled }
    }

    fn show(&mut self, read: u64) {
        let now = Instant::now();
        if !self.enabled || now < self.next {
            return;
        }
        self.next = now + PROGRESS_EVERY;
        self.shown = true;
        let megabytes = |bytes: u64| bytes / 1_000_000;
        let at = self.done + read;
        let percent = (at * 100).checked_div(self.total).filter(|percent| *percent <= 100);
        let share = percent.map_or_else(String::new, |percent| format!(" ({percent} %)"));
        let _ = write!(io::stderr(), "\r\x1b[Kreplay: {} MB{share}", megabytes(at));
    }

    fn file_done(&mut self, read: u64) {
        self.done += read;
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
