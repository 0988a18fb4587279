//! A delivered batch of events, shared by the scripts that want it, and the ticket that tells when all are done.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Event;

/// The events of one delivery.
pub(crate) struct Batch {
    events: Vec<Event>,
    /// Bytes each event holds, asked once by the thread that made it: to others an item's memory is far away.
    bytes: Vec<usize>,
    progress: Arc<Progress>,
}

/// How many scripts still have to work on a batch.
#[derive(Default)]
struct Progress {
    open: Mutex<usize>,
    done: Condvar,
}

impl Progress {
    fn change(&self, by: isize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = open.saturating_add_signed(by);
        if *open == 0 {
            self.done.notify_all();
        }
    }
}

impl Batch {
    pub(crate) fn new(events: Vec<Event>) -> Arc<Self> {
        let bytes = events.iter().map(Event::memory).collect();
        Arc::new(Self { events, bytes, progress: Arc::default() })
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Bytes that each of [`Batch::events`] holds.
    pub(crate) fn bytes(&self) -> &[usize] {
        &self.bytes
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket { progress: Arc::clone(&self.progress) }
    }
}

/// One script's part in a batch: a run of its events. Whatever becomes of it, dropping it marks the part as done.
pub(crate) struct Share {
    // Dropped before `_part`, so that a batch that is done is not held any more.
    batch: Arc<Batch>,
    range: std::ops::Range<usize>,
    _part: Part,
}

struct Part(Arc<Progress>);

impl Share {
    pub(crate) fn new(batch: &Arc<Batch>, range: std::ops::Range<usize>) -> Self {
        batch.progress.change(1);
        Self { batch: Arc::clone(batch), range, _part: Part(Arc::clone(&batch.progress)) }
    }

    pub(crate) fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }

    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.range.clone()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.change(-1);
    }
}

/// Tells when every script is done with a batch, or has shed or abandoned it.
#[derive(Clone)]
pub struct Ticket {
    progress: Arc<Progress>,
}

impl Ticket {
    /// Waits until all scripts are done with the batch. A script that is stuck ends at its time limit, or is abandoned
    /// at twice that, so this returns.
    pub fn wait(&self) {
        let open = self.progress.open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.progress.done.wait_while(open, |open| *open != 0).unwrap_or_else(PoisonError::into_inner));
    }

    /// As [`Ticket::wait`], for `limit` at most; says whether all are done.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut open = self.progress.open.lock().unwrap_or_else(PoisonError::into_inner);
        while *open != 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            open = self.progress.done.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
