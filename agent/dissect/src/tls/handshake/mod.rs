//! From the messages of a handshake to its item, whatever carries them.
//!
//! The item waits until both sides encrypt: until then certificates and alerts may come that belong to it.

mod open;
mod read;

use remora_packet::Timestamp;

use super::fingerprint::Carrier;
use super::hello::ClientHello;
use super::kept::Make;
use super::{message, names};
use crate::item::{Absence, ErrorKind};
use crate::{Context, Direction, End, Fields, Half, Kind, Limits, Tree};
use open::Open;

pub(crate) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    /// DTLS up to 1.2.
    pub(crate) const HELLO_VERIFY_REQUEST: u8 = 3;
    /// TLS 1.3 before its draft 22.
    pub(crate) const HELLO_RETRY_REQUEST: u8 = 6;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// A handshake message, or as much of it as there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handed<'a> {
    pub kind: u8,
    pub body: &'a [u8],
    pub whole: bool,
    /// When its first byte was captured.
    pub time: Timestamp,
}

/// The handshake of a connection.
#[derive(Debug)]
pub(crate) struct Handshake {
    kind: Kind,
    carrier: Carrier,
    state: State,
    /// The server asked for the ClientHello again, whether or not its message was captured.
    repeated: bool,
    /// Bytes of each direction that carried it.
    sizes: [u64; 2],
}

#[derive(Debug)]
enum State {
    Awaited,
    Open(Box<Open>),
    Over,
}

impl Handshake {
    pub(crate) const fn new(kind: Kind, carrier: Carrier) -> Self {
        Self { kind, carrier, state: State::Awaited, repeated: false, sizes: [0, 0] }
    }

    /// Whether no message of it can come any more.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether no message of it came yet.
    pub(crate) const fn is_awaited(&self) -> bool {
        matches!(self.state, State::Awaited)
    }

    /// Who sent the ClientHello, where it is not over.
    pub(crate) fn client(&self) -> Option<Direction> {
        if let State::Open(open) = &self.state { Some(open.client) } else { None }
    }

