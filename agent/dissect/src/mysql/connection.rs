//! A connection: who is who, which bytes are packets, and what waits for its answer.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use super::command::Command;
use super::framing::{self, FULL, Wire};
use super::login::{self, Greeting};
use super::names::{self, capability};
use super::response::{Progress, Reading, Response, Shape};
use super::statements::Statement;
use super::{KIND, packets};
use crate::dissector::{Dissector, End, Successor};
use crate::frame::{Framed, Step};
use crate::item::{Absence, ErrorKind};
use crate::remember::Remembered;
use crate::unpack::{self, Coding, DecodeCaps};
use crate::{Context, Direction, Fields, Frames, Half, Probe, Reader, Tree};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Greeting,
    Login,
    Commands,
}

/// Silence after which whoever sends a command waits for nothing.
const SILENCE_NANOS: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Connection {
    /// The direction of the client's bytes; not known before the first.
    client: Option<Direction>,
    /// Directions whose beginning was not seen.
    torn: [bool; 2],
    phase: Phase,
    wire: Wire,
    frames: Frames,
    /// Packets inside of compressed ones, and their bytes that are not a packet yet.
    inner: Frames,
    unpacked: [Vec<u8>; 2],
    /// Captured bytes of compressed packets that no packet was finished by.
    carried: [u64; 2],
    /// Packets that the next one continues.
    partial: [Option<Framed<'static>>; 2],
    greeting: Option<(Greeting, u64)>,
    pub(super) capabilities: Option<u64>,
    pub(super) user: Option<Tree>,
    pub(super) database: Option<Tree>,
    queue: VecDeque<Command>,
    /// Bytes of heap of what is in the queue.
    queued: usize,
    pub(super) statements: Remembered<u32, Statement>,
    pub(super) last_prepared: Option<u32>,
    /// All of the client's packets were seen, and remembered.
    pub(super) complete: bool,
    /// Both sides are known to be at the same command.
    aligned: bool,
    /// Since the loss: commands seen, and responses that began since the latest of them.
    turns: (bool, u32),
    answered_at: Option<Timestamp>,
    /// A response whose command is not known.
    stray: Option<Response>,
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
            wire: Wire::default(),
            frames: Frames::default(),
            inner: Frames::default(),
            unpacked: [Vec::new(), Vec::new()],
            carried: [0; 2],
            partial: [None, None],
            greeting: None,
            capabilities: None,
            user: None,
            database: None,
            queue: VecDeque::new(),
            queued: 0,
            statements: Remembered::new(),
            last_prepared: None,
            complete: true,
            aligned: true,
            turns: (false, 0),
            answered_at: None,
            stray: None,
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

    fn server(&self) -> Direction {
        self.client().reverse()
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
            self.aligned = false;
            self.complete = false;
        }
        for direction in Direction::BOTH {
            if self.torn[direction.index()] {
                let side = self.side(direction);
                if !(opens && side == Direction::ToServer) {
                    self.frames.lose(side);
                    self.lose(side, context);
                }
            }
        }
    }

    /// Packets of a direction may be missing.
    fn lose(&mut self, side: Direction, context: &mut Context<'_>) {
        self.give_up(Absence::Lost, context);
        self.end_stray(context);
        self.aligned = false;
        self.turns = (false, 0);
        self.answered_at = None;
        self.trailing = None;
        self.phase = Phase::Commands;
        self.partial[side.index()] = None;
        self.unpacked[side.index()].clear();
        self.carried[side.index()] = 0;
        // A command that was lost may have changed it.
        self.database = None;
        // So may a statement have been prepared by what was lost of either side.
        self.complete = false;
        if side == Direction::ToServer {
            self.user = None;
            self.statements.clear();
            self.last_prepared = None;
        }
    }

    fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        while let Some(mut command) = self.pop() {
            self.resolve(&mut command, context.limits);
            if !command.wants_answer() {
                let (request, _) = command.into_halves(&self.session());
                context.items.push(KIND.message(self.client(), request));
                continue;
            }
            let (request, response) = command.into_halves(&self.session());
            context.items.push(if response.has_begun() {
                let why = format!("the response is not whole: {}", absence.as_str());
                let response = response.into_half(context.limits).error(ErrorKind::Dissection, why);
                KIND.exchange(self.client(), request, response)
            } else {
                KIND.request(self.client(), request, absence)
            });
        }
    }

    /// User and default database.
    fn session(&self) -> Fields {
        let mut fields = Fields::with_capacity(2);
        let some = |tree: &Option<Tree>| tree.clone().filter(|tree| tree.as_text() != Some(""));
        fields.push_some("database", some(&self.database));
        fields.push_some("user", some(&self.user));
        fields
    }

    fn pop(&mut self) -> Option<Command> {
        let command = self.queue.pop_front()?;
        self.queued -= command.counted;
        Some(command)
    }

    /// Counts anew what a packet may have changed.
    fn recount(&mut self) {
        let Self { queue, queued, .. } = self;
        let mut count = |command: Option<&mut Command>| {
            if let Some(command) = command {
                let weight = command.weight() + command.fields.heap();
                *queued = *queued + weight - command.counted;
                command.counted = weight;
            }
        };
        count(queue.front_mut());
        count(queue.back_mut());
    }

    fn waits(&self) -> bool {
        self.queue.iter().any(Command::wants_answer)
    }

    /// Whether bytes came ahead of what they follow, because the capture has them in the wrong order.
    fn is_ahead(&self, side: Direction, bytes: &[u8]) -> bool {
        if !self.frames.is_between(side) {
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
                    && self.aligned
                    && !self.waits()
                    && self.trailing.is_none()
                    // The server ends the connection by itself.
                    && !(bytes.get(3) == Some(&0) && bytes.get(4) == Some(&0xff))
            }
        }
    }

    fn frame(&mut self, side: Direction, bytes: &[u8], patient: bool, context: &mut Context<'_>) -> usize {
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
            let wire = self.wire;
            match self.frames.step(&wire, side, rest, context) {
                Step::Wait | Step::Invalid(_) => break,
                Step::Used(more) => used += more,
                Step::Message(mut message, more) => {
                    used += more;
                    if let Some((since, _)) =
                        self.held.filter(|&(_, end)| side == Direction::ToClient && message.offset < end)
                    {
                        message.time = since;
                    }
                    self.outer(side, message, context);
                }
            }
        }
        if used == bytes.len() && side == Direction::ToClient {
            self.held = None;
        }
        used
    }

    /// A packet, or one with packets inside.
    fn outer(&mut self, side: Direction, message: Framed<'_>, context: &mut Context<'_>) {
        if !self.wire.compressed {
            let captured = message.size;
            return self.packet(side, message, captured, context);
        }
        let at = side.index();
        self.carried[at] += message.size;
        let Some(bytes) = decompress(&message, context) else {
            self.inner.lose(side);
            return self.lose(side, context);
        };
        let (offset, now) = (context.offset, context.now);
        context.now = message.time;
        let mut pending = std::mem::take(&mut self.unpacked[at]);
        pending.extend_from_slice(&bytes);
        let mut used = 0;
        while used < pending.len() {
            match self.inner.step(&Wire::default(), side, &pending[used..], context) {
                Step::Wait | Step::Invalid(_) => break,
                Step::Used(more) => used += more,
                Step::Message(inner, more) => {
                    used += more;
                    let captured = std::mem::take(&mut self.carried[at]);
                    self.packet(side, inner, captured, context);
                }
            }
        }
        pending.drain(..used);
        self.unpacked[at] = pending;
        (context.offset, context.now) = (offset, now);
    }

    /// Puts packets together that are continued.
    fn packet(&mut self, side: Direction, message: Framed<'_>, captured: u64, context: &mut Context<'_>) {
        let at = side.index();
        let full = (message.size + message.missing).saturating_sub(4) == FULL;
        match self.partial[at].take() {
            Some(mut partial) => {
                partial.size += message.size;
                partial.cut += message.size;
                partial.missing += message.missing;
                if full {
                    self.partial[at] = Some(partial);
                    return;
                }
                let captured = if self.wire.compressed { captured } else { partial.size };
                let last = message.bytes.get(3).copied().unwrap_or(0);
                self.whole(side, partial, last, captured, context);
            }
            None if full => {
                let bytes = message.bytes.into_owned().into();
                self.partial[at] = Some(Framed { bytes, ..message });
            }
            None => {
                let number = message.bytes.get(3).copied().unwrap_or(0);
                self.whole(side, message, number, captured, context);
            }
        }
        self.release(context);
        self.recount();
    }

    /// `number` is that of the last packet it was made of.
    fn whole(
        &mut self,
        side: Direction,
        message: Framed<'_>,
        number: u8,
        captured: u64,
        context: &mut Context<'_>,
    ) {
        match side {
            Direction::ToServer => self.asked(&message, number, captured, context),
            Direction::ToClient => self.answered(&message, number, captured, context),
        }
    }

    fn asked(&mut self, message: &Framed<'_>, number: u8, captured: u64, context: &mut Context<'_>) {
        let payload = message.bytes.get(4..).unwrap_or_default();
        if self.phase == Phase::Login && self.queue.is_empty() {
            return self.log_in(payload, message, captured, context);
        }
        let first = payload.first().copied();
        if message.bytes.get(3) != Some(&0) || first.is_none() {
            self.continued(message, number, captured);
            return;
        }
        let Some(command) = first.filter(|&first| names::command(first).is_some()) else {
            if !self.sure {
                return context.withdraw();
            }
            let failure =
                KIND.failure(self.client(), message.time, payload, message.offset, "an unknown command");
            context.items.push(failure);
            self.frames.lose(Direction::ToServer);
            return self.lose(Direction::ToServer, context);
        };
        let mut command = Command::new(Some(command), message.time);
        if command.wants_answer() {
            self.align(message.time, context);
        }
        command.alone = !self.aligned;
        command.count(captured, message.missing);
        command.sequence = number.wrapping_add(1);
        if let Err(error) = command.read(payload, message, self.capabilities, context.limits) {
            if !self.sure && message.is_whole() {
                return context.withdraw();
            }
            command.fault(error.what);
        }
        if self.queue.len() >= context.limits.waiting_requests.max(1) {
            self.give_up(Absence::TooMany, context);
            self.aligned = false;
            command.alone = true;
        }
        self.queue.push_back(command);
        if !self.aligned {
            // Its answer can't be told.
            self.give_up(Absence::Lost, context);
        }
    }

    /// A file that the server asked for, or a step of an authentication.
    fn continued(&mut self, message: &Framed<'_>, number: u8, captured: u64) {
        let Some(last) = self.queue.back_mut() else { return };
        last.count(captured, message.missing);
        last.sequence = number.wrapping_add(1);
        if last.number == Some(names::QUERY) {
            let size = (message.size + message.missing).saturating_sub(4);
            last.file = Some(last.file.unwrap_or(0) + size);
        }
    }

    /// The client begins a command: whether both sides are at the same place again.
    fn align(&mut self, now: Timestamp, context: &mut Context<'_>) {
        if self.aligned {
            return;
        }
        self.end_stray(context);
        let (began, responses) = std::mem::replace(&mut self.turns, (true, 0));
        let quiet = self.answered_at.is_some_and(|at| now.since(at) >= SILENCE_NANOS);
        let idle = self.frames.is_between(Direction::ToClient);
        self.aligned = idle && self.held.is_none() && (began && responses == 1 || quiet);
    }

    fn log_in(&mut self, payload: &[u8], message: &Framed<'_>, captured: u64, context: &mut Context<'_>) {
        let mut command = Command::new(None, message.time);
        command.count(captured, message.missing);
        command.sequence = message.bytes.get(3).copied().unwrap_or(0).wrapping_add(1);
        let (greeting, greeted) = self.greeting.take().unwrap_or_default();
        match login::login(payload, context.limits) {
            Ok(login) if login.encrypts => {
                let mut fields = Fields::new().with("command", "SSLRequest");
                fields.append(greeting.fields);
                let half = Half::new(message.time, captured, fields).missing(message.missing);
                context.items.push(KIND.message(self.client(), half));
                self.encrypted = true;
                return;
            }
            Ok(login) => {
                let agreed = login.capabilities & greeting.capabilities;
                self.capabilities = Some(agreed);
                command.fields.push_some("user", login.user.clone());
                command.fields.push_some("database", login.database.clone());
                command.fields.append(login.fields);
                command.fields.push("capabilities", names::capabilities(agreed).collect::<Tree>());
                (command.user, command.schema) = (login.user, login.database);
            }
            Err(error) => {
                if message.is_whole() {
                    command.fault(error.what);
                }
                self.capabilities = None;
            }
        }
        command.response.fields = greeting.fields;
        command.response.add_size(greeted);
        self.queue.push_back(command);
    }

    fn answered(&mut self, message: &Framed<'_>, number: u8, captured: u64, context: &mut Context<'_>) {
        let payload = message.bytes.get(4..).unwrap_or_default();
        self.answered_at = Some(context.now);
        if self.phase == Phase::Greeting {
            return self.greeted(payload, message, captured, context);
        }
        let length = (message.size + message.missing).saturating_sub(4);
        let eof = length == 5 && payload.first() == Some(&0xfe);
        if let Some(trailing) = self.trailing.take()
            && trailing == number
            && eof
        {
            return;
        }
        if !self.aligned {
            return self.stray_packet(payload, message, number, captured, context);
        }
        let Some(front) = self.queue.front_mut() else {
            if number == 0 && payload.first() == Some(&0xff) && message.is_whole() {
                return self.unasked(payload, message, captured, context);
            }
            return self.astray(payload, message, number, captured, context);
        };
        // Inside of compressed packets the numbers do not count on.
        if !self.wire.compressed && message.bytes.get(3).is_some_and(|&first| first != front.sequence) {
            return self.astray(payload, message, number, captured, context);
        }
        front.sequence = number.wrapping_add(1);
        front.response.count(message.time, captured, message.missing);
        let last =
            front.statement.and_then(|told| if told == u32::MAX { self.last_prepared } else { Some(told) });
        let statement = last.and_then(|number| self.statements.get(&number));
        let reading = Reading {
            capabilities: self.capabilities,
            limits: context.limits,
            columns: statement.and_then(|statement| statement.columns.as_ref()),
        };
        match front.response.take(payload, message, &reading) {
            Ok(Progress::More) => {}
            Ok(progress) => {
                if progress == Progress::DoneOrEof {
                    self.trailing = Some(number.wrapping_add(1));
                }
                self.complete_first(context);
            }
            Err(why) => {
                front.response.fault(why);
                self.misaligned(context);
            }
        }
    }

    /// The first command is answered.
    fn complete_first(&mut self, context: &mut Context<'_>) {
        let Some(mut command) = self.pop() else { return };
        self.confirm(context);
        self.resolve(&mut command, context.limits);
        if command.number.is_none() {
            self.phase = Phase::Commands;
            let compresses = capability::COMPRESS | capability::ZSTD;
            let agreed = self.capabilities.is_some_and(|capabilities| capabilities & compresses != 0);
            self.wire.compressed = agreed && command.response.error.is_none();
        }
        let session = self.session();
        self.apply(&mut command, context.limits);
        let (request, response) = command.into_halves(&session);
        context.items.push(KIND.exchange(self.client(), request, response.into_half(context.limits)));
    }

    /// Lets out commands that want no answer.
    fn release(&mut self, context: &mut Context<'_>) {
        while self.queue.front().is_some_and(|first| !first.wants_answer()) {
            let Some(mut command) = self.pop() else { return };
            self.resolve(&mut command, context.limits);
            let (request, _) = command.into_halves(&self.session());
            context.items.push(KIND.message(self.client(), request));
        }
    }

    fn greeted(&mut self, payload: &[u8], message: &Framed<'_>, captured: u64, context: &mut Context<'_>) {
        if message.bytes.get(3) == Some(&0) && payload.first() == Some(&0xff) {
            self.confirm(context);
            self.phase = Phase::Commands;
            return self.unasked(payload, message, captured, context);
        }
        match login::greeting(payload, context.limits) {
            Ok(greeting) if message.is_whole() => {
                self.greeting = Some((greeting, captured));
                self.phase = Phase::Login;
            }
            _ => self.lose(Direction::ToClient, context),
        }
    }

    /// An error of the server's own accord: it does not let the client in, or ends the connection.
    fn unasked(&mut self, payload: &[u8], message: &Framed<'_>, captured: u64, context: &mut Context<'_>) {
        let error = packets::error(payload, context.limits).unwrap_or_default();
        let fields = Fields::new().with("command", "ERR").with("error", error);
        let half = Half::new(message.time, captured, fields).missing(message.missing);
        context.items.push(KIND.message(self.server(), half));
    }

    /// What came does not belong to what waits.
    fn astray(
        &mut self,
        payload: &[u8],
        message: &Framed<'_>,
        number: u8,
        captured: u64,
        context: &mut Context<'_>,
    ) {
        if !self.sure {
            return context.withdraw();
        }
        self.misaligned(context);
        self.stray_packet(payload, message, number, captured, context);
    }

    fn misaligned(&mut self, context: &mut Context<'_>) {
        self.give_up(Absence::Lost, context);
        self.aligned = false;
        self.turns = (false, 0);
        self.phase = Phase::Commands;
        self.database = None;
        self.complete = false;
    }

    /// A packet of a response whose command is not known.
    fn stray_packet(
        &mut self,
        payload: &[u8],
        message: &Framed<'_>,
        number: u8,
        captured: u64,
        context: &mut Context<'_>,
    ) {
        let first = payload.first().copied();
        if number == 1 {
            self.end_stray(context);
            self.turns.1 = self.turns.1.saturating_add(1);
        }
        let stray = self.stray.get_or_insert_with(|| Response::new(Shape::Stream));
        stray.count(message.time, captured, message.missing);
        if number == 1 && first == Some(0xff) && message.is_whole() {
            stray.error = packets::error(payload, context.limits).ok();
        }
    }

    fn end_stray(&mut self, context: &mut Context<'_>) {
        if let Some(stray) = self.stray.take() {
            let half = stray.into_half(context.limits);
            context.items.push(KIND.response(self.client(), half, Absence::Lost));
        }
    }
}

