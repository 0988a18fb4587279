//! One connection: its bytes become heads and bodies, those become exchanges.

use memchr::memchr;
use remora_packet::Timestamp;

use super::chunked::{Chunked, Step};
use super::exchange::Exchange;
use super::framing::{Framing, RequestKind, framing};
use super::head::{self, Head, Parsed};
use super::message::{Request, Response};
use super::pairing::Pairing;
use super::start_line::{self, StartLine};
use super::upgrade::{self, Asks};
use crate::alignment::Loss;
use crate::http::fields::Form;
use crate::http::stored::Stored;
use crate::item::ErrorKind;
use crate::{Context, Direction, Dissector, End, Probe};

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sides: [Side; 2],
    /// The direction that requests take, once the content has told.
    pub(super) requests: Option<Direction>,
    pub(super) pairing: Pairing,
    /// Another dissector reads on from here.
    pub(super) left: bool,
}

/// Where one direction's parser stands.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) state: State,
    /// Bytes at the front that were presented before and not used.
    pub(super) seen: usize,
    /// They begin with a start line.
    pub(super) plausible: bool,
    /// When the first of them came.
    pub(super) since: Option<Timestamp>,
    /// Before the first body byte of a message that may turn out to have no body after all.
    pub(super) may_lack_body: bool,
    /// The latest request asked to speak another protocol behind it.
    pub(super) asks: Option<Asks>,
    /// Bytes were passed over before it was known what the direction carries.
    pub(super) lost_early: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Between messages, or inside a head.
    Head,
    /// So many body bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    /// Behind a request that asked to speak another protocol: what follows is left unread until its response tells.
    Switching(Asks),
    /// Joined in the middle: a message may begin here, or the rest of one pass.
    Joining,
    /// Bytes are missing or made no sense: looking for the next start line.
    Lost,
    /// Another protocol took over, or the direction has ended.
    Left,
}

impl State {
    pub(super) const fn is_body(self) -> bool {
        matches!(self, Self::Length(_) | Self::Chunked(_) | Self::UntilClose)
    }
}

/// What was done with the bytes at hand.
pub(super) enum Progress {
    Used(usize),
    /// They are not enough.
    Wait,
}

impl Connection {
    pub(super) fn new() -> Self {
        let side = || Side {
            state: State::Head,
            seen: 0,
            plausible: false,
            since: None,
            may_lack_body: false,
            asks: None,
            lost_early: false,
        };
        Self { sides: [side(), side()], requests: None, pairing: Pairing::new(), left: false }
    }

    pub(super) fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    /// Whether `direction` carries requests; until it is known, whether it would.
    pub(super) fn carries_requests(&self, direction: Direction) -> bool {
        self.requests.unwrap_or(Direction::ToServer) == direction
    }

