//! The bounded queue in front of a script.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::batch::{Batch, Share};
use crate::config::Overflow;
use crate::event::Event;

/// Which events a script asks for, by the hooks it defines.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Wants {
    pub(crate) packets: bool,
    pub(crate) items: bool,
}

impl Wants {
    pub(crate) fn matches(self, event: &Event) -> bool {
        match event {
            Event::Packet(_) => self.packets,
            Event::Item(_) => self.items,
        }
    }
}

pub(crate) struct Queue {
    events_cap: usize,
    bytes_cap: usize,
    state: Mutex<State>,
    /// Something to take, or the end.
    filled: Condvar,
    /// Room to push, or nothing left at all.
    drained: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    events: usize,
    bytes: usize,
    /// The share the script works on and its number of wanted events. Kept here so that it can be given up in the
    /// script's stead.
    current: Option<(Share, usize)>,
    closed: bool,
}

struct Waiting {
    share: Share,
    size: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    events: usize,
    bytes: usize,
}

/// What was given up. Tickets complete when this is dropped, so that whoever waits for one sees the losses counted.
pub(crate) struct Lost {
    /// Events that were waiting.
    pub(crate) waiting: u64,
    /// Events of the share the script was working on, those it had begun included.
    pub(crate) current: u64,
    _shares: Vec<Share>,
}

impl Queue {
    pub(crate) fn new(events_cap: usize, bytes_cap: usize) -> Self {
        Self {
            events_cap: events_cap.max(1),
            bytes_cap: bytes_cap.max(1),
            state: Mutex::default(),
            filled: Condvar::new(),
            drained: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the wanted events of `batch`, as many as fit; with [`Overflow::Wait`] the rest as room appears.
    /// Returns how many wanted events were shed.
    pub(crate) fn push(&self, batch: &Arc<Batch>, wants: Wants, overflow: Overflow) -> u64 {
        let events = batch.events();
        let mut from = 0;
        let mut state = self.lock();
        while !state.closed {
            let (range, size) = self.fitting(&state, events, from, wants);
            from = range.end;
            if size.events > 0 {
                state.events += size.events;
                state.bytes += size.bytes;
                state.waiting.push_back(Waiting { share: Share::new(batch, range), size });
                self.filled.notify_one();
            }
            if from == events.len() {
                return 0;
            }
            if overflow == Overflow::Shed {
                break;
            }
            state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        events[from..].iter().filter(|event| wants.matches(event)).count() as u64
    }

    /// The longest run from `from` on whose wanted events fit. An event larger than the whole queue fits an empty one.
    fn fitting(&self, state: &State, events: &[Event], from: usize, wants: Wants) -> (Range<usize>, Size) {
        let mut size = Size::default();
        for (at, event) in events.iter().enumerate().skip(from) {
            if !wants.matches(event) {
                continue;
            }
            let bytes = event.memory();
            let full = state.events + size.events >= self.events_cap
                || state.bytes + size.bytes + bytes > self.bytes_cap;
            if full && state.events + size.events > 0 {
                return (from..at, size);
            }
            size.events += 1;
            size.bytes += bytes;
        }
        (from..events.len(), size)
    }

    /// The next share, waiting for one; `None` at the end. [`Queue::done`] must follow.
    pub(crate) fn take(&self) -> Option<(Arc<Batch>, Range<usize>)> {
        let mut state = self.lock();
        loop {
            if let Some(waiting) = state.waiting.pop_front() {
                state.events -= waiting.size.events;
                state.bytes -= waiting.size.bytes;
                let work = (Arc::clone(waiting.share.batch()), waiting.share.range());
                state.current = Some((waiting.share, waiting.size.events));
                self.drained.notify_all();
                return Some(work);
            }
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The share taken last is worked off, or left.
    pub(crate) fn done(&self) {
        let current = self.lock().current.take();
        drop(current);
        self.drained.notify_all();
    }

    /// Ends the queue once what waits is worked off: nothing more goes in.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// Ends the queue and gives up what waits in it.
    pub(crate) fn clear(&self) -> Lost {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting).into_iter().map(|waiting| waiting.share).collect();
        let lost = Lost { waiting: state.events as u64, current: 0, _shares: waiting };
        (state.events, state.bytes) = (0, 0);
        drop(state);
        self.filled.notify_all();
        self.drained.notify_all();
        lost
    }

    /// As [`Queue::clear`], and gives up the current share too, in the script's stead.
    pub(crate) fn abandon(&self) -> Lost {
        let mut lost = self.clear();
        if let Some((share, events)) = self.lock().current.take() {
            lost.current = events as u64;
            lost._shares.push(share);
        }
        self.drained.notify_all();
        lost
    }

    /// Waits until nothing waits and nothing is worked on, until `end` at most; says whether it came to that.
    pub(crate) fn wait_idle(&self, end: Instant) -> bool {
        let mut state = self.lock();
        while !(state.waiting.is_empty() && state.current.is_none()) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.drained.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
