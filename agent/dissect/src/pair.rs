//! Which response answers which request.

use std::collections::VecDeque;
use std::hash::Hash;

use remora_packet::Timestamp;

use crate::alignment::{Alignment, Loss};
use crate::exchange::{Half, Kind};
use crate::item::Absence;
use crate::line::Line;
use crate::tcp::{Sent, is_older};
use crate::{Context, Direction};

/// A request that waits, with what its dissector wants to remember of it.
#[derive(Debug)]
struct Waiting<N> {
    half: Half,
    note: N,
    sent: Option<Sent>,
    /// On the engine's clock.
    due: u64,
    memory: usize,
}

/// Pairs by an identifier that the response repeats. Loss of bytes costs only the messages that were lost.
#[derive(Debug)]
pub struct ById<K, N = ()> {
    kind: Kind,
    request_direction: Direction,
    waiting: Line<K, Waiting<N>>,
    memory: usize,
}

impl<K: Hash + PartialEq, N> ById<K, N> {
    pub const fn new(kind: Kind, request_direction: Direction) -> Self {
        Self { kind, request_direction, waiting: Line::new(), memory: 0 }
    }

    /// A request begins to wait. One with the same key before it, and the oldest above the cap, comes out alone.
    pub fn request(&mut self, key: K, half: Half, note: N, context: &mut Context<'_>) {
        if let Some((old, _)) = self.remove(&key) {
            context.items.push(self.kind.request(self.request_direction, old, Absence::Lost));
        }
        self.add(key, half, note, context);
    }

    /// A request begins to wait whose key no other has.
    pub(crate) fn add(&mut self, key: K, half: Half, note: N, context: &mut Context<'_>) {
        while self.waiting.len() >= context.limits.waiting_requests.max(1) {
            self.let_first_go(Absence::TooMany, context);
        }
        let memory = half.memory();
        let due = context.clock + u64::from(context.limits.answer_seconds) * 1_000_000_000;
        self.memory += memory;
        self.waiting.push(key, Waiting { half, note, sent: context.sent, due, memory });
    }

    /// What is remembered of a waiting request: some responses can't be read without it.
    pub fn note(&self, key: &K) -> Option<&N> {
        self.waiting.get(key).map(|waiting| &waiting.note)
    }

    /// Takes a waiting request out, to be answered or to be thrown away.
    pub fn remove(&mut self, key: &K) -> Option<(Half, N)> {
        let waiting = self.waiting.remove(key)?;
        self.memory -= waiting.memory;
        Some((waiting.half, waiting.note))
    }

    /// Whether the request that waits under a key was sent by someone who had the response that is being read: the
    /// response is of an earlier use of the key.
    pub fn is_newer(&self, key: &K, context: &Context<'_>) -> bool {
        self.waiting.get(key).is_some_and(|waiting| is_older(context.sent, waiting.sent))
    }

    /// A response: an item with its request where that waits, else alone.
    pub fn response(&mut self, key: &K, half: Half, context: &mut Context<'_>) {
        let request = if self.is_newer(key, context) { None } else { self.remove(key) };
        let draft = match request {
            Some((request, _)) => self.kind.exchange(self.request_direction, request, half),
            None => self.kind.response(self.request_direction, half, Absence::BeforeCapture),
        };
        context.items.push(draft);
    }

