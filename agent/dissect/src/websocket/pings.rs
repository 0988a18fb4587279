//! Pings and the pongs that answer them (RFC 6455, sections 5.5.2 and 5.5.3).

use std::collections::VecDeque;

use super::KIND;
use crate::exchange::Half;
use crate::item::Absence;
use crate::{Context, Direction, End};

/// Pings of one connection that wait for their pong. Above it the oldest comes out without one.
const WAITING: usize = 16;

#[derive(Debug)]
struct Ping {
    direction: Direction,
    payload: Vec<u8>,
    half: Half,
    /// On the engine's clock.
    due: u64,
    memory: usize,
}

#[derive(Debug)]
pub(super) struct Pings {
    waiting: VecDeque<Ping>,
    memory: usize,
}

impl Pings {
    pub(super) const fn new() -> Self {
        Self { waiting: VecDeque::new(), memory: 0 }
    }

    pub(super) fn memory(&self) -> usize {
        self.waiting.capacity() * size_of::<Ping>() + self.memory
    }

    pub(super) fn ping(
        &mut self,
        direction: Direction,
        payload: Vec<u8>,
        half: Half,
        lossy: bool,
        context: &mut Context<'_>,
    ) {
        if self.waiting.len() >= WAITING {
            self.pop(|ping, context| let_go(ping, Absence::TooMany, lossy, context), context);
        }
        let memory = half.memory() + payload.capacity();
        self.memory += memory;
        let due = context.clock + u64::from(context.limits.answer_seconds) * 1_000_000_000;
        self.waiting.push_back(Ping { direction, payload, half, due, memory });
    }

    /// A pong answers the first ping with its payload. Those before it need no answer any more: a side may answer the
    /// latest only. One that answers nothing is a message of its own, a heartbeat.
    pub(super) fn pong(
        &mut self,
        direction: Direction,
        payload: &[u8],
        half: Half,
        lossy: bool,
        context: &mut Context<'_>,
    ) {
        let asked = direction.reverse();
        let fits = |ping: &Ping| ping.direction == asked && ping.payload == payload;
        let Some(at) = self.waiting.iter().position(fits) else {
            context.items.push(match lossy {
                true => KIND.response(asked, half, Absence::Lost),
                false => KIND.message(direction, half),
            });
            return;
        };
        let mut pong = Some(half);
        let mut later = VecDeque::new();
        for (place, ping) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if place > at || ping.direction != asked {
                later.push_back(ping);
                continue;
            }
            self.memory -= ping.memory;
            match (place == at).then(|| pong.take()).flatten() {
                Some(pong) => context.items.push(KIND.exchange(asked, ping.half, pong)),
                None if lossy => context.items.push(KIND.request(asked, ping.half, Absence::Lost)),
                None => context.items.push(KIND.message(asked, ping.half)),
            }
        }
        self.waiting = later;
    }

    /// Lets go what has waited long enough.
    pub(super) fn elapse(&mut self, context: &mut Context<'_>) {
        while self.waiting.front().is_some_and(|ping| ping.due <= context.clock) {
            self.pop(|ping, context| let_go(ping, Absence::Late, true, context), context);
        }
    }

    /// Messages may have passed unseen: whose pong the next one is can't be told.
    pub(super) fn give_up(&mut self, context: &mut Context<'_>) {
        while !self.waiting.is_empty() {
            self.pop(|ping, context| let_go(ping, Absence::Lost, true, context), context);
        }
    }

    /// No pong comes for the pings that `direction` sent.
    pub(super) fn end(&mut self, direction: Direction, end: End, context: &mut Context<'_>) {
        let (gone, stay): (VecDeque<Ping>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|ping| ping.direction == direction);
        self.waiting = stay;
        for ping in gone {
            self.memory -= ping.memory;
            let_go(ping, Absence::Ended(end), true, context);
        }
    }

    fn pop(&mut self, then: impl FnOnce(Ping, &mut Context<'_>), context: &mut Context<'_>) {
        if let Some(ping) = self.waiting.pop_front() {
            self.memory -= ping.memory;
            then(ping, context);
        }
    }
}

fn let_go(ping: Ping, why: Absence, is_error: bool, context: &mut Context<'_>) {
    context.items.push(match is_error {
        true => KIND.request(ping.direction, ping.half, why),
        false => KIND.message(ping.direction, ping.half),
    });
}
