//! Items on standard output, in the order they were made, each after all scripts have seen it.

mod pretty;

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use remora_dissect::{Item, json};
use remora_script::Ticket;

use crate::cli::Format;

/// Items of one batch, and the sign that scripts are done with them.
struct Delivered {
    items: Vec<Arc<Item>>,
    ticket: Ticket,
}

/// What is known once the last item is out.
#[derive(Default, Debug)]
pub(crate) struct Printed {
    /// Items that a script marked with `test.fail`, and with `test.pass`.
    pub(crate) failed: u64,
    pub(crate) passed: u64,
    /// Why standard output could not be written; a reader that went away is no error.
    pub(crate) error: Option<io::Error>,
}

/// The sending side; the printer has its own thread.
pub(crate) struct Output {
    queue: Option<SyncSender<Delivered>>,
    printer: Option<JoinHandle<Printed>>,
    waits: bool,
    shed: u64,
    closed: Arc<AtomicBool>,
    queued: Arc<AtomicU64>,
    cap: u64,
}

/// Batches that may wait besides the cap on items; only bounds the channel's own memory.
const QUEUE_BATCHES: usize = 1024;

impl Output {
    /// `waits`: whether a full queue stops the sender (a replay) or sheds (live).
    pub(crate) fn start(format: Format, queue_items: usize, waits: bool) -> io::Result<Self> {
        let (queue, receiver) = sync_channel(QUEUE_BATCHES);
        let (closed, queued) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let thread = Printer { format, closed: closed.clone(), queued: queued.clone(), text: Vec::new() };
        let printer =
            std::thread::Builder::new().name("output".to_owned()).spawn(move || thread.run(&receiver))?;
        let cap = queue_items.max(1) as u64;
        Ok(Self { queue: Some(queue), printer: Some(printer), waits, shed: 0, closed, queued, cap })
    }

    pub(crate) fn send(&mut self, items: Vec<Arc<Item>>, ticket: Ticket) {
        let count = items.len() as u64;
        let Some(queue) = &self.queue else { return };
        if !self.waits && self.queued.load(Ordering::Relaxed) + count > self.cap {
            self.shed += count;
            return;
        }
        self.queued.fetch_add(count, Ordering::Relaxed);
        let delivered = Delivered { items, ticket };
        let sent = if self.waits { queue.send(delivered).is_ok() } else { queue.try_send(delivered).is_ok() };
        if !sent {
            self.queued.fetch_sub(count, Ordering::Relaxed);
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
    closed: Arc<AtomicBool>,
    queued: Arc<AtomicU64>,
    text: Vec<u8>,
}

impl Printer {
    fn run(mut self, receiver: &Receiver<Delivered>) -> Printed {
        let mut stdout = BufWriter::with_capacity(64 << 10, io::stdout().lock());
        let mut printed = Printed::default();
        while let Some(delivered) = self.receive(receiver, &mut stdout, &mut printed) {
            delivered.ticket.wait();
            self.queued.fetch_sub(delivered.items.len() as u64, Ordering::Relaxed);
            for item in &delivered.items {
                printed.failed += u64::from(item.failed());
                printed.passed += u64::from(item.passed());
                if !self.closed.load(Ordering::Relaxed) {
                    let result = self.print(item, &mut stdout);
                    self.check(result, &mut printed);
                }
            }
        }
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

    fn print(&mut self, item: &Item, stdout: &mut impl Write) -> io::Result<()> {
        self.text.clear();
        match self.format {
            Format::Pretty => pretty::write_line(item, &mut self.text),
            Format::Jsonl => json::write_object(item, &mut self.text),
            Format::None => return Ok(()),
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
