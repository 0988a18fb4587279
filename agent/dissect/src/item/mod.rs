//! An item: one exchange of one protocol, as scripts, filters and outputs see it.

mod conversation;
mod fault;
mod origin;
mod summary;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use remora_packet::Timestamp;

use crate::dissector::Direction;
use crate::protocol::Protocol;
use crate::value::{Object, ObjectRef, Value};

pub use conversation::{Endpoint, StreamName, Transport};
pub use fault::{Absence, ErrorKind, Gap, ItemError};
pub use origin::{Node, Origin};
pub use summary::{Filter, Summary};

/// One side of an item, in the protocol's own form.
pub trait Message: Object + fmt::Debug + Any {
    /// Bytes of heap it holds.
    fn memory(&self) -> usize;
}

/// What a dissector knows of an item when it is done with it.
#[derive(Debug)]
pub struct Draft {
    pub protocol: &'static Protocol,
    /// The direction the request took; the sender becomes `src`.
    pub request_direction: Direction,
    /// When the request's first byte was captured; the response's where there is no request.
    pub timestamp: Timestamp,
    /// Nanoseconds from the request's first byte to the response's.
    pub elapsed: Option<u64>,
    /// Bytes of each side as captured, heads included.
    pub request_size: u64,
    pub response_size: u64,
    pub request: Option<Box<dyn Message>>,
    pub response: Option<Box<dyn Message>>,
    pub error: Option<Box<ItemError>>,
    pub gap: Gap,
    /// It was carried by TLS, and decrypted.
    pub tls: bool,
    /// Makes the list row out of the two sides.
    pub summarize: fn(&Item) -> Summary<'_>,
}

/// A finished item. Reading it is cheap: [`Object::get`] computes only what is asked.
#[derive(Debug)]
pub struct Item {
    pub origin: Arc<Origin>,
    pub stream: StreamName,
    /// Position among the stream's items, from 0.
    pub index: u32,
    pub src: Endpoint,
    pub dst: Endpoint,
    pub draft: Draft,
    marks: AtomicU8,
}

const PASSED: u8 = 1;
const FAILED: u8 = 2;

impl Item {
    pub fn new(
        origin: Arc<Origin>,
        stream: StreamName,
        index: u32,
        client: Endpoint,
        server: Endpoint,
        draft: Draft,
    ) -> Self {
        let (src, dst) = match draft.request_direction {
            Direction::ToServer => (client, server),
            Direction::ToClient => (server, client),
        };
        Self::between(origin, stream, index, src, dst, draft)
    }

    /// One of which is known who sent the request and who received it.
    #[inline]
    pub(crate) const fn between(
        origin: Arc<Origin>,
        stream: StreamName,
        index: u32,
        src: Endpoint,
        dst: Endpoint,
        draft: Draft,
    ) -> Self {
        Self { origin, stream, index, src, dst, draft, marks: AtomicU8::new(0) }
    }

    /// `<worker>/<stream>-<index>`, unique on an agent.
    pub fn id(&self) -> String {
        format!("{}/{}-{}", self.origin.worker, self.stream, self.index)
    }

    pub fn summary(&self) -> Summary<'_> {
        (self.draft.summarize)(self)
    }

    /// Milliseconds between request and response, with decimals.
    pub fn elapsed_millis(&self) -> f64 {
        self.draft.elapsed.unwrap_or(0) as f64 / 1e6
    }

    /// Marks by `test.pass` and `test.fail`. Scripts run on their own threads, so several may mark one item.
    pub fn mark_passed(&self) {
        self.marks.fetch_or(PASSED, Ordering::Relaxed);
    }

    pub fn mark_failed(&self) {
        self.marks.fetch_or(FAILED, Ordering::Relaxed);
    }

    pub fn passed(&self) -> bool {
        self.marks.load(Ordering::Relaxed) & PASSED != 0
    }

    pub fn failed(&self) -> bool {
        self.marks.load(Ordering::Relaxed) & FAILED != 0
    }

    /// Bytes of heap this item holds, for the caps of the queues it waits in.
    pub fn memory(&self) -> usize {
        let side = |message: &Option<Box<dyn Message>>| message.as_ref().map_or(0, |m| m.memory());
        size_of::<Self>() + side(&self.draft.request) + side(&self.draft.response)
    }
}

fn message_value(message: &Option<Box<dyn Message>>) -> Value<'_> {
    match message {
        Some(message) => Value::object(message.as_ref()),
        None => Value::Null,
    }
}

/// The fields of an item, in the order of its JSON form. A script's `data` has exactly these.
pub const ITEM_FIELDS: [&str; 29] = [
    "id",
    "index",
    "stream",
    "worker",
    "node",
    "protocol",
    "base",
    "tls",
    "src",
    "dst",
    "namespace",
    "outgoing",
    "timestamp",
    "startTime",
    "request",
    "response",
    "requestSize",
    "responseSize",
    "size",
    "elapsedTime",
    "passed",
    "failed",
    "error",
    "gap",
    "entryFile",
    "record",
    "event",
    "capture",
    "duplicate",
];

impl Object for Item {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ITEM_FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        ITEM_FIELDS.into_iter().for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let draft = &self.draft;
        Some(match name {
            "id" => Value::text(self.id()),
            "index" => Value::Int(self.index.into()),
            "stream" => Value::text(self.stream.to_string()),
            "worker" => Value::str(&self.origin.worker),
            "node" => Value::object(&self.origin.node),
            "protocol" => Value::object(draft.protocol),
            "base" => Value::Object(ObjectRef::Owned(Box::new(self.summary()))),
            "tls" => Value::Bool(self.draft.tls),
            "src" => Value::object(&self.src),
            "dst" => Value::object(&self.dst),
            "namespace" | "record" | "duplicate" => Value::str(""),
            "outgoing" => Value::Bool(false),
            "timestamp" => Value::Int(draft.timestamp.millis()),
            "startTime" => Value::text(draft.timestamp.to_string()),
            "request" => message_value(&draft.request),
            "response" => message_value(&draft.response),
            "requestSize" => Value::count(draft.request_size),
            "responseSize" => Value::count(draft.response_size),
            "size" => Value::count(draft.request_size + draft.response_size),
            "elapsedTime" => Value::Float(self.elapsed_millis()),
            "passed" => Value::Bool(self.passed()),
            "failed" => Value::Bool(self.failed()),
            "error" => match &draft.error {
                Some(error) => Value::object(error.as_ref()),
                None => Value::Null,
            },
            "gap" if draft.gap.is_none() => Value::Null,
            "gap" => Value::object(&draft.gap),
            "entryFile" => Value::text(format!(
                "{}-{}_entry.json",
                self.stream.to_string().replace('.', "_"),
                self.index
            )),
            "event" => Value::Null,
            "capture" => Value::Object(ObjectRef::Borrowed(self.origin.as_ref())),
            _ => return None,
        })
    }
}
