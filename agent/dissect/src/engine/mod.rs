//! The whole way from packets to items, for one thread.

pub(crate) mod conversation;
mod ending;
mod outlet;
mod time;

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;

use remora_packet::{Packet, Timestamp};

use crate::clock::Clock;
use crate::decode::fragments::Fragments;
use crate::decode::{self, Datagram, DecodeError, Decoded, Payload, Segment};
use crate::dissector::Verdict;
use crate::flow::{Key, Shelf, Stream, Table};
use crate::item::{StreamName, Transport};
use crate::registry::REGISTRY;
use crate::stream::{Dissection, Feed};
use crate::tcp::{Connection, Step};
use crate::tls::KeyLogFault;
use crate::{Context, Counters, Direction, End, Item, Limits, Origin, Registration};
use conversation::Conclusion;
use outlet::Outlet;
use time::Doubted;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Ports of services (RFC 6335, section 6).
const WELL_KNOWN_PORTS: u16 = 1024;

/// Ports that systems give to clients: Linux from here on, others from 49,152 (RFC 6335, section 6).
const CLIENT_PORTS: u16 = 32_768;

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PacketNote {
    /// It is an IP fragment of a datagram that is not complete yet.
    pub fragmented: bool,
    /// The conversation it belongs to. None for packets that are not followed, for a fragment before the last of its datagram
    /// to come, and for the end of a conversation that the capture has no more of.
    pub stream: Option<StreamName>,
}

/// What is made of conversations besides what they carry.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Each TCP and UDP conversation is an item of its own, when it is over.
    pub conversations: bool,
    /// TCP connections that are refused, reset, or get no answer are items.
    pub connection_errors: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { conversations: false, connection_errors: true }
    }
}

/// Turns packets into items. Owned by one thread; several engines do not know of each other.
pub struct Engine {
    limits: Limits,
    options: Options,
    registry: &'static [Registration],
    counters: Counters,
    clock: Clock,
    doubted: Option<Doubted>,
    fragments: Fragments,
    table: Table,
    /// Streams that wait for something, by when to look at them.
    timers: BTreeSet<(NonZeroU64, u32)>,
    next_sweep: u64,
    /// Before this time there is nothing to look at: neither a stream that waits nor a silent one.
    wake: u64,
    /// Bytes of heap that streams hold.
    held: usize,
    outlet: Outlet,
}

impl Engine {
    pub fn new(limits: Limits, origin: Arc<Origin>) -> Self {
        Self::with_registry(limits, origin, REGISTRY)
    }

    /// An engine that knows other protocols.
    pub fn with_registry(limits: Limits, origin: Arc<Origin>, registry: &'static [Registration]) -> Self {
        Self {
            limits,
            options: Options::default(),
            registry,
            counters: Counters::default(),
            clock: Clock::default(),
            doubted: None,
            fragments: Fragments::default(),
            table: Table::new(),
            timers: BTreeSet::new(),
            next_sweep: 0,
            wake: 0,
            held: 0,
            outlet: Outlet { origin, drafts: Vec::new() },
        }
    }

    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Conversations going on.
    pub fn streams_open(&self) -> usize {
        self.table.len() - self.table.shelved(Shelf::Closed)
    }

    /// Bytes of heap held: by streams, by fragments, by the flow table.
    pub fn memory(&self) -> usize {
        self.held + self.fragments.memory() + self.table.memory()
    }

    /// Takes a packet in and appends the items that are finished by it.
    pub fn packet(&mut self, packet: &Packet<'_>, items: &mut Vec<Item>) -> PacketNote {
        self.counters.packets += 1;
        self.counters.bytes += packet.data.len() as u64;
        self.counters.truncated_packets += u64::from(packet.truncated());
        let late = self.clock.see(packet.timestamp);
        if let Some(doubted) = self.doubted.take().filter(|_| late > 0) {
            self.delay(&doubted, late);
        }
        self.elapse(items);
        match &decode::decode(packet, &self.limits) {
            Ok(decoded) => self.decoded(decoded, packet.timestamp, items),
            Err(error) => {
                self.refuse(*error);
                PacketNote::default()
            }
        }
    }

    /// Adds secrets of TLS sessions that come with the packets, in the form of a key log. They count for connections whose
    /// encrypted records are still to come.
    pub fn tls_key_log(&mut self, text: &[u8]) {
        let (cap, counters) = (self.limits.tls_sessions, &mut self.counters);
        let secrets = Arc::make_mut(self.limits.tls_secrets.get_or_insert_default());
        secrets.read(text, cap, |fault| match fault.what {
            KeyLogFault::TooMany => counters.dropped_tls_secrets += 1,
            _ => counters.bad_tls_secrets += 1,
        });
    }

