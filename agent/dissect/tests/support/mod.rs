//! Packets made by hand, and a protocol that writes down what it is given.

#![allow(dead_code, unreachable_pub)]

use std::cell::RefCell;
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{
    Context, Direction, Dissector, End, Engine, Limits, Origin, Over, Probe, Protocol, Registration,
};
use remora_packet::{LinkType, Packet, Timestamp};

pub const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 1], 40_000);
pub const SERVER: ([u8; 4], u16) = ([198, 51, 100, 2], 80);

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// A TCP segment in raw IPv4.
#[derive(Clone, Debug)]
pub struct Tcp {
    pub source: ([u8; 4], u16),
    pub destination: ([u8; 4], u16),
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub payload: Vec<u8>,
}

impl Tcp {
    pub fn new(direction: Direction, sequence: u32, flags: u8, payload: &[u8]) -> Self {
        let (source, destination) = match direction {
            Direction::ToServer => (CLIENT, SERVER),
            Direction::ToClient => (SERVER, CLIENT),
        };
        Self { source, destination, sequence, acknowledgment: 0, flags, payload: payload.to_vec() }
    }

    pub fn acknowledging(mut self, acknowledgment: u32) -> Self {
        self.acknowledgment = acknowledgment;
        self.flags |= ACK;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40 + self.payload.len());
        let total = u16::try_from(40 + self.payload.len()).unwrap_or(0);
        bytes.extend([0x45, 0]);
        bytes.extend(total.to_be_bytes());
        bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        bytes.extend(self.source.0);
        bytes.extend(self.destination.0);
        bytes.extend(self.source.1.to_be_bytes());
        bytes.extend(self.destination.1.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.acknowledgment.to_be_bytes());
        bytes.extend([0x50, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(&self.payload);
        bytes
    }
}

pub fn packet(data: &[u8], nanos: i64) -> Packet<'_> {
    let timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000 + nanos);
    Packet { timestamp, link: LinkType::RAW, interface: 0, length: data.len() as u32, data }
}

pub fn origin() -> Arc<Origin> {
    let node = Node { ip: String::from("127.0.0.1"), name: String::from("test") };
    Arc::new(Origin { worker: String::from("127.0.0.1:1"), node, backend: "pcap", source: "test" })
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    Data(Direction, Vec<u8>),
    Gap(Direction, u64),
    End(Direction, End),
}

thread_local! {
    /// What the recorders of this thread were given, with their stream's place in the order of creation.
    static EVENTS: RefCell<Vec<(usize, Event)>> = const { RefCell::new(Vec::new()) };
    static RECORDERS: RefCell<usize> = const { RefCell::new(0) };
}

/// What was written down since the last call.
pub fn events() -> Vec<(usize, Event)> {
    EVENTS.take()
}

pub static PROTOCOL: Protocol = Protocol {
    name: "recorder",
    version: "1",
    abbr: "REC",
    long_name: "Recorder",
    macro_name: "recorder",
    background_color: "#000000",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "",
    ports: &[],
    layer4: "tcp",
    priority: 0,
};

/// Takes every stream, and every byte at once.
pub static RECORDER: &[Registration] = &[Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe: |_, _, _| Probe::Certain, create: create_recorder },
}];

fn create_recorder(_: &Limits) -> Box<dyn Dissector> {
    let number = RECORDERS.with_borrow_mut(|recorders| {
        *recorders += 1;
        *recorders
    });
    Box::new(Recorder(number))
}

struct Recorder(usize);

impl Recorder {
    fn note(&self, event: Event) {
        EVENTS.with_borrow_mut(|events| events.push((self.0, event)));
    }
}

impl Dissector for Recorder {
    fn parse(&mut self, direction: Direction, bytes: &[u8], _: &mut Context<'_>) -> usize {
        self.note(Event::Data(direction, bytes.to_vec()));
        bytes.len()
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], _: &mut Context<'_>) {
        assert!(unparsed.is_empty());
        // 0 only says that the beginning was not seen.
        if bytes != 0 {
            self.note(Event::Gap(direction, bytes));
        }
    }

    fn overflow(&mut self, _: Direction, _: &[u8], _: &mut Context<'_>) {
        panic!("all bytes were taken");
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], _: &mut Context<'_>) {
        assert!(unparsed.is_empty());
        self.note(Event::End(direction, end));
    }

    fn memory(&self) -> usize {
        size_of::<Self>()
    }
}

pub fn recording_engine(limits: Limits) -> Engine {
    events();
    RECORDERS.set(0);
    Engine::with_registry(limits, origin(), RECORDER)
}
