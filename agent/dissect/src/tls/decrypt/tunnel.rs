//! The inside of one connection: records are decrypted with the keys of their side, and what they say is carried on.

use remora_packet::Timestamp;

use super::super::handshake::kind as message;
use super::super::record::{HEADER, Header, kind};
use super::Found;
use super::agreed::{self, EncryptedExtensions, Random, Server};
use super::cipher::Keys;
use super::early::Early;
use super::messages;
use super::secrets::Session;
use super::side::{Active, Epoch, Hit, Side};
use crate::stream::carried::Carried;
use crate::{Context, Direction, End};

const CLOSE_NOTIFY: u8 = 0;

pub(super) struct Tunnel {
    client: Option<(Direction, Random)>,
    server: Option<Server>,
    sides: [Side; 2],
    early: Early,
    /// What the server chose, until it is asked for.
    alpn: Option<Vec<u8>>,
    /// What the record at hand says.
    buffer: Vec<u8>,
    carried: Carried,
}

impl Tunnel {
    pub(super) fn new() -> Self {
        Self {
            client: None,
            server: None,
            sides: Default::default(),
            early: Early::default(),
            alpn: None,
            buffer: Vec::new(),
            carried: Carried::new(),
        }
    }

    pub(super) fn memory(&self) -> usize {
        let messages: usize = self.sides.iter().map(Side::memory).sum();
        size_of::<Self>() + messages + self.early.memory() + self.buffer.capacity() + self.carried.memory()
    }

    fn is_client(&self, direction: Direction) -> bool {
        self.client.is_some_and(|(client, _)| client == direction)
    }

