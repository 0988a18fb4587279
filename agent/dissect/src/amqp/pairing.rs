//! Which answer belongs to which method.
//!
//! A channel's methods are answered in their order. As long as every byte is seen that is enough, whichever direction is
//! read first. After a loss only a method that waits alone is paired, with an answer that was captured after it: clients
//! send the next one when they have the answer.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use crate::exchange::{Half, Kind};
use crate::item::Absence;
use crate::{Context, Direction, End};

/// Class and method of the call, which its answer shares.
pub(super) type Key = (u16, u16);

/// What one side of a channel asks the other.
#[derive(Debug)]
pub(super) struct Calls {
    kind: Kind,
    direction: Direction,
    waiting: VecDeque<(Key, Half)>,
    /// Answers that were read before what they answer.
    early: VecDeque<(Key, Half)>,
    /// Nothing was missed since the channel was opened.
    aligned: bool,
    /// A method was sent before the one before it was answered.
    pipelined: bool,
    /// When the latest answer was sent that could not be paired.
    answered: Option<Timestamp>,
    memory: usize,
}

impl Calls {
    pub(super) const fn new(kind: Kind, direction: Direction, aligned: bool) -> Self {
        Self {
            kind,
            direction,
            waiting: VecDeque::new(),
            early: VecDeque::new(),
            aligned,
            pipelined: false,
            answered: None,
            memory: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.early.len()
    }

    /// Bytes of heap held, but for the queues' unused room.
    pub(super) const fn memory(&self) -> usize {
        self.memory
    }

    /// A method that will be answered. `opens`: nothing sent before it is still to be answered.
    pub(super) fn call(&mut self, key: Key, half: Half, opens: bool, context: &mut Context<'_>) {
        if !self.aligned {
            let late = self.answered.is_some_and(|answered| half.time <= answered);
            self.give_up(Absence::Lost, context);
            if late {
                context.items.push(self.kind.request(self.direction, half, Absence::Lost));
                return;
            }
            self.aligned = opens;
        } else if let Some((early, answer)) = self.early.pop_front() {
            self.memory -= cost(&answer);
            if early == key {
                context.items.push(self.kind.exchange(self.direction, half, answer));
                return;
            }
            context.items.push(self.kind.response(self.direction, answer, Absence::Lost));
            self.lose(context);
        }
        self.memory += cost(&half);
        self.waiting.push_back((key, half));
    }

    pub(super) fn answer(&mut self, key: Key, half: Half, context: &mut Context<'_>) {
        if self.waiting.is_empty() && self.aligned {
            self.memory += cost(&half);
            self.early.push_back((key, half));
            return;
        }
        if self.answers(key, half.time)
            && let Some(call) = self.pop()
        {
            context.items.push(self.kind.exchange(self.direction, call, half));
            return;
        }
        self.lose(context);
        self.answered = self.answered.max(Some(half.time));
        let absence = if self.pipelined { Absence::Lost } else { Absence::BeforeCapture };
        context.items.push(self.kind.response(self.direction, half, absence));
    }

    /// Whether what comes now answers the first call that waits.
    pub(super) fn answers(&mut self, key: Key, time: Timestamp) -> bool {
        let Some((first, half)) = self.waiting.front() else { return false };
        let fits = *first == key;
        let alone = self.waiting.len() == 1;
        if self.aligned {
            self.pipelined |= !alone;
            fits
        } else {
            fits && alone && !self.pipelined && half.time <= time
        }
    }

    /// Takes out the first call that waits.
    pub(super) fn pop(&mut self) -> Option<Half> {
        let (_, half) = self.waiting.pop_front()?;
        self.memory -= cost(&half);
        Some(half)
    }

    /// Something may be missing from either direction.
    pub(super) fn lose(&mut self, context: &mut Context<'_>) {
        self.aligned = false;
        self.give_up(Absence::Lost, context);
    }

    /// Nothing that waits is answered any more.
    pub(super) fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        while let Some(half) = self.pop() {
            context.items.push(self.kind.request(self.direction, half, absence));
        }
        while let Some((_, half)) = self.early.pop_front() {
            self.memory -= cost(&half);
            self.answered = self.answered.max(Some(half.time));
            context.items.push(self.kind.response(self.direction, half, absence));
        }
    }

    /// A direction ended: what it should have brought does not come.
    pub(super) fn end(&mut self, direction: Direction, end: End, context: &mut Context<'_>) {
        let due = if direction == self.direction { self.early.is_empty() } else { self.waiting.is_empty() };
        if !due {
            self.give_up(Absence::Ended(end), context);
        }
    }
}

fn cost(half: &Half) -> usize {
    half.memory() + size_of::<Key>()
}
