//! The way from packets to scripts and output; the same for a file and for live capture.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use remora_dissect::{Counters, Engine, Item, Origin};
use remora_packet::{Packet, Timestamp};
use remora_script::{Event, HostConfig, Overflow, PacketInfo, Script, ScriptHost, ScriptStats};

use crate::cli::Format;
use crate::config::Settings;
use crate::output::{Delivered, Output, Printed};
use crate::report::Listener;

/// Items that travel together to scripts and output; more would only add latency, fewer cost a wake-up each.
const BATCH_ITEMS: usize = 128;
/// Packets that travel together, where a script asks for packets.
const BATCH_PACKETS: usize = 1024;
/// Bytes of items after which a batch travels although it is not full.
const BATCH_BYTES: usize = 1 << 20;
/// How long scripts may still run after the last packet, on top of the limit of one call.
const FINISH_GRACE: Duration = Duration::from_secs(30);

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
    host: ScriptHost,
    output: Option<Output>,
    items: Vec<Item>,
    events: Vec<Event>,
    batch: Batch,
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
}

impl Pipeline {
    /// Loads the scripts; an error names every script that did not load.
    pub(crate) fn start_host(
        scripts: Vec<Script>,
        settings: &Settings,
        pace: Pace,
        listener: Arc<Listener>,
    ) -> Result<ScriptHost, Vec<remora_script::LoadError>> {
        let config = HostConfig {
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
        ScriptHost::start(scripts, config, listener)
    }

    pub(crate) fn new(
        host: ScriptHost,
        settings: &Settings,
        pace: Pace,
        format: Format,
        origin: Arc<Origin>,
    ) -> std::io::Result<Self> {
        // Without scripts and without output nobody reads the items; they are made and counted all the same.
        let output = (format != Format::None || host.wants_items())
            .then(|| Output::start(format, settings, pace))
            .transpose()?;
        let engine = Engine::new(settings.limits(), origin);
        Ok(Self { engine, host, output, items: Vec::new(), events: Vec::new(), batch: Batch::default() })
    }

    pub(crate) fn packet(&mut self, packet: &Packet<'_>) {
        let note = self.engine.packet(packet, &mut self.items);
        if self.host.wants_packets() {
            self.batch.packets += 1;
            self.events.push(Event::Packet(PacketInfo::new(packet, note.fragmented)));
        }
        self.take_items();
    }

    /// Time went by without a packet.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.engine.advance(now, &mut self.items);
        self.take_items();
    }

    /// The capture ended: what is unfinished comes out, and the next packet begins another capture.
    pub(crate) fn end_of_capture(&mut self) {
        self.engine.finish(&mut self.items);
        self.take_items();
        self.flush();
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
        if self.events.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.events);
        let batch = std::mem::take(&mut self.batch);
        let mut items = Vec::with_capacity(batch.items);
        items.extend(events.iter().filter_map(|event| match event {
            Event::Item(item) => Some(item.clone()),
            Event::Packet(_) => None,
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
        let unprinted = self.output.as_ref().map_or(0, Output::shed);
        let printed = self.output.map(Output::finish).unwrap_or_default();
        let scripts = self.host.finish(FINISH_GRACE);
        Outcome { counters: *self.engine.counters(), printed, scripts, unprinted }
    }
}
