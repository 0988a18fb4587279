//! Any bytes as a conversation of one protocol, through the whole engine.
//!
//! Every item must print as JSON, answer for each field alone as it does for all, and have a list row. Memory must stay
//! under the caps. A stream that was understood whole must be understood the same however it is cut into segments.

use remora_dissect::item::Transport;
use remora_dissect::{Direction, Engine, Item, Limits, Registration, json};
use remora_packet::{LinkType, Packet, Timestamp};

use crate::{Input, consistent, origin};

const SYN: u8 = 0x02;
const FIN: u8 = 0x01;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What happens to one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event<'a> {
    Bytes(&'a [u8]),
    Gap(u16),
    Close,
    Reset,
}

/// Caps that short inputs reach.
fn tight() -> Limits {
    Limits {
        total_bytes: MAX_MEMORY,
        pending_bytes: 512,
        message_bytes: 1 << 10,
        value_bytes: 64,
        list_entries: 8,
        nesting: 4,
        waiting_requests: 4,
        http_body_bytes: 256,
        decoded_bytes: 4 << 10,
        decode_ratio: 4,
        http_pipelined: 4,
        http_headers: 8,
        ..Limits::default()
    }
}

/// Bytes of heap a single conversation may come to under tight caps, before a stream is let go for it.
const MAX_MEMORY: usize = 256 << 10;

/// Beyond it: the flow table, and the packet and message at hand.
const SLACK: usize = 1 << 20;

struct Conversation {
    engine: Engine,
    items: Vec<Item>,
    port: u16,
    sequence: [u32; 2],
    ended: [bool; 2],
    now: i64,
}

impl Conversation {
    fn new(limits: Limits, registry: &'static [Registration], port: u16) -> Self {
        let engine = Engine::with_registry(limits, origin(), registry);
        Self { engine, items: Vec::new(), port, sequence: [1_000, 5_000], ended: [false; 2], now: 0 }
    }

    fn ip(&mut self, direction: Direction, protocol: u8, payload: &[u8]) {
        let (client, server) = ([192, 0, 2, 1], [198, 51, 100, 2]);
        let (source, destination) = match direction {
            Direction::ToServer => (client, server),
            Direction::ToClient => (server, client),
        };
        let total = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX);
        let mut data = vec![0x45, 0];
        data.extend(total.to_be_bytes());
        data.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        data.extend(source);
        data.extend(destination);
        data.extend(payload);
        let timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000 + self.now);
        let packet =
            Packet { timestamp, link: LinkType::RAW, interface: 0, length: total.into(), data: &data };
        self.engine.packet(&packet, &mut self.items);
    }

    fn ports(&self, direction: Direction) -> [u8; 4] {
        let ([a, b], [c, d]) = match direction {
            Direction::ToServer => (40_000_u16.to_be_bytes(), self.port.to_be_bytes()),
            Direction::ToClient => (self.port.to_be_bytes(), 40_000_u16.to_be_bytes()),
        };
        [a, b, c, d]
    }

    fn segment(&mut self, direction: Direction, flags: u8, payload: &[u8]) {
        let at = direction.index();
        let mut segment = self.ports(direction).to_vec();
        segment.extend(self.sequence[at].to_be_bytes());
        segment.extend(self.sequence[direction.reverse().index()].to_be_bytes());
        segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        self.ip(direction, 6, &segment);
        let length = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sequence[at] = self.sequence[at].wrapping_add(length);
    }

    fn event(&mut self, direction: Direction, event: Event<'_>, piece: usize) {
        if self.ended[direction.index()] {
            return;
        }
        match event {
            Event::Bytes(bytes) => {
                bytes.chunks(piece).for_each(|bytes| self.segment(direction, ACK, bytes));
            }
            Event::Gap(bytes) => {
                let at = &mut self.sequence[direction.index()];
                *at = at.wrapping_add(bytes.into());
                // What the receiver acknowledges was lost to the capture only.
                (0..3).for_each(|_| self.segment(direction.reverse(), ACK, &[]));
                self.now += 10_000_000_000;
            }
            Event::Close => {
                self.segment(direction, FIN | ACK, &[]);
                self.ended[direction.index()] = true;
            }
            Event::Reset => {
                self.segment(direction, RST | ACK, &[]);
                self.ended = [true, true];
            }
        }
    }
}

fn text(item: &Item) -> Vec<u8> {
    let mut text = Vec::new();
    json::write_object(item, &mut text);
    text
}

