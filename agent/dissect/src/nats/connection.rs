//! A connection: what it is in the middle of, and what answers what.

use remora_packet::Timestamp;

use super::KIND;
use super::body::{Body, Took};
use super::line::{self, Line, Meaning};
use super::replies::Replies;
use super::resync::{self, Found};
use crate::item::Absence;
use crate::pair::InOrder;
use crate::{Context, Direction, Dissector, End, Half, Successor};

/// INFO with many servers and CONNECT with a token are the long ones.
const LONGEST_LINE: usize = 64 << 10;

/// The first byte of a TLS record that carries a handshake: no operation begins so.
const TLS_HANDSHAKE: u8 = 0x16;

/// One direction.
#[derive(Debug, Default)]
struct Side {
    /// When the line that is not whole yet began.
    since: Option<Timestamp>,
    /// Bytes of it without an end.
    scanned: usize,
    body: Option<Box<Body>>,
    /// The place is not known.
    lost: bool,
    /// What comes begins with what was kept, in the middle of a segment.
    kept: bool,
    /// The next line was found by its looks, or behind a message that was.
    doubtful: bool,
    /// It was found where nothing else speaks for it.
    evidence: bool,
    /// Bytes went missing at some time.
    torn: bool,
}

/// Whether the client's CONNECT was heard of, and answered.
#[derive(Debug)]
enum Login {
    Unknown,
    Waiting(Half),
    Done,
}

