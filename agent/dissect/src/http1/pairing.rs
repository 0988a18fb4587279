//! Which response answers which request: HTTP/1 says so by order alone (RFC 9112, section 9.3.2).
//!
//! Requests and responses fill the same queue of exchanges from their own ends. As long as every byte was seen, the
//! n-th response answers the n-th request. Once messages may have been lost, positions mean nothing, and messages come
//! out alone until [`Alignment`] says that they do again.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use super::exchange::{Exchange, Progress};
use super::framing::RequestKind;
use super::message::{Request, Response};
use crate::alignment::{Alignment, Loss};
use crate::item::Absence;
use crate::tcp::Sent;
use crate::{Context, Direction, End};

/// Responses that wait for a request which the capture delivers late. Above it the oldest comes out alone.
const WAITING_RESPONSES: usize = 64;

/// How late the capture may deliver a request after its response, where several queues were merged.
const LATE_REQUEST_NANOS: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Pairing {
    queue: VecDeque<Exchange>,
    /// Positions in the queue of the messages whose bodies are arriving.
    filling_request: Option<usize>,
    filling_response: Option<usize>,
    /// Exchanges at hand whose request is awaited.
    waiting_responses: usize,
    /// Responses to come whose requests were let go.
    orphans_ahead: u64,
    /// Bytes of 1xx responses that no request waited for.
    interim_bytes: u64,
    /// Heap bytes of all messages in the queue.
    bytes: usize,
    alignment: Alignment,
    /// An exchange was paired since the stream began.
    paired: bool,
    /// When the latest response ended.
    answered_at: Timestamp,
}