    /// Whether a message of that kind may come in that direction.
    pub(super) fn fits(&self, direction: Direction, is_request: bool) -> bool {
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
            State::Switching(asks) => self.hold(direction, asks, bytes, context),
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
                    Probe::Likely | Probe::No => self.body(direction, bytes, context),
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
                Parsed::Head(_) | Parsed::Invalid => {
                    return self.lose(direction, Loss::Message, bytes, context);
                }
            }
        }
        if !self.side(direction).plausible {
            let answer = start_line::look_further(bytes, seen).unwrap_or_else(|| self.look(direction, bytes));
            if answer == Probe::No {
                return self.lose(direction, Loss::Message, bytes, context);
            }
            // A request line is judged again when its line feed comes.
            let whole = answer == Probe::Certain;
            self.side(direction).plausible =
                whole && (bytes.starts_with(b"HTTP/") || memchr(b'\n', bytes).is_some());
        }
        self.side(direction).seen = bytes.len();
        Progress::Wait
    }

    fn begin(&mut self, direction: Direction, head: Head, bytes: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        side.seen = 0;
        side.plausible = false;
        let time = side.since.take().unwrap_or(context.now);
        let is_request = matches!(head.start, StartLine::Request { .. });
        self.settle(direction, is_request);
        if let StartLine::Response { status: status @ (100 | 102..=199), .. } = head.start {
            if self.pairing.interim(context.sent, head.len as u64) && status == 100 {
                // The client goes on with the body.
                self.side(direction.reverse()).may_lack_body = false;
            }
            return;
        }
        self.side(direction).asks = upgrade::asks(&head, bytes);
        let asked = if is_request { None } else { self.pairing.next_request_kind(context.sent) };
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
                self.forget_position(direction, Loss::Rest, 0);
            }
            Framing::Tunnel => self.leave(direction, &bytes[..head.len], context),
        }
    }

    /// Puts a message with its head into its exchange.
    pub(super) fn store(
        &mut self,
        head: &Head,
        bytes: &[u8],
        announced: u64,
        time: Timestamp,
        context: &Context<'_>,
    ) -> &mut Exchange {
        let stored = Stored::new(Form::Lines, &bytes[..head.len], announced, context.limits);
        let size = head.len as u64;
        let exchange = match &head.start {
            StartLine::Request { method, target, version } => self.pairing.begin_request(
                time,
                size,
                Box::new(Request::new(stored, context.sent, method, target, version)),
            ),
            StartLine::Response { version, status, reason } => self.pairing.begin_response(
                time,
                size,
                Box::new(Response::new(stored, context.sent, version, *status, reason)),
            ),
        };
        exchange.ignore |= head.ignore;
        exchange
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

    pub(super) fn body(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
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
                return self.lose(direction, Loss::Rest, bytes, context);
            }
        }
        match step {
            Step::Data(len) | Step::Framing(len) | Step::End(len) => Progress::Used(len),
            Step::More | Step::Invalid(_) => Progress::Wait,
        }
    }

    pub(super) fn append(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) {
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
    pub(super) fn count(&mut self, direction: Direction, bytes: usize) {
        let is_request = self.carries_requests(direction);
        if let Some(exchange) = self.pairing.filling(is_request) {
            *exchange.size(is_request) += bytes as u64;
        }
    }

    pub(super) fn fail(&mut self, direction: Direction, kind: ErrorKind, message: String) {
        let is_request = self.carries_requests(direction);
        if let Some(exchange) = self.pairing.filling(is_request) {
            exchange.fail(kind, message);
        }
    }

    /// The arriving message is whole, or as whole as it will get.
    pub(super) fn finish(&mut self, direction: Direction, context: &mut Context<'_>) {
        if self.carries_requests(direction) {
            self.pairing.end_request();
        } else {
            self.pairing.end_response(context.now);
        }
        let side = self.side(direction);
        side.state = side.asks.map_or(State::Head, State::Switching);
        side.seen = 0;
        side.plausible = false;
        side.may_lack_body = false;
        self.emit(context);
    }

    pub(super) fn emit(&mut self, context: &mut Context<'_>) {
        if let Some(requests) = self.requests {
            self.pairing.emit(requests, context);
            self.go_on(requests);
        }
    }

    /// The first start line tells which way requests go.
    pub(super) fn settle(&mut self, direction: Direction, is_request: bool) {
        if self.requests.is_some() {
            return;
        }
        let requests = if is_request { direction } else { direction.reverse() };
        self.requests = Some(requests);
        if self.sides[requests.index()].lost_early {
            self.pairing.lose_requests(Loss::Message);
        }
        if self.sides[requests.reverse().index()].lost_early {
            self.pairing.lose_responses(Loss::Message, 0);
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.left {
            match self.step(direction, &bytes[used..], context) {
                Progress::Used(more) => used += more,
                Progress::Wait => break,
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        self.pass_hole(direction, bytes, unparsed, context);
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.give_up_pending(direction, unparsed, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        self.close(direction, end, unparsed, context);
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.pairing.memory()
    }
}
