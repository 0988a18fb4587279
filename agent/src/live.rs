//! `remora run`: packets from the kernel until a signal; a late stage sheds and counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use remora_capture::{LiveConfig, LiveSource, LiveStats, Polled};
use remora_packet::Timestamp;

use crate::cli::Run;
use crate::config::Settings;
use crate::exit::Exit;
use crate::pipeline::{Pace, Pipeline};
use crate::summary::Summary;
use crate::{origin, session, signals};

/// The longest an item waits for others to travel with, and a signal to be seen.
const TICK: Duration = Duration::from_millis(100);
/// How often the kernel programs' counters are read for the metrics endpoint.
const STATS_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(arguments: &Run, settings: &Settings) -> anyhow::Result<Exit> {
    let stop = signals::stop_flag().context("cannot watch for Ctrl-C")?;
    let config = LiveConfig {
        interfaces: arguments.interface.clone(),
        snaplen: settings.capture_snaplen,
        ring_bytes: u32::try_from(settings.capture_ring_bytes.0).ok().filter(|bytes| *bytes != 0),
        dedup: settings.capture_dedup,
        ..LiveConfig::default()
    };
    let origin = Arc::new(origin::of(settings, "ebpf", "ebpf"));
    session::run(&arguments.common, settings, Pace::Live, origin, Arc::clone(&stop), |pipeline| {
        let begun = Instant::now();
        let captured = capture(&config, pipeline, &stop);
        let mut summary = Summary::new("run", begun.elapsed());
        let exit = match captured {
            Ok(stats) => {
                note_losses(&mut summary, &stats);
                Exit::Fine
            }
            Err(error) => {
                eprintln!("remora: {error:#}");
                Exit::Broken
            }
        };
        (exit, summary)
    })
}

fn capture(config: &LiveConfig, pipeline: &mut Pipeline, stop: &AtomicBool) -> anyhow::Result<LiveStats> {
    let mut source = LiveSource::start(config)?;
    announce(&source.stats()?, config);
    let figures = pipeline.figures();
    let mut looked = Instant::now();
    while !stop.load(Ordering::Relaxed) && !pipeline.output_closed() {
        let polled = source.poll(TICK, |packet| pipeline.packet(packet))?;
        if polled == Polled::Packets(0) {
            pipeline.advance(now());
        }
        pipeline.flush();
        if looked.elapsed() >= STATS_EVERY {
            looked = Instant::now();
            figures.lock().unwrap_or_else(PoisonError::into_inner).captured = Some(source.stats()?);
        }
    }
    Ok(source.stop(|packet| pipeline.packet(packet))?)
}

/// Says what is captured, so that a typing error in a pattern is seen at once.
fn announce(stats: &LiveStats, config: &LiveConfig) {
    let names: Vec<&str> = stats.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    if names.is_empty() {
        eprintln!("remora: no interface matches {} yet; waiting for one", config.interfaces.join(" or "));
    } else {
        eprintln!("remora: capturing on {}; Ctrl-C ends it", names.join(", "));
    }
    if stats.attach_failures != 0 {
        eprintln!("remora: {} matching interfaces could not be attached", stats.attach_failures);
    }
}

fn note_losses(summary: &mut Summary, stats: &LiveStats) {
    let total = stats.total();
    summary.lost(total.lost_packets, "packets (kernel ring)");
    summary.lost(total.unreadable_packets, "packets the kernel could not copy");
    summary.lost(stats.foreign_records, "packets of interfaces that were gone");
    summary.lost(total.truncated_packets, "packets longer than the snap length");
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
