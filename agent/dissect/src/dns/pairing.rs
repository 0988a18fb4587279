//! Which response answers which query.

use std::collections::VecDeque;

use super::message::{self, Dns, Header};
use crate::item::Absence;
use crate::pair::ById;
use crate::{Context, Direction, Half, Kind};

/// Responses remembered, to know a second copy of one.
const REMEMBERED: usize = 8;

/// What a response repeats of its query. One to a query that could not be read repeats no question.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: u16,
    question: Option<u64>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && (self.question == other.question || self.question.is_none() || other.question.is_none())
    }
}

impl Key {
    pub(super) fn of(dns: &Dns) -> Self {
        Self { id: dns.header.id, question: dns.questions.first().map(message::question_hash) }
    }

    /// Without reading more of a message than its question.
    pub(super) fn peek(bytes: &[u8]) -> Option<Self> {
        let id = Header::parse(bytes)?.id;
        Some(Self { id, question: message::first_question(bytes).as_ref().map(message::question_hash) })
    }
}

/// What is remembered of a query: its bytes, by hash, and what it asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) copy: u64,
    pub(super) kind: u16,
}

/// The queries of both directions.
#[derive(Debug)]
pub(super) struct Pairing {
    kind: Kind,
    sides: [ById<Key, Note>; 2],
    answered: VecDeque<u64>,
}

impl Pairing {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            sides: Direction::BOTH.map(|direction| ById::new(kind, direction)),
            answered: VecDeque::new(),
        }
    }

    /// A query begins to wait. Sent again as it was, it is the same query; changed, it is another, for the answer to
    /// the one before did not come in time.
    pub(super) fn request(
        &mut self,
        direction: Direction,
        key: Key,
        half: Half,
        note: Note,
        context: &mut Context<'_>,
    ) {
        let side = &mut self.sides[direction.index()];
        if let Some(known) = side.note(&key) {
            if known.copy == note.copy {
                return;
            }
            if let Some((old, _)) = side.remove(&key) {
                context.items.push(self.kind.request(direction, old, Absence::Late));
            }
        }
        side.request(key, half, note, context);
    }

    /// What is remembered of the query that a response answers; `direction` is the response's.
    pub(super) fn note(&self, direction: Direction, key: &Key) -> Option<Note> {
        self.sides[direction.reverse().index()].note(key).copied()
    }

    pub(super) fn remove(&mut self, direction: Direction, key: &Key) -> Option<Half> {
        self.sides[direction.reverse().index()].remove(key).map(|(half, _)| half)
    }

    /// A response: with its query where that waits. A second copy is left out, any other comes out alone.
    pub(super) fn response(
        &mut self,
        direction: Direction,
        key: &Key,
        half: Half,
        copy: u64,
        context: &mut Context<'_>,
    ) {
        let side = &mut self.sides[direction.reverse().index()];
        if side.note(key).is_none() && self.answered.contains(&copy) {
            return;
        }
        self.answered.truncate(REMEMBERED - 1);
        self.answered.push_front(copy);
        side.response(key, half, context);
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.sides.iter().filter_map(ById::due).min()
    }

    pub(super) fn elapse(&mut self, context: &mut Context<'_>) {
        self.sides.iter_mut().for_each(|side| side.elapse(context));
    }

    pub(super) fn give_up(&mut self, direction: Direction, absence: Absence, context: &mut Context<'_>) {
        self.sides[direction.index()].give_up(absence, context);
    }

    pub(super) fn memory(&self) -> usize {
        self.sides.iter().map(ById::memory).sum::<usize>() + self.answered.capacity() * size_of::<u64>()
    }
}
