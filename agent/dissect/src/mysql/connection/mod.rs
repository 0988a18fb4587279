//! A connection: who is who, where it begins, and what is left of it when bytes are missing.
//!
//! Bytes become packets ([assembly]); the client's begin commands ([asked]), which wait ([queue]) for the server's
//! ([answered]), as long as it is known which belong together ([alignment]).

mod alignment;
mod answered;
mod asked;
mod assembly;
mod queue;
mod session;

use remora_packet::Timestamp;

use super::KIND;
use super::framing;
use super::login::Greeting;
use crate::dissector::{Dissector, End, Successor};
use crate::frame::{Framed, Step};
use crate::item::{Absence, ErrorKind};
use crate::{Context, Direction, Probe};
use alignment::Alignment;
use assembly::{Assembly, Packet};
use queue::Queue;
use session::Session;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Greeting,
    Login,
    Commands,
}

#[derive(Debug)]
pub(super) struct Connection {
    /// The direction of the client's bytes; not known before the first.
    client: Option<Direction>,
    /// Directions whose beginning was not seen.
    torn: [bool; 2],
    phase: Phase,
    assembly: Assembly,
    greeting: Option<(Greeting, u64)>,
    session: Session,
    queue: Queue,
    alignment: Alignment,
    /// An EOF packet with this number may still belong to the response before.
    trailing: Option<u8>,
    /// Bytes of the server that came ahead of what they answer, when, and up to where.
    held: Option<(Timestamp, u64)>,
    ended: Option<End>,
    encrypted: bool,
    sure: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            client: None,
            torn: [false; 2],
            phase: Phase::Greeting,
            assembly: Assembly::default(),
            greeting: None,
            session: Session::new(),
            queue: Queue::default(),
            alignment: Alignment::new(),
            trailing: None,
            held: None,
            ended: None,
            encrypted: false,
            sure: false,
        }
    }

    fn client(&self) -> Direction {
        self.client.unwrap_or(Direction::ToServer)
    }

    /// A direction as the protocol has it: `ToServer` is the client's.
    fn side(&self, direction: Direction) -> Direction {
        if self.client() == Direction::ToServer { direction } else { direction.reverse() }
    }

    fn confirm(&mut self, context: &mut Context<'_>) {
        self.sure = true;
        context.confirm();
    }

    /// Decides by the first bytes who is the client, and whether the connection begins here.
    fn begin(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) {
        let refuses = bytes.get(3) == Some(&0) && framing::is_refusal(bytes);
        let opens = refuses || framing::greeting(bytes) != Probe::No;
        let from_server = opens || framing::is_response(bytes) && !framing::is_command(bytes, false);
        self.client = Some(if from_server { direction.reverse() } else { direction });
        if opens {
            self.sure = true;
            self.torn[direction.index()] = false;
        } else {
            self.phase = Phase::Commands;
            self.alignment.doubt();
            self.session.lose(Direction::ToClient);
        }
        for direction in Direction::BOTH {
            if self.torn[direction.index()] {
                let side = self.side(direction);
                if !(opens && side == Direction::ToServer) {
                    self.assembly.lose(side);
                    self.lose(side, context);
                }
            }
        }
    }

    /// Packets of a side may be missing.
    fn lose(&mut self, side: Direction, context: &mut Context<'_>) {
        self.give_up(Absence::Lost, context);
        let stray = self.alignment.lose();
        self.release_stray(stray, context);
        self.trailing = None;
        self.phase = Phase::Commands;
        self.assembly.clear(side);
        self.session.lose(side);
    }

    fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        while let Some(mut command) = self.queue.pop() {
            self.session.resolve(&mut command, context.limits);
            let answered = command.wants_answer();
            let (request, response) = command.into_halves(&self.session.fields());
            context.items.push(if !answered {
                KIND.message(self.client(), request)
            } else if response.has_begun() {
                let why = format!("the response is not whole: {}", absence.as_str());
                let response = response.into_half(context.limits).error(ErrorKind::Dissection, why);
                KIND.exchange(self.client(), request, response)
            } else {
                KIND.request(self.client(), request, absence)
            });
        }
    }

    /// Lets out commands that want no answer.
    fn release(&mut self, context: &mut Context<'_>) {
        while let Some(mut command) = self.queue.pop_unanswered() {
            self.session.resolve(&mut command, context.limits);
            let (request, _) = command.into_halves(&self.session.fields());
            context.items.push(KIND.message(self.client(), request));
        }
    }

    /// Whether bytes came ahead of what they follow, because the capture has them in the wrong order.
    fn is_ahead(&self, side: Direction, bytes: &[u8]) -> bool {
        if !self.assembly.is_between(side) {
            return false;
        }
        match side {
            Direction::ToServer => match self.phase {
                Phase::Greeting => true,
                Phase::Login => bytes.get(3) == Some(&0),
                Phase::Commands => false,
            },
            Direction::ToClient => {
                self.phase != Phase::Greeting
                    && self.alignment.is_certain()
                    && !self.queue.is_awaited()
                    && self.trailing.is_none()
                    // The server ends the connection by itself.
                    && !(bytes.get(3) == Some(&0) && bytes.get(4) == Some(&0xff))
            }
        }
    }

    /// Takes bytes of a side, as far as they are whole packets. `patient` leaves those that came ahead.
    fn take(&mut self, side: Direction, bytes: &[u8], patient: bool, context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.encrypted {
            let rest = &bytes[used..];
            if patient && self.is_ahead(side, rest) {
                if side == Direction::ToClient {
                    let end = context.offset + rest.len() as u64;
                    let since = self.held.map_or(context.now, |(since, _)| since);
                    self.held = Some((since, end));
                }
                break;
            }
            match self.assembly.step(side, rest, context) {
                Step::Wait | Step::Invalid(_) => break,
                Step::Used(more) => used += more,
                Step::Message(mut framed, more) => {
                    used += more;
                    let held = self.held.filter(|&(_, end)| framed.offset < end);
                    if let Some((since, _)) = held
                        && side == Direction::ToClient
                    {
                        framed.time = since;
                    }
                    self.framed(side, framed, context);
                }
            }
        }
        if used == bytes.len() && side == Direction::ToClient {
            self.held = None;
        }
        used
    }

    /// A packet, or one with packets inside.
    fn framed(&mut self, side: Direction, framed: Framed<'_>, context: &mut Context<'_>) {
        if !self.assembly.is_compressed() {
            if let Some(packet) = self.assembly.plain(side, framed) {
                self.packet(side, &packet, context);
            }
            return;
        }
        let Some(mut unpacked) = self.assembly.unpack(side, &framed, context) else {
            return self.lose(side, context);
        };
        let (offset, now) = (context.offset, context.now);
        context.now = framed.time;
        while let Some(packet) = self.assembly.inside(side, &mut unpacked, context) {
            self.packet(side, &packet, context);
        }
        self.assembly.put_back(side, unpacked);
        (context.offset, context.now) = (offset, now);
    }

    fn packet(&mut self, side: Direction, packet: &Packet<'_>, context: &mut Context<'_>) {
        match side {
            Direction::ToServer => self.asked(packet, context),
            Direction::ToClient => self.answered(packet, context),
        }
        self.release(context);
        self.queue.recount();
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if self.client.is_none() {
            self.begin(direction, bytes, context);
        }
        let used = self.take(self.side(direction), bytes, true, context);
        if self.encrypted {
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
        let used = self.take(side, unparsed, false, context);
        let unparsed = unparsed.get(used..).unwrap_or_default();
        if let Some(cut) = self.assembly.gap(side, bytes, unparsed, context) {
            self.framed(side, cut, context);
        }
        if self.assembly.is_lost(side) {
            self.assembly.lose_inside(side);
            self.lose(side, context);
        }
        self.queue.recount();
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.assembly.lose(side);
        self.assembly.lose_inside(side);
        self.lose(side, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        let used = self.take(side, unparsed, false, context);
        let unparsed = unparsed.get(used..).unwrap_or_default();
        if let Some(cut) = self.assembly.end(side, unparsed, context) {
            self.framed(side, cut, context);
        }
        if side == Direction::ToClient {
            self.ended = Some(end);
        }
        if let Some(ended) = self.ended {
            self.give_up(Absence::Ended(ended), context);
            let stray = self.alignment.end();
            self.release_stray(stray, context);
        }
        self.queue.recount();
    }

    fn memory(&self) -> usize {
        self.queue.memory() + self.alignment.memory() + self.session.memory() + self.assembly.memory()
    }
}
