//! Which acknowledgements belong to which packet (MQTT 5.0, sections 4.3 and 2.2.1).
//!
//! By the packet identifier, which is free again once acknowledged. An acknowledgement may be read before what it
//! acknowledges, when the other direction waits for a hole to fill: it is kept as long as every byte is seen.

use std::collections::VecDeque;

use super::packet::Type;
use crate::exchange::{Half, Kind};
use crate::item::Absence;
use crate::{Context, Direction, End, Fields};

/// What is acknowledged: identifiers of publications and of subscriptions are told apart by their acknowledgements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key(pub(super) Type, pub(super) u16);

/// A packet under way and what came for it. Those of QoS 2 take three more packets.
#[derive(Debug)]
struct Flight {
    key: Key,
    twice: bool,
    request: Half,
    /// PUBREC, PUBREL, PUBCOMP; or the only one, at the end.
    steps: [Option<(Half, Fields)>; 3],
    memory: usize,
}

/// What one side asks the other.
#[derive(Debug)]
pub(super) struct Flights {
    direction: Direction,
    waiting: VecDeque<Flight>,
    early: VecDeque<(Key, usize, bool, Half, Fields)>,
    memory: usize,
}

pub(super) const RECEIVED: usize = 0;
pub(super) const RELEASED: usize = 1;
pub(super) const COMPLETE: usize = 2;

impl Flights {
    pub(super) const fn new(direction: Direction) -> Self {
        Self { direction, waiting: VecDeque::new(), early: VecDeque::new(), memory: 0 }
    }

    pub(super) fn memory(&self) -> usize {
        self.waiting.capacity() * size_of::<Flight>() + self.memory
    }

    /// A packet that will be acknowledged.
    pub(super) fn begin(
        &mut self,
        kind: Kind,
        key: Key,
        twice: bool,
        request: Half,
        context: &mut Context<'_>,
    ) {
        if let Some(at) = self.waiting.iter().position(|flight| flight.key == key) {
            self.give_up_one(kind, at, Absence::Lost, context);
        }
        let limits = context.limits;
        while self.waiting.len() >= limits.waiting_requests.max(1)
            || !self.waiting.is_empty() && self.memory >= limits.message_bytes.saturating_mul(8)
        {
            self.give_up_one(kind, 0, Absence::TooMany, context);
        }
        let memory = request.memory();
        self.memory += memory;
        self.waiting.push_back(Flight { key, twice, request, steps: [None, None, None], memory });
        while let Some(at) = self.early.iter().position(|early| early.0 == key) {
            let Some((_, step, failed, half, fields)) = self.early.remove(at) else { break };
            self.memory -= half.memory() + fields.heap();
            self.step(kind, key, step, failed, half, fields, false, context);
        }
    }

    /// An acknowledgement, or the sender's release of a message. `failed`: it is the last one. `keep`: what it belongs
    /// to may still come.
    #[expect(clippy::too_many_arguments, reason = "all of it is about one packet")]
    pub(super) fn step(
        &mut self,
        kind: Kind,
        key: Key,
        step: usize,
        failed: bool,
        half: Half,
        fields: Fields,
        keep: bool,
        context: &mut Context<'_>,
    ) {
        let fits = |flight: &Flight| {
            flight.key == key && flight.request.time <= half.time && flight.steps[step].is_none()
        };
        let Some(at) = self.waiting.iter().position(fits) else {
            if keep && self.early.len() < context.limits.waiting_requests {
                self.memory += half.memory() + fields.heap();
                self.early.push_back((key, step, failed, half, fields));
            } else {
                self.alone(kind, step, half, fields, Absence::BeforeCapture, context);
            }
            return;
        };
        let flight = &mut self.waiting[at];
        let more = half.memory() + fields.heap();
        flight.memory += more;
        self.memory += more;
        flight.steps[step] = Some((half, fields));
        let done = if flight.twice {
            failed && step == RECEIVED || flight.steps[RECEIVED].is_some() && flight.steps[COMPLETE].is_some()
        } else {
            true
        };
        if done && let Some(flight) = self.take(at) {
            self.land(kind, flight, context);
        }
    }

    fn take(&mut self, at: usize) -> Option<Flight> {
        let flight = self.waiting.remove(at)?;
        self.memory -= flight.memory;
        Some(flight)
    }

    /// Makes the item of what was acknowledged to the end.
    fn land(&self, kind: Kind, flight: Flight, context: &mut Context<'_>) {
        let (request, response) = flight.sides();
        context.items.push(match response {
            Some(response) => kind.exchange(self.direction, request, response),
            None => kind.request(self.direction, request, Absence::Lost),
        });
    }

    fn give_up_one(&mut self, kind: Kind, at: usize, absence: Absence, context: &mut Context<'_>) {
        if let Some(flight) = self.take(at) {
            let (request, _) = flight.sides();
            context.items.push(kind.request(self.direction, request, absence));
        }
    }

    fn alone(
        &self,
        kind: Kind,
        step: usize,
        half: Half,
        fields: Fields,
        absence: Absence,
        context: &mut Context<'_>,
    ) {
        let half = Half { message: Box::new(fields), ..half };
        context.items.push(if step == RELEASED {
            kind.request(self.direction, half, absence)
        } else {
            kind.response(self.direction, half, absence)
        });
    }

    pub(super) fn give_up(&mut self, kind: Kind, absence: Absence, context: &mut Context<'_>) {
        while !self.waiting.is_empty() {
            self.give_up_one(kind, 0, absence, context);
        }
        while let Some((_, step, _, half, fields)) = self.early.pop_front() {
            self.memory -= half.memory() + fields.heap();
            self.alone(kind, step, half, fields, absence, context);
        }
    }

    /// A direction ended: what it should have brought does not come.
    pub(super) fn end(&mut self, kind: Kind, direction: Direction, end: End, context: &mut Context<'_>) {
        let due = if direction == self.direction { !self.early.is_empty() } else { !self.waiting.is_empty() };
        if due {
            self.give_up(kind, Absence::Ended(end), context);
        }
    }
}

impl Flight {
    /// The packet, and its acknowledgements made into one message: the last one, with those of QoS 2 in it by name.
    fn sides(self) -> (Half, Option<Half>) {
        let mut request = self.request;
        let [received, released, complete] = self.steps;
        if let Some((half, _)) = &released {
            request.size += half.size;
        }
        if !self.twice {
            let response = complete.map(|(half, fields)| Half { message: Box::new(fields), ..half });
            return (request, response);
        }
        let mut message = match (&complete, &received) {
            (Some((_, fields)), _) | (None, Some((_, fields))) => fields.clone(),
            (None, None) => return (request, None),
        };
        let size = [&received, &complete].into_iter().flatten().map(|(half, _)| half.size).sum();
        let mut response: Option<Half> = None;
        for (name, step) in [("pubrec", received), ("pubrel", released), ("pubcomp", complete)] {
            if let Some((half, fields)) = step {
                message.push(name, fields);
                if name != "pubrel" && response.is_none() {
                    response = Some(half);
                }
            }
        }
        let response = response.map(|half| Half { size, message: Box::new(message), ..half });
        (request, response)
    }
}
