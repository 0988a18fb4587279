//! One connection: its bytes become heads and bodies, those become exchanges.

use remora_packet::Timestamp;

use super::chunked::{Chunked, Step};
use super::exchange::Exchange;
use super::framing::{Framing, RequestKind, framing};
use super::head::{self, Head, Parsed};
use super::message::{Request, Response, Stored};
use super::pairing::Pairing;
use super::start_line::{self, StartLine};
use crate::item::ErrorKind;
use crate::{Context, Direction, Dissector, End, Probe};

#[derive(Debug)]
pub(super) struct Connection {
    sides: [Side; 2],
    /// The direction that requests take, once the content has told.
    requests: Option<Direction>,
    pairing: Pairing,
}

/// Where one direction's parser stands.
#[derive(Debug)]
struct Side {
    state: State,
    /// Bytes at the front that were presented before and not used.
    seen: usize,
    /// When the first of them came.
    since: Option<Timestamp>,
    /// Before the first body byte of a message that may turn out to have no body after all.
    may_lack_body: bool,
    /// Bytes were passed over before it was known what the direction carries.
    lost_early: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Between messages, or inside a head.
    Head,
    /// So many body bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    /// Joined in the middle: a message may begin here, or the rest of one pass.
    Joining,
    /// Bytes are missing or made no sense: looking for the next start line.
    Lost,
    /// Another protocol took over, or the direction has ended.
    Left,
}

impl State {
    const fn is_body(self) -> bool {
        matches!(self, Self::Length(_) | Self::Chunked(_) | Self::UntilClose)
    }
}

/// What was done with the bytes at hand.
enum Progress {
    Used(usize),
    /// They are not enough.
    Wait,
}

impl Connection {
    pub(super) fn new() -> Self {
        let side =
            || Side { state: State::Head, seen: 0, since: None, may_lack_body: false, lost_early: false };
        Self { sides: [side(), side()], requests: None, pairing: Pairing::new() }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    /// Whether `direction` carries requests; until it is known, whether it would.
    fn carries_requests(&self, direction: Direction) -> bool {
        self.requests.unwrap_or(Direction::ToServer) == direction
    }

    /// Whether a message of that kind may come in that direction.
    fn fits(&self, direction: Direction, is_request: bool) -> bool {
        self.requests.is_none_or(|requests| (requests == direction) == is_request)
    }

    fn look(&self, direction: Direction, bytes: &[u8]) -> Probe {
        match self.requests {
            None => start_line::look(bytes),
            Some(requests) if requests == direction => start_line::look_request(bytes),
            Some(_) => start_line::look_response(bytes),
        }
    }

    fn step(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        match self.sides[direction.index()].state {
            State::Head => self.head(direction, bytes, context),
            State::Joining | State::Lost => self.search(direction, bytes, context),
            State::Left => {
                context.counters.undissected_bytes += bytes.len() as u64;
                Progress::Used(bytes.len())
            }
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                match self.lacks_body(direction, bytes) {
                    Probe::Certain => {
                        self.finish(direction, context);
                        Progress::Used(0)
                    }
                    Probe::Unsure => Progress::Wait,
                    Probe::No => self.body(direction, bytes, context),
                }
            }
        }
    }

    fn head(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        // Empty lines before a message are ignored (RFC 9112, section 2.2).
        let empty = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if empty > 0 {
            return Progress::Used(empty);
        }
        let side = self.side(direction);
        let seen = side.seen;
        side.since.get_or_insert(context.now);
        if seen == 0 || head::has_end(bytes, seen) {
            match head::parse(bytes, context.limits.http_headers) {
                Parsed::Head(head)
                    if self.fits(direction, matches!(head.start, StartLine::Request { .. })) =>
                {
                    let used = head.len;
                    self.begin(direction, head, bytes, context);
                    return Progress::Used(used);
                }
                Parsed::Partial => {}
                Parsed::Head(_) | Parsed::Invalid => return self.lose(direction, 0, bytes, context),
            }
        }
        // A start line was found good when its line feed came; the fields after it are not looked at until all are here.
        let known = memchr::memchr(b'\n', &bytes[..seen]).is_some();
        if !known && self.look(direction, bytes) == Probe::No {
            return self.lose(direction, 0, bytes, context);
        }
        self.side(direction).seen = bytes.len();
        Progress::Wait
    }

