//! One connection: who asks, which message answers which, and what of it is read.

use super::apis::{API_VERSIONS, Api, PRODUCE, SASL_HANDSHAKE};
use super::budget::Budget;
use super::header::{Header, Look, MAX_SIZE, SIZE_BYTES, look, skip_tags};
use super::messages::Layout;
use super::schema::{Body, Encoding, check, read};
use super::{KIND, errors};
use crate::dissector::TRIAL_BYTES;
use crate::frame::{Framed, Length, Step};
use crate::item::{Absence, ErrorKind};
use crate::pair::ById;
use crate::{Context, Direction, Dissector, End, Fields, Frames, Framing, Half, Reader};

/// Length field and correlation id.
const RESPONSE_HEAD: usize = SIZE_BYTES + 4;

/// `UNSUPPORTED_VERSION`: answered in version 0, for the client to learn which versions there are (KIP-511).
const UNSUPPORTED_VERSION: i16 = 35;

/// What reading a response needs to know of its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    key: i16,
    version: i16,
    api: Option<&'static Api>,
    /// The client has a name.
    named: bool,
}

impl Note {
    fn of(header: &Header<'_>) -> Self {
        let named = header.client.is_some_and(|client| !client.is_empty());
        Self { key: header.key, version: header.version, api: header.api, named }
    }

    /// Whether a response of this id could hardly be anything else's.
    const fn tells(self, id: i32) -> bool {
        self.named || id > 0
    }

    fn encoding(self) -> Encoding {
        let flexible = self.api.is_some_and(|api| api.is_flexible(self.version));
        Encoding { version: self.version, flexible }
    }

    /// Fields, encoding and reader of a response's body. `None` where it is not decoded, or its header is not whole.
    fn response<'a>(self, bytes: &'a [u8], total: usize) -> Option<(&'static Layout, Encoding, Reader<'a>)> {
        let layout = Layout::of(self.key, self.version)?;
        let mut reader = Reader::new(bytes);
        reader.skip(RESPONSE_HEAD).ok()?;
        let mut encoding = self.encoding();
        if self.key == API_VERSIONS {
            let mut ahead = reader;
            if ahead.i16_be() == Ok(UNSUPPORTED_VERSION) {
                encoding = Encoding { version: 0, flexible: false };
            }
        } else if encoding.flexible {
            skip_tags(&mut reader, total).ok()??;
        }
        Some((layout, encoding, reader))
    }
}

/// A connection whose direction may not be known yet.
#[derive(Default)]
pub(super) struct Connection {
    session: Option<Session>,
    /// Directions with a hole before anything was understood.
    torn: [bool; 2],
    ended: [bool; 2],
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if self.session.is_none() && matches!(look(bytes, true), Look::Header(_)) {
            let mut session = Session::new(direction);
            if is_beyond_doubt(bytes) {
                session.confirm(context);
            }
            session.ended = self.ended;
            for side in Direction::BOTH {
                if self.torn[side.index()] && side != direction {
                    session.lose(side);
                }
            }
            self.session = Some(session);
        }
        match &mut self.session {
            Some(session) => session.parse(direction, bytes, context),
            // Until a request tells who asks, nothing can be read.
            None => 0,
        }
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        match &mut self.session {
            Some(session) => session.gap(direction, bytes, unparsed, context),
            None => {
                self.torn[direction.index()] = true;
                context.counters.undissected_bytes += unparsed.len() as u64;
            }
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        match &mut self.session {
            Some(session) => session.lose(direction),
            None => context.withdraw(),
        }
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        self.ended[direction.index()] = true;
        match &mut self.session {
            Some(session) => session.end(direction, end, unparsed, context),
            None => context.counters.undissected_bytes += unparsed.len() as u64,
        }
    }

    fn memory(&self) -> usize {
        let session =
            self.session.as_ref().map_or(0, |session| session.frames.memory() + session.waiting.memory());
        size_of::<Self>() + session
    }
}

/// Bytes of a body that a header is believed for.
const TELLING_BYTES: usize = 16;

/// Whether a request, which passed the probe, is more than its header: a client with a name, and much or all of a body
/// that is decoded.
fn is_beyond_doubt(bytes: &[u8]) -> bool {
    let Look::Header(header) = look(bytes, true) else { return false };
    let total = header.size as usize + SIZE_BYTES;
    header.client.is_some_and(|client| !client.is_empty())
        && is_decoded(header.key)
        && bytes.len() >= total.min(header.body + TELLING_BYTES)
        && fits(&header, bytes)
}

