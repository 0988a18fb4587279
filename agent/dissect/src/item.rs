//! An item: one exchange of one protocol, as scripts, filters and outputs see it.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use remora_packet::Timestamp;

use crate::address;
use crate::dissector::{Direction, End};
use crate::protocol::Protocol;
use crate::value::{Object, ObjectRef, Value};

/// Where items come from: this agent and its node. Shared by all items of an agent.
#[derive(Debug)]
pub struct Origin {
    /// The agent's own address, `ip:port`.
    pub worker: String,
    pub node: Node,
    /// How packets were obtained, `capture.backend` of the item: `ebpf`, `pcap`.
    pub backend: &'static str,
    /// `capture.source`.
    pub source: &'static str,
}

#[derive(Debug)]
pub struct Node {
    pub ip: String,
    pub name: String,
}

/// One side of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Endpoint {
    pub ip: IpAddr,
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    Tcp,
    Udp,
    /// ICMP and ICMPv6; a conversation is a pair of addresses.
    Icmp,
    Sctp,
}

/// The number of a conversation, counted from 1 by its first packet. Prints as the name of the conversation's pcap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamName {
    pub number: u64,
    pub transport: Transport,
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.transport {
            Transport::Tcp => "",
            Transport::Udp => "_udp",
            Transport::Icmp => "_icmp",
            Transport::Sctp => "_sctp",
        };
        write!(f, "{:012}{suffix}.pcap", self.number)
    }
}

/// What went wrong with an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemError {
    pub kind: ErrorKind,
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Bytes that the dissector could not make sense of, or that are missing.
    Dissection,
    /// The connection failed: refused, reset, timed out.
    Connection,
    /// No answer within the time limit.
    Timeout,
    /// A request without response, or the reverse.
    PairNotFound,
}

impl ErrorKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dissection => "dissection",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::PairNotFound => "pair-not-found",
        }
    }
}

/// Bytes known to be missing from each side of an item.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Gap {
    pub request: u64,
    pub response: u64,
}

impl Gap {
    pub const fn is_none(self) -> bool {
        self.request == 0 && self.response == 0
    }
}

/// One side of an item, in the protocol's own form.
pub trait Message: Object + fmt::Debug + Any {
    /// Bytes of heap it holds.
    fn memory(&self) -> usize;
}

/// The row that lists and logs show of an item.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Summary<'a> {
    /// What was asked: a verb, a command, a message type.
    pub method: Cow<'a, str>,
    pub method_filter: Filter<'a>,
    /// What it was about: a path, a key, a name.
    pub summary: Cow<'a, str>,
    pub summary_filter: Filter<'a>,
    /// The code answered; 0 where the protocol has none or calls success so, 1 for an error whose code is a text.
    pub status: i64,
    pub status_filter: Filter<'a>,
}

/// How the filter language selects the items that have the same in a column of their row.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Filter<'a> {
    #[default]
    None,
    /// A field that equals what the column shows: `request.path`.
    Field(&'static str),
    /// A whole query.
    Query(Cow<'a, str>),
}

impl Summary<'_> {
    /// `request.method == "GET"`; empty where nothing selects it.
    pub fn method_query(&self) -> String {
        self.method_filter.text_query(&self.method)
    }

    pub fn summary_query(&self) -> String {
        self.summary_filter.text_query(&self.summary)
    }

    pub fn status_query(&self) -> String {
        match &self.status_filter {
            Filter::None => String::new(),
            Filter::Field(field) => format!("{field} == {}", self.status),
            Filter::Query(query) => query.to_string(),
        }
    }
}

impl Filter<'_> {
    fn text_query(&self, text: &str) -> String {
        match self {
            Self::None => String::new(),
            Self::Field(field) => {
                let mut query = Vec::with_capacity(field.len() + text.len() + 6);
                query.extend_from_slice(field.as_bytes());
                query.extend_from_slice(b" == ");
                crate::json::write_str(text, &mut query);
                String::from_utf8(query).unwrap_or_default()
            }
            Self::Query(query) => query.to_string(),
        }
    }
}

/// As the item's `base` object.
impl Object for Summary<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ["method", "methodQuery", "summary", "summaryQuery", "status", "statusQuery"] {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "method" => Value::str(&self.method),
            "methodQuery" => Value::text(self.method_query()),
            "summary" => Value::str(&self.summary),
            "summaryQuery" => Value::text(self.summary_query()),
            "status" => Value::Int(self.status),
            "statusQuery" => Value::text(self.status_query()),
            _ => return None,
        })
    }
}

/// Why one half of an exchange is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absence {
    Ended(End),
    /// Bytes went missing, or made no sense, where it could have been, so that it can't be told from others.
    Lost,
    /// More requests wait for their response than the cap allows.
    TooMany,
    /// It came before the capture began.
    BeforeCapture,
    /// It did not come in the time a datagram is waited for.
    Late,
}

impl Absence {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended(End::Fin) => "the connection was closed",
            Self::Ended(End::Reset) => "the connection was reset",
            Self::Ended(End::Evicted) => "the stream was let go",
            Self::Ended(End::Input) => "the capture ended",
            Self::Lost => "bytes are missing or unreadable",
            Self::TooMany => "too many requests wait",
            Self::BeforeCapture => "it came before the capture",
            Self::Late => "it did not come in time",
        }
    }
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
    pub error: Option<ItemError>,
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
                Some(error) => Value::object(error),
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

impl Object for Node {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("ip", Value::str(&self.ip));
        visit("name", Value::str(&self.name));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "ip" => Some(Value::str(&self.ip)),
            "name" => Some(Value::str(&self.name)),
            _ => None,
        }
    }
}

/// As the item's `capture` object.
impl Object for Origin {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("backend", Value::str(self.backend));
        visit("source", Value::str(self.source));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "backend" => Some(Value::str(self.backend)),
            "source" => Some(Value::str(self.source)),
            _ => None,
        }
    }
}

/// Ports are strings, as in the documented item; the Kubernetes names are empty until a resolver fills them.
impl Object for Endpoint {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ["ip", "port", "name", "namespace", "pod", "endpointSlice", "service"] {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "ip" => Some(Value::text(address::ip(self.ip))),
            "port" => Some(Value::text(address::port(self.port))),
            "name" | "namespace" => Some(Value::str("")),
            "pod" | "endpointSlice" | "service" => Some(Value::Null),
            _ => None,
        }
    }
}

impl Object for ItemError {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("type", Value::str(self.kind.as_str()));
        visit("msg", Value::str(&self.message));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "type" => Some(Value::str(self.kind.as_str())),
            "msg" => Some(Value::str(&self.message)),
            _ => None,
        }
    }
}

impl Object for Gap {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("request", Value::count(self.request));
        visit("response", Value::count(self.response));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "request" => Some(Value::count(self.request)),
            "response" => Some(Value::count(self.response)),
            _ => None,
        }
    }
}
