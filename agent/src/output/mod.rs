//! Items on standard output, in the order they were made, each after all scripts have seen it.

mod pretty;
mod view;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SendError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;

use remora_dissect::{Item, json};
use remora_script::Ticket;
use serde_json::Value;

use crate::cli::Format;
use crate::config::Settings;
use crate::pipeline::Pace;
pub(crate) use view::View;

/// Items of one batch, and the sign that scripts are done with them.
pub(crate) struct Delivered {
    pub(crate) items: Vec<Arc<Item>>,
    /// Heap that the items hold.
    pub(crate) bytes: usize,
    pub(crate) ticket: Ticket,
}

/// What is known once the last item is out.
#[derive(Default, Debug)]
pub(crate) struct Printed {
    /// Items that a script marked with `test.fail`, and with `test.pass`.
    pub(crate) failed: u64,
    pub(crate) passed: u64,
    /// Items not printed because a script that may redact them was ended before.
    pub(crate) withheld: u64,
    /// Why standard output could not be written; a reader that went away is no error.
    pub(crate) error: Option<io::Error>,
}

/// The sending side; the printer has its own thread.
pub(crate) struct Output {
    queue: Option<SyncSender<Delivered>>,
    printer: Option<JoinHandle<Printed>>,
    pace: Pace,
    shed: u64,
    closed: Arc<AtomicBool>,
    queued: Arc<Queued>,
    cap_items: usize,
    cap_bytes: usize,
}

/// What waits to be printed.
#[derive(Default)]
struct Queued {
    items: AtomicUsize,
    bytes: AtomicUsize,
}

impl Queued {
    fn add(&self, delivered: &Delivered) {
        self.items.fetch_add(delivered.items.len(), Ordering::Relaxed);
        self.bytes.fetch_add(delivered.bytes, Ordering::Relaxed);
    }

    fn remove(&self, delivered: &Delivered) {
        self.items.fetch_sub(delivered.items.len(), Ordering::Relaxed);
        self.bytes.fetch_sub(delivered.bytes, Ordering::Relaxed);
    }
}

/// Batches that may wait in a replay, where each is full or as large as a batch may be.
const REPLAY_BATCHES: usize = 16;
/// Batches that may wait live, where most are small; their items and bytes have caps of their own.
const LIVE_BATCHES: usize = 4096;

impl Output {
    pub(crate) fn start(format: Format, view: View, settings: &Settings, pace: Pace) -> io::Result<Self> {
        let batches = if pace == Pace::Live { LIVE_BATCHES } else { REPLAY_BATCHES };
        let (queue, receiver) = sync_channel(batches);
        let (closed, queued) = (Arc::new(AtomicBool::new(false)), Arc::new(Queued::default()));
        let thread = Printer {
            format,
            colour: io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
            view,
            closed: closed.clone(),
            queued: queued.clone(),
            text: Vec::new(),
        };
        let printer =
            std::thread::Builder::new().name("output".to_owned()).spawn(move || thread.run(&receiver))?;
        Ok(Self {
            queue: Some(queue),
            printer: Some(printer),
            pace,
            shed: 0,
            closed,
            queued,
            cap_items: settings.output_queue_items,
            cap_bytes: settings.output_queue_bytes.0,
        })
    }

    /// Live, a batch that meets a full queue is counted and dropped; a replay waits.
    pub(crate) fn send(&mut self, delivered: Delivered) {
        let Some(queue) = &self.queue else { return };
        let count = delivered.items.len() as u64;
        let full = || {
            self.queued.items.load(Ordering::Relaxed) >= self.cap_items
                || self.queued.bytes.load(Ordering::Relaxed) >= self.cap_bytes
        };
        let refused = if self.pace == Pace::Live && full() {
            Some(delivered)
        } else {
            self.queued.add(&delivered);
            let refused = match self.pace {
                Pace::Lossless => queue.send(delivered).err().map(|SendError(delivered)| delivered),
                Pace::Live => queue.try_send(delivered).err().map(|error| match error {
                    TrySendError::Full(delivered) | TrySendError::Disconnected(delivered) => delivered,
                }),
            };
            refused.inspect(|delivered| self.queued.remove(delivered))
        };
        if refused.is_some() {
            self.shed += count;
        }
    }