    fn refuse(&mut self, error: DecodeError) {
        let counter = match error {
            DecodeError::Short(_) | DecodeError::Contradiction(_) => &mut self.counters.malformed_packets,
            DecodeError::TooDeep => &mut self.counters.too_deep_packets,
            DecodeError::UnknownLink(_)
            | DecodeError::UnknownEtherType(_)
            | DecodeError::UnknownTransport(_) => &mut self.counters.unknown_packets,
        };
        *counter += 1;
    }

    fn decoded(&mut self, decoded: &Decoded<'_>, timestamp: Timestamp, items: &mut Vec<Item>) -> PacketNote {
        self.counters.malformed_packets += u64::from(decoded.overstated);
        let stream = match &decoded.payload {
            Payload::Tcp(segment) => self.segment(decoded, segment, timestamp, items),
            Payload::Udp(datagram) | Payload::Icmp(datagram) | Payload::Sctp(datagram) => {
                let (transport, count) = match decoded.payload {
                    Payload::Icmp(_) => (Transport::Icmp, &mut self.counters.icmp_packets),
                    Payload::Sctp(_) => (Transport::Sctp, &mut self.counters.sctp_packets),
                    _ => (Transport::Udp, &mut self.counters.udp_packets),
                };
                *count += 1;
                Some(self.datagram(decoded, datagram, transport, timestamp, items))
            }
            Payload::Fragment(fragment) => {
                let now = self.clock.now();
                let whole = self.fragments.insert(fragment, now, &self.limits, &mut self.counters);
                let Some(whole) = whole else {
                    self.doubted = self.clock.doubts().then_some(Doubted::Fragment(fragment.key));
                    return PacketNote { fragmented: true, stream: None };
                };
                match decode::decode_datagram(&whole) {
                    Ok(inner) => return self.decoded(&inner, timestamp, items),
                    Err(error) => self.refuse(error),
                }
                None
            }
        };
        PacketNote { fragmented: false, stream }
    }

    fn segment(
        &mut self,
        decoded: &Decoded<'_>,
        segment: &Segment<'_>,
        timestamp: Timestamp,
        items: &mut Vec<Item>,
    ) -> Option<StreamName> {
        self.counters.tcp_packets += 1;
        let source = (decoded.source, segment.source_port);
        let destination = (decoded.destination, segment.destination_port);
        let (key, source_is_low) = Key::new(source, destination, Transport::Tcp);
        let now = self.clock.now();
        let found = self.table.find(&key);
        let slot = if let Some(slot) = found {
            let stream = self.table.stream(slot);
            let direction = direction(source_is_low, stream.client_is_low);
            if stream.connection.superseded_by(direction, segment) {
                self.end(slot, End::Evicted, items);
                self.renew(slot, source_is_low, segment, timestamp);
            }
            self.table.touch(slot, now);
            slot
        } else {
            // Without a SYN or data there is nothing to follow: the end of a conversation that is over, or one that
            // will be known by its next data.
            let empty = segment.payload.is_empty() && segment.missing == 0;
            if segment.flags.rst() || empty && !segment.flags.syn() {
                return None;
            }
            let client_is_low = client_is_low(source_is_low, segment);
            self.open(key, client_is_low, Shelf::Light, timestamp, items)
        };
        self.doubt(slot, timestamp);
        let stream = self.table.stream(slot);
        let name = stream.name();
        let direction = direction(source_is_low, stream.client_is_low);
        if let Some(tally) = &mut stream.tally {
            tally.segment(direction, segment, &stream.connection, timestamp);
        }
        if !stream.connection.closed() {
            let work = |connection: &mut Connection, step: &mut Step<'_, Feed<'_>>| {
                connection.segment(direction, segment, step);
            };
            if self.run(slot, timestamp, items, work) {
                let reset = segment.flags.rst();
                let conclusion = if reset { Conclusion::Reset(direction) } else { Conclusion::Closed };
                self.conclude(slot, conclusion, items);
            }
        }
        Some(name)
    }

