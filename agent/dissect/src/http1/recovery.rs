//! What to do where bytes are missing, make no sense, or end too early.

use super::connection::{Connection, Progress, State};
use super::head;
use super::start_line::{self, StartLine};
use crate::alignment::Loss;
use crate::item::ErrorKind;
use crate::{Context, Direction, End, Probe};

impl Connection {
    /// The direction's place in its messages is lost: whole ones may have passed unseen, in `missing` bytes that never
    /// came.
    pub(super) fn forget_position(&mut self, direction: Direction, loss: Loss, missing: u64) {
        let requests = self.requests;
        let side = self.side(direction);
        side.state = State::Lost;
        side.seen = 0;
        side.plausible = false;
        side.since = None;
        match requests {
            Some(requests) if requests == direction => self.pairing.lose_requests(loss),
            Some(_) => self.pairing.lose_responses(loss, missing),
            None => side.lost_early = true,
        }
    }

    /// As [`Self::forget_position`], with bytes at hand that make no sense where they stand.
    pub(super) fn lose(
        &mut self,
        direction: Direction,
        loss: Loss,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Progress {
        let seen = self.side(direction).seen;
        self.forget_position(direction, loss, 0);
        self.emit(context);
        // The front makes no sense, but a segment that came after it may begin with a message.
        let skip = if seen > 0 { seen } else { bytes.len() };
        context.counters.undissected_bytes += skip as u64;
        Progress::Used(skip)
    }

    /// Looks for a start line where a segment begins. A line inside a segment may be part of a body.
    pub(super) fn search(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Progress {
        let requests = self.requests;
        let look = |bytes: &[u8]| match requests {
            Some(requests) if requests == direction => start_line::look_known(bytes),
            Some(_) => start_line::look_response(bytes),
            None => match start_line::look_response(bytes) {
                Probe::No => start_line::look_known(bytes),
                answer => answer,
            },
        };
        let side = self.side(direction);
        let held = std::mem::take(&mut side.seen);
        for start in [Some(0), (held > 0).then_some(held)].into_iter().flatten() {
            match look(&bytes[start..]) {
                Probe::No => {}
                answer => {
                    if start > 0 || held == 0 {
                        side.since = Some(context.now);
                    }
                    context.counters.undissected_bytes += start as u64;
                    if answer == Probe::Certain {
                        side.state = State::Head;
                        return Progress::Used(start);
                    }
                    if start > 0 {
                        return Progress::Used(start);
                    }
                    side.seen = bytes.len();
                    return Progress::Wait;
                }
            }
        }
        side.since = None;
        if side.state == State::Joining {
            self.forget_position(direction, Loss::Message, 0);
            self.emit(context);
        }
        context.counters.undissected_bytes += bytes.len() as u64;
        Progress::Used(bytes.len())
    }

    /// Makes a message of a head that will not be completed. False where not even its start line is whole.
    fn begin_cut(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> bool {
        let Some(head) = head::parse_cut(bytes, context.limits.http_headers) else { return false };
        if !self.fits(direction, matches!(head.start, StartLine::Request { .. })) {
            return false;
        }
        let time = self.side(direction).since.take().unwrap_or(context.now);
        let is_request = matches!(head.start, StartLine::Request { .. });
        self.settle(direction, is_request);
        if let StartLine::Response { status: 100 | 102..=199, .. } = head.start {
            self.pairing.interim(context.sent, bytes.len() as u64);
            return true;
        }
        let exchange = self.store(&head, bytes, 0, time, context);
        *exchange.size(is_request) += (bytes.len() - head.len) as u64;
        true
    }

    /// Ends a cut message, or counts the bytes of what did not become one.
    fn finish_cut(
        &mut self,
        direction: Direction,
        unparsed: &[u8],
        missing: u64,
        fault: Option<(ErrorKind, String)>,
        context: &mut Context<'_>,
    ) -> bool {
        if unparsed.is_empty() {
            return false;
        }
        if !self.begin_cut(direction, unparsed, context) {
            context.counters.undissected_bytes += unparsed.len() as u64;
            return false;
        }
        let is_request = self.carries_requests(direction);
        if let Some(exchange) = self.pairing.filling(is_request) {
            exchange.miss(is_request, missing);
            if let Some((kind, message)) = fault {
                exchange.fail(kind, message);
            }
        }
        self.finish(direction, context);
        true
    }

    /// Passes over `bytes` of body that never came, as far as they are certain to be body; returns the rest.
    fn skip(&mut self, direction: Direction, bytes: u64) -> u64 {
        let is_request = self.carries_requests(direction);
        let side = self.side(direction);
        let skipped = match &mut side.state {
            State::Length(left) => {
                let skipped = bytes.min(*left);
                *left -= skipped;
                skipped
            }
            State::Chunked(chunked) => match chunked.skip(bytes) {
                true => bytes,
                false => 0,
            },
            State::UntilClose => bytes,
            _ => 0,
        };
        side.may_lack_body = false;
        if let Some(exchange) = self.pairing.filling(is_request) {
            if let Some(stored) = exchange.stored(is_request) {
                stored.skip(skipped);
            }
            // In chunked framing the hole is the message's own, whatever it holds.
            let framing_lost =
                skipped == 0 && matches!(self.sides[direction.index()].state, State::Chunked(_));
            exchange.miss(is_request, if framing_lost { bytes } else { skipped });
        }
        bytes - skipped
    }

    /// Uses up what was held back inside a body: an unfinished chunk line, or what [`Self::lacks_body`] was unsure of,
    /// which is body now.
    fn release_held(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.side(direction).may_lack_body = false;
        let mut rest = unparsed;
        while !rest.is_empty() && self.side(direction).state.is_body() {
            match self.body(direction, rest, context) {
                Progress::Used(used) => rest = &rest[used..],
                Progress::Wait => {
                    self.count(direction, rest.len());
                    return;
                }
            }
        }
        context.counters.undissected_bytes += rest.len() as u64;
    }

    /// `bytes` went missing here.
    pub(super) fn pass_hole(
        &mut self,
        direction: Direction,
        bytes: u64,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) {
        let nothing_seen = self.requests.is_none() && bytes == 0 && unparsed.is_empty();
        let state = self.side(direction).state;
        match state {
            State::Left => {}
            // The capture joined in the middle, perhaps just between two messages.
            State::Head if nothing_seen => {
                self.pairing.join();
                self.side(direction).state = State::Joining;
            }
            State::Head => {
                let made = self.finish_cut(direction, unparsed, bytes, None, context);
                match made {
                    true => self.forget_position(direction, Loss::Rest, 0),
                    false => self.forget_position(direction, Loss::Message, bytes),
                }
            }
            State::Switching(_) => {
                context.counters.undissected_bytes += unparsed.len() as u64;
                self.forget_position(direction, Loss::Message, bytes);
            }
            State::Joining | State::Lost => {
                context.counters.undissected_bytes += unparsed.len() as u64;
                // In a message that is lost already, another hole need not hide a second.
                let loss = match state {
                    State::Lost => Loss::Rest,
                    _ => Loss::Message,
                };
                self.forget_position(direction, loss, bytes);
            }
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                self.release_held(direction, unparsed, context);
                let beyond = self.skip(direction, bytes);
                let state = self.side(direction).state;
                let ends = match state {
                    State::Length(left) => left == 0,
                    State::Chunked(_) => beyond > 0,
                    _ => false,
                };
                if ends {
                    self.finish(direction, context);
                }
                let loss = match state {
                    State::Chunked(_) => Loss::Rest,
                    _ => Loss::Message,
                };
                if beyond > 0 {
                    self.forget_position(direction, loss, beyond);
                }
            }
        }
        self.emit(context);
    }

    /// What waits for the rest of its line or head has outgrown the cap and is dropped.
    pub(super) fn give_up_pending(
        &mut self,
        direction: Direction,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) {
        match self.side(direction).state {
            State::Head => {
                let fault = (
                    ErrorKind::Dissection,
                    format!("head larger than {} bytes", context.limits.pending_bytes),
                );
                self.finish_cut(direction, unparsed, 0, Some(fault), context);
            }
            State::Chunked(_) => {
                self.count(direction, unparsed.len());
                self.fail(direction, ErrorKind::Dissection, "unfinished chunk line too long".to_owned());
                self.finish(direction, context);
            }
            State::Length(_) | State::UntilClose => return self.release_held(direction, unparsed, context),
            State::Switching(_) | State::Joining | State::Lost | State::Left => {
                context.counters.undissected_bytes += unparsed.len() as u64
            }
        }
        if self.side(direction).state != State::Left {
            self.forget_position(direction, Loss::Rest, 0);
            self.emit(context);
        }
    }

    /// Nothing more comes in this direction.
    pub(super) fn close(
        &mut self,
        direction: Direction,
        end: End,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) {
        let (kind, what) = early(end);
        let went_on = self.carries_requests(direction) && self.pairing.request_went_on();
        let may_lack_body = self.side(direction).may_lack_body && !went_on;
        match self.side(direction).state {
            State::Head => {
                let fault = (kind, format!("{what} inside the head"));
                self.finish_cut(direction, unparsed, 0, Some(fault), context);
            }
            State::Switching(_) | State::Joining | State::Lost => {
                context.counters.undissected_bytes += unparsed.len() as u64;
            }
            State::Left => {}
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                self.release_held(direction, unparsed, context);
                let side = if self.carries_requests(direction) { "request" } else { "response" };
                match self.side(direction).state {
                    // The response to a HEAD request that was not seen, or a request whose body was not wanted.
                    _ if may_lack_body && unparsed.is_empty() => {}
                    State::Length(left) => {
                        self.fail(
                            direction,
                            kind,
                            format!("{what} {left} bytes before the end of the {side} body"),
                        );
                    }
                    State::UntilClose if end == End::Fin => {}
                    State::Chunked(_) | State::UntilClose => {
                        self.fail(direction, kind, format!("{what} before the end of the {side} body"));
                    }
                    State::Head | State::Switching(_) | State::Joining | State::Lost | State::Left => {}
                }
                self.finish(direction, context);
            }
        }
        self.side(direction).state = State::Left;
        if self.requests.is_some() {
            let is_request = self.carries_requests(direction);
            self.pairing.close(is_request, end);
            self.emit(context);
        }
    }
}

/// What an early end of a message means: its kind, and its text up to "before the end of ...".
fn early(end: End) -> (ErrorKind, &'static str) {
    match end {
        End::Fin => (ErrorKind::Connection, "the connection was closed"),
        End::Reset => (ErrorKind::Connection, "the connection was reset"),
        End::Evicted => (ErrorKind::Dissection, "the stream was let go"),
        End::Input => (ErrorKind::Dissection, "the capture ended"),
    }
}