    /// All waiting requests come out alone.
    pub fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        while !self.waiting.is_empty() {
            self.let_first_go(absence, context);
        }
    }

    /// When the request that waits for longest has waited long enough, on the engine's clock. For datagrams.
    pub fn due(&self) -> Option<u64> {
        self.waiting.first().map(|waiting| waiting.due)
    }

    /// Lets go what has waited long enough.
    pub fn elapse(&mut self, context: &mut Context<'_>) {
        while self.due().is_some_and(|due| due <= context.clock) {
            self.let_first_go(Absence::Late, context);
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn memory(&self) -> usize {
        self.waiting.memory() + self.memory
    }

    fn let_first_go(&mut self, absence: Absence, context: &mut Context<'_>) {
        if let Some(waiting) = self.waiting.pop() {
            self.memory -= waiting.memory;
            context.items.push(self.kind.request(self.request_direction, waiting.half, absence));
        }
    }
}

/// Responses that wait for a request which the capture delivers late. Above it the oldest comes out alone.
const EARLY_RESPONSES: usize = 64;

/// How late the capture may deliver a request after its response, where several queues were merged or a hole in front of
/// the request was waited for.
const LATE_REQUEST_NANOS: u64 = 1_000_000_000;

/// Pairs by order alone: the n-th response answers the n-th request. Once messages may have been lost, positions mean
/// nothing, and messages come out alone until it is evident that they do again.
#[derive(Debug)]
pub struct InOrder<N = ()> {
    kind: Kind,
    request_direction: Direction,
    waiting: VecDeque<Waiting<N>>,
    /// Responses that came while no request waited. Never any while one does.
    early: VecDeque<(Half, Option<Sent>)>,
    memory: usize,
    alignment: Alignment,
    answered_at: Timestamp,
    /// A request was answered since the stream began.
    paired: bool,
}

impl<N> InOrder<N> {
    pub fn new(kind: Kind, request_direction: Direction) -> Self {
        Self {
            kind,
            request_direction,
            waiting: VecDeque::new(),
            early: VecDeque::new(),
            memory: 0,
            alignment: Alignment::default(),
            answered_at: Timestamp::default(),
            paired: false,
        }
    }

    /// Whether the next response is known to answer the first request that waits.
    pub fn is_known(&self) -> bool {
        self.alignment.is_known()
    }

    /// The conversation is joined in its middle: responses to requests of before may still come.
    pub fn join(&mut self, now: Timestamp) {
        self.answered_at = now;
        self.alignment.lose_requests(Loss::Rest, 0);
    }

    /// A request begins to wait, unless its place is not known: then it comes out alone.
    pub fn request(&mut self, half: Half, note: N, context: &mut Context<'_>) {
        if self.alignment.is_known() {
            while let Some((early, sent)) = self.early.front() {
                // A response never precedes its request, so an earlier one answers a request before the capture; but
                // where the conversation's exchanges are known, it is the capture that turned the two around.
                let earlier = half.time > early.time && !self.paired;
                if self.alignment.may_answer(*sent, context.sent).unwrap_or(!earlier) {
                    self.answer(half, context);
                    return;
                }
                self.give_up_first_early(context);
            }
            self.alignment.note_request(!self.waiting.is_empty() || !self.paired);
        } else {
            // One that was sent before the latest response and is delivered late shows no turn. Without any response seen
            // nobody knows since when there is silence.
            let late = half.time < self.answered_at;
            let silence = match self.answered_at == Timestamp::default() {
                _ if late => None,
                true => Some(0),
                false => Some(half.time.since(self.answered_at)),
            };
            if !self.alignment.request(silence) {
                context.items.push(self.kind.request(self.request_direction, half, Absence::Lost));
                return;
            }
        }
        if self.waiting.len() >= context.limits.waiting_requests.max(1) {
            self.lose(true, context);
            context.items.push(self.kind.request(self.request_direction, half, Absence::TooMany));
            return;
        }
        let memory = half.memory();
        self.memory += memory;
        self.waiting.push_back(Waiting { half, note, sent: context.sent, due: 0, memory });
    }

    /// What is remembered of the request that the next response answers.
    pub fn note(&self) -> Option<&N> {
        self.waiting.front().map(|waiting| &waiting.note)
    }

    pub fn note_mut(&mut self) -> Option<&mut N> {
        self.waiting.front_mut().map(|waiting| &mut waiting.note)
    }

    /// Takes out the request that the next response answers.
    pub fn pop(&mut self) -> Option<(Half, N)> {
        let waiting = self.waiting.pop_front()?;
        self.memory -= waiting.memory;
        Some((waiting.half, waiting.note))
    }

    /// A response: an item with the request that waits for longest. Where none does it may be delivered late, and the
    /// response waits a while, to come out alone in the end.
    pub fn response(&mut self, half: Half, context: &mut Context<'_>) {
        self.answered_at = context.now;
        let first = self.waiting.front().map(|waiting| waiting.sent);
        if first.is_some_and(|sent| self.alignment.may_answer(context.sent, sent) == Some(false)) {
            // The first that waits was sent after this response, or came after it; so did all behind that.
            context.items.push(self.kind.response(self.request_direction, half, Absence::Lost));
            return;
        }
        if !self.alignment.is_known() {
            self.alignment.respond();
        } else if self.waiting.len() > 1 {
            self.alignment.note_pipelining();
        }
        let draft = match self.pop() {
            Some((request, _)) => {
                self.paired = true;
                self.kind.exchange(self.request_direction, request, half)
            }
            None if self.alignment.is_known() => {
                self.hold(half, context);
                return;
            }
            None => self.kind.response(self.request_direction, half, Absence::Lost),
        };
        context.items.push(draft);
    }

    fn hold(&mut self, half: Half, context: &mut Context<'_>) {
        let too_old = |(early, _): &(Half, Option<Sent>)| context.now.since(early.time) > LATE_REQUEST_NANOS;
        if self.early.front().is_some_and(too_old) || self.early.len() >= EARLY_RESPONSES {
            let due = self.early_due();
            self.give_up_early(context);
            if self.paired {
                // Their requests may still come, and must not be put to what comes then.
                self.alignment.lose_requests(Loss::Message, due);
                context.items.push(self.kind.response(self.request_direction, half, Absence::Lost));
                return;
            }
        }
        self.memory += half.memory();
        self.early.push_back((half, context.sent));
    }

    /// A request whose response came before it.
    fn answer(&mut self, request: Half, context: &mut Context<'_>) {
        if let Some((response, _)) = self.early.pop_front() {
            self.memory -= response.memory();
            self.paired = true;
            context.items.push(self.kind.exchange(self.request_direction, request, response));
        }
    }

    fn early_due(&self) -> i32 {
        i32::try_from(self.early.len()).map_or(i32::MIN, |early| -early)
    }

    fn give_up_first_early(&mut self, context: &mut Context<'_>) {
        if let Some((half, _)) = self.early.pop_front() {
            let absence = if self.paired { Absence::Lost } else { Absence::BeforeCapture };
            self.memory -= half.memory();
            context.items.push(self.kind.response(self.request_direction, half, absence));
        }
    }

    fn give_up_early(&mut self, context: &mut Context<'_>) {
        while !self.early.is_empty() {
            self.give_up_first_early(context);
        }
    }

    /// Messages may be missing from a direction: nothing pairs until the place is known again.
    pub fn lose(&mut self, of_requests: bool, context: &mut Context<'_>) {
        let due = match self.early.is_empty() {
            true => i32::try_from(self.waiting.len()).unwrap_or(i32::MAX),
            false => self.early_due(),
        };
        if of_requests {
            self.alignment.lose_requests(Loss::Message, due);
        } else {
            self.alignment.lose_responses(Loss::Message, due);
        }
        self.give_up(Absence::Lost, context);
    }

    /// All that waits comes out alone.
    pub fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.give_up_early(context);
        while let Some((half, _)) = self.pop() {
            context.items.push(self.kind.request(self.request_direction, half, absence));
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn memory(&self) -> usize {
        let queues = self.waiting.capacity() * size_of::<Waiting<N>>()
            + self.early.capacity() * size_of::<(Half, Option<Sent>)>();
        queues + self.memory
    }
}

#[cfg(test)]
mod tests;
