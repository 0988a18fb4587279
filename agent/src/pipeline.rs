//! The way from packets to scripts and output; the same for a file and for live capture.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use remora_data::{StreamId, StreamKind, StreamWriter};
use remora_dissect::item::{StreamName, Transport};
use remora_dissect::protobuf::Schema;
use remora_dissect::tls::Secrets;
use remora_dissect::{Counters, Engine, Item, Limits, Origin};
use remora_packet::{Packet, Timestamp};
use remora_script::{Event, HostConfig, Overflow, PacketInfo, Script, ScriptHost, ScriptStats, Services};

use crate::cli::Format;
use crate::config::Settings;
use crate::metrics::SharedFigures;
use crate::output::{Delivered, Output, Printed, View};
use crate::report::Listener;

/// Items that travel together to scripts and output; more would only add latency, fewer cost a wake-up each.
const BATCH_ITEMS: usize = 128;
/// Packets that travel together, where a script asks for packets.
const BATCH_PACKETS: usize = 1024;
/// Bytes of items after which a batch travels although it is not full.
const BATCH_BYTES: usize = 1 << 20;
/// How often a signal is looked for at the end.
const LOOK: Duration = Duration::from_millis(50);
/// How long scripts may still run after the last packet of a replay that nobody interrupts. A script that is stuck ends by
/// its own limits.
const UNHURRIED: Duration = Duration::from_secs(365 * 86_400);

/// How a full queue is met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// A replay: stages wait for each other and nothing is dropped.
    Lossless,
    /// Live capture: a late stage sheds and counts.
    Live,
}

pub(crate) struct Pipeline {
    engine: Engine,
    host: Arc<ScriptHost>,
    /// Where streams are written to pcaps of their own.
    pcaps: Option<StreamWriter>,
    output: Option<Output>,
    items: Vec<Item>,
    events: Vec<Event>,
    batch: Batch,
    /// Of the last packet.
    packet_time: Timestamp,
    figures: SharedFigures,
    pace: Pace,
    /// Set by a signal.
    stop: Arc<AtomicBool>,
    finish_grace: Duration,
}

fn stream_id(stream: StreamName) -> StreamId {
    let kind = match stream.transport {
        Transport::Tcp => StreamKind::Tcp,
        Transport::Udp => StreamKind::Udp,
        Transport::Icmp => StreamKind::Icmp,
        Transport::Sctp => StreamKind::Sctp,
    };
    StreamId::new(stream.number, kind)
}

/// Fill state of the batch in the making.
#[derive(Default)]
struct Batch {
    items: usize,
    packets: usize,
    bytes: usize,
}

/// What a run amounts to.
pub(crate) struct Outcome {
    pub(crate) counters: Counters,
    pub(crate) printed: Printed,
    pub(crate) scripts: Vec<ScriptStats>,
    /// Items not printed because the printer was late.
    pub(crate) unprinted: u64,
    /// Times at which a job did not run.
    pub(crate) missed_jobs: u64,
}

/// Where packets and items go.
pub(crate) struct Downstream {
    pub(crate) host: Arc<ScriptHost>,
    pub(crate) pcaps: Option<StreamWriter>,
    pub(crate) view: View,
    pub(crate) format: Format,
}

impl Pipeline {
    /// Loads the scripts; an error names every script that did not load.
    pub(crate) fn start_host(
        scripts: Vec<Script>,
        settings: &Settings,
        pace: Pace,
        services: Services,
        listener: Arc<Listener>,
    ) -> Result<ScriptHost, Vec<remora_script::LoadError>> {
        let config = HostConfig {
            helper_deadline: Duration::from_secs(settings.script_helper_seconds),
            helpers_per_call: Duration::from_secs(settings.script_helpers_per_call),
            jobs_per_script: settings.script_jobs,
            jobs: settings.jobs,
            jobs_zone: settings.script_zone.0,
            call_limit: Duration::from_millis(settings.script_call_millis),
            heap_limit: settings.script_heap.0,
            heap_overdraft: settings.script_heap_overdraft.0,
            queue_events: settings.script_queue_events,
            queue_bytes: settings.script_queue_bytes.0,
            overflow: if pace == Pace::Live { Overflow::Shed } else { Overflow::Wait },
            env: settings.script_env.clone(),
            console_line_bytes: settings.script_console_line.0,
            console_lines_per_second: NonZeroU32::new(settings.script_console_rate),
        };
        ScriptHost::start(scripts, config, services, listener)
    }

    /// `stop` is set when somebody wants it to end soon.
    pub(crate) fn new(
        downstream: Downstream,
        settings: &Settings,
        pace: Pace,
        origin: Arc<Origin>,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        let Downstream { host, pcaps, view, format } = downstream;
        // Without scripts and without output nobody reads the items; they are made and counted all the same. Scripts may
        // come later where files are watched.
        let may_come = pace == Pace::Live && settings.script_watch;
        let output = (format != Format::None || host.wants_items() || view.is_watched() || may_come)
            .then(|| Output::start(format, view, settings, pace))
            .transpose()
            .map_err(|error| std::io::Error::other(format!("cannot start the output thread: {error}")))?;
        let limits = Limits {
            protobuf_schema: schema(&settings.protobuf_descriptors)?,
            tls_secrets: tls_secrets(&settings.tls_key_logs, settings.tls_sessions)?,
            ..settings.limits()
        };
        let engine = Engine::new(limits, origin).with_options(settings.options());
        Ok(Self {
            engine,
            host,
            pcaps,
            output,
            items: Vec::new(),
            events: Vec::new(),
            batch: Batch::default(),
            packet_time: Timestamp::default(),
            figures: SharedFigures::default(),
            pace,
            stop,
            finish_grace: Duration::from_secs(settings.script_finish_seconds),
        })
    }

