//! What a connection carries, where the secrets of its session are known.
//!
//! Keys of TLS 1.2 are looked for at the first encrypted record of a direction, those of TLS 1.3 at each change of keys
//! (RFC 8446, section 7). A record counts only when its tag verifies. After bytes are missing, the number of the next record
//! is found by trying, and what the connection carries gets a gap there.

mod cipher;
mod derive;
mod messages;
mod secrets;
mod side;

use remora_packet::Timestamp;

use super::handshake::kind as message;
use super::hello::ServerHello;
use super::record::{self, HEADER, Header, kind};
use crate::read::Reader;
use crate::stream::carried::{Carried, LAYERS};
use crate::{Context, Direction, End};
use cipher::{Keys, Suite};
use secrets::Session;
pub use secrets::{KeyLogError, KeyLogFault, Secrets};
use side::{Active, Epoch, Hit, Side};

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// Early data that waits until the server says whether it takes it. Servers take 16 KiB by default.
const EARLY_BYTES: usize = 64 << 10;

const CLOSE_NOTIFY: u8 = 0;

/// What is inside a connection; nothing where no secrets are known.
#[derive(Default)]
pub(super) struct Inside(Option<Box<Tunnel>>);

struct Tunnel {
    client: Option<(Direction, [u8; 32])>,
    server: Option<Server>,
    sides: [Side; 2],
    early: Early,
    /// What the server chose, until it is asked for.
    alpn: Option<Vec<u8>>,
    /// What the record at hand says.
    buffer: Vec<u8>,
    carried: Carried,
}

/// What the ServerHello chose.
#[derive(Clone, Copy)]
struct Server {
    random: [u8; 32],
    is_1_3: bool,
    suite: Suite,
    encrypt_then_mac: bool,
}

/// Data that a client sends with its ClientHello.
#[derive(Default)]
struct Early {
    /// Whether the server takes it.
    accepted: Option<bool>,
    bytes: Vec<u8>,
    since: Option<Timestamp>,
    /// There is more than is kept.
    cut: bool,
}

/// What was found where the beginning of a record was looked for.
pub(super) enum Found {
    /// A record behind so many bytes.
    Record(usize),
    /// Nothing in so many bytes; what is behind them needs more.
    Nothing(usize),
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Inside").field(&self.0.is_some()).finish()
    }
}

