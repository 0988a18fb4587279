//! An item: one exchange of one protocol, as scripts, filters and outputs see it.

mod conversation;
mod fault;
mod origin;
mod print;
mod summary;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use remora_packet::Timestamp;

use crate::dissector::Direction;
use crate::protocol::Protocol;
use crate::value::{Object, ObjectRef, Table, Value};
use conversation::NAME;

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
        let mut text = String::with_capacity(self.origin.worker.len() + 2 * NAME);
        text.push_str(&self.origin.worker);
        text.push('/');
        self.stream.push_stem(&mut text);
        text.push_str(".pcap-");
        text.push_str(itoa::Buffer::new().format(self.index));
        text
    }

    /// `<stream>-<index>_entry.json`, the stream's dots made underscores.
    fn entry_file(&self) -> String {
        let mut text = String::with_capacity(2 * NAME);
        self.stream.push_stem(&mut text);
        text.push_str("_pcap-");
        text.push_str(itoa::Buffer::new().format(self.index));
        text.push_str("_entry.json");
        text
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
        let error = self.draft.error.as_ref();
        let error = error.map_or(0, |error| size_of::<ItemError>() + error.message.capacity());
        size_of::<Self>() + side(&self.draft.request) + side(&self.draft.response) + error
    }
}

fn message_value(message: &Option<Box<dyn Message>>) -> Value<'_> {
    match message {
        Some(message) => Value::object(message.as_ref()),
        None => Value::Null,
    }
}

/// The fields of an item, in the order of its JSON form. A script's `data` has exactly these.
const FIELDS: Table<Item> = Table(&[
    ("id", |item| Some(Value::text(item.id()))),
    ("index", |item| Some(Value::Int(item.index.into()))),
    ("stream", |item| Some(Value::text(item.stream.text()))),
    ("worker", |item| Some(Value::str(&item.origin.worker))),
    ("node", |item| Some(Value::object(&item.origin.node))),
    ("protocol", |item| Some(Value::object(item.draft.protocol))),
    ("base", |item| Some(Value::Object(ObjectRef::Owned(Box::new(item.summary()))))),
    ("tls", |item| Some(Value::Bool(item.draft.tls))),
    ("src", |item| Some(Value::object(&item.src))),
    ("dst", |item| Some(Value::object(&item.dst))),
    ("namespace", |_| Some(Value::str(""))),
    ("outgoing", |_| Some(Value::Bool(false))),
    ("timestamp", |item| Some(Value::Int(item.draft.timestamp.millis()))),
    ("startTime", |item| Some(Value::text(item.draft.timestamp.to_string()))),
    ("request", |item| Some(message_value(&item.draft.request))),
    ("response", |item| Some(message_value(&item.draft.response))),
    ("requestSize", |item| Some(Value::count(item.draft.request_size))),
    ("responseSize", |item| Some(Value::count(item.draft.response_size))),
    ("size", |item| Some(Value::count(item.draft.request_size + item.draft.response_size))),
    ("elapsedTime", |item| Some(Value::Float(item.elapsed_millis()))),
    ("passed", |item| Some(Value::Bool(item.passed()))),
    ("failed", |item| Some(Value::Bool(item.failed()))),
    ("error", |item| Some(item.draft.error.as_deref().map_or(Value::Null, |error| Value::object(error)))),
    ("gap", |item| Some(if item.draft.gap.is_none() { Value::Null } else { Value::object(&item.draft.gap) })),
    ("entryFile", |item| Some(Value::text(item.entry_file()))),
    ("record", |_| Some(Value::str(""))),
    ("event", |_| Some(Value::Null)),
    ("capture", |item| Some(Value::object(item.origin.as_ref()))),
    ("duplicate", |_| Some(Value::str(""))),
]);

impl Object for Item {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        FIELDS.each(self, visit);
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        FIELDS.0.iter().for_each(|(name, _)| visit(name));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        FIELDS.get(self, name)
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        print::item(self, out);
    }
}