    fn datagram(
        &mut self,
        decoded: &Decoded<'_>,
        datagram: &Datagram<'_>,
        transport: Transport,
        timestamp: Timestamp,
        items: &mut Vec<Item>,
    ) -> StreamName {
        let source = (decoded.source, datagram.source_port);
        let destination = (decoded.destination, datagram.destination_port);
        let (key, source_is_low) = Key::new(source, destination, transport);
        let slot = match self.table.find(&key) {
            Some(slot) => {
                self.table.touch(slot, self.clock.now());
                slot
            }
            None => {
                // Who sends first is the client, unless the capture joined late and this is an answer.
                let is_answer = [WELL_KNOWN_PORTS, CLIENT_PORTS]
                    .iter()
                    .any(|bound| datagram.source_port < *bound && datagram.destination_port >= *bound);
                self.open(key, source_is_low != is_answer, Shelf::Datagram, timestamp, items)
            }
        };
        self.doubt(slot, timestamp);
        let stream = self.table.stream(slot);
        let name = stream.name();
        let direction = direction(source_is_low, stream.client_is_low);
        if let Some(tally) = &mut stream.tally {
            let bytes = datagram.payload.len() as u64 + u64::from(datagram.missing);
            tally.datagram(direction, bytes, timestamp);
        }
        self.run(slot, timestamp, items, |_, step| {
            step.sink.datagram(direction, datagram.payload, datagram.missing);
        });
        name
    }

    /// Begins a conversation, for which another may have to go.
    fn open(
        &mut self,
        key: Key,
        client_is_low: bool,
        shelf: Shelf,
        timestamp: Timestamp,
        items: &mut Vec<Item>,
    ) -> u32 {
        while self.table.len() >= self.limits.streams.max(1) {
            let Some(slot) = self.most_dispensable() else { break };
            self.evict(slot, items);
        }
        self.counters.streams += 1;
        let mut stream = Stream::new(key, self.counters.streams, self.clock.now(), client_is_low);
        stream.opened = timestamp;
        stream.tally = self.options.conversations.then(Box::default);
        self.table.insert(stream, shelf)
    }

    /// Begins a connection on the ports of one that has ended.
    fn renew(&mut self, slot: u32, source_is_low: bool, segment: &Segment<'_>, timestamp: Timestamp) {
        self.counters.streams += 1;
        let stream = self.table.stream(slot);
        stream.number = self.counters.streams;
        stream.last_seen = self.clock.now();
        stream.opened_at = self.clock.now();
        stream.opened = timestamp;
        stream.tally = self.options.conversations.then(Box::default);
        stream.client_is_low = match segment.flags.syn() {
            true => client_is_low(source_is_low, segment),
            false => stream.client_is_low,
        };
        stream.items = 0;
        stream.connection = stream.connection.successor();
        stream.dissection = Dissection::new(Transport::Tcp);
        self.table.shelve(slot, Shelf::Light);
    }

    /// Lets a stream's connection and dissector work, then takes up what came of it. Tells whether the stream is over.
    fn run(
        &mut self,
        slot: u32,
        timestamp: Timestamp,
        items: &mut Vec<Item>,
        work: impl FnOnce(&mut Connection, &mut Step<'_, Feed<'_>>),
    ) -> bool {
        let stream = self.table.stream(slot);
        let clock = self.clock.now() - stream.lag;
        let mut feed = Feed {
            transport: stream.transport(),
            begun: Direction::BOTH.map(|direction| stream.connection.begun(direction)),
            context: Context {
                now: timestamp,
                clock,
                offset: 0,
                sent: None,
                ipv6: stream.key.is_ipv6(),
                limits: &self.limits,
                counters: &mut self.counters,
                items: &mut self.outlet.drafts,
                verdict: Verdict::default(),
                registry: self.registry,
                server_port: stream.server_port(),
                layers: 0,
            },
            dissection: &mut stream.dissection,
        };
        let mut step = Step { now: clock, captured: timestamp, limits: &self.limits, sink: &mut feed };
        work(&mut stream.connection, &mut step);

        self.outlet.emit(stream, &mut self.counters, items);
        if stream.connection.closed() || stream.dissection.over() {
            self.close(slot);
            return true;
        }
        let held = stream.connection.memory() + stream.dissection.memory();
        let due = stream.due(&self.limits).filter(|due| stream.timer.is_none_or(|timer| timer > *due));
        let before = std::mem::replace(&mut stream.held, held);
        self.held = self.held - before + held;
        let shelf = stream.shelf().of(held);
        if shelf != stream.shelf() {
            self.table.shelve(slot, shelf);
        }
        if let Some(due) = due {
            self.arm(slot, due);
        }
        if self.held > self.limits.total_bytes {
            self.make_room(items);
        }
        false
    }
}

fn direction(source_is_low: bool, client_is_low: bool) -> Direction {
    if source_is_low == client_is_low { Direction::ToServer } else { Direction::ToClient }
}

/// Who opened the connection: a SYN says so; later the smaller port is taken for the server's.
fn client_is_low(source_is_low: bool, segment: &Segment<'_>) -> bool {
    let source_is_client = match (segment.flags.syn(), segment.flags.ack()) {
        (true, false) => true,
        (true, true) => false,
        (false, _) => segment.source_port >= segment.destination_port,
    };
    source_is_client == source_is_low
}
