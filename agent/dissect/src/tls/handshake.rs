//! From the messages of a handshake to its item, whatever carries them.
//!
//! The item waits until both sides encrypt: until then certificates and alerts may come that belong to it.

use remora_packet::Timestamp;

use super::certificate;
use super::fingerprint::Carrier;
use super::hello::{ClientHello, ServerHello};
use super::{message, names};
use crate::item::{Absence, ErrorKind, Message as _};
use crate::{Context, Direction, End, Fields, Half, ItemError, Kind, Tree};

pub(crate) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    /// TLS 1.3 before its draft 22.
    pub(crate) const HELLO_RETRY_REQUEST: u8 = 6;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
}

const TLS_1_3: u16 = 0x0304;

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
    /// Bytes of each direction that carried it.
    sizes: [u64; 2],
}

#[derive(Debug)]
enum State {
    Awaited,
    Open(Box<Open>),
    Over,
}

#[derive(Debug)]
struct Open {
    client: Direction,
    sides: [Side; 2],
    /// What the ServerHello chose.
    version: Option<u16>,
    /// A HelloRetryRequest came.
    retried: Option<Option<u16>>,
    hello_done: bool,
    memory: usize,
}

/// What one side sent.
#[derive(Default, Debug)]
struct Side {
    /// Its hello.
    message: Option<Fields>,
    alert: Option<Fields>,
    time: Timestamp,
    missing: u64,
    error: Option<ItemError>,
    encrypted: bool,
}

impl Side {
    fn fail(&mut self, kind: ErrorKind, message: impl Into<String>) {
        self.error.get_or_insert_with(|| ItemError { kind, message: message.into() });
    }

    fn into_half(self, size: u64) -> Option<Half> {
        let message = match (self.message, self.alert) {
            (Some(message), None) => message,
            (Some(message), Some(alert)) => message.with("alert", alert),
            (None, Some(alert)) => Fields::new().with("type", "Alert").with("alert", alert),
            (None, None) => return None,
        };
        let mut half = Half::new(self.time, size, message).missing(self.missing);
        half.error = self.error;
        Some(half)
    }
}