fn check(items: &[Item]) {
    for item in items {
        consistent(item);
        consistent(&item.summary());
        serde_json::from_slice::<serde_json::Value>(&text(item)).expect("items are JSON");
    }
}

fn check_memory(engine: &Engine, limits: &Limits) {
    let held = engine.memory();
    assert!(held <= limits.total_bytes + SLACK, "{held} bytes held");
}

fn texts(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| String::from_utf8_lossy(&text(item)).into_owned()).collect()
}

/// A TCP connection to `port`, read by `registry`.
///
/// The input: a byte whose lowest bit asks for tight caps, a byte for the size of pieces in the second run, then events: a
/// byte (bit 0 the direction, 1 to the client; bits 1 to 3: 6 a gap, 7 an end, else bytes), a big-endian length of two
/// bytes, and so many bytes.
pub fn stream(registry: &'static [Registration], port: u16, data: &[u8]) {
    stream_with(registry, port, data, |limits| limits);
}

/// The same with other limits.
pub fn stream_with(
    registry: &'static [Registration],
    port: u16,
    data: &[u8],
    adjust: impl Fn(Limits) -> Limits,
) {
    let mut input = Input::new(data);
    let (mode, piece) = (input.u8(), usize::from(input.u8() % 31) + 1);
    let mut events = Vec::new();
    while !input.is_empty() {
        let (what, length) = (input.u8(), input.u16());
        let event = match what >> 1 & 7 {
            6 => Event::Gap(length),
            7 if length & 1 == 0 => Event::Close,
            7 => Event::Reset,
            _ => Event::Bytes(input.take(length.into())),
        };
        events.push((Direction::BOTH[usize::from(what & 1)], event));
    }
    let limits = || adjust(if mode & 1 == 0 { Limits::default() } else { tight() });
    let run = |piece: usize| {
        let mut conversation = Conversation::new(limits(), registry, port);
        conversation.segment(Direction::ToServer, SYN, &[]);
        conversation.segment(Direction::ToClient, SYN | ACK, &[]);
        for (direction, event) in &events {
            conversation.event(*direction, *event, piece);
            check_memory(&conversation.engine, &limits());
        }
        conversation.engine.finish(&mut conversation.items);
        conversation
    };
    let whole = run(32 << 10);
    check(&whole.items);

    // Where bytes were lost or made no sense, a message may only begin with a segment: the cuts matter there.
    let counters = whole.engine.counters();
    let intact = counters.gaps == 0
        && counters.undissected_bytes == 0
        && counters.pending_overflows == 0
        && counters.evicted_streams == 0
        && whole.items.iter().all(|item| item.draft.error.is_none());
    if intact && !whole.items.is_empty() {
        let cut = run(piece);
        // A protocol may be recognised by what a whole first segment shows, and by less of it not at all.
        if cut.engine.counters().undissected_bytes == 0 {
            assert_eq!(texts(&whole.items), texts(&cut.items), "cut every {piece} bytes");
        }
    }
}

/// Packets over UDP, ICMP or SCTP, read by `registry`. The input is as for [`stream`], where a gap is a pause.
pub fn datagrams(registry: &'static [Registration], transport: Transport, port: u16, data: &[u8]) {
    let mut input = Input::new(data);
    let (mode, _) = (input.u8(), input.u8());
    let limits = if mode & 1 == 0 { Limits::default() } else { tight() };
    let mut conversation = Conversation::new(limits.clone(), registry, port);
    while !input.is_empty() {
        let (what, length) = (input.u8(), input.u16());
        let direction = Direction::BOTH[usize::from(what & 1)];
        if matches!(what >> 1 & 7, 6 | 7) {
            conversation.now += i64::from(length) * 1_000_000;
            continue;
        }
        let payload = input.take(usize::from(length).min(32 << 10));
        let mut packet = conversation.ports(direction).to_vec();
        let protocol = match transport {
            Transport::Tcp | Transport::Udp => {
                packet.extend(u16::try_from(8 + payload.len()).unwrap_or(0).to_be_bytes());
                packet.extend([0, 0]);
                17
            }
            Transport::Sctp => 132,
            Transport::Icmp => {
                packet.clear();
                1
            }
        };
        packet.extend(payload);
        conversation.ip(direction, protocol, &packet);
        check_memory(&conversation.engine, &limits);
    }
    conversation.engine.finish(&mut conversation.items);
    check(&conversation.items);
}