impl Pairing {
    pub(super) fn new() -> Self {
        Self {
            // Most connections hold one exchange at a time; the default first growth is four.
            queue: VecDeque::with_capacity(1),
            filling_request: None,
            filling_response: None,
            waiting_responses: 0,
            orphans_ahead: 0,
            interim_bytes: 0,
            bytes: 0,
            alignment: Alignment::default(),
            paired: false,
            answered_at: Timestamp::default(),
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<Exchange>() + self.bytes
    }

    pub(super) fn begin_request(
        &mut self,
        time: Timestamp,
        size: u64,
        request: Box<Request>,
    ) -> &mut Exchange {
        let at = self.place_request(time, request.sent);
        self.filling_request = Some(at);
        let exchange = &mut self.queue[at];
        let before = exchange.memory();
        exchange.request = Some(request);
        exchange.request_progress = Progress::Filling;
        exchange.request_time = time;
        exchange.request_size = size;
        self.bytes += exchange.memory() - before;
        exchange
    }

    fn place_request(&mut self, time: Timestamp, sent: Option<Sent>) -> usize {
        if self.alignment.is_known() {
            // The first request of all waits for nothing.
            let due = self.queue.back().is_some_and(Exchange::awaits_response);
            self.alignment.note_request(due || !self.paired);
        } else {
            let silence = match self.filling_response {
                Some(_) => None,
                // Without any response seen nobody knows since when there is silence.
                None if self.answered_at == Timestamp::default() => Some(0),
                None => Some(time.since(self.answered_at)),
            };
            if self.alignment.request(silence) {
                self.give_up_responses(Absence::Lost);
            }
        }
        if self.waiting_responses > 0 {
            let absence = if self.paired { Absence::Lost } else { Absence::BeforeCapture };
            for at in 0..self.queue.len() {
                let exchange = &mut self.queue[at];
                if exchange.request_progress != Progress::Awaited {
                    continue;
                }
                self.waiting_responses -= 1;
                // A response never precedes its request, so an earlier one answers a request before the capture; but
                // where the connection's exchanges are known, it is the capture that turned the two around.
                let earlier = time >= exchange.response_time && !self.paired;
                if self.alignment.may_answer(exchange.response_sent(), sent).unwrap_or(!earlier) {
                    return at;
                }
                exchange.request_progress = Progress::Absent(absence);
            }
        }
        let response_progress = match self.alignment.is_known() {
            true => Progress::Awaited,
            false => Progress::Absent(Absence::Lost),
        };
        self.queue.push_back(Exchange { response_progress, ..Exchange::default() });
        self.queue.len() - 1
    }

    /// The request that a response sent then answers; `None` where it is not known.
    pub(super) fn next_request_kind(&self, sent: Option<Sent>) -> Option<RequestKind> {
        let at = self.next_response().filter(|at| !self.is_older(sent, *at))?;
        self.queue[at].request.as_ref().map(|request| match request.method() {
            b"HEAD" => RequestKind::Head,
            b"CONNECT" => RequestKind::Connect,
            _ => RequestKind::Other,
        })
    }

    /// The request that the arriving response answers.
    pub(super) fn answered_request(&self) -> Option<&Request> {
        self.queue.get(self.filling_response?)?.request.as_deref()
    }

    /// When that was sent, and how many bytes it took.
    pub(super) fn answered_since(&self) -> Option<(Timestamp, u64)> {
        let exchange = self.queue.get(self.filling_response?)?;
        Some((exchange.request_time, exchange.request_size))
    }

    /// Whether the latest request waits for its response.
    pub(super) fn awaits(&self) -> bool {
        self.queue.back().is_some_and(Exchange::awaits_response)
    }

    fn next_response(&self) -> Option<usize> {
        if self.orphans_ahead > 0 {
            return None;
        }
        self.queue.iter().position(|exchange| exchange.response_progress == Progress::Awaited)
    }

    /// Whether a response sent then is older than a request, and so is the one it answers.
    fn is_older(&self, sent: Option<Sent>, at: usize) -> bool {
        self.alignment.may_answer(sent, self.queue[at].request_sent()) == Some(false)
    }

    pub(super) fn begin_response(
        &mut self,
        time: Timestamp,
        size: u64,
        response: Box<Response>,
    ) -> &mut Exchange {
        let at = self.place_response(time, response.sent);
        let exchange = &mut self.queue[at];
        let before = exchange.memory();
        exchange.response = Some(response);
        exchange.response_progress = Progress::Filling;
        exchange.response_time = time;
        exchange.response_size += size + std::mem::take(&mut self.interim_bytes);
        self.bytes += exchange.memory() - before;
        self.filling_response = Some(at);
        exchange
    }

    fn place_response(&mut self, time: Timestamp, sent: Option<Sent>) -> usize {
        if !self.alignment.is_known() {
            self.alignment.respond();
        }
        if let Some(at) = self.next_response() {
            if self.is_older(sent, at) {
                return self.place_orphan(at, Absence::Lost);
            }
            if self.queue.get(at + 1).is_some_and(Exchange::awaits_response) {
                self.alignment.note_pipelining();
            }
            return at;
        }
        if self.orphans_ahead > 0 {
            // Its request was older than all that are here.
            self.orphans_ahead -= 1;
            return self.place_orphan(0, Absence::TooMany);
        }
        let request_progress = if self.alignment.is_known() {
            self.give_up_late_requests(time);
            self.waiting_responses += 1;
            Progress::Awaited
        } else {
            Progress::Absent(Absence::Lost)
        };
        self.queue.push_back(Exchange { request_progress, ..Exchange::default() });
        self.queue.len() - 1
    }

    /// A place for a response whose request is not here, before the exchange that has `at` now.
    fn place_orphan(&mut self, at: usize, absence: Absence) -> usize {
        let orphan = Exchange { request_progress: Progress::Absent(absence), ..Exchange::default() };
        self.queue.insert(at, orphan);
        self.filling_request = self.filling_request.map(|filling| filling + usize::from(filling >= at));
        at
    }

    /// Lets responses go whose request would have come by now.
    fn give_up_late_requests(&mut self, now: Timestamp) {
        let mut above = (self.waiting_responses + 1).saturating_sub(WAITING_RESPONSES);
        for exchange in
            self.queue.iter_mut().filter(|exchange| exchange.request_progress == Progress::Awaited)
        {
            if above == 0 && now.since(exchange.response_time) < LATE_REQUEST_NANOS {
                break;
            }
            exchange.request_progress = Progress::Absent(Absence::BeforeCapture);
            self.waiting_responses -= 1;
            above = above.saturating_sub(1);
        }
    }

    /// A 1xx response passed: its bytes belong to the answer that follows. Whether its request is still arriving.
    pub(super) fn interim(&mut self, sent: Option<Sent>, size: u64) -> bool {
        match self.next_response().filter(|at| !self.is_older(sent, *at)) {
            Some(at) => {
                self.queue[at].response_size += size;
                self.filling_request == Some(at)
            }
            None => {
                self.interim_bytes += size;
                false
            }
        }
    }

    /// Whether the server had got more of the arriving request than its head when it answered.
    pub(super) fn request_went_on(&self) -> bool {
        let exchange = self.filling_request.and_then(|at| self.queue.get(at));
        let sent = exchange.and_then(|exchange| exchange.request_sent().zip(exchange.response_sent()));
        sent.is_some_and(|(request, response)| response.received.from(request.upto) > 0)
    }

    /// The exchange whose message of that kind is arriving. Changes its memory through [`Self::change`] only.
    pub(super) fn filling(&mut self, is_request: bool) -> Option<&mut Exchange> {
        let at = if is_request { self.filling_request } else { self.filling_response };
        at.and_then(|at| self.queue.get_mut(at))
    }

    /// Lets `change` work on the arriving message and keeps account of its memory.
    pub(super) fn change<R>(
        &mut self,
        is_request: bool,
        change: impl FnOnce(&mut Exchange) -> R,
    ) -> Option<R> {
        let exchange = self.filling(is_request)?;
        let before = exchange.memory();
        let result = change(exchange);
        let after = exchange.memory();
        self.bytes = self.bytes + after - before;
        Some(result)
    }

    pub(super) fn end_request(&mut self) {
        if let Some(exchange) = self.filling(true) {
            exchange.request_progress = Progress::Done;
            self.paired |= exchange.response.is_some();
        }
        self.filling_request = None;
    }

    pub(super) fn end_response(&mut self, time: Timestamp) {
        self.answered_at = time;
        if let Some(exchange) = self.filling(false) {
            exchange.response_progress = Progress::Done;
            self.paired |= exchange.request.is_some();
        }
        self.filling_response = None;
    }

    /// The capture may have joined in the middle of the connection.
    pub(super) fn join(&mut self) {
        self.alignment.join();
    }

    /// Requests went missing: what answers they got is not known.
    pub(super) fn lose_requests(&mut self, loss: Loss) {
        self.alignment.lose_requests(loss, self.due() - self.waiting_responses as i32);
        self.give_up_requests(Absence::Lost);
    }

    /// How many requests wait for a response.
    fn due(&self) -> i32 {
        self.queue.iter().filter(|exchange| exchange.awaits_response()).count() as i32
    }

    /// Responses went missing, `bytes` of them: any of the waiting requests may have been answered by them.
    pub(super) fn lose_responses(&mut self, loss: Loss, bytes: u64) {
        self.alignment.lose_responses(loss, self.due());
        let mut waiting = self.queue.iter_mut().filter(|exchange| exchange.awaits_response());
        if let (Some(only), None) = (waiting.next(), waiting.next()) {
            only.gap.response = only.gap.response.saturating_add(bytes);
        }
        self.give_up_responses(Absence::Lost);
    }

    pub(super) fn give_up_requests(&mut self, why: Absence) {
        for exchange in &mut self.queue {
            if exchange.request_progress == Progress::Awaited {
                exchange.request_progress = Progress::Absent(why);
            }
        }
        self.waiting_responses = 0;
    }

    pub(super) fn give_up_responses(&mut self, why: Absence) {
        for exchange in &mut self.queue {
            if exchange.response_progress == Progress::Awaited {
                exchange.response_progress = Progress::Absent(why);
            }
        }
        self.orphans_ahead = 0;
    }

    /// No more messages of this kind come.
    pub(super) fn close(&mut self, is_request: bool, end: End) {
        if is_request {
            self.give_up_requests(Absence::Ended(end));
        } else {
            self.give_up_responses(Absence::Ended(end));
        }
    }

    /// Hands out the exchanges that are finished, oldest first.
    pub(super) fn emit(&mut self, request_direction: Direction, context: &mut Context<'_>) {
        while let Some(front) = self.queue.front() {
            if !front.is_finished()
                && (self.queue.len() <= context.limits.http_pipelined || !self.let_front_go())
            {
                return;
            }
            let Some(exchange) = self.queue.pop_front() else { return };
            self.bytes -= exchange.memory();
            self.filling_request = self.filling_request.map(|at| at.saturating_sub(1));
            self.filling_response = self.filling_response.map(|at| at.saturating_sub(1));
            if exchange.ignore {
                context.counters.ignored_items += 1;
            } else {
                context.items.push(exchange.into_draft(request_direction, context.limits));
            }
        }
    }

    /// Too many requests wait: the oldest goes without its response, which will find no request when it comes.
    fn let_front_go(&mut self) -> bool {
        match self.queue.front_mut() {
            Some(front)
                if front.request_progress == Progress::Done
                    && front.response_progress == Progress::Awaited =>
            {
                front.response_progress = Progress::Absent(Absence::TooMany);
                self.orphans_ahead += 1;
                true
            }
            _ => false,
        }
    }
}
