//! The handshakes between two addresses.

use std::collections::VecDeque;

use super::crypto::{Close, Stream};
use super::keys::{Initial, Keys, Opened};
use super::packet::{self, ConnectionId, Header, Kind, Version};
use super::{KIND, parameters};
use crate::item::Absence;
use crate::tls::fingerprint::{Carrier, hex};
use crate::tls::handshake::{self, Handed, Handshake};
use crate::tls::hello::ClientHello;
use crate::{Context, DatagramDissector, Direction, End, Fields, Half, Tree};

/// The smallest datagram with a client's Initial packet (RFC 9000, section 14.1).
const MIN_INITIAL: usize = 1200;

/// Connection IDs of handshakes that are over, by which packets sent later or again are known. Each handshake has the one
/// that the client begins with, and those that both sides choose for themselves.
const KNOWN_IDS: usize = 12;

/// A packet of a version that asks the server for the ones it has.
pub(super) fn asks_for_versions(header: &Header<'_>, bytes: &[u8]) -> bool {
    header.version.is_reserved()
        && bytes.len() >= MIN_INITIAL
        && (8..=20).contains(&header.destination.len())
        && header.source.len() <= 20
}

/// A list of versions of which at least one is known.
pub(super) fn offers_versions(header: &Header<'_>) -> bool {
    let (versions, rest) = header.offered.as_chunks::<4>();
    rest.is_empty() && versions.iter().any(|version| Version(u32::from_be_bytes(*version)).is_known())
}

pub(super) struct Connection {
    current: Option<Box<Current>>,
    /// The latest connection IDs that packets were sent to, of handshakes that are over. No other begins with one of them.
    known: VecDeque<ConnectionId>,
    /// A client's packet of a version that is not known, waiting for the versions that are.
    asked: Option<(Direction, Half)>,
}

/// A handshake that is not over.
struct Current {
    handshake: Handshake,
    client: Direction,
    /// What the keys follow from.
    connection_id: ConnectionId,
    /// What each side calls itself.
    sources: [Option<ConnectionId>; 2],
    /// Made for a version.
    initial: Option<Initial>,
    /// For each direction.
    keys: [Option<Keys>; 2],
    streams: [Stream; 2],
    /// Bytes of each stream that were handed over as messages.
    read: [usize; 2],
    /// The connection ID by which the server wants to be called first, in a Retry.
    retry: Option<ConnectionId>,
    /// When it is given up, on the engine's clock.
    due: u64,
}

impl Connection {
    pub(super) const fn new() -> Self {
        Self { current: None, known: VecDeque::new(), asked: None }
    }

    fn initial(
        &mut self,
        direction: Direction,
        header: &Header<'_>,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) {
        if let Some(current) = &mut self.current
            && let Some(payload) = current.open(direction, header, bytes)
        {
            current.take(direction, header, payload.bytes(), context);
        } else if !self.begin(direction, header, bytes, context) {
            context.counters.undissected_bytes += header.end.min(bytes.len()) as u64;
            return;
        }
        if self.current.as_ref().is_some_and(|current| current.handshake.is_over()) {
            self.forget();
        }
    }

    /// A packet that is not of the current handshake may begin another one, or the same again with other keys, as a
    /// Retry demands.
    fn begin(
        &mut self,
        direction: Direction,
        header: &Header<'_>,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> bool {
        if self.known.iter().any(|known| known.as_bytes() == header.destination) {
            return false;
        }
        let Some(connection_id) = ConnectionId::new(header.destination) else { return false };
        let mut next = Current {
            handshake: Handshake::new(KIND, Carrier::Quic),
            client: direction,
            connection_id,
            sources: [None, None],
            initial: None,
            keys: [None, None],
            streams: Default::default(),
            read: [0, 0],
            retry: None,
            due: context.clock + u64::from(context.limits.answer_seconds) * 1_000_000_000,
        };
        // Only the client's first packets can be opened with what they say themselves.
        let Some(payload) = next.open(direction, header, bytes) else { return false };
        if let Some(mut before) = self.current.take() {
            self.remember(before.connection_id);
            // After a Retry the client says the same once more, to be counted from here.
            if !before.is_again(&next, payload.bytes()) {
                before.give_up(Absence::Lost, context);
            }
        }
        next.take(direction, header, payload.bytes(), context);
        self.current = Some(Box::new(next));
        true
    }

    fn forget(&mut self) {
        if let Some(current) = self.current.take() {
            self.remember(current.connection_id);
            current.sources.into_iter().flatten().for_each(|source| self.remember(source));
        }
    }