impl Inside {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |tunnel| tunnel.memory())
    }

    /// Handshake bytes in the clear.
    pub(super) fn handshake(&mut self, direction: Direction, content: &[u8], context: &Context<'_>) {
        if self.0.is_none() {
            let known = context.limits.tls_secrets.as_ref().is_some_and(|secrets| !secrets.is_empty());
            if !known || context.layers >= LAYERS || !record::begins_hello(content) {
                return;
            }
            self.0 = Some(Box::new(Tunnel::new()));
        }
        if let Some(tunnel) = &mut self.0 {
            tunnel.clear_messages(direction, content);
        }
    }

    /// What a side sends from here on is encrypted, up to TLS 1.2.
    pub(super) fn changes(&mut self, direction: Direction) {
        if let Some(tunnel) = &mut self.0 {
            tunnel.sides[direction.index()].changed = true;
        }
    }

    /// Whether a record of this kind is encrypted with keys that are known.
    pub(super) fn opens(&mut self, direction: Direction, header: Header, context: &Context<'_>) -> bool {
        let Some(tunnel) = &mut self.0 else { return false };
        let kind = header.kind;
        if kind == kind::CHANGE_CIPHER_SPEC {
            return false;
        }
        let is_1_2 = tunnel.server.is_some_and(|server| !server.is_1_3);
        let side = &tunnel.sides[direction.index()];
        let encrypted = kind == kind::APPLICATION_DATA || is_1_2 && side.changed;
        if !encrypted {
            return false;
        }
        if tunnel.client.is_some() && tunnel.session(context).is_none() {
            self.0 = None;
            return false;
        }
        let is_open = tunnel.prepare(direction, context);
        if !is_open {
            tunnel.sides[direction.index()].pass(header.length as u64);
        }
        is_open
    }

    /// Takes a record for which [`Self::opens`] holds, header included. Gives the application protocol that a server of
    /// TLS 1.3 chose, where the record says it.
    pub(super) fn record(
        &mut self,
        direction: Direction,
        record: &[u8],
        captured: Timestamp,
        context: &mut Context<'_>,
    ) -> Option<Vec<u8>> {
        let tunnel = self.0.as_mut()?;
        let mut buffer = std::mem::take(&mut tunnel.buffer);
        match tunnel.attempt(direction, record, &mut buffer) {
            Some(hit) => tunnel.content(direction, hit, &buffer, captured, context),
            None => tunnel.fail(direction, record.len(), context),
        }
        tunnel.buffer = buffer;
        tunnel.alpn.take()
    }

    /// Bytes are missing.
    pub(super) fn gap(&mut self, direction: Direction, bytes: u64) {
        if let Some(tunnel) = &mut self.0 {
            tunnel.sides[direction.index()].gap(bytes);
        }
    }

    /// Whether the beginning of a record can be looked for in what comes.
    pub(super) fn is_open(&mut self, direction: Direction, context: &Context<'_>) -> bool {
        let Some(tunnel) = &mut self.0 else { return false };
        tunnel.server.is_some() && tunnel.prepare(direction, context)
    }

    /// Looks for a record, where it is not known where one begins.
    pub(super) fn search(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Found {
        let Some(tunnel) = &mut self.0 else { return Found::Nothing(bytes.len()) };
        let mut buffer = std::mem::take(&mut tunnel.buffer);
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
                if tunnel.attempt(direction, record, &mut buffer).is_some() {
                    break Found::Record(at);
                }
                tunnel.fail(direction, 0, context);
                if tunnel.sides[direction.index()].is_given_up() {
                    break Found::Nothing(bytes.len());
                }
            }
            at += 1;
        };
        tunnel.buffer = buffer;
        found
    }

    /// A side sends no more records; `cut` bytes of one were left.
    pub(super) fn end(&mut self, direction: Direction, end: End, cut: usize, context: &mut Context<'_>) {
        let Some(tunnel) = &mut self.0 else { return };
        let side = &mut tunnel.sides[direction.index()];
        if side.active.is_some() && (cut > 0 || side.is_torn()) {
            let about = side.missing.max(cut as u64);
            tunnel.carried.gap(direction, about, context);
        }
        tunnel.carried.end(direction, end, context);
    }
}

