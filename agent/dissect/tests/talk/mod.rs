//! A conversation made by hand, packet by packet, through the whole engine; its items as JSON.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{Counters, Direction, Engine, Item, Limits, Options, Origin, json};
use remora_packet::{LinkType, Packet, Timestamp};
use serde_json::Value;

const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 40_000);
const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const SYN: u8 = 0x02;
const FIN: u8 = 0x01;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

pub(crate) struct Talk {
    engine: Engine,
    items: Vec<Item>,
    server_port: u16,
    /// Next sequence number of each direction.
    sequence: [u32; 2],
    /// Nanoseconds since the first packet; each packet comes a millisecond after the one before.
    pub(crate) now: i64,
}

impl Talk {
    /// A conversation with the server's port `port`, before its first packet.
    pub(crate) fn new(port: u16) -> Self {
        Self::with_limits(port, Limits::default())
    }

    pub(crate) fn with_limits(port: u16, limits: Limits) -> Self {
        let origin = Origin {
            worker: "w".to_owned(),
            node: Node { ip: "192.0.2.9".to_owned(), name: "n".to_owned() },
            backend: "pcap",
            source: "test",
        };
        let engine = Engine::new(limits, Arc::new(origin));
        Self { engine, items: Vec::new(), server_port: port, sequence: [1_000, 5_000], now: 0 }
    }

    /// With other items than the default ones.
    pub(crate) fn with_options(port: u16, options: Options) -> Self {
        let mut talk = Self::new(port);
        talk.engine = talk.engine.with_options(options);
        talk
    }

    /// A TCP connection that is open.
    pub(crate) fn open(port: u16) -> Self {
        Self::new(port).handshake()
    }

    pub(crate) fn handshake(mut self) -> Self {
        self.segment(Direction::ToServer, SYN, &[], 0);
        self.segment(Direction::ToClient, SYN | ACK, &[], 0);
        self
    }

    /// The client sends, over TCP.
    pub(crate) fn client(&mut self, bytes: &[u8]) -> &mut Self {
        self.send(Direction::ToServer, bytes)
    }

    /// The server sends, over TCP.
    pub(crate) fn server(&mut self, bytes: &[u8]) -> &mut Self {
        self.send(Direction::ToClient, bytes)
    }

    /// In segments of at most 1,400 bytes.
    pub(crate) fn send(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        bytes.chunks(1_400).for_each(|chunk| self.segment(direction, ACK, chunk, 0));
        self
    }

    /// Bytes were sent and not captured.
    pub(crate) fn lose(&mut self, direction: Direction, bytes: u32) -> &mut Self {
        let at = &mut self.sequence[direction.index()];
        *at = at.wrapping_add(bytes);
        // The receiver has them.
        for _ in 0..3 {
            self.segment(direction.reverse(), ACK, &[], 0);
        }
        self
    }

    /// A packet of which the capture kept only a part.
    pub(crate) fn cut(&mut self, direction: Direction, bytes: &[u8], kept: usize) -> &mut Self {
        self.segment(direction, ACK, &bytes[..kept], bytes.len() - kept);
        self
    }

    pub(crate) fn close(&mut self) -> &mut Self {
        self.segment(Direction::ToServer, FIN | ACK, &[], 0);
        self.segment(Direction::ToClient, FIN | ACK, &[], 0);
        self
    }

    pub(crate) fn reset(&mut self, by: Direction) -> &mut Self {
        self.segment(by, RST | ACK, &[], 0);
        self
    }

    /// A UDP datagram.
    pub(crate) fn datagram(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        let (source, destination) = self.ports(direction);
        let mut packet = Vec::new();
        packet.extend(source.to_be_bytes());
        packet.extend(destination.to_be_bytes());
        packet.extend(u16::try_from(8 + bytes.len()).expect("a datagram fits").to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(bytes);
        self.ip(direction, 17, &packet, 0)
    }

    /// An IPv4 packet with any payload.
    pub(crate) fn ip(
        &mut self,
        direction: Direction,
        protocol: u8,
        payload: &[u8],
        missing: usize,
    ) -> &mut Self {
        let total = u16::try_from(20 + payload.len() + missing).expect("a packet fits");
        let (source, destination) = match direction {
            Direction::ToServer => (CLIENT.0, SERVER),
            Direction::ToClient => (SERVER, CLIENT.0),
        };
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        packet.extend(source.octets());
        packet.extend(destination.octets());
        packet.extend(payload);
        self.now += 1_000_000;
        let timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000 + self.now);
        let packet =
            Packet { timestamp, link: LinkType::RAW, interface: 0, length: total.into(), data: &packet };
        self.engine.packet(&packet, &mut self.items);
        self
    }

    fn ports(&self, direction: Direction) -> (u16, u16) {
        match direction {
            Direction::ToServer => (CLIENT.1, self.server_port),
            Direction::ToClient => (self.server_port, CLIENT.1),
        }
    }

    /// The first packet of a connection; without an answer, or again.
    pub(crate) fn syn(&mut self) -> &mut Self {
        self.sequence[0] = 1_000;
        self.segment(Direction::ToServer, SYN, &[], 0);
        self
    }

    /// What a direction sent last, `bytes` long, comes again.
    pub(crate) fn again(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.sequence[direction.index()] -= u32::try_from(bytes.len()).expect("a segment fits");
        self.send(direction, bytes)
    }

    fn segment(&mut self, direction: Direction, flags: u8, payload: &[u8], missing: usize) {
        let (source, destination) = self.ports(direction);
        let mut packet = Vec::new();
        packet.extend(source.to_be_bytes());
        packet.extend(destination.to_be_bytes());
        packet.extend(self.sequence[direction.index()].to_be_bytes());
        packet.extend(self.sequence[direction.reverse().index()].to_be_bytes());
        packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(payload);
        self.ip(direction, 6, &packet, missing);
        let length = payload.len() + missing + usize::from(flags & (SYN | FIN) != 0);
        let at = &mut self.sequence[direction.index()];
        *at = at.wrapping_add(u32::try_from(length).expect("a segment fits"));
    }

    pub(crate) fn counters(&self) -> &Counters {
        self.engine.counters()
    }

    pub(crate) fn memory(&self) -> usize {
        self.engine.memory()
    }

    /// The items since the last call.
    pub(crate) fn items(&mut self) -> Vec<Value> {
        self.items.drain(..).map(|item| as_json(&item)).collect()
    }

    /// The capture ends: the items since the last call.
    pub(crate) fn finish(&mut self) -> Vec<Value> {
        self.engine.finish(&mut self.items);
        self.items()
    }
}

pub(crate) fn as_json(item: &Item) -> Value {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    serde_json::from_slice(&out).expect("an item is JSON")
}