    fn begin(&mut self, direction: Direction, head: Head, bytes: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        side.seen = 0;
        let time = side.since.take().unwrap_or(context.now);
        let is_request = matches!(head.start, StartLine::Request { .. });
        self.settle(direction, is_request);
        if let StartLine::Response { status: 100 | 102..=199, .. } = head.start {
            self.pairing.interim(head.len as u64);
            return;
        }
        let asked = if is_request { None } else { self.pairing.next_request_kind() };
        let framing = framing(&head.start, head.length, head.encoding, asked.unwrap_or(RequestKind::Other));
        self.side(direction).may_lack_body = if is_request { head.expects_continue } else { asked.is_none() };
        let announced = if let Framing::Length(bytes) = framing { bytes } else { 0 };
        self.store(&head, bytes, announced, time, context);
        match framing {
            Framing::Length(0) => self.finish(direction, context),
            Framing::Length(bytes) => self.side(direction).state = State::Length(bytes),
            Framing::Chunked => self.side(direction).state = State::Chunked(Chunked::Size),
            Framing::UntilClose => self.side(direction).state = State::UntilClose,
            Framing::Unknown(why) => {
                self.fail(direction, ErrorKind::Dissection, why.to_owned());
                self.finish(direction, context);
                self.forget_position(direction, 0);
            }
            Framing::Tunnel => {
                self.finish(direction, context);
                self.sides.iter_mut().for_each(|side| side.state = State::Left);
                self.pairing.end_request();
                self.emit(context);
            }
        }
    }

    /// Puts a message with its head into its exchange.
    fn store(
        &mut self,
        head: &Head,
        bytes: &[u8],
        announced: u64,
        time: Timestamp,
        context: &Context<'_>,
    ) -> &mut Exchange {
        let stored = Stored::new(&bytes[..head.len], announced, context.limits);
        let size = head.len as u64;
        match &head.start {
            StartLine::Request { method, target, version } => self.pairing.begin_request(
                time,
                size,
                Box::new(Request::new(stored, method, target, version)),
            ),
            StartLine::Response { version, status, reason } => self.pairing.begin_response(
                time,
                size,
                Box::new(Response::new(stored, version, *status, reason)),
            ),
        }
    }

    /// Whether the message that was begun has no body, though its head announces one: the response to a HEAD request
    /// that was not seen, or a request whose body was not wanted after `Expect: 100-continue`. Then the next message
    /// follows at once.
    fn lacks_body(&mut self, direction: Direction, bytes: &[u8]) -> Probe {
        if !self.side(direction).may_lack_body {
            return Probe::No;
        }
        let answer = if !self.carries_requests(direction) {
            start_line::look_response(bytes)
        } else if self.pairing.filling(true).is_some_and(|exchange| exchange.response.is_some()) {
            start_line::look_known(bytes)
        } else {
            Probe::No
        };
        if answer == Probe::No {
            self.side(direction).may_lack_body = false;
        }
        answer
    }

    fn body(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        match self.side(direction).state {
            State::Length(left) => {
                let len = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.append(direction, &bytes[..len], context);
                match left - len as u64 {
                    0 => self.finish(direction, context),
                    left => self.side(direction).state = State::Length(left),
                }
                Progress::Used(len)
            }
            State::Chunked(mut chunked) => {
                let step = chunked.step(bytes);
                self.side(direction).state = State::Chunked(chunked);
                self.chunk(direction, step, bytes, context)
            }
            _ => {
                self.append(direction, bytes, context);
                Progress::Used(bytes.len())
            }
        }
    }