impl Open {
    fn new(client: Direction) -> Self {
        Self {
            client,
            sides: Default::default(),
            version: None,
            retried: None,
            hello_done: false,
            memory: size_of::<Self>(),
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    fn server(&self) -> Direction {
        self.client.reverse()
    }

    fn has(&self, direction: Direction) -> bool {
        self.sides[direction.index()].message.is_some()
    }

    fn is_1_3(&self) -> bool {
        self.version.is_some_and(|version| version >= TLS_1_3)
    }

    fn count(&mut self) {
        let held = |side: &Side| side.message.as_ref().map_or(0, Fields::memory);
        self.memory = size_of::<Self>() + self.sides.iter().map(held).sum::<usize>();
    }
}

impl Handshake {
    pub(crate) const fn new(kind: Kind, carrier: Carrier) -> Self {
        Self { kind, carrier, state: State::Awaited, sizes: [0, 0] }
    }

    /// Whether no message of it can come any more.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
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
            kind::CERTIFICATE => self.certificates(direction, handed, context),
            kind::SERVER_KEY_EXCHANGE => self.key_exchange(direction, handed.body),
            kind::SERVER_HELLO_DONE => {
                if let State::Open(open) = &mut self.state {
                    open.hello_done = true;
                }
            }
            _ => {}
        }
        if let State::Open(open) = &mut self.state {
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

    pub(crate) fn client_hello(
        &mut self,
        direction: Direction,
        hello: &ClientHello<'_>,
        error: Option<crate::ParseError>,
        handed: Handed<'_>,
        context: &Context<'_>,
    ) {
        let known = match &mut self.state {
            // The second, which answers a HelloRetryRequest, says little more than the first.
            State::Over => return,
            State::Open(open) if open.client != direction || open.has(direction) => return,
            // Its ServerHello came first: that happens where one direction has a hole.
            State::Open(_) => true,
            State::Awaited => false,
        };
        if !known {
            self.state = State::Open(Box::new(Open::new(direction)));
        }
        let State::Open(open) = &mut self.state else { return };
        let whole = handed.whole && error.is_none();
        let fields = message::client_hello(hello, self.carrier, whole, context.limits);
        let side = open.side(direction);
        side.message = Some(fields);
        side.time = handed.time;
        if let Some(error) = error
            && handed.whole
        {
            side.fail(ErrorKind::Dissection, format!("ClientHello: {error}"));
        }
        if hello.extension_data(44).is_some() {
            // A cookie repeats what a HelloRetryRequest said, so this is not the first.
            side.fail(ErrorKind::Dissection, "the first ClientHello was not captured");
        }
    }

    fn server_hello(&mut self, direction: Direction, handed: Handed<'_>, context: &Context<'_>) {
        if let State::Awaited = self.state {
            self.state = State::Open(Box::new(Open::new(direction.reverse())));
        }
        let State::Open(open) = &mut self.state else { return };
        if direction == open.client || open.has(direction) {
            return;
        }
        let (hello, result) = ServerHello::parse(handed.body);
        if handed.whole && result.is_ok() && (hello.is_retry || handed.kind == kind::HELLO_RETRY_REQUEST) {
            open.retried = Some(hello.group);
            // What looked like the end of the handshake was for middleboxes.
            open.sides.iter_mut().for_each(|side| side.encrypted = false);
            return;
        }
        let whole = handed.whole && result.is_ok();
        let mut fields = message::server_hello(&hello, whole, context.limits);
        if whole {
            open.version = Some(hello.version);
            if hello.version >= TLS_1_3 {
                fields.push("resumed", hello.pre_shared_key);
                fields.push("helloRetryRequest", open.retried.is_some());
                fields.push_some("retryGroup", open.retried.flatten().map(names::group));
            }
        }
        let side = open.side(direction);
        side.message = Some(fields);
        side.time = handed.time;
        if let Err(error) = result
            && handed.whole
        {
            side.fail(ErrorKind::Dissection, format!("ServerHello: {error}"));
        }
    }

    fn certificates(&mut self, direction: Direction, handed: Handed<'_>, context: &Context<'_>) {
        let State::Open(open) = &mut self.state else { return };
        if open.is_1_3() || !open.has(direction) {
            return;
        }
        let side = open.side(direction);
        let Some(fields) = &mut side.message else { return };
        if !handed.whole {
            return;
        }
        match certificate::list(handed.body, context.limits) {
            Ok((shown, count)) => {
                fields.set("certificates", shown);
                if let Some(count) = count {
                    fields.set("certificateCount", count);
                }
            }
            Err(error) => side.fail(ErrorKind::Dissection, format!("Certificate: {error}")),
        }
    }

    /// The group of an ephemeral key, where it is a named curve (RFC 8422, section 5.4).
    fn key_exchange(&mut self, direction: Direction, body: &[u8]) {
        let (State::Open(open), [3, high, low, ..]) = (&mut self.state, body) else { return };
        if open.is_1_3() || direction == open.client {
            return;
        }
        let Some(fields) = &mut open.side(direction).message else { return };
        let suite = fields.field("cipherSuite").and_then(Tree::as_text);
        if suite.is_some_and(|suite| suite.starts_with("TLS_ECDHE_") || suite.starts_with("TLS_ECDH_anon")) {
            fields.set("group", names::group(u16::from_be_bytes([*high, *low])));
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
        if direction != open.client && open.has(direction) && !open.is_1_3() {
            // Only a full handshake has a ServerHelloDone.
            let full = open.hello_done;
            let side = open.side(direction);
            if let Some(fields) = side.message.as_mut().filter(|_| full || side.missing == 0) {
                fields.set("resumed", !full);
            }
        }
        if open.sides.iter().all(|side| side.encrypted) {
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
                if fatal {
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
        if let State::Open(open) = &mut self.state {
            if open.has(open.client) && open.has(open.server()) {
                let why = format!("the handshake was not finished: {}", Absence::Ended(end).as_str());
                let server = open.server();
                open.side(server).fail(ErrorKind::Connection, why);
            }
            self.finish(Absence::Ended(end), context);
        }
    }

    /// Late, as datagrams go.
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
