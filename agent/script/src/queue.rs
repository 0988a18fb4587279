//! The bounded queue in front of a script.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::batch::{Batch, Share};
use crate::call::Call;
use crate::config::Overflow;
use crate::event::Event;

/// Calls beside the events that may wait for one script: a run of each of its jobs, and news of jobs.
const CALLS: usize = 8192;

/// Calls that are taken in a row while events wait, so that a script that causes ever more of them (jobs that run each
/// other) does not keep those that are told of it from their events.
pub(crate) const CALLS_IN_A_ROW: usize = 16;

/// What a script asks for, by the hooks it defines.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Wants {
    pub(crate) packets: bool,
    pub(crate) items: bool,
    pub(crate) queries: bool,
    pub(crate) job_ends: bool,
}

impl Wants {
    pub(crate) fn matches(self, event: &Event) -> bool {
        match event {
            Event::Packet(_) => self.packets,
            Event::Item(_) => self.items,
            Event::Query(_) => self.queries,
        }
    }
}

/// What a script's thread does next.
pub(crate) enum Work {
    /// A share of a batch; [`Queue::done`] must follow.
    Events(Arc<Batch>, Range<usize>),
    Call(Call),
}

pub(crate) struct Queue {
    events_cap: usize,
    bytes_cap: usize,
    state: Mutex<State>,
    /// The length of [`State::calls`], for a look without the lock.
    calls: AtomicUsize,
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
    /// The share the script works on, with its taker. Kept here so that it can be given up in the script's stead.
    current: Option<Current>,
    /// Calls beside the events; they go first, [`CALLS_IN_A_ROW`] at a time.
    calls: VecDeque<Call>,
    /// Calls taken since the last share.
    in_a_row: usize,
    /// Whose call is running, if one is.
    in_call: Option<u64>,
    /// Which of the threads that a script has had, one for each version of its code, may take. Later versions have greater
    /// numbers, and wait for their turn.
    taker: u64,
    /// Threads up to this one that are not the taker are not to wait for their turn any more.
    dismissed: u64,
    closed: bool,
}

struct Waiting {
    share: Share,
    size: Size,
}