impl Tunnel {
    fn new() -> Self {
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

    fn memory(&self) -> usize {
        let messages: usize = self.sides.iter().map(Side::memory).sum();
        size_of::<Self>()
            + messages
            + self.early.bytes.capacity()
            + self.buffer.capacity()
            + self.carried.memory()
    }

    fn is_client(&self, direction: Direction) -> bool {
        self.client.is_some_and(|(client, _)| client == direction)
    }

    fn session<'a>(&self, context: &Context<'a>) -> Option<&'a Session> {
        context.limits.tls_secrets.as_deref()?.of(&self.client?.1)
    }

    fn clear_messages(&mut self, direction: Direction, mut content: &[u8]) {
        while let Some((kind, body)) = self.sides[direction.index()].messages.next(&mut content) {
            match kind {
                message::CLIENT_HELLO => {
                    if let Some(random) = random(&body) {
                        self.client = Some((direction, random));
                    }
                }
                message::SERVER_HELLO => self.server_hello(&body),
                _ => {}
            }
        }
    }

    fn server_hello(&mut self, body: &[u8]) {
        let (hello, result) = ServerHello::parse(body);
        if result.is_err() || hello.is_retry {
            return;
        }
        let Some(random) = random(body) else { return };
        let has = |number| hello.extensions.iter().any(|extension| extension.number == number);
        // Up to TLS 1.2: compression, and a MAC that is cut (RFC 6066, section 7).
        let compression = body.get(2 + 32 + 1 + hello.session_id.len() + 2);
        let is_plain = compression == Some(&0) && !has(4);
        self.server = match hello.version {
            TLS_1_2 | TLS_1_3 if is_plain => Suite::of(hello.cipher).map(|suite| Server {
                random,
                is_1_3: hello.version == TLS_1_3,
                suite,
                encrypt_then_mac: has(22),
            }),
            _ => None,
        };
    }

    /// Sees to it that a side has keys, where they are known.
    fn prepare(&mut self, direction: Direction, context: &Context<'_>) -> bool {
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

    /// Decrypts a record with the keys and the number that fit.
    fn attempt(&mut self, direction: Direction, record: &[u8], buffer: &mut Vec<u8>) -> Option<Hit> {
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
            Some(_) if before == Some(Epoch::Early) && self.early.accepted.is_none() => self.early.cut = true,
            Some(about) if before != Some(Epoch::Early) || self.early.accepted == Some(true) => {
                self.carried.gap(direction, about, context);
            }
            _ => {}
        }
        match kind {
            kind::APPLICATION_DATA if epoch == Some(Epoch::Early) => {
                self.early_data(direction, bytes, captured, context);
            }
            kind::APPLICATION_DATA => {
                if self.is_client(direction) {
                    self.drop_early(direction, context);
                }
                self.sides[direction.index()].has_data = true;
                self.carried.data(direction, bytes, captured, context);
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

    /// Takes messages that were encrypted.
    fn messages(&mut self, direction: Direction, mut content: &[u8], context: &mut Context<'_>) {
        let Some(Server { is_1_3: true, suite, .. }) = self.server else { return };
        while let Some((kind, body)) = self.sides[direction.index()].messages.next(&mut content) {
            let epoch = self.sides[direction.index()].epoch();
            match (kind, epoch) {
                (messages::ENCRYPTED_EXTENSIONS, Some(Epoch::Handshake)) if !self.is_client(direction) => {
                    let (alpn, takes_early_data) = encrypted_extensions(&body);
                    self.alpn = alpn.map(<[u8]>::to_vec);
                    self.early.accepted = Some(takes_early_data);
                    self.release_early(direction.reverse(), context);
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

    fn early_data(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        captured: Timestamp,
        context: &mut Context<'_>,
    ) {
        match self.early.accepted {
            Some(true) => {
                self.sides[direction.index()].has_data = true;
                self.carried.data(direction, bytes, captured, context);
            }
            Some(false) => {}
            None => {
                let early = &mut self.early;
                if early.cut {
                    return;
                }
                early.since.get_or_insert(captured);
                let kept = bytes.len().min(EARLY_BYTES - early.bytes.len());
                early.bytes.extend_from_slice(&bytes[..kept]);
                early.cut |= kept < bytes.len();
            }
        }
    }

    /// The server said whether it takes early data.
    fn release_early(&mut self, client: Direction, context: &mut Context<'_>) {
        let early = std::mem::take(&mut self.early);
        self.early.accepted = early.accepted;
        if early.accepted == Some(true) {
            self.sides[client.index()].has_data |= !early.bytes.is_empty();
            let captured = early.since.unwrap_or(context.now);
            // It was sent before what is being read now.
            let sent = context.sent.take();
            self.carried.data(client, &early.bytes, captured, context);
            context.sent = sent;
            if early.cut {
                self.carried.gap(client, 1, context);
            }
        }
    }

    /// The server did not say whether it takes early data, and more data comes.
    fn drop_early(&mut self, client: Direction, context: &mut Context<'_>) {
        if self.early.accepted.is_none() && (self.early.cut || !self.early.bytes.is_empty()) {
            let about = self.early.bytes.len() as u64;
            self.early = Early::default();
            self.carried.gap(client, about, context);
        }
    }
}

/// The random value of a hello.
fn random(body: &[u8]) -> Option<[u8; 32]> {
    body.get(2..34)?.try_into().ok()
}

/// The application protocol, and whether early data is taken.
fn encrypted_extensions(body: &[u8]) -> (Option<&[u8]>, bool) {
    let (mut alpn, mut takes_early_data) = (None, false);
    let mut reader = Reader::new(body);
    let mut read = || -> Result<(), crate::ParseError> {
        reader.skip(2)?;
        while !reader.is_empty() {
            let number = reader.u16_be()?;
            let data = super::hello::block16(&mut reader)?;
            match (number, data) {
                // A list of one name.
                (16, [_, _, _, name @ ..]) => alpn = Some(name),
                (42, _) => takes_early_data = true,
                _ => {}
            }
        }
        Ok(())
    };
    // What came before an error counts.
    let _ = read();
    (alpn, takes_early_data)
}

#[cfg(test)]
mod tests {
    pub(super) fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        digits.as_chunks::<2>().0.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect()
    }
}