struct Session {
    requests: Direction,
    frames: Frames,
    waiting: ById<i32, Note>,
    /// Beyond doubt Kafka.
    confirmed: bool,
    /// Where each direction was at first, and how far it came since: doubt ends with the trial.
    doubted: [Option<(u64, u64)>; 2],
    /// A direction had holes: answers to what was not seen may come, and requests without answer.
    lossy: [bool; 2],
    ended: [bool; 2],
    ids: Ids,
    tokens: Tokens,
}

/// Whether correlation ids are used once.
#[derive(Default)]
struct Ids {
    latest: Option<i32>,
    risen: bool,
    repeated: bool,
}

impl Ids {
    fn note(&mut self, id: i32) {
        match self.latest.replace(id) {
            Some(latest) if latest < id => self.risen = true,
            Some(_) => self.repeated = true,
            None => {}
        }
    }

    /// An answer can't be that to another request of the same id.
    const fn are_unique(&self) -> bool {
        self.risen && !self.repeated
    }
}

/// Tokens of an authentication mechanism without Kafka's headers, as the handshake's version 0 has them follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tokens {
    No,
    Follow,
}

/// How the stream is cut into messages.
struct Marks<'a> {
    requests: Direction,
    waiting: &'a ById<i32, Note>,
    confirmed: bool,
    lossy: bool,
    tokens: Tokens,
}

/// The broker takes no larger token unless told to (`sasl.server.max.receive.size`).
const MAX_TOKEN: u32 = 512 << 10;

impl Framing for Marks<'_> {
    fn length(&self, direction: Direction, bytes: &[u8]) -> Length {
        let Some(size) = size(bytes) else { return Length::Unknown };
        let length = Length::Known(u64::from(size) + SIZE_BYTES as u64);
        if direction == self.requests {
            return match look(bytes, !self.confirmed) {
                Look::Header(_) => length,
                _ if self.tokens == Tokens::Follow && self.is_whole_token(size, bytes) => length,
                Look::More => Length::Unknown,
                Look::No(_) if self.tokens == Tokens::Follow && size <= MAX_TOKEN => length,
                Look::No(why) => Length::Invalid(why),
            };
        }
        let Some(id) = correlation(bytes) else {
            return if self.tokens == Tokens::Follow && size < 4 { length } else { Length::Unknown };
        };
        if self.waiting.note(&id).is_some() && size >= 4 {
            return length;
        }
        if self.tokens == Tokens::Follow && size <= MAX_TOKEN {
            return length;
        }
        if !(4..=MAX_SIZE).contains(&size) {
            Length::Invalid("the size is not that of a response")
        } else if id < 0 {
            Length::Invalid("the correlation id is negative")
        } else if self.confirmed || self.lossy {
            length
        } else {
            Length::Invalid("no request has this correlation id")
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        if direction == self.requests {
            return matches!(look(bytes, true), Look::Header(header) if fits(&header, bytes));
        }
        let (Some(size), Some(id)) = (size(bytes), correlation(bytes)) else { return false };
        let Some(note) = self.waiting.note(&id) else { return false };
        let total = size as usize + SIZE_BYTES;
        if !(4..=MAX_SIZE).contains(&size) {
            return false;
        }
        let bytes = &bytes[..bytes.len().min(total)];
        match note.response(bytes, total) {
            Some((layout, encoding, reader)) => check(layout.response, encoding, reader, total).is_none(),
            // Nothing but the id speaks for it, so all of it must be here, and nothing else.
            None => bytes.len() == total,
        }
    }
}

impl Marks<'_> {
    /// A token too short for the header of a request.
    fn is_whole_token(&self, size: u32, bytes: &[u8]) -> bool {
        matches!(look(bytes, true), Look::More) && bytes.len() == SIZE_BYTES + size as usize
    }
}

fn size(bytes: &[u8]) -> Option<u32> {
    Reader::new(bytes).u32_be().ok()
}

fn correlation(bytes: &[u8]) -> Option<i32> {
    let mut reader = Reader::new(bytes);
    reader.skip(SIZE_BYTES).ok()?;
    reader.i32_be().ok()
}

/// Whether what is there of a request's body can be one.
pub(super) fn fits(header: &Header<'_>, bytes: &[u8]) -> bool {
    let total = header.size as usize + SIZE_BYTES;
    let Some(layout) = Layout::of(header.key, header.version) else { return true };
    let mut reader = Reader::new(&bytes[..bytes.len().min(total)]);
    reader.skip(header.body).is_ok()
        && check(layout.request, Note::of(header).encoding(), reader, total).is_none()
}

impl Session {
    fn new(requests: Direction) -> Self {
        Self {
            requests,
            frames: Frames::default(),
            waiting: ById::new(KIND, requests),
            confirmed: false,
            doubted: [None; 2],
            lossy: [false; 2],
            ended: [false; 2],
            ids: Ids::default(),
            tokens: Tokens::No,
        }
    }