#[derive(Debug)]
pub(super) struct Connection {
    sides: [Side; 2],
    /// By who asks.
    pings: [InOrder; 2],
    replies: Replies,
    login: Login,
    tls: bool,
    begun: bool,
    /// What speaks for the protocol; enough of it ends a trial.
    evidence: u8,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            sides: Default::default(),
            pings: Direction::BOTH.map(|direction| InOrder::new(KIND, direction)),
            replies: Replies::new(),
            login: Login::Unknown,
            tls: false,
            begun: false,
            evidence: 0,
        }
    }

    fn is_confirmed(&self) -> bool {
        self.evidence >= 2
    }

    fn witness(&mut self, weight: u8, context: &mut Context<'_>) {
        if !self.is_confirmed() {
            self.evidence += weight;
            if self.is_confirmed() {
                context.confirm();
            }
        }
    }

    fn line(
        &mut self,
        direction: Direction,
        line: Line,
        time: Timestamp,
        size: usize,
        context: &mut Context<'_>,
    ) {
        self.begun = true;
        let Line { fields, meaning } = line;
        let half = |fields| Half::new(time, size as u64, fields);
        let weight = if matches!(meaning, Meaning::Info { .. } | Meaning::Connect { .. }) { 2 } else { 1 };
        self.witness(weight, context);
        match meaning {
            Meaning::Info { tls } => {
                self.tls = tls;
                context.items.push(KIND.message(direction, half(fields)));
            }
            Meaning::Connect { verbose: false } => {
                self.login = Login::Done;
                context.items.push(KIND.message(direction, half(fields)));
            }
            Meaning::Connect { verbose: true } => self.connect(half(fields), context),
            Meaning::Ping => self.pings[direction.index()].request(half(fields), (), context),
            Meaning::Pong => self.pings[direction.reverse().index()].response(half(fields), context),
            Meaning::Verdict => self.verdict(half(fields), context),
            Meaning::Plain => {
                self.replies.subscription(&fields);
                context.items.push(KIND.message(direction, half(fields)));
            }
            Meaning::Payload { headers, size: payload } => {
                let mut body = Body::new(fields, headers, payload, time, size);
                let side = &mut self.sides[direction.index()];
                body.is_doubtful = side.doubtful;
                body.is_evidence = std::mem::take(&mut side.evidence);
                side.body = Some(Box::new(body));
            }
        }
        self.sides[direction.index()].doubtful = false;
    }

    /// The client wants to be told.
    fn connect(&mut self, half: Half, context: &mut Context<'_>) {
        if self.sides[Direction::ToClient.index()].torn {
            context.items.push(KIND.request(Direction::ToServer, half, Absence::Lost));
        } else if let Login::Waiting(old) = std::mem::replace(&mut self.login, Login::Waiting(half)) {
            context.items.push(KIND.request(Direction::ToServer, old, Absence::Lost));
        }
    }

    /// Of the verdicts only the first has an order; later ones may be of anything, and errors come unasked.
    fn verdict(&mut self, half: Half, context: &mut Context<'_>) {
        let draft = match std::mem::replace(&mut self.login, Login::Done) {
            Login::Waiting(request) => KIND.exchange(Direction::ToServer, request, half),
            Login::Done => KIND.message(Direction::ToClient, half),
            Login::Unknown => {
                self.login = Login::Unknown;
                KIND.response(Direction::ToServer, half, Absence::BeforeCapture)
            }
        };
        context.items.push(draft);
    }

    /// A message came to its end, or what will come of it did.
    fn message(&mut self, direction: Direction, why: Option<End>, context: &mut Context<'_>) {
        let Some(body) = self.sides[direction.index()].body.take() else { return };
        if body.is_unproven() || body.is_evidence {
            context.counters.undissected_bytes += body.captured;
            let side = &mut self.sides[direction.index()];
            (side.lost, side.doubtful) = (body.is_unproven(), true);
            return;
        }
        let (time, captured, missing) = (body.time, body.captured, body.missing);
        let doubt = self.doubt();
        let place = match direction {
            Direction::ToServer => self.replies.asked(&body.fields, doubt, context),
            Direction::ToClient => self.replies.answered(&body.fields, doubt),
        };
        let half =
            Half::new(time, captured, body.into_fields(context.limits)).missing(missing).cut_short(why);
        self.replies.message(direction, half, place, context);
    }

    /// Why what a message answers may not be known.
    fn doubt(&self) -> Option<Absence> {
        if self.sides.iter().any(|side| side.torn) {
            return Some(Absence::Lost);
        }
        matches!(self.login, Login::Unknown).then_some(Absence::BeforeCapture)
    }

    fn invalid(
        &mut self,
        direction: Direction,
        rest: &[u8],
        offset: u64,
        why: &str,
        context: &mut Context<'_>,
    ) {
        if !self.is_confirmed() {
            context.withdraw();
            return;
        }
        // Objects hold secrets.
        let shown = &rest[..memchr::memchr(b'{', rest).unwrap_or(rest.len())];
        let doubtful = self.sides[direction.index()].doubtful;
        self.lose(direction, context);
        if !doubtful {
            context.items.push(KIND.failure(direction, context.now, shown, offset, why));
        }
    }

    /// The place in a direction is not known any more, so neither is what answers what.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.sides[direction.index()] = Side { lost: true, torn: true, ..Side::default() };
        for asking in Direction::BOTH {
            let pings = &mut self.pings[asking.index()];
            if self.begun {
                pings.lose(asking == direction, context);
            } else {
                pings.join(context.now);
            }
        }
        self.replies.lose(context);
        if direction == Direction::ToClient
            && let Login::Waiting(request) = std::mem::replace(&mut self.login, Login::Unknown)
        {
            context.items.push(KIND.request(Direction::ToServer, request, Absence::Lost));
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        self.replies.elapse(context);
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let side = &mut self.sides[direction.index()];
            if let Some(body) = &mut side.body {
                match body.take(rest, context.limits) {
                    Took::Part(used) => at += used,
                    Took::Whole(used) => {
                        at += used;
                        self.witness(2, context);
                        self.message(direction, None, context);
                    }
                    Took::Broken(used) => {
                        at += used;
                        side.doubtful = body.is_doubtful;
                        let offset = context.offset + at as u64;
                        const WHY: &str = "a payload does not end where its size says";
                        self.invalid(direction, &bytes[at..], offset, WHY, context);
                        if context.is_over() {
                            return bytes.len();
                        }
                    }
                }
                continue;
            }
            if side.lost {
                match resync::find(direction, rest, at == 0 && !side.kept) {
                    Found::Front => (side.lost, side.kept, side.doubtful) = (false, false, true),
                    Found::At(skipped) => {
                        context.counters.undissected_bytes += skipped as u64;
                        at += skipped;
                        (side.lost, side.kept, side.doubtful, side.evidence) = (false, false, true, true);
                    }
                    Found::Tail(kept) => {
                        side.kept = kept > 0;
                        side.since = (kept > 0).then_some(context.now);
                        context.counters.undissected_bytes += (rest.len() - kept) as u64;
                        return bytes.len() - kept;
                    }
                }
                continue;
            }
            if self.tls && rest[0] == TLS_HANDSHAKE {
                context.hand_over(Successor::Probed);
                return at;
            }
            let time = *side.since.get_or_insert(context.now);
            let scanned = side.scanned.min(rest.len());
            let Some(end) = memchr::memchr(b'\n', &rest[scanned..]).map(|end| scanned + end) else {
                side.scanned = rest.len();
                if rest.len() > LONGEST_LINE {
                    self.invalid(direction, rest, context.offset + at as u64, "a line is too long", context);
                    return bytes.len();
                }
                break;
            };
            (side.since, side.scanned) = (None, 0);
            let text = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            let doubtful = side.doubtful;
            let line = match line::parse(direction, text, context.limits) {
                Ok(_) if doubtful && !resync::is_telling(direction, &rest[..=end]) => Err("an unusual line"),
                line => line,
            };
            match line {
                Ok(line) => self.line(direction, line, time, end + 1, context),
                Err(why) => {
                    self.invalid(direction, rest, context.offset + at as u64, why, context);
                    if !doubtful || context.is_over() {
                        return bytes.len();
                    }
                    context.counters.undissected_bytes += end as u64 + 1;
                }
            }
            at += end + 1;
        }
        at
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        let side = &mut self.sides[direction.index()];
        if bytes > 0
            && let Some(body) = &mut side.body
        {
            let behind = body.miss(bytes);
            let is_whole = body.is_whole();
            if is_whole {
                self.message(direction, None, context);
            }
            if behind == 0 {
                return;
            }
        }
        self.lose(direction, context);
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.lose(direction, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.message(direction, Some(end), context);
        // The other direction does not answer this one any more.
        let absence = Absence::Ended(end);
        self.pings[direction.reverse().index()].give_up(absence, context);
        if direction == Direction::ToClient {
            self.replies.give_up(absence, context);
            if let Login::Waiting(request) = std::mem::replace(&mut self.login, Login::Done) {
                context.items.push(KIND.request(Direction::ToServer, request, absence));
            }
        }
    }

    fn memory(&self) -> usize {
        let bodies: usize =
            self.sides.iter().filter_map(|side| side.body.as_ref()).map(|body| body.memory()).sum();
        let login = if let Login::Waiting(half) = &self.login { half.memory() } else { 0 };
        let pings: usize = self.pings.iter().map(InOrder::memory).sum();
        size_of::<Self>() + bodies + login + pings + self.replies.memory()
    }
}
