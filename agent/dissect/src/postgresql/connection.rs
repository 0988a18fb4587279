//! A connection: who is who, which bytes are messages, and what waits for its answer.

use std::collections::VecDeque;
use std::sync::Arc;

use remora_packet::Timestamp;

use super::cycle::Alignment;
use super::framing::{self, Wire};
use super::operation::Operation;
use super::outcome::Outcome;
use super::parameters::{Portal, Statement};
use super::{KIND, fields};
use crate::dissector::{Dissector, End, Successor};
use crate::frame::{Framed, Step};
use crate::item::{Absence, ErrorKind};
use crate::remember::{Caps, Remembered};
use crate::{Context, Direction, Fields, Frames, Limits, Probe};

#[derive(Debug)]
pub(super) struct Connection {
    /// The direction of the client's bytes; not known before the first.
    client: Option<Direction>,
    /// Directions whose beginning was not seen.
    torn: [bool; 2],
    pub(super) wire: Wire,
    frames: Frames,
    pub(super) alignment: Alignment,
    pub(super) queue: VecDeque<Box<Operation>>,
    /// Bytes of heap of what is in the queue.
    queued: usize,
    /// A response whose request is not known.
    pub(super) stray: Option<Outcome>,
    /// The server passes over everything up to the next `Sync`.
    pub(super) skipping: bool,
    pub(super) statements: Remembered<Box<[u8]>, Arc<Statement>>,
    pub(super) portals: Remembered<Box<[u8]>, Arc<Portal>>,
    /// All of the client's messages were seen, and remembered.
    pub(super) complete: bool,
    /// How often bytes of the server went missing.
    pub(super) losses: u32,
    /// User and database.
    pub(super) session: Arc<Fields>,
    /// Bytes of the server that came ahead of what they answer, when, and up to where.
    held: Option<(Timestamp, u64)>,
    ended: Option<End>,
    pub(super) successor: bool,
    /// It is certainly PostgreSQL.
    sure: bool,
    /// Whether the server's first bytes are its first is still to be seen.
    pub(super) unseen: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            client: None,
            torn: [false; 2],
            wire: Wire::default(),
            frames: Frames::default(),
            alignment: Alignment::new(),
            queue: VecDeque::new(),
            queued: 0,
            stray: None,
            skipping: false,
            statements: Remembered::new(),
            portals: Remembered::new(),
            complete: true,
            losses: 0,
            session: Arc::default(),
            held: None,
            ended: None,
            successor: false,
            sure: false,
            unseen: false,
        }
    }

    pub(super) fn confirm(&mut self, context: &mut Context<'_>) {
        self.sure = true;
        context.confirm();
    }

    pub(super) fn caps(limits: &Limits) -> Caps {
        Caps { entries: limits.list_entries, bytes: limits.message_bytes }
    }

    /// The client's direction, as far as known.
    pub(super) fn client(&self) -> Direction {
        self.client.unwrap_or(Direction::ToServer)
    }

    /// A direction as the protocol has it: `ToServer` is the client's.
    fn side(&self, direction: Direction) -> Direction {
        if self.client() == Direction::ToServer { direction } else { direction.reverse() }
    }

    /// Decides by the first bytes who is the client, and whether the connection begins here.
    fn begin(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) {
        let opens = framing::startup(bytes) != Probe::No;
        let client = if opens || framing::is_client_chain(bytes) || !framing::is_server_chain(bytes) {
            direction
        } else {
            direction.reverse()
        };
        self.client = Some(client);
        self.wire.startup = opens;
        self.sure = opens;
        if opens {
            // Perhaps only its handshake is missing.
            self.unseen = std::mem::take(&mut self.torn[direction.reverse().index()]);
        } else {
            self.complete = false;
            // Nothing is known of what is under way.
            self.alignment.at_start = false;
            self.alignment.lose();
        }
        for direction in Direction::BOTH {
            if self.torn[direction.index()] {
                self.frames.lose(self.side(direction));
                self.lose(self.side(direction), context);
            }
        }
    }

    /// Messages of a direction may be missing.
    pub(super) fn lose(&mut self, side: Direction, context: &mut Context<'_>) {
        self.close_last(context);
        self.give_up(Absence::Lost, context);
        self.alignment.lose();
        self.skipping = false;
        self.stray = None;
        self.wire.negotiation = false;
        if side == Direction::ToServer {
            self.wire.startup = false;
            self.alignment.at_start = false;
            self.complete = false;
            self.statements.clear();
            self.portals.clear();
        } else {
            self.losses = self.losses.saturating_add(1);
        }
    }

    /// All that waits comes out as it is.
    pub(super) fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        while let Some(operation) = self.pop() {
            if operation.is_answered() && operation.outcome.has_begun() {
                self.emit(operation, context);
                continue;
            }
            let (request, outcome) = operation.into_halves(&self.session, context.limits, self.losses);
            let draft = if outcome.has_begun() {
                let why = format!("the response is not whole: {}", absence.as_str());
                let response = outcome.into_half(context.limits).error(ErrorKind::Dissection, why);
                KIND.exchange(self.client(), request, response)
            } else {
                KIND.request(self.client(), request, absence)
            };
            context.items.push(draft);
        }
    }

    pub(super) fn push(&mut self, operation: Box<Operation>, context: &mut Context<'_>) {
        if self.queue.len() >= context.limits.waiting_requests.max(1) {
            self.give_up(Absence::TooMany, context);
            self.alignment.lose();
        }
        self.queue.push_back(operation);
    }

    pub(super) fn pop(&mut self) -> Option<Box<Operation>> {
        let operation = self.queue.pop_front()?;
        self.queued -= operation.counted;
        Some(operation)
    }

    /// Counts anew what a message may have changed.
    pub(super) fn recount(&mut self) {
        let Self { queue, queued, .. } = self;
        let mut count = |operation: Option<&mut Box<Operation>>| {
            if let Some(operation) = operation {
                let weight = operation.weight();
                *queued = *queued + weight - operation.counted;
                operation.counted = weight;
            }
        };
        count(queue.front_mut());
        if queue.len() > 1 {
            count(queue.back_mut());
        }
    }

    /// No more messages join the latest operation.
    pub(super) fn close_last(&mut self, context: &mut Context<'_>) {
        let Some(last) = self.queue.back_mut() else { return };
        last.closed = true;
        if last.alone {
            // Nothing else is in the queue then.
            if let Some(operation) = self.pop() {
                let (request, _) = operation.into_halves(&self.session, context.limits, self.losses);
                context.items.push(KIND.request(self.client(), request, Absence::Lost));
            }
        }
        self.release(context);
    }

    /// Lets out what is asked and answered.
    pub(super) fn release(&mut self, context: &mut Context<'_>) {
        while self.queue.front().is_some_and(|first| first.closed && !first.alone && first.is_answered()) {
            if let Some(operation) = self.pop() {
                self.emit(operation, context);
            }
        }
    }

    pub(super) fn emit(&mut self, operation: Box<Operation>, context: &mut Context<'_>) {
        let (request, outcome) = operation.into_halves(&self.session, context.limits, self.losses);
        let response = outcome.into_half(context.limits);
        context.items.push(KIND.exchange(self.client(), request, response));
    }

    /// Whether the server's next message answers something that has not come yet, because the capture has it in the
    /// wrong order.
    fn is_ahead(&self, bytes: &[u8], limits: &Limits) -> bool {
        if !self.alignment.is_known() || !self.frames.is_between(Direction::ToClient) {
            return false;
        }
        let waiting = match bytes.first() {
            Some(b'A') => return false,
            Some(b'Z') => self.queue.iter().any(|operation| operation.expects_ready()),
            _ => self.skipping || self.queue.iter().any(|operation| !operation.is_answered()),
        };
        !waiting && !is_unasked(bytes, limits)
    }

    fn frame(&mut self, side: Direction, bytes: &[u8], patient: bool, context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.successor {
            let rest = &bytes[used..];
            let wait = match side {
                // An answer decides what comes next.
                Direction::ToServer => self.wire.negotiation,
                Direction::ToClient => self.is_ahead(rest, context.limits),
            };
            if wait && patient {
                let end = context.offset + rest.len() as u64;
                let since = self.held.map_or(context.now, |(since, _)| since);
                self.held = (side == Direction::ToClient).then_some((since, end)).or(self.held);
                break;
            }
            let wire = self.wire;
            match self.frames.step(&wire, side, rest, context) {
                Step::Wait => break,
                Step::Used(more) => used += more,
                Step::Message(message, more) => {
                    used += more;
                    self.message(side, message, context);
                    if side == Direction::ToClient && rest.first() == Some(&b'D') {
                        used += self.rows(&bytes[used..], context);
                    }
                }
                Step::Invalid(_) if !self.sure => {
                    context.withdraw();
                    break;
                }
                Step::Invalid(_) if side == Direction::ToClient && self.unseen => {
                    self.unseen = false;
                    self.lose(side, context);
                }
                Step::Invalid(why) => {
                    let direction =
                        if side == Direction::ToServer { self.client() } else { self.client().reverse() };
                    context.items.push(KIND.failure(direction, context.now, rest, context.offset, why));
                    self.lose(side, context);
                }
            }
        }
        if used == bytes.len() && side == Direction::ToClient {
            self.held = None;
        }
        used
    }

    fn message(&mut self, side: Direction, mut message: Framed<'_>, context: &mut Context<'_>) {
        match side {
            Direction::ToServer => self.asked(&message, context),
            Direction::ToClient => {
                if let Some((since, _)) = self.held.filter(|&(_, end)| message.offset < end) {
                    message.time = since;
                }
                self.answered(&message, context);
            }
        }
        self.release(context);
        self.recount();
    }

    /// Whether the server has nothing under way, as far as is known.
    pub(super) fn is_idle(&self) -> bool {
        self.stray.is_none() && self.frames.is_between(Direction::ToClient)
    }

    fn finish(&mut self, end: End, context: &mut Context<'_>) {
        self.close_last(context);
        self.give_up(Absence::Ended(end), context);
        if let Some(stray) = self.stray.take() {
            context.items.push(KIND.response(self.client(), stray.into_half(context.limits), Absence::Lost));
        }
        self.ended = Some(end);
    }
}