    fn remember(&mut self, connection_id: ConnectionId) {
        if self.known.contains(&connection_id) {
            return;
        }
        self.known.truncate(KNOWN_IDS - 1);
        self.known.push_front(connection_id);
    }

    /// The server does not have the version.
    fn negotiation(&mut self, direction: Direction, header: &Header<'_>, context: &mut Context<'_>) {
        if !offers_versions(header) {
            return;
        }
        let versions = header.offered.as_chunks::<4>().0;
        let versions = versions.iter().map(|version| Version(u32::from_be_bytes(*version)));
        let mut all = versions.clone();
        let names = versions.filter(|version| !version.is_reserved()).map(Version::name);
        let fields = Fields::new()
            .with("type", "VersionNegotiation")
            .with("versions", names.take(context.limits.list_entries).collect::<Tree>());
        if let Some((client, asked)) = self.asked.take_if(|(client, _)| *client != direction) {
            let half = Half::new(context.now, size(header), fields);
            context.items.push(KIND.exchange(client, asked, half));
        } else if let Some(current) = self.current.as_mut().filter(|current| current.client != direction)
            // A client drops an offer of the version that it asked for (RFC 9000, section 6.2): it is of an earlier attempt.
            && current.initial.as_ref().is_none_or(|initial| all.all(|version| version != initial.version))
        {
            current.handshake.add_size(direction, size(header));
            current.handshake.answer(direction, fields, None, context);
            self.forget();
        }
    }

    fn asks(&mut self, direction: Direction, header: &Header<'_>, bytes: &[u8], context: &Context<'_>) {
        if !asks_for_versions(header, bytes) || self.asked.is_some() {
            return;
        }
        let fields = Fields::new()
            .with("type", "Initial")
            .with("quicVersion", header.version.name())
            .with("destinationConnectionId", hex(header.destination))
            .with("sourceConnectionId", hex(header.source));
        self.asked = Some((direction, Half::new(context.now, bytes.len() as u64, fields)));
    }
}

fn size(header: &Header<'_>) -> u64 {
    header.end as u64
}

impl Current {
    fn open(&mut self, direction: Direction, header: &Header<'_>, bytes: &[u8]) -> Option<Opened> {
        let sender = if direction == self.client { Direction::ToServer } else { Direction::ToClient };
        let initial = match self.initial.take() {
            Some(initial) if initial.version == header.version => initial,
            _ => {
                self.keys = [None, None];
                Initial::new(header.version, self.connection_id.as_bytes())
            }
        };
        let keys = &mut self.keys[direction.index()];
        if keys.is_none() {
            *keys = initial.keys(sender);
        }
        self.initial = Some(initial);
        let payload = keys.as_ref()?.open(header, bytes)?;
        let source = &mut self.sources[direction.index()];
        if let Some(id) = ConnectionId::new(header.source) {
            *source = Some(id);
        }
        Some(payload)
    }

    /// Takes the frames of a packet.
    fn take(&mut self, direction: Direction, header: &Header<'_>, payload: &[u8], context: &mut Context<'_>) {
        self.handshake.add_size(direction, size(header));
        let stream = &mut self.streams[direction.index()];
        stream.since.get_or_insert(context.now);
        let close = match stream.frames(payload) {
            Ok(close) => close,
            Err(error) => {
                self.handshake.fail(direction, &error.to_string());
                return;
            }
        };
        self.messages(direction, header, context);
        if let Some(close) = close {
            self.close(direction, &close, context);
        }
    }

    /// Hands over the messages that are whole.
    fn messages(&mut self, direction: Direction, header: &Header<'_>, context: &mut Context<'_>) {
        let Self { handshake, streams, read, .. } = self;
        let (stream, read) = (&streams[direction.index()], &mut read[direction.index()]);
        while let Some([kind, a, b, c, rest @ ..]) = stream.whole().get(*read..) {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let Some(body) = rest.get(..length) else { break };
            let is_first = *read == 0;
            *read += 4 + length;
            let time = stream.since.unwrap_or(context.now);
            let handed = Handed { kind: *kind, body, whole: true, time };
            if !matches!(*kind, handshake::kind::CLIENT_HELLO | handshake::kind::SERVER_HELLO) {
                continue;
            }
            if *kind == handshake::kind::CLIENT_HELLO && is_first {
                let (hello, result) = ClientHello::parse(body, false);
                handshake.client_hello(direction, &hello, result.err(), handed, context);
                describe(handshake, direction, header, &hello, context);
                continue;
            }
            handshake.message(direction, handed, context);
            if handshake.is_answered() {
                let fields = Fields::with_capacity(2)
                    .with("quicVersion", header.version.name())
                    .with("sourceConnectionId", hex(header.source));
                handshake.add_all(direction, fields, None, context.limits);
                handshake.give_up(Absence::Lost, context);
                return;
            }
        }
    }