struct Current {
    taker: u64,
    share: Share,
    /// Wanted ones.
    events: usize,
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
    pub(crate) fn new(events_cap: usize, bytes_cap: usize, taker: u64) -> Self {
        Self {
            events_cap: events_cap.max(1),
            bytes_cap: bytes_cap.max(1),
            state: Mutex::new(State { taker, ..State::default() }),
            calls: AtomicUsize::new(0),
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
            let (range, size) = self.fitting(&state, batch, from, wants);
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
    fn fitting(&self, state: &State, batch: &Batch, from: usize, wants: Wants) -> (Range<usize>, Size) {
        let events = batch.events();
        let mut size = Size::default();
        for (at, event) in events.iter().enumerate().skip(from) {
            if !wants.matches(event) {
                continue;
            }
            let bytes = batch.bytes()[at];
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

    /// Adds a call. False when it was not taken: the queue is closed, or too many wait already.
    pub(crate) fn push_call(&self, call: Call) -> bool {
        let mut state = self.lock();
        if state.closed || state.calls.len() >= CALLS {
            return false;
        }
        state.calls.push_back(call);
        self.calls.store(state.calls.len(), Ordering::Release);
        self.filled.notify_all();
        true
    }

    /// A call that waits beside the events. Costs next to nothing where there is none, so that it may be asked between
    /// any two events. [`Queue::call_done`] must follow.
    pub(crate) fn take_call(&self, taker: u64) -> Option<Call> {
        if self.calls.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.pop_call(&mut self.lock(), taker)
    }

    fn pop_call(&self, state: &mut State, taker: u64) -> Option<Call> {
        if state.taker != taker {
            return None;
        }
        let call = state.calls.pop_front()?;
        self.calls.store(state.calls.len(), Ordering::Release);
        state.in_call = Some(taker);
        Some(call)
    }

    pub(crate) fn call_done(&self, taker: u64) {
        self.lock().in_call.take_if(|running| *running == taker);
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// What to do next, waiting for it; `None` at the end, and once another thread has become the taker.
    pub(crate) fn take(&self, taker: u64) -> Option<Work> {
        let mut state = self.lock();
        loop {
            let may_wait = taker > state.taker.max(state.dismissed) && !state.closed;
            if state.taker != taker && !may_wait {
                return None;
            }
            // The taker before this one may still be at its last share; events keep their order.
            if state.taker == taker && state.current.is_none() && state.in_call.is_none() {
                let events_are_due = state.in_a_row >= CALLS_IN_A_ROW && !state.waiting.is_empty();
                if !events_are_due && let Some(call) = self.pop_call(&mut state, taker) {
                    state.in_a_row += 1;
                    return Some(Work::Call(call));
                }
                if let Some(waiting) = state.waiting.pop_front() {
                    state.in_a_row = 0;
                    state.events -= waiting.size.events;
                    state.bytes -= waiting.size.bytes;
                    let work = Work::Events(Arc::clone(waiting.share.batch()), waiting.share.range());
                    state.current =
                        Some(Current { taker, share: waiting.share, events: waiting.size.events });
                    self.drained.notify_all();
                    return Some(work);
                }
                if state.closed {
                    return None;
                }
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes another thread the taker. The one before it ends after its share.
    pub(crate) fn hand_over(&self, taker: u64) {
        let mut state = self.lock();
        state.taker = taker;
        // Calls are for functions of the code before.
        state.calls.clear();
        self.calls.store(0, Ordering::Release);
        drop(state);
        self.filled.notify_all();
    }

    /// A thread that waits for its turn will not get it.
    pub(crate) fn dismiss(&self, taker: u64) {
        let mut state = self.lock();
        state.dismissed = state.dismissed.max(taker);
        drop(state);
        self.filled.notify_all();
    }

    /// The share taken last is worked off, or left.
    pub(crate) fn done(&self, taker: u64) {
        let current = self.lock().current.take_if(|current| current.taker == taker);
        drop(current);
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// Ends the queue once what waits is worked off: nothing more goes in. Calls that have not begun are dropped.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.calls.clear();
        self.calls.store(0, Ordering::Release);
        drop(state);
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// Ends the queue and gives up what waits in it.
    pub(crate) fn clear(&self) -> Lost {
        let mut state = self.lock();
        state.closed = true;
        state.calls.clear();
        self.calls.store(0, Ordering::Release);
        let waiting = std::mem::take(&mut state.waiting).into_iter().map(|waiting| waiting.share).collect();
        let lost = Lost { waiting: state.events as u64, current: 0, _shares: waiting };
        (state.events, state.bytes) = (0, 0);
        drop(state);
        self.filled.notify_all();
        self.drained.notify_all();
        lost
    }

    /// Gives up, in the stead of the thread `taker`, the share it works on; and all that waits, unless another thread is
    /// to take that.
    pub(crate) fn abandon(&self, taker: u64) -> Lost {
        let is_taker = self.lock().taker == taker;
        let mut lost =
            if is_taker { self.clear() } else { Lost { waiting: 0, current: 0, _shares: Vec::new() } };
        let mut state = self.lock();
        state.in_call.take_if(|running| *running == taker);
        // The thread before or after may be at one of its own.
        if let Some(current) = state.current.take_if(|current| current.taker == taker) {
            lost.current = current.events as u64;
            lost._shares.push(current.share);
        }
        drop(state);
        self.filled.notify_all();
        self.drained.notify_all();
        lost
    }

    /// Waits until nothing waits and nothing is worked on, until `end` at most; says whether it came to that.
    pub(crate) fn wait_idle(&self, end: Instant) -> bool {
        let mut state = self.lock();
        while !(state.waiting.is_empty() && state.current.is_none() && state.in_call.is_none()) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.drained.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