    /// Whether a ClientHello waits for its ServerHello.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.version.is_none())
    }

    pub(crate) fn memory(&self) -> usize {
        if let State::Open(open) = &self.state { open.memory } else { 0 }
    }

    /// Whether a side said that what it sends is encrypted.
    pub(crate) fn is_encrypted(&self, direction: Direction) -> bool {
        matches!(&self.state, State::Open(open) if open.sides[direction.index()].encrypted)
    }

    /// Whether the ServerHello chose 1.3.
    pub(crate) fn is_1_3(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.is_1_3())
    }

    /// Whether a side's hello came.
    pub(crate) fn has(&self, direction: Direction) -> bool {
        matches!(&self.state, State::Open(open) if open.has(direction))
    }

    /// The server asked for the ClientHello again, as what follows shows.
    pub(crate) fn is_repeated(&mut self) {
        self.repeated = true;
    }

    /// Bytes that carry the handshake were captured.
    pub(crate) fn add_size(&mut self, direction: Direction, bytes: u64) {
        self.sizes[direction.index()] += bytes;
    }

    /// A message that is not encrypted.
    pub(crate) fn message(&mut self, direction: Direction, handed: Handed<'_>, context: &mut Context<'_>) {
        match handed.kind {
            kind::CLIENT_HELLO => {
                let (hello, result) = ClientHello::parse(handed.body, self.carrier == Carrier::Dtls);
                self.client_hello(direction, &hello, result.err(), handed, context);
            }
            kind::SERVER_HELLO | kind::HELLO_RETRY_REQUEST => self.server_hello(direction, handed, context),
            kind::HELLO_VERIFY_REQUEST => self.verify_request(direction, handed),
            kind::CERTIFICATE => self.certificates(direction, handed, context),
            kind::SERVER_KEY_EXCHANGE => self.key_exchange(direction, handed.body),
            _ => {}
        }
        if let State::Open(open) = &mut self.state {
            let is_last = matches!(handed.kind, kind::SERVER_HELLO_DONE | kind::CLIENT_KEY_EXCHANGE);
            open.done[direction.index()] |= is_last;
            open.full |= match self.carrier {
                // Any of them may be the only one that was captured.
                Carrier::Dtls => {
                    let others = [kind::CERTIFICATE, kind::SERVER_KEY_EXCHANGE, kind::CERTIFICATE_REQUEST];
                    is_last || others.contains(&handed.kind)
                }
                Carrier::Tcp | Carrier::Quic => handed.kind == kind::SERVER_HELLO_DONE,
            };
            open.count();
        }
    }

    /// Fields that the carrier adds to a side.
    pub(crate) fn add(&mut self, direction: Direction, name: &'static str, value: impl Into<Tree>) {
        if let State::Open(open) = &mut self.state
            && let Some(message) = &mut open.side(direction).message
        {
            message.set(name, value);
            open.count();
        }
    }

    /// Fields that the carrier adds to a side, which has none of them; the last is made of bytes when it is asked for.
    pub(crate) fn add_all(
        &mut self,
        direction: Direction,
        fields: Fields,
        later: Option<(&'static str, &[u8], Make)>,
        limits: &Limits,
    ) {
        if let State::Open(open) = &mut self.state
            && let Some(message) = &mut open.side(direction).message
        {
            message.append(fields);
            if let Some((name, body, make)) = later {
                message.set_later(name, body, limits, make);
            }
            open.count();
        }
    }

    /// A message is longer than what is kept of one.
    pub(crate) fn too_long(&mut self, direction: Direction, length: u64) {
        if let State::Open(open) = &mut self.state {
            let why = format!("a handshake message of {length} bytes is not read");
            open.side(direction).fail(ErrorKind::Dissection, why);
        }
    }

    /// Why what a side sends is not a handshake any more.
    pub(crate) fn fail(&mut self, direction: Direction, why: &str) {
        if let State::Open(open) = &mut self.state {
            open.side(direction).fail(ErrorKind::Dissection, why);
        }
    }

    /// What a side sends from here on is encrypted: it said so, or sends data.
    pub(crate) fn encrypts(&mut self, direction: Direction, is_data: bool, context: &mut Context<'_>) {
        let State::Open(open) = &mut self.state else { return };
        // With a HelloRetryRequest the messages after a ChangeCipherSpec are the ones that count.
        if open.retried.is_some() && !is_data {
            return;
        }
        open.side(direction).encrypted = true;
        let (server, is_resumed) = (open.server(), open.is_resumed());
        let full = open.full;
        if self.carrier == Carrier::Dtls && !open.is_1_3() {
            let side = open.side(server);
            if let (Some(kept), Some(is_resumed), true) = (&mut side.message, is_resumed, side.encrypted) {
                kept.set("resumed", is_resumed);
            }
        } else if direction == server && open.has(direction) && !open.is_1_3() {
            // Only a full handshake has a ServerHelloDone.
            let side = open.side(direction);
            if let Some(kept) = side.message.as_mut().filter(|_| full || side.missing == 0) {
                kept.set("resumed", !full);
            }
        }
        if open.sides.iter().all(|side| side.encrypted) {
            // Over datagrams nothing else tells that they are missing.
            if self.carrier == Carrier::Dtls && full && !open.is_1_3() {
                for direction in Direction::BOTH {
                    if !open.done[direction.index()] {
                        open.side(direction).fail(ErrorKind::Dissection, "handshake messages are missing");
                    }
                }
            }
            self.finish(Absence::Lost, context);
        }
    }

    /// An alert that is not encrypted.
    pub(crate) fn alert(
        &mut self,
        direction: Direction,
        level: u8,
        code: u8,
        size: u64,
        context: &mut Context<'_>,
    ) {
        self.sizes[direction.index()] += size;
        let fields = message::alert(level, code);
        // A warning changes nothing, but for those that only end a connection.
        let ends = level != 1 || matches!(code, 0 | 41 | 90 | 100);
        let fatal = level != 1 || matches!(code, 41 | 90);
        match &mut self.state {
            State::Over => {}
            State::Awaited if fatal => {
                let who = if direction == Direction::ToServer { "client" } else { "server" };
                let message = Fields::new().with("type", "Alert").with("alert", fields);
                let half =
                    Half::new(context.now, size, message).error(ErrorKind::Connection, alert_text(code, who));
                context.items.push(self.kind.message(direction, half));
                self.state = State::Over;
            }
            State::Awaited => {}
            State::Open(open) => {
                let who = if direction == open.client { "client" } else { "server" };
                let side = open.side(direction);
                if side.message.is_none() {
                    side.time = context.now;
                }
                side.alert = Some(fields);
                if ends {
                    side.fail(ErrorKind::Connection, alert_text(code, who));
                }
                open.count();
                if ends {
                    self.finish(Absence::Lost, context);
                }
            }
        }
    }

    /// Bytes of a side are missing.
    pub(crate) fn gap(&mut self, direction: Direction, bytes: u64) {
        let State::Open(open) = &mut self.state else { return };
        // Of TLS 1.3 nothing that a server says in the clear comes behind its hello.
        let complete = direction != open.client && open.is_1_3();
        let side = open.side(direction);
        if !side.encrypted && !complete {
            side.missing += bytes;
        }
    }

    /// Bytes of a side's messages are not in the capture, whatever came behind them.
    pub(crate) fn lose(&mut self, direction: Direction, bytes: u64) {
        if let State::Open(open) = &mut self.state {
            open.side(direction).missing += bytes;
        }
    }

    /// The server answers with something else than TLS.
    pub(crate) fn refused(&mut self, context: &mut Context<'_>) {
        if let State::Open(open) = &mut self.state {
            let client = open.client;
            let side = open.side(client);
            side.fail(ErrorKind::Connection, "the server does not answer with TLS");
            self.finish(Absence::Lost, context);
        }
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self, end: End, context: &mut Context<'_>) {
        self.leave(Absence::Ended(end), context);
    }

    /// It comes out unfinished.
    pub(crate) fn leave(&mut self, absence: Absence, context: &mut Context<'_>) {
        let State::Open(open) = &mut self.state else { return };
        let server = open.server();
        let kind = if absence == Absence::Late { ErrorKind::Timeout } else { ErrorKind::Connection };
        if !open.has(server)
            && absence != Absence::Lost
            && let Some((fields, time)) = open.verify.take()
        {
            let side = open.side(server);
            (side.message, side.time) = (Some(fields.into()), time);
        }
        if open.has(open.client) && open.has(server) {
            let why = format!("the handshake was not finished: {}", absence.as_str());
            open.side(server).fail(kind, why);
        }
        self.finish(absence, context);
    }

    /// A side answers with something else than a message of the handshake, which ends it; `error` where that is one.
    pub(crate) fn answer(
        &mut self,
        direction: Direction,
        fields: Fields,
        error: Option<String>,
        context: &mut Context<'_>,
    ) {
        let State::Open(open) = &mut self.state else { return };
        let side = open.side(direction);
        if side.message.is_none() {
            side.message = Some(fields.into());
            side.time = context.now;
        }
        if let Some(error) = error {
            side.fail(ErrorKind::Connection, error);
        }
        self.finish(Absence::Lost, context);
    }

    /// Whether the ServerHello came.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.version.is_some())
    }

    /// The item comes out as it is.
    pub(crate) fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.finish(absence, context);
    }

    fn finish(&mut self, absence: Absence, context: &mut Context<'_>) {
        let State::Open(open) = std::mem::replace(&mut self.state, State::Over) else { return };
        let Open { client, sides, .. } = *open;
        let [to_server, to_client] = sides;
        let (request, response) =
            if client == Direction::ToServer { (to_server, to_client) } else { (to_client, to_server) };
        let (request_size, response_size) =
            (self.sizes[client.index()], self.sizes[client.reverse().index()]);
        // A side without a message has bytes missing all the same.
        let (lost_of_request, lost_of_response) = (request.missing, response.missing);
        let draft = match (request.into_half(request_size), response.into_half(response_size)) {
            (Some(request), Some(response)) => self.kind.exchange(client, request, response),
            (Some(request), None) => {
                let absence = if lost_of_response > 0 { Absence::Lost } else { absence };
                self.kind.request(client, request, absence)
            }
            (None, Some(response)) => {
                let absence = if lost_of_request > 0 { Absence::Lost } else { Absence::BeforeCapture };
                self.kind.response(client, response, absence)
            }
            (None, None) => return,
        };
        context.items.push(draft);
    }
}

fn alert_text(code: u8, who: &str) -> String {
    format!("{} (alert {code} of the {who})", names::alert(code))
}