    fn session<'a>(&self, context: &Context<'a>) -> Option<&'a Session> {
        context.limits.tls_secrets.as_deref()?.of(&self.client?.1)
    }

    /// It is known which session it is, and that its secrets are not.
    pub(super) fn is_hopeless(&self, context: &Context<'_>) -> bool {
        self.client.is_some() && self.session(context).is_none()
    }

    /// What the server chose is known.
    pub(super) const fn is_agreed(&self) -> bool {
        self.server.is_some()
    }

    /// Takes handshake bytes in the clear.
    pub(super) fn clear_messages(&mut self, direction: Direction, mut content: &[u8]) {
        while let Some((kind, body)) = self.sides[direction.index()].messages.next(&mut content) {
            match kind {
                message::CLIENT_HELLO => {
                    if let Some(random) = agreed::random(&body) {
                        self.client = Some((direction, random));
                    }
                }
                message::SERVER_HELLO => {
                    if let Some(server) = Server::chosen(&body) {
                        self.server = server;
                    }
                }
                _ => {}
            }
        }
    }

    /// A side sent a ChangeCipherSpec.
    pub(super) const fn changes(&mut self, direction: Direction) {
        self.sides[direction.index()].changed = true;
    }

    /// Whether a record of this kind is encrypted.
    pub(super) fn encrypts(&self, direction: Direction, kind: u8) -> bool {
        let is_1_2 = self.server.is_some_and(|server| !server.is_1_3);
        let changed = self.sides[direction.index()].changed;
        kind != kind::CHANGE_CIPHER_SPEC && (kind == kind::APPLICATION_DATA || is_1_2 && changed)
    }

    /// A record came before it was known how to read it.
    pub(super) fn pass(&mut self, direction: Direction, bytes: u64) {
        self.sides[direction.index()].pass(bytes);
    }

    /// Sees to it that a side has keys, where they are known.
    pub(super) fn prepare(&mut self, direction: Direction, context: &Context<'_>) -> bool {
        let side = &self.sides[direction.index()];
        if side.is_given_up() || side.active.is_some() {
            return side.active.is_some();
        }
        let active = self.session(context).and_then(|session| self.first_keys(direction, session));
        let is_known = self.client.is_some() && self.server.is_some();
        let side = &mut self.sides[direction.index()];
        match active {
            Some(active) => side.active = Some(active),
            // Nothing can add to it.
            None if is_known => side.give_up(),
            None => {}
        }
        side.active.is_some()
    }

    fn first_keys(&self, direction: Direction, session: &Session) -> Option<Active> {
        let is_client = self.is_client(direction);
        let which = usize::from(!is_client);
        let Some(server) = self.server else {
            let secret = session.early.filter(|_| is_client)?;
            return Active::early(&secret, session);
        };
        if server.is_1_3 {
            return Active::of_session(server.suite, session, which);
        }
        let client_random = &self.client?.1;
        let keys = Keys::of_master(
            server.suite,
            session.master.as_ref()?,
            client_random,
            &server.random,
            is_client,
            server.encrypt_then_mac,
        )?;
        Some(Active::of_master(keys))
    }

    /// Takes a whole record, header included. Gives the application protocol, once the server has said it.
    pub(super) fn record(
        &mut self,
        direction: Direction,
        record: &[u8],
        captured: Timestamp,
        context: &mut Context<'_>,
    ) -> Option<Vec<u8>> {
        let mut buffer = std::mem::take(&mut self.buffer);
        match self.attempt(direction, record, &mut buffer) {
            Some(hit) => self.content(direction, hit, &buffer, captured, context),
            None => self.fail(direction, record.len(), context),
        }
        self.buffer = buffer;
        self.alpn.take()
    }

    /// Decrypts a record with the keys and the number that fit.
    fn attempt(&self, direction: Direction, record: &[u8], buffer: &mut Vec<u8>) -> Option<Hit> {
        self.sides[direction.index()].attempt(record, self.server.map(|server| server.suite), buffer)
    }

    /// A record could not be decrypted.
    fn fail(&mut self, direction: Direction, bytes: usize, context: &mut Context<'_>) {
        context.counters.undecrypted_records += 1;
        let side = &mut self.sides[direction.index()];
        side.fail(bytes as u64);
        if side.is_given_up() && side.has_data {
            let about = side.missing;
            self.carried.gap(direction, about, context);
            self.carried.end(direction, End::Evicted, context);
        }
    }

    /// Bytes are missing.
    pub(super) fn gap(&mut self, direction: Direction, bytes: u64) {
        self.sides[direction.index()].gap(bytes);
    }

    /// Looks for a record, where it is not known where one begins.
    pub(super) fn search(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Found {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        let found = loop {
            let rest = &bytes[at..];
            let Some(next) = memchr::memmem::find(rest, &[kind::APPLICATION_DATA, 3, 3]) else {
                break Found::Nothing(bytes.len() - rest.len().min(2));
            };
            at += next;
            let candidate = &bytes[at..];
            if candidate.len() < HEADER {
                break Found::Nothing(at);
            }
            if let Some(header) = Header::read(candidate) {
                let Some(record) = candidate.get(..HEADER + header.length) else { break Found::Nothing(at) };
                if self.attempt(direction, record, &mut buffer).is_some() {
                    break Found::Record(at);
                }
                self.fail(direction, 0, context);
                if self.sides[direction.index()].is_given_up() {
                    break Found::Nothing(bytes.len());
                }
            }
            at += 1;
        };
        self.buffer = buffer;
        found
    }

    /// Takes what a record says.
    fn content(
        &mut self,
        direction: Direction,
        hit: Hit,
        bytes: &[u8],
        captured: Timestamp,
        context: &mut Context<'_>,
    ) {
        let kind = hit.kind;
        let side = &mut self.sides[direction.index()];
        let before = side.epoch();
        let hole = side.accept(hit);
        let epoch = side.epoch();
        match hole {
            // What waits is not whole.
            Some(_) if before == Some(Epoch::Early) && self.early.accepted().is_none() => self.early.cut(),
            Some(about) if before != Some(Epoch::Early) || self.early.accepted() == Some(true) => {
                self.carried.gap(direction, about, context);
            }
            _ => {}
        }
        match kind {
            kind::APPLICATION_DATA if epoch == Some(Epoch::Early) => match self.early.accepted() {
                Some(true) => self.data(direction, bytes, captured, context),
                Some(false) => {}
                None => self.early.wait(bytes, captured),
            },
            kind::APPLICATION_DATA => {
                // The server did not say whether it takes early data, and more data comes.
                if self.is_client(direction)
                    && let Some(about) = self.early.give_up()
                {
                    self.carried.gap(direction, about, context);
                }
                self.data(direction, bytes, captured, context);
            }
            kind::HANDSHAKE => self.messages(direction, bytes, context),
            kind::ALERT => match *bytes {
                [_, CLOSE_NOTIFY] => self.carried.end(direction, End::Fin, context),
                [2, _] => self.carried.end(direction, End::Reset, context),
                _ => {}
            },
            _ => {}
        }
    }

    fn data(&mut self, direction: Direction, bytes: &[u8], captured: Timestamp, context: &mut Context<'_>) {
        self.sides[direction.index()].has_data = true;
        self.carried.data(direction, bytes, captured, context);
    }

    /// Takes messages that were encrypted.
    fn messages(&mut self, direction: Direction, mut content: &[u8], context: &mut Context<'_>) {
        let Some(Server { is_1_3: true, suite, .. }) = self.server else { return };
        while let Some((kind, body)) = self.sides[direction.index()].messages.next(&mut content) {
            let epoch = self.sides[direction.index()].epoch();
            match (kind, epoch) {
                (messages::ENCRYPTED_EXTENSIONS, Some(Epoch::Handshake)) if !self.is_client(direction) => {
                    let extensions = EncryptedExtensions::read(&body);
                    self.alpn = extensions.alpn.map(<[u8]>::to_vec);
                    self.answer_early(direction.reverse(), extensions.takes_early_data, context);
                }
                (messages::END_OF_EARLY_DATA, Some(Epoch::Early))
                | (messages::FINISHED, Some(Epoch::Handshake))
                | (messages::KEY_UPDATE, Some(Epoch::Application)) => {
                    self.sides[direction.index()].change_keys(suite);
                }
                _ => {}
            }
        }
    }

    /// The server said whether it takes early data.
    fn answer_early(&mut self, client: Direction, accepted: bool, context: &mut Context<'_>) {
        let Some(waited) = self.early.answer(accepted) else { return };
        self.sides[client.index()].has_data |= !waited.bytes.is_empty();
        // They were sent before what is being read now.
        let sent = context.sent.take();
        self.carried.data(client, &waited.bytes, waited.since.unwrap_or(context.now), context);
        context.sent = sent;
        if waited.cut {
            self.carried.gap(client, 1, context);
        }
    }

    /// A side sends no more records; `cut` bytes of one were left.
    pub(super) fn end(&mut self, direction: Direction, end: End, cut: usize, context: &mut Context<'_>) {
        let side = &self.sides[direction.index()];
        if side.active.is_some() && (cut > 0 || side.is_torn()) {
            let about = side.missing.max(cut as u64);
            self.carried.gap(direction, about, context);
        }
        self.carried.end(direction, end, context);
    }
}