/// Whether all that is at hand may come without having been asked for: notices, settings, the end of the connection.
fn is_unasked(mut bytes: &[u8], limits: &Limits) -> bool {
    while let [kind, length @ ..] = bytes {
        let Some(length) = length.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize)
        else {
            return false;
        };
        let Some(body) = bytes.get(5..length.saturating_add(1)) else { return false };
        let unasked = match kind {
            b'N' | b'S' | b'A' => true,
            b'E' => fields::parse(body, limits.value_bytes).is_ok_and(|report| fields::is_fatal(&report)),
            _ => false,
        };
        if !unasked {
            return false;
        }
        bytes = bytes.get(length + 1..).unwrap_or_default();
    }
    true
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if self.client.is_none() {
            self.begin(direction, bytes, context);
        }
        let used = self.frame(self.side(direction), bytes, true, context);
        if self.successor {
            context.hand_over(Successor::Probed);
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        if self.client.is_none() {
            self.torn[direction.index()] = true;
            return;
        }
        let side = self.side(direction);
        let used = self.frame(side, unparsed, false, context);
        let unparsed = unparsed.get(used..).unwrap_or_default();
        let wire = self.wire;
        if let Some(cut) = self.frames.gap(&wire, side, bytes, unparsed, context) {
            self.message(side, cut, context);
        }
        if self.frames.is_lost(side) {
            self.lose(side, context);
        }
        self.recount();
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.frames.lose(side);
        self.lose(side, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        let used = self.frame(side, unparsed, false, context);
        let unparsed = unparsed.get(used..).unwrap_or_default();
        let wire = self.wire;
        if let Some(cut) = self.frames.end(&wire, side, unparsed, context) {
            self.message(side, cut, context);
        }
        match side {
            Direction::ToServer => self.close_last(context),
            Direction::ToClient => self.finish(end, context),
        }
        if let (Direction::ToServer, Some(ended)) = (side, self.ended) {
            self.finish(ended, context);
        }
        self.recount();
    }

    fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<Box<Operation>>()
            + self.queued
            + self.stray.as_ref().map_or(0, Outcome::heap)
            + self.statements.memory()
            + self.portals.memory()
            + self.session.heap()
            + self.frames.memory()
    }
}