    fn lose(&mut self, direction: Direction) {
        self.lossy[direction.index()] = true;
        self.frames.lose(direction);
    }

    fn is_lossy(&self) -> bool {
        self.lossy[0] || self.lossy[1]
    }

    fn confirm(&mut self, context: &mut Context<'_>) {
        self.confirmed = true;
        context.confirm();
    }

    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        let start = context.offset;
        while let Some(rest @ [_, ..]) = bytes.get(used..) {
            let marks = Marks {
                requests: self.requests,
                waiting: &self.waiting,
                confirmed: self.confirmed,
                lossy: self.is_lossy(),
                tokens: self.tokens,
            };
            match self.frames.step(&marks, direction, rest, context) {
                Step::Wait => {
                    if !self.confirmed && direction != self.requests && self.is_answer(rest) {
                        self.confirm(context);
                    }
                    break;
                }
                Step::Used(count) => used += count,
                Step::Message(framed, count) => {
                    used += count;
                    self.message(direction, &framed, context);
                }
                Step::Invalid(why) => {
                    if !self.confirmed {
                        self.withdraw(context);
                        return bytes.len();
                    }
                    self.lossy[direction.index()] = true;
                    let failure = KIND.failure(direction, context.now, rest, context.offset, why);
                    context.items.push(failure);
                }
            }
        }
        if !self.confirmed {
            let at = &mut self.doubted[direction.index()];
            at.get_or_insert((start, start)).1 = start + bytes.len() as u64;
            let doubted: u64 = self.doubted.iter().flatten().map(|(from, to)| to - from).sum();
            if doubted > TRIAL_BYTES as u64 {
                self.withdraw(context);
                return bytes.len();
            }
        }
        used
    }

    /// It can't be told from what is not Kafka.
    fn withdraw(&mut self, context: &mut Context<'_>) {
        self.waiting.give_up(Absence::Lost, context);
        context.withdraw();
    }

    /// Whether a response begins here whose request waits.
    fn is_answer(&self, bytes: &[u8]) -> bool {
        correlation(bytes).is_some_and(|id| self.waiting.note(&id).is_some_and(|note| note.tells(id)))
    }

    fn gap(&mut self, direction: Direction, missing: u64, unparsed: &[u8], context: &mut Context<'_>) {
        self.lossy[direction.index()] = true;
        if !self.ids.are_unique() {
            self.waiting.give_up(Absence::Lost, context);
        }
        let marks = Marks {
            requests: self.requests,
            waiting: &self.waiting,
            confirmed: true,
            lossy: true,
            tokens: self.tokens,
        };
        if let Some(framed) = self.frames.gap(&marks, direction, missing, unparsed, context) {
            self.message(direction, &framed, context);
        }
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let marks = Marks {
            requests: self.requests,
            waiting: &self.waiting,
            confirmed: true,
            lossy: true,
            tokens: self.tokens,
        };
        if let Some(framed) = self.frames.end(&marks, direction, unparsed, context) {
            self.message(direction, &framed, context);
        }
        self.ended[direction.index()] = true;
        if self.ended[self.requests.reverse().index()] {
            self.waiting.give_up(Absence::Ended(end), context);
        }
        if self.ended == [true, true] && !self.confirmed {
            context.withdraw();
        }
    }

    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        if direction == self.requests {
            self.request(framed, context);
        } else {
            self.response(framed, context);
        }
    }

    fn request(&mut self, framed: &Framed<'_>, context: &mut Context<'_>) {
        let header = match look(&framed.bytes, !self.confirmed) {
            Look::Header(header) => header,
            _ if self.tokens == Tokens::Follow => return self.token(self.requests, framed, context),
            // Cut inside the header.
            _ => {
                let half = half(framed, Fields::new());
                context.items.push(KIND.request(self.requests, half, Absence::Lost));
                return;
            }
        };
        let note = Note::of(&header);
        self.tokens =
            if header.key == SASL_HANDSHAKE && header.version == 0 { Tokens::Follow } else { Tokens::No };
        let mut fields = Fields::with_capacity(9)
            .with("size", header.size)
            .with("apiKeyName", note.api.map_or("Unknown", |api| api.name))
            .with("apiKey", header.key)
            .with("apiVersion", header.version)
            .with("correlationID", header.correlation)
            .with("clientID", header.client.map(str::to_owned));
        let mut cut = !framed.is_whole();
        let mut problem = None;
        let mut unanswered = false;
        if let Some(layout) = Layout::of(header.key, header.version) {
            let mut reader = Reader::new(&framed.bytes);
            if reader.skip(header.body).is_ok() {
                let body =
                    read(layout.request, note.encoding(), reader, total(framed), Budget::of(context.limits));
                let acks = body.fields.field("requiredAcks").and_then(crate::Tree::as_int);
                unanswered = header.key == PRODUCE && acks == Some(0);
                if body.problem.is_none() && body.left_over == 0 && framed.is_whole() && note.named {
                    self.confirm(context);
                }
                cut |= body.cut;
                problem = body.problem;
                push_body(&mut fields, body);
            }
        } else if note.api.is_none_or(|api| header.version > api.newest) || is_decoded(header.key) {
            fields.push("unsupportedVersion", true);
        }
        finish(&mut fields, cut, framed);
        let mut half = half(framed, fields);
        if let Some(problem) = problem {
            half = half.error(ErrorKind::Dissection, format!("request: {problem}"));
        }
        if unanswered {
            context.items.push(KIND.message(self.requests, half));
            return;
        }
        self.ids.note(header.correlation);
        self.waiting.request(header.correlation, half, note, context);
    }

    fn response(&mut self, framed: &Framed<'_>, context: &mut Context<'_>) {
        let id = correlation(&framed.bytes);
        let note = id.and_then(|id| self.waiting.note(&id)).copied();
        if note.is_none() && self.tokens == Tokens::Follow {
            return self.token(self.requests.reverse(), framed, context);
        }
        let mut fields = Fields::with_capacity(6);
        fields.push_some("size", size(&framed.bytes));
        fields.push_some("correlationID", id);
        let mut cut = !framed.is_whole();
        let mut problem = None;
        if let Some(note) = note {
            match note.response(&framed.bytes, total(framed)) {
                Some((layout, encoding, reader)) => {
                    let budget = Budget::of(context.limits);
                    let body = read(layout.response, encoding, reader, total(framed), budget);
                    if body.problem.is_none() && body.left_over == 0 {
                        self.confirm(context);
                    }
                    cut |= body.cut;
                    problem = body.problem.filter(|_| !is_refusal(note, &body));
                    push_payload(&mut fields, body);
                }
                None if id.is_some_and(|id| note.tells(id)) => self.confirm(context),
                None => {}
            }
        }
        finish(&mut fields, cut, framed);
        let mut half = half(framed, fields);
        if let Some(problem) = problem {
            half = half.error(ErrorKind::Dissection, format!("response: {problem}"));
        }
        match id {
            Some(id) if note.is_some() => self.waiting.response(&id, half, context),
            _ => {
                let lost = self.lossy[self.requests.index()];
                let absence = if lost { Absence::Lost } else { Absence::BeforeCapture };
                context.items.push(KIND.response(self.requests, half, absence));
            }
        }
        if self.ended[self.requests.reverse().index()] {
            self.waiting.give_up(Absence::Lost, context);
        }
    }

    /// Its content is a secret or proves one: only its size is shown.
    fn token(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let mut fields = Fields::new();
        fields.push_some("size", size(&framed.bytes));
        fields.push("apiKeyName", "SaslToken");
        context.items.push(KIND.message(direction, half(framed, fields)));
    }
}