    fn chunk(
        &mut self,
        direction: Direction,
        step: Step,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Progress {
        match step {
            Step::More => return Progress::Wait,
            Step::Data(len) => self.append(direction, &bytes[..len], context),
            Step::Framing(len) => self.count(direction, len),
            Step::End(len) => {
                self.count(direction, len);
                let is_request = self.carries_requests(direction);
                self.pairing.change(is_request, |exchange| {
                    if let Some(stored) = exchange.stored(is_request) {
                        stored.set_trailers(&bytes[..len]);
                    }
                });
                self.finish(direction, context);
            }
            Step::Invalid(why) => {
                self.fail(direction, ErrorKind::Dissection, why.to_owned());
                self.finish(direction, context);
                return self.lose(direction, 0, bytes, context);
            }
        }
        match step {
            Step::Data(len) | Step::Framing(len) | Step::End(len) => Progress::Used(len),
            Step::More | Step::Invalid(_) => Progress::Wait,
        }
    }

    fn append(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) {
        let is_request = self.carries_requests(direction);
        self.count(direction, bytes.len());
        let cut = self.pairing.change(is_request, |exchange| {
            exchange.stored(is_request).is_some_and(|stored| stored.append(bytes))
        });
        if cut == Some(true) {
            context.counters.cut_bodies += 1;
        }
    }

    /// Adds captured bytes to the size of the arriving message.
    fn count(&mut self, direction: Direction, bytes: usize) {
        let is_request = self.carries_requests(direction);
        if let Some(exchange) = self.pairing.filling(is_request) {
            *exchange.size(is_request) += bytes as u64;
        }
    }

    fn fail(&mut self, direction: Direction, kind: ErrorKind, message: String) {
        let is_request = self.carries_requests(direction);
        if let Some(exchange) = self.pairing.filling(is_request) {
            exchange.fail(kind, message);
        }
    }

    /// The arriving message is whole, or as whole as it will get.
    fn finish(&mut self, direction: Direction, context: &mut Context<'_>) {
        if self.carries_requests(direction) {
            self.pairing.end_request();
        } else {
            self.pairing.end_response();
        }
        let side = self.side(direction);
        side.state = State::Head;
        side.seen = 0;
        side.may_lack_body = false;
        self.emit(context);
    }

    fn emit(&mut self, context: &mut Context<'_>) {
        if let Some(requests) = self.requests {
            self.pairing.emit(requests, context);
        }
    }

    /// The direction's place in its messages is lost: whole ones may have passed unseen.
    fn forget_position(&mut self, direction: Direction, missing: u64) {
        let requests = self.requests;
        let side = self.side(direction);
        side.state = State::Lost;
        side.seen = 0;
        side.since = None;
        match requests {
            Some(requests) if requests == direction => self.pairing.lose_requests(),
            Some(_) => self.pairing.lose_responses(missing),
            None => side.lost_early = true,
        }
    }

    /// The first start line tells which way requests go.
    fn settle(&mut self, direction: Direction, is_request: bool) {
        if self.requests.is_some() {
            return;
        }
        let requests = if is_request { direction } else { direction.reverse() };
        self.requests = Some(requests);
        if self.sides[requests.index()].lost_early {
            self.pairing.lose_requests();
        }
        if self.sides[requests.reverse().index()].lost_early {
            self.pairing.lose_responses(0);
        }
    }

    /// As [`Self::forget_position`], with bytes at hand that make no sense where they stand.
    fn lose(
        &mut self,
        direction: Direction,
        missing: u64,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Progress {
        let seen = self.side(direction).seen;
        self.forget_position(direction, missing);
        self.emit(context);
        // The front makes no sense, but a segment that came after it may begin with a message.
        let skip = if seen > 0 { seen } else { bytes.len() };
        context.counters.undissected_bytes += skip as u64;
        Progress::Used(skip)
    }

    /// Looks for a start line where a segment begins. A line inside a segment may be part of a body.
    fn search(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
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
            self.forget_position(direction, 0);
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
            self.pairing.interim(bytes.len() as u64);
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

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            match self.step(direction, &bytes[used..], context) {
                Progress::Used(more) => used += more,
                Progress::Wait => break,
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let nothing_seen = self.requests.is_none() && bytes == 0 && unparsed.is_empty();
        match self.side(direction).state {
            State::Left => {}
            // The capture joined in the middle, perhaps just between two messages.
            State::Head if nothing_seen => self.side(direction).state = State::Joining,
            State::Head => {
                let made = self.finish_cut(direction, unparsed, bytes, None, context);
                self.forget_position(direction, if made { 0 } else { bytes });
            }
            State::Joining | State::Lost => {
                context.counters.undissected_bytes += unparsed.len() as u64;
                self.forget_position(direction, bytes);
            }
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                self.release_held(direction, unparsed, context);
                let beyond = self.skip(direction, bytes);
                let ends = match self.side(direction).state {
                    State::Length(left) => left == 0,
                    State::Chunked(_) => beyond > 0,
                    _ => false,
                };
                if ends {
                    self.finish(direction, context);
                }
                if beyond > 0 {
                    self.forget_position(direction, beyond);
                }
            }
        }
        self.emit(context);
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
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
            State::Joining | State::Lost | State::Left => {
                context.counters.undissected_bytes += unparsed.len() as u64
            }
        }
        if self.side(direction).state != State::Left {
            self.forget_position(direction, 0);
            self.emit(context);
        }
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let (kind, what) = early(end);
        let may_lack_body = self.side(direction).may_lack_body;
        match self.side(direction).state {
            State::Head => {
                let fault = (kind, format!("{what} inside the head"));
                self.finish_cut(direction, unparsed, 0, Some(fault), context);
            }
            State::Joining | State::Lost => context.counters.undissected_bytes += unparsed.len() as u64,
            State::Left => {}
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                self.release_held(direction, unparsed, context);
                let side = if self.carries_requests(direction) { "request" } else { "response" };
                match self.side(direction).state {
                    // The response to a HEAD request that was not seen.
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
                    State::Head | State::Joining | State::Lost | State::Left => {}
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

    fn memory(&self) -> usize {
        size_of::<Self>() + self.pairing.memory()
    }
}
