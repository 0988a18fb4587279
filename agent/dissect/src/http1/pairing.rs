//! Which response answers which request: HTTP/1 says so by order alone (RFC 9112, section 9.3.2).
//!
//! Requests and responses fill the same queue of exchanges from their own ends. As long as every byte was seen, the
//! n-th response answers the n-th request. Once bytes are missing where whole messages fit, positions mean nothing;
//! then messages come out alone until the connection shows again, by a request that follows a finished answer, that
//! both sides are at the same exchange. A client that was seen to pipeline gives no such sign.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use super::exchange::{Absence, Exchange, Progress};
use super::framing::RequestKind;
use super::message::{Request, Response};
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
    requests_lost: bool,
    responses_lost: bool,
    /// Since positions were lost: requests, the lost one included, that no response has followed yet, and how many
    /// requests in a row followed the response to the one before.
    unanswered: u32,
    alternations: u8,
    /// An exchange was paired since the stream began.
    paired: bool,
    /// The client was seen to send a request before the answer to the one before had begun.
    pipelined: bool,
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
            requests_lost: false,
            responses_lost: false,
            unanswered: 0,
            alternations: 0,
            paired: false,
            pipelined: false,
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<Exchange>() + self.bytes
    }

    fn is_aligned(&self) -> bool {
        !self.requests_lost && !self.responses_lost
    }

    pub(super) fn begin_request(
        &mut self,
        time: Timestamp,
        size: u64,
        request: Box<Request>,
    ) -> &mut Exchange {
        let at = self.place_request(time);
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

    fn place_request(&mut self, time: Timestamp) -> usize {
        self.pipelined |= self.queue.back().is_some_and(Exchange::awaits_response);
        if !self.is_aligned() {
            self.realign();
        }
        if self.waiting_responses > 0 {
            let first = self.queue.iter().position(|exchange| exchange.request_progress == Progress::Awaited);
            if let Some(at) = first {
                // A response never precedes its request, so an earlier one answers a request before the capture; but
                // where the connection's exchanges are known, it is the capture that turned the two around.
                if self.paired || time < self.queue[at].response_time {
                    self.waiting_responses -= 1;
                    return at;
                }
                self.give_up_requests(Absence::BeforeCapture);
            }
        }
        let response_progress = match self.is_aligned() {
            true => Progress::Awaited,
            false => Progress::Absent(Absence::Lost),
        };
        self.queue.push_back(Exchange { response_progress, ..Exchange::default() });
        self.queue.len() - 1
    }

    /// A request begins: are both sides at the same exchange again?
    fn realign(&mut self) {
        if self.filling_response.is_some() {
            self.alternations = 0;
        } else if self.unanswered == 0 {
            self.alternations = self.alternations.saturating_add(1);
        } else if self.responses_lost {
            self.alternations = 0;
            self.unanswered = 0;
        } else {
            // Every answer was seen, and one is still to come.
            self.pipelined = true;
        }
        let enough = match (self.requests_lost, self.responses_lost) {
            // A client that waits for answers has got all of them before it sends the next request.
            (false, _) => true,
            (true, false) => self.alternations >= 1,
            (true, true) => self.alternations >= 2,
        };
        if enough && !self.pipelined && self.filling_response.is_none() {
            self.give_up_responses(Absence::Lost);
            self.requests_lost = false;
            self.responses_lost = false;
        } else {
            self.unanswered += 1;
        }
    }

    /// The request that the next response answers; `None` where it is not known.
    pub(super) fn next_request_kind(&self) -> Option<RequestKind> {
        let at = self.next_response()?;
        self.queue[at].request.as_ref().map(|request| match request.method() {
            b"HEAD" => RequestKind::Head,
            b"CONNECT" => RequestKind::Connect,
            _ => RequestKind::Other,
        })
    }

    fn next_response(&self) -> Option<usize> {
        if self.orphans_ahead > 0 {
            return None;
        }
        self.queue.iter().position(|exchange| exchange.response_progress == Progress::Awaited)
    }

    pub(super) fn begin_response(
        &mut self,
        time: Timestamp,
        size: u64,
        response: Box<Response>,
    ) -> &mut Exchange {
        let at = self.place_response(time);
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

    fn place_response(&mut self, time: Timestamp) -> usize {
        if let Some(at) = self.next_response() {
            return at;
        }
        if self.orphans_ahead > 0 {
            // Its request was older than all that are here.
            self.orphans_ahead -= 1;
            let request_progress = Progress::Absent(Absence::TooMany);
            self.queue.push_front(Exchange { request_progress, ..Exchange::default() });
            self.filling_request = self.filling_request.map(|at| at + 1);
            return 0;
        }
        let request_progress = if self.is_aligned() {
            self.give_up_late_requests(time);
            self.waiting_responses += 1;
            Progress::Awaited
        } else {
            Progress::Absent(Absence::Lost)
        };
        self.queue.push_back(Exchange { request_progress, ..Exchange::default() });
        self.queue.len() - 1
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

    /// A 1xx response passed: its bytes belong to the answer that follows.
    pub(super) fn interim(&mut self, size: u64) {
        match self.next_response() {
            Some(at) => self.queue[at].response_size += size,
            None => self.interim_bytes += size,
        }
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

    pub(super) fn end_response(&mut self) {
        if let Some(exchange) = self.filling(false) {
            exchange.response_progress = Progress::Done;
            self.paired |= exchange.request.is_some();
            self.unanswered = self.unanswered.saturating_sub(1);
        }
        self.filling_response = None;
    }

    /// Requests may have gone missing: what answers they got is not known.
    pub(super) fn lose_requests(&mut self) {
        // A response that waited for its request has found it here; while it is still arriving, its end will count.
        let answered = self.waiting_responses > 0 && self.filling_response.is_none();
        self.unanswered = u32::from(!answered);
        self.alternations = 0;
        self.requests_lost = true;
        self.give_up_requests(Absence::Lost);
    }

    /// Responses may have gone missing, `bytes` of them: any of the waiting requests may have been answered by them.
    pub(super) fn lose_responses(&mut self, bytes: u64) {
        let mut waiting = self.queue.iter_mut().filter(|exchange| exchange.awaits_response());
        if let (Some(only), None) = (waiting.next(), waiting.next()) {
            only.gap.response = only.gap.response.saturating_add(bytes);
        }
        self.responses_lost = true;
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
            context.items.push(exchange.into_draft(request_direction));
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
