//! Feeds one connection's bytes to the HTTP/1 dissector as a stream would.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use remora_dissect::item::{Node, StreamName, Transport};
use remora_dissect::{
    Context, Counters, Direction, Dissector, Draft, End, Endpoint, Item, Limits, Origin, http1, json,
};
use remora_packet::Timestamp;
use serde_json::Value;

pub(crate) use Direction::{ToClient, ToServer};

/// What happens on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Bytes(Direction, Vec<u8>),
    Gap(Direction, u64),
    End(Direction, End),
}

pub(crate) fn to_server(bytes: impl AsRef<[u8]>) -> Event {
    Event::Bytes(ToServer, bytes.as_ref().to_vec())
}

pub(crate) fn to_client(bytes: impl AsRef<[u8]>) -> Event {
    Event::Bytes(ToClient, bytes.as_ref().to_vec())
}

pub(crate) fn ends(end: End) -> [Event; 2] {
    [Event::End(ToServer, end), Event::End(ToClient, end)]
}

/// A stream that holds what the dissector leaves.
pub(crate) struct Stream {
    dissector: Box<dyn Dissector>,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) now: i64,
    pending: [Vec<u8>; 2],
    pub(crate) drafts: Vec<Draft>,
}

impl Stream {
    pub(crate) fn new(limits: Limits) -> Self {
        let dissector = http1::REGISTRATION.dissector(&limits).expect("it reads streams");
        let counters = Counters::default();
        Self {
            dissector,
            limits,
            counters,
            now: 1_000_000_000,
            pending: Default::default(),
            drafts: Vec::new(),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.dissector.memory()
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.iter().map(Vec::len).sum()
    }

    fn with<R>(
        &mut self,
        work: impl FnOnce(&mut dyn Dissector, &mut [Vec<u8>; 2], &mut Context<'_>) -> R,
    ) -> R {
        let now = Timestamp::from_nanos(self.now);
        let mut context = Context::new(now, &self.limits, &mut self.counters, &mut self.drafts);
        work(self.dissector.as_mut(), &mut self.pending, &mut context)
    }

    pub(crate) fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        let cap = self.limits.pending_bytes;
        self.with(|dissector, pending, context| {
            let pending = &mut pending[direction.index()];
            pending.extend_from_slice(bytes);
            let used = dissector.parse(direction, pending, context);
            assert!(used <= pending.len(), "more used than there was");
            pending.drain(..used);
            if pending.len() > cap {
                dissector.overflow(direction, &std::mem::take(pending), context);
            }
        });
    }

    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Bytes(direction, bytes) => self.bytes(*direction, bytes),
            Event::Gap(direction, bytes) => self.with(|dissector, pending, context| {
                dissector.gap(*direction, *bytes, &std::mem::take(&mut pending[direction.index()]), context);
            }),
            Event::End(direction, end) => self.with(|dissector, pending, context| {
                dissector.end(*direction, *end, &std::mem::take(&mut pending[direction.index()]), context);
            }),
        }
    }

    /// All items so far, as JSON.
    pub(crate) fn items(&mut self) -> Vec<Value> {
        let origin = Arc::new(Origin {
            worker: "w".to_owned(),
            node: Node { ip: "n".to_owned(), name: "n".to_owned() },
            backend: "test",
            source: "test",
        });
        let name = StreamName { number: 1, transport: Transport::Tcp };
        let side = |last| Endpoint { ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), port: u16::from(last) };
        let drafts = std::mem::take(&mut self.drafts);
        let items = drafts
            .into_iter()
            .zip(0..)
            .map(|(draft, index)| Item::new(origin.clone(), name, index, side(1), side(2), draft));
        let to_json = |item: Item| {
            let mut out = Vec::new();
            json::write_object(&item, &mut out);
            serde_json::from_slice(&out).expect("items are JSON")
        };
        items.map(to_json).collect()
    }
}

/// Feeds events a millisecond apart; returns the items as JSON.
pub(crate) fn items_of(events: &[Event]) -> Vec<Value> {
    let mut stream = Stream::new(Limits::default());
    for event in events {
        stream.event(event);
        stream.now += 1_000_000;
    }
    stream.items()
}

/// One line an item: `METHOD url -> status request-body/response-body, error`.
pub(crate) fn lines_of(events: &[Event]) -> Vec<String> {
    items_of(events).iter().map(line).collect()
}

pub(crate) fn line(item: &Value) -> String {
    let (request, response) = (&item["request"], &item["response"]);
    let request_part = match request.is_null() {
        true => "-".to_owned(),
        false => format!(
            "{} {} {}",
            request["method"].as_str().unwrap_or("?"),
            request["url"].as_str().unwrap_or("?"),
            request["bodySize"]
        ),
    };
    let response_part = match response.is_null() {
        true => "-".to_owned(),
        false => format!("{} {}", response["status"], response["bodySize"]),
    };
    let error = match item["error"].is_null() {
        true => String::new(),
        false => format!(
            ", {}: {}",
            item["error"]["type"].as_str().unwrap_or("?"),
            item["error"]["msg"].as_str().unwrap_or("?")
        ),
    };
    format!("{request_part} -> {response_part}{error}")
}

/// Small random numbers, the same in every run (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The text that a response's content holds.
pub(crate) fn content(item: &Value) -> String {
    use base64::Engine as _;
    let text = item["response"]["content"]["text"].as_str().unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("content is base64");
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h.test\r\n\r\n")
}

pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
