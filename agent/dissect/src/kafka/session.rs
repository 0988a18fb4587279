//! A conversation whose asking side is known: which message answers which.

use super::KIND;
use super::apis::SASL_HANDSHAKE;
use super::header::{Look, look};
use super::marks::Marks;
use super::note::{Note, correlation};
use super::sides;
use crate::dissector::TRIAL_BYTES;
use crate::frame::{Framed, Step};
use crate::item::Absence;
use crate::pair::ById;
use crate::{Context, Direction, End, Fields, Frames};

pub(super) struct Session {
    requests: Direction,
    frames: Frames,
    waiting: ById<i32, Note>,
    /// Beyond doubt Kafka.
    confirmed: bool,
    /// Where each direction was at first, and how far it came since: doubt ends with the trial.
    doubted: [Option<(u64, u64)>; 2],
    lossy: [bool; 2],
    ended: [bool; 2],
    ids: Ids,
    /// Tokens may come, which have no Kafka header: those of version 0 of the handshake.
    tokens: bool,
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

impl Session {
    pub(super) fn new(requests: Direction, ended: [bool; 2]) -> Self {
        Self {
            requests,
            frames: Frames::default(),
            waiting: ById::new(KIND, requests),
            confirmed: false,
            doubted: [None; 2],
            lossy: [false; 2],
            ended,
            ids: Ids::default(),
            tokens: false,
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.frames.memory() + self.waiting.memory()
    }

    pub(super) fn lose(&mut self, direction: Direction) {
        self.lossy[direction.index()] = true;
        self.frames.lose(direction);
    }

    pub(super) fn confirm(&mut self, context: &mut Context<'_>) {
        self.confirmed = true;
        context.confirm();
    }

    /// It can't be told from what is not Kafka.
    fn withdraw(&mut self, context: &mut Context<'_>) {
        self.waiting.give_up(Absence::Lost, context);
        context.withdraw();
    }

    pub(super) fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        let start = context.offset;
        while let Some(rest @ [_, ..]) = bytes.get(used..) {
            let marks = Marks {
                requests: self.requests,
                waiting: &self.waiting,
                confirmed: self.confirmed,
                lossy: self.lossy[0] || self.lossy[1],
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
                Step::Invalid(_) if !self.confirmed => {
                    self.withdraw(context);
                    return bytes.len();
                }
                Step::Invalid(why) => {
                    self.lossy[direction.index()] = true;
                    let failure = KIND.failure(direction, context.now, rest, context.offset, why);
                    context.items.push(failure);
                }
            }
        }
        if !self.confirmed && self.is_tried(direction, start, bytes.len()) {
            self.withdraw(context);
            return bytes.len();
        }
        used
    }

    /// Whether as much was seen as a trial takes.
    fn is_tried(&mut self, direction: Direction, start: u64, bytes: usize) -> bool {
        self.doubted[direction.index()].get_or_insert((start, start)).1 = start + bytes as u64;
        let seen: u64 = self.doubted.iter().flatten().map(|(from, to)| to - from).sum();
        seen > TRIAL_BYTES as u64
    }

    /// Whether a response begins here whose request waits.
    fn is_answer(&self, bytes: &[u8]) -> bool {
        correlation(bytes).is_some_and(|id| self.waiting.note(&id).is_some_and(|note| note.tells(id)))
    }

    pub(super) fn gap(
        &mut self,
        direction: Direction,
        missing: u64,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) {
        self.lossy[direction.index()] = true;
        if !self.ids.are_unique() {
            self.waiting.give_up(Absence::Lost, context);
        }
        let marks = marks_at_a_loss(self.requests, &self.waiting, self.tokens);
        if let Some(framed) = self.frames.gap(&marks, direction, missing, unparsed, context) {
            self.message(direction, &framed, context);
        }
    }

    pub(super) fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let marks = marks_at_a_loss(self.requests, &self.waiting, self.tokens);
        if let Some(framed) = self.frames.end(&marks, direction, unparsed, context) {
            self.message(direction, &framed, context);
        }
        self.ended[direction.index()] = true;
        if self.no_answer_comes() {
            self.waiting.give_up(Absence::Ended(end), context);
        }
        if self.ended == [true, true] && !self.confirmed {
            context.withdraw();
        }
    }

    const fn no_answer_comes(&self) -> bool {
        self.ended[self.requests.reverse().index()]
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
            _ if self.tokens => {
                context.items.push(KIND.message(self.requests, sides::token(framed)));
                return;
            }
            // Cut inside the header.
            _ => {
                let half = sides::half(framed, Fields::new());
                context.items.push(KIND.request(self.requests, half, Absence::Lost));
                return;
            }
        };
        let note = Note::of(&header);
        self.tokens = header.key == SASL_HANDSHAKE && header.version == 0;
        let side = sides::request(&header, framed, context.limits);
        if side.exact && note.named {
            self.confirm(context);
        }
        if side.unanswered {
            context.items.push(KIND.message(self.requests, side.half));
            return;
        }
        self.ids.note(header.correlation);
        self.waiting.request(header.correlation, side.half, note, context);
        if self.no_answer_comes() {
            self.waiting.give_up(Absence::Lost, context);
        }
    }

    fn response(&mut self, framed: &Framed<'_>, context: &mut Context<'_>) {
        let id = correlation(&framed.bytes);
        let note = id.and_then(|id| self.waiting.note(&id)).copied();
        if note.is_none() && self.tokens {
            context.items.push(KIND.message(self.requests.reverse(), sides::token(framed)));
            return;
        }
        let side = sides::response(note, framed, context.limits);
        match (id, note) {
            (Some(id), Some(note)) => {
                if side.exact || framed.is_whole() && note.tells(id) {
                    self.confirm(context);
                }
                self.waiting.response(&id, side.half, context);
            }
            _ => {
                let lost = self.lossy[self.requests.index()];
                let absence = if lost { Absence::Lost } else { Absence::BeforeCapture };
                context.items.push(KIND.response(self.requests, side.half, absence));
            }
        }
    }
}

/// How a message is measured of which the rest is missing.
const fn marks_at_a_loss(requests: Direction, waiting: &ById<i32, Note>, tokens: bool) -> Marks<'_> {
    Marks { requests, waiting, confirmed: true, lossy: true, tokens }
}