    /// The connection is given up (RFC 9000, section 20).
    fn close(&mut self, direction: Direction, close: &Close<'_>, context: &mut Context<'_>) {
        if let 0x100..=0x1ff = close.code {
            self.handshake.alert(direction, 2, (close.code & 0xff) as u8, 0, context);
            return;
        }
        let shown = &close.reason[..close.reason.len().min(context.limits.value_bytes)];
        let fields = Fields::new()
            .with("type", "ConnectionClose")
            .with("code", close.code)
            .with("reason", Tree::lossy(shown));
        let who = if direction == self.client { "client" } else { "server" };
        let why = format!("the {who} closes the connection with error 0x{:x}", close.code);
        self.handshake.answer(direction, fields, Some(why), context);
    }

    /// Whether another beginning is this one again: what a Retry asked for, or the same ClientHello.
    fn is_again(&self, next: &Self, payload: &[u8]) -> bool {
        if self.client != next.client {
            return false;
        }
        let mut stream = Stream::default();
        let _ = stream.frames(payload);
        let (old, new) = (self.streams[self.client.index()].whole(), stream.whole());
        let same = old.len().min(new.len());
        self.retry.as_ref() == Some(&next.connection_id) || same > 0 && old[..same] == new[..same]
    }

    /// It comes out as it is.
    fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        let (stream, read) = (&self.streams[self.client.index()], self.read[self.client.index()]);
        if read == 0
            && let [handshake::kind::CLIENT_HELLO, _, _, _, body @ ..] = stream.whole()
        {
            let time = stream.since.unwrap_or(context.now);
            let handed = Handed { kind: handshake::kind::CLIENT_HELLO, body, whole: false, time };
            self.handshake.message(self.client, handed, context);
            self.handshake.fail(self.client, "the ClientHello is not whole");
        }
        self.handshake.give_up(absence, context);
    }

    fn memory(&self) -> usize {
        let streams: usize = self.streams.iter().map(Stream::memory).sum();
        size_of::<Self>() + streams + self.handshake.memory()
    }
}

/// Adds what QUIC says beside the ClientHello.
fn describe(
    handshake: &mut Handshake,
    direction: Direction,
    header: &Header<'_>,
    hello: &ClientHello<'_>,
    context: &Context<'_>,
) {
    let fields = Fields::with_capacity(4)
        .with("quicVersion", header.version.name())
        .with("destinationConnectionId", hex(header.destination))
        .with("sourceConnectionId", hex(header.source));
    let extension = hello.extension_data(57).or_else(|| hello.extension_data(0xffa5));
    let make = |extension: &[u8], caps| parameters::describe(extension, caps).into();
    let parameters = extension.map(|extension| ("transportParameters", extension, make as _));
    handshake.add_all(direction, fields, parameters, context.limits);
}

impl DatagramDissector for Connection {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], _missing: u32, context: &mut Context<'_>) {
        let mut rest = bytes;
        // A datagram may carry several packets (RFC 9000, section 12.2).
        while let Ok(header) = packet::long_header(rest) {
            match header.kind {
                Kind::Initial => self.initial(direction, &header, rest, context),
                Kind::Negotiation => self.negotiation(direction, &header, context),
                Kind::Other => self.asks(direction, &header, rest, context),
                Kind::Retry => {
                    if let Some(current) = self.current.as_mut().filter(|current| current.client != direction)
                    {
                        current.retry = ConnectionId::new(header.source);
                    }
                }
                Kind::ZeroRtt | Kind::Handshake => {}
            }
            let Some(behind) = rest.get(header.end..) else { break };
            rest = behind;
        }
    }

    fn due(&self) -> Option<u64> {
        self.current.as_ref().map(|current| current.due)
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        if let Some(current) = self.current.as_mut().filter(|current| current.due <= context.clock) {
            current.give_up(Absence::Late, context);
            self.forget();
        }
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        if let Some(mut current) = self.current.take() {
            current.give_up(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        let known = self.known.capacity() * size_of::<ConnectionId>();
        let asked = self.asked.as_ref().map_or(0, |(_, half)| half.memory());
        known + asked + self.current.as_ref().map_or(0, |current| current.memory())
    }
}