    /// Whether nobody reads standard output any more.
    pub(crate) fn closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Items that were not printed because the printer was late.
    pub(crate) fn shed(&self) -> u64 {
        self.shed
    }

    /// Waits until everything sent is printed.
    pub(crate) fn finish(mut self) -> Printed {
        drop(self.queue.take());
        let printed = self.printer.take().map(JoinHandle::join);
        match printed {
            Some(Ok(printed)) => printed,
            _ => {
                Printed { error: Some(io::Error::other("the output thread panicked")), ..Printed::default() }
            }
        }
    }
}

struct Printer {
    format: Format,
    colour: bool,
    view: View,
    closed: Arc<AtomicBool>,
    queued: Arc<Queued>,
    text: Vec<u8>,
}

impl Printer {
    fn run(mut self, receiver: &Receiver<Delivered>) -> Printed {
        let mut stdout = BufWriter::with_capacity(64 << 10, io::stdout().lock());
        let mut printed = Printed::default();
        while let Some(delivered) = self.receive(receiver, &mut stdout, &mut printed) {
            delivered.ticket.wait();
            // Where all items are shown as they are, nothing is made of them.
            let plain = self.view.is_plain();
            let shown = if plain { Vec::new() } else { self.view.select(&delivered.items) };
            // After the last script that may mark them.
            for item in &delivered.items {
                printed.failed += u64::from(item.failed());
                printed.passed += u64::from(item.passed());
            }
            let as_they_are = delivered.items.iter().filter(|_| plain).map(|item| (item, None));
            let others = shown.iter().map(|shown| (&shown.item, shown.instead.as_ref()));
            for (item, instead) in as_they_are.chain(others) {
                if !self.closed.load(Ordering::Relaxed) {
                    let result = self.print(item, instead, &mut stdout);
                    self.check(result, &mut printed);
                }
            }
            self.queued.remove(&delivered);
        }
        printed.withheld = self.view.withheld;
        let result = if self.closed.load(Ordering::Relaxed) { Ok(()) } else { stdout.flush() };
        self.check(result, &mut printed);
        // What a closed pipe did not take must not be tried again on drop.
        let _ = stdout.into_parts();
        printed
    }

    /// The next batch; what was printed is flushed before waiting for one.
    fn receive(
        &self,
        receiver: &Receiver<Delivered>,
        stdout: &mut impl Write,
        printed: &mut Printed,
    ) -> Option<Delivered> {
        match receiver.try_recv() {
            Ok(delivered) => Some(delivered),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                if !self.closed.load(Ordering::Relaxed) {
                    let result = stdout.flush();
                    self.check(result, printed);
                }
                receiver.recv().ok()
            }
        }
    }

    fn print(&mut self, item: &Item, instead: Option<&Value>, stdout: &mut impl Write) -> io::Result<()> {
        self.text.clear();
        match (self.format, instead) {
            (Format::Pretty, instead) => pretty::write_line(item, instead, self.colour, &mut self.text),
            (Format::Jsonl, None) => json::write_object(item, &mut self.text),
            (Format::Jsonl, Some(instead)) => serde_json::to_writer(&mut self.text, instead)?,
            (Format::None, _) => return Ok(()),
        }
        self.text.push(b'\n');
        stdout.write_all(&self.text)
    }

    fn check(&self, result: io::Result<()>, printed: &mut Printed) {
        let Err(error) = result else { return };
        self.closed.store(true, Ordering::Relaxed);
        if error.kind() != io::ErrorKind::BrokenPipe {
            printed.error.get_or_insert(error);
        }
    }
}