/// What is inside of a compressed packet; `None` where not all of it is there.
fn decompress(message: &Framed<'_>, context: &Context<'_>) -> Option<Vec<u8>> {
    let mut reader = Reader::new(&message.bytes);
    reader.skip(4).ok()?;
    let size = reader.u24_le().ok()? as usize;
    let body = reader.rest();
    if !message.is_whole() {
        return None;
    }
    if size == 0 {
        return Some(body.to_vec());
    }
    let coding = if body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) { Coding::Zstd } else { Coding::Deflate };
    let limit = DecodeCaps::of(context.limits).allow(body.len());
    unpack::unpack(coding, body, limit.min(size)).filter(|bytes| bytes.len() == size)
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if self.client.is_none() {
            self.begin(direction, bytes, context);
        }
        let used = self.frame(self.side(direction), bytes, true, context);
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
        let used = self.frame(side, unparsed, false, context);
        let unparsed = unparsed.get(used..).unwrap_or_default();
        let wire = self.wire;
        if let Some(cut) = self.frames.gap(&wire, side, bytes, unparsed, context) {
            self.outer(side, cut, context);
        }
        if self.frames.is_lost(side) {
            self.inner.lose(side);
            self.lose(side, context);
        }
        self.recount();
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.frames.lose(side);
        self.inner.lose(side);
        self.lose(side, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let side = self.side(direction);
        let used = self.frame(side, unparsed, false, context);
        let unparsed = unparsed.get(used..).unwrap_or_default();
        let wire = self.wire;
        if let Some(cut) = self.frames.end(&wire, side, unparsed, context) {
            self.outer(side, cut, context);
        }
        if side == Direction::ToClient {
            self.ended = Some(end);
        }
        if let Some(ended) = self.ended {
            self.give_up(Absence::Ended(ended), context);
            self.end_stray(context);
        }
        self.recount();
    }

    fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<Command>()
            + self.queued
            + self.stray.as_ref().map_or(0, Response::heap)
            + self.statements.memory()
            + self.frames.memory()
            + self.inner.memory()
            + self.unpacked.iter().map(Vec::capacity).sum::<usize>()
            + self.partial.iter().flatten().map(|partial| partial.bytes.len()).sum::<usize>()
    }
}