/// Whether bodies of the API are decoded in some version.
fn is_decoded(key: i16) -> bool {
    Layout::of(key, 0).is_some()
}

fn push_payload(fields: &mut Fields, body: Body) {
    if body.error_code != 0 || !body.cut {
        fields.push("errorCode", body.error_code);
        if body.error_code != 0 {
            fields.push_some("errorName", errors::name(body.error_code));
        }
    }
    push_body(fields, body);
}

fn push_body(fields: &mut Fields, body: Body) {
    fields.push("payload", body.fields);
    fields.push_some("undecodedBytes", (body.left_over > 0).then_some(body.left_over));
}

/// The answer to a version that the broker does not have. Brokers before Kafka 2.4 and others end it after the code, or
/// go on in a form of their own.
fn is_refusal(note: Note, body: &Body) -> bool {
    note.key == API_VERSIONS && body.error_code == UNSUPPORTED_VERSION
}

fn finish(fields: &mut Fields, cut: bool, framed: &Framed<'_>) {
    fields.push("captureTime", framed.time.to_string());
    if cut {
        fields.push("truncated", true);
    }
}

/// Bytes of the whole message, as it says itself.
fn total(framed: &Framed<'_>) -> usize {
    size(&framed.bytes).map_or(framed.bytes.len(), |size| size as usize + SIZE_BYTES)
}

fn half(framed: &Framed<'_>, fields: Fields) -> Half {
    Half::new(framed.time, framed.size, fields).missing(framed.missing)
}