    pub(crate) fn packet(&mut self, packet: &Packet<'_>) {
        let note = self.engine.packet(packet, &mut self.items);
        if let (Some(pcaps), Some(stream)) = (&mut self.pcaps, note.stream) {
            pcaps.packet(stream_id(stream), packet);
            self.packet_time = packet.timestamp;
        }
        if self.host.wants_packets() {
            self.batch.packets += 1;
            self.events.push(Event::Packet(PacketInfo::new(packet, note.fragmented)));
        }
        self.take_items();
    }

    /// Secrets of TLS sessions that came with the packets, for those to come.
    pub(crate) fn tls_key_log(&mut self, text: &[u8]) {
        self.engine.tls_key_log(text);
    }

    /// Time went by without a packet.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.packet_time = now;
        self.engine.advance(now, &mut self.items);
        self.take_items();
    }

    /// The capture ended: what is unfinished comes out, and the next packet begins another capture.
    pub(crate) fn end_of_capture(&mut self) {
        self.engine.finish(&mut self.items);
        self.take_items();
        self.flush();
    }

    /// What others may know of the work done.
    pub(crate) fn figures(&self) -> SharedFigures {
        Arc::clone(&self.figures)
    }

    /// Whether nobody reads the output any more.
    pub(crate) fn output_closed(&self) -> bool {
        self.output.as_ref().is_some_and(Output::closed)
    }

    fn take_items(&mut self) {
        if self.items.is_empty() && self.batch.packets < BATCH_PACKETS {
            return;
        }
        if self.output.is_none() {
            self.items.clear();
        }
        for item in self.items.drain(..) {
            self.batch.items += 1;
            self.batch.bytes += item.memory();
            self.events.push(Event::Item(Arc::new(item)));
        }
        let batch = &self.batch;
        if batch.items >= BATCH_ITEMS || batch.packets >= BATCH_PACKETS || batch.bytes >= BATCH_BYTES {
            self.flush();
        }
    }

    /// Hands on what has gathered.
    pub(crate) fn flush(&mut self) {
        if let Some(pcaps) = &mut self.pcaps {
            pcaps.advance(self.packet_time);
        }
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).dissected = *self.engine.counters();
        if self.events.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.events);
        let batch = std::mem::take(&mut self.batch);
        let mut items = Vec::with_capacity(batch.items);
        items.extend(events.iter().filter_map(|event| match event {
            Event::Item(item) => Some(item.clone()),
            Event::Packet(_) | Event::Query(_) => None,
        }));
        let ticket = self.host.deliver(events);
        if let Some(output) = &mut self.output
            && !items.is_empty()
        {
            output.send(Delivered { items, bytes: batch.bytes, ticket });
        }
    }

    pub(crate) fn finish(mut self) -> Outcome {
        self.end_of_capture();
        let (host, grace) = (&self.host, self.finish_grace);
        let output = self.output.take();
        let unprinted = output.as_ref().map_or(0, Output::shed);
        let hurried = || self.pace == Pace::Live || self.stop.load(Ordering::Relaxed);
        let (sender, done) = channel::<()>();
        let (printed, scripts) = std::thread::scope(|scope| {
            // Items are printed when scripts are done with them, or are ended: somebody may want it to end soon, then scripts
            // get a while for what is queued, and lose the rest.
            scope.spawn(move || {
                while !hurried() {
                    if done.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
                host.drain(grace);
            });
            let printed = output.map(Output::finish).unwrap_or_default();
            let scripts = host.finish(if hurried() { grace } else { UNHURRIED });
            drop(sender);
            (printed, scripts)
        });
        let missed_jobs = host.missed_jobs();
        drop(self.pcaps);
        Outcome { counters: *self.engine.counters(), printed, scripts, unprinted, missed_jobs }
    }
}

/// The secrets of TLS sessions, out of key logs.
fn tls_secrets(paths: &[String], cap: usize) -> std::io::Result<Option<Arc<Secrets>>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut secrets = Secrets::default();
    for path in paths {
        let told = |error: &dyn std::fmt::Display| {
            std::io::Error::other(format!("cannot read the TLS key log {path}: {error}"))
        };
        let text = std::fs::read(path).map_err(|error| told(&error))?;
        let mut first = None;
        secrets.read(&text, cap, |fault| {
            first.get_or_insert(fault);
        });
        if let Some(fault) = first {
            return Err(told(&fault));
        }
    }
    tracing::debug!(sessions = secrets.len(), "TLS key logs read");
    Ok(Some(Arc::new(secrets)))
}

/// The names of protobuf fields, out of descriptor files.
fn schema(paths: &[String]) -> std::io::Result<Option<Arc<Schema>>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for path in paths {
        let told = |error: &dyn std::fmt::Display| {
            std::io::Error::other(format!("dissect.protobufDescriptors: {path}: {error}"))
        };
        let file = std::fs::read(path).map_err(|error| told(&error))?;
        // Alone first, so that the message can name the file.
        Schema::read([file.as_slice()]).map_err(|error| told(&error))?;
        files.push(file);
    }
    let schema = Schema::read(files.iter().map(Vec::as_slice)).map_err(std::io::Error::other)?;
    Ok(Some(Arc::new(schema)))
}
