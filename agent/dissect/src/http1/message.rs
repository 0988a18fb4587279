//! A request or response as its bytes, and the JSON shape that is read out of them on demand.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use super::content;
use super::fields::{self, Fields, Headers};
use super::post_data::PostData;
use super::query;
use super::text_map::TextMap;
use crate::item::Message;
use crate::tree::Tree;
use crate::unpack::DecodeCaps;
use crate::value::{Object, ObjectRef, Value};
use crate::{Limits, graphql};

/// Bytes reserved for a body on the word of its Content-Length alone.
const TRUSTED_LENGTH: u64 = 64 << 10;

/// What requests and responses have in common: head and body in one buffer.
#[derive(Debug)]
pub(crate) struct Stored {
    buffer: Vec<u8>,
    head: usize,
    /// Body bytes as transferred, whether kept or not.
    pub(crate) body_size: u64,
    /// Kept body bytes before the first that is missing. A coded body can be decoded no further.
    unbroken: usize,
    caps: DecodeCaps,
    body_cap: usize,
    trailers: Option<Box<[u8]>>,
    decoded: OnceLock<Option<Vec<u8>>>,
}

impl Stored {
    pub(crate) fn new(head: &[u8], announced: u64, limits: &Limits) -> Self {
        let body = announced.min(TRUSTED_LENGTH).min(limits.http_body_bytes as u64) as usize;
        let mut buffer = Vec::with_capacity(head.len() + body);
        buffer.extend_from_slice(head);
        Self {
            buffer,
            head: head.len(),
            body_size: 0,
            unbroken: usize::MAX,
            caps: DecodeCaps::of(limits),
            body_cap: limits.http_body_bytes,
            trailers: None,
            decoded: OnceLock::new(),
        }
    }

    /// Takes body bytes in; true when this is where the body outgrew its cap.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> bool {
        let kept = self.buffer.len() - self.head;
        let take = bytes.len().min(self.body_cap - kept);
        self.buffer.extend_from_slice(&bytes[..take]);
        let was_whole = self.body_size <= self.body_cap as u64;
        self.body_size = self.body_size.saturating_add(bytes.len() as u64);
        was_whole && self.body_size > self.body_cap as u64
    }

    /// Counts body bytes that never came.
    pub(crate) fn skip(&mut self, bytes: u64) {
        self.unbroken = self.unbroken.min(self.buffer.len() - self.head);
        self.body_size = self.body_size.saturating_add(bytes);
    }

    pub(crate) fn set_trailers(&mut self, lines: &[u8]) {
        if Fields::of_lines(lines).next().is_some() {
            self.trailers = Some(lines.into());
        }
    }

    pub(crate) fn memory(&self) -> usize {
        let decoded = self.decoded.get().and_then(Option::as_ref).map_or(0, Vec::capacity);
        self.buffer.capacity() + self.trailers.as_ref().map_or(0, |lines| lines.len()) + decoded
    }

    pub(crate) fn head(&self) -> &[u8] {
        &self.buffer[..self.head]
    }

    fn body(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    fn fields(&self) -> Fields<'_> {
        Fields::of_head(self.head())
    }

    /// The body without its codings, where it has any.
    fn decoded(&self) -> Option<&[u8]> {
        let decode = || {
            let body = self.body();
            content::decode(&body[..body.len().min(self.unbroken)], self.fields(), self.caps)
        };
        self.decoded.get_or_init(decode).as_deref()
    }

    fn content(&self) -> &[u8] {
        self.decoded().unwrap_or_else(|| self.body())
    }

    fn content_size(&self) -> u64 {
        self.decoded().map_or(self.body_size, |decoded| decoded.len() as u64)
    }

    fn first(&self, name: &'static [u8]) -> Cow<'_, str> {
        self.fields().all(name).next().map(fields::text).unwrap_or_default()
    }

    /// A field's first value as sent; empty where there is none.
    fn first_value(&self, name: &'static [u8]) -> &[u8] {
        self.fields().all(name).next().unwrap_or_default()
    }

    fn text(&self, range: &Range<u32>) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.buffer[range.start as usize..range.end as usize])
    }

    fn headers(&self) -> Value<'_> {
        owned(Headers::new(self.fields()))
    }

    fn trailers(&self) -> Option<Value<'_>> {
        self.trailers.as_ref().map(|lines| owned(Headers::new(Fields::of_lines(lines))))
    }
}

fn owned<'a>(object: impl Object + 'a) -> Value<'a> {
    Value::Object(ObjectRef::Owned(Box::new(object)))
}

/// A position range in a head, which is far shorter than 4 GiB.
pub(crate) fn compact(range: &Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

/// Adds a `name=value` cookie. Quotes around the value belong to the syntax (RFC 6265, section 4.1.1).
fn add_cookie<'m>(cookies: &mut TextMap<'m>, pair: &'m [u8]) {
    let Some(equals) = memchr::memchr(b'=', pair) else { return };
    let value = pair[equals + 1..].trim_ascii();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    cookies.join(String::from_utf8_lossy(pair[..equals].trim_ascii()), String::from_utf8_lossy(value));
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) stored: Stored,
    pub(crate) method: Range<u32>,
    pub(crate) target: Range<u32>,
    pub(crate) version: Range<u32>,
    path_segments: OnceLock<Vec<String>>,
    graphql: Option<Box<GraphQl>>,
}

/// What a message of a GraphQL exchange says as such, made when it is read.
#[derive(Debug)]
struct GraphQl {
    caps: graphql::Caps,
    decoded: OnceLock<Tree>,
}

impl GraphQl {
    fn new(limits: &Limits) -> Box<Self> {
        Box::new(Self { caps: graphql::Caps::of(limits), decoded: OnceLock::new() })
    }

    fn memory(graphql: &Option<Box<Self>>) -> usize {
        let heap = |graphql: &Self| size_of::<Self>() + graphql.decoded.get().map_or(0, Tree::heap);
        graphql.as_deref().map_or(0, heap)
    }
}

impl Request {
    pub(crate) fn new(
        stored: Stored,
        method: &Range<usize>,
        target: &Range<usize>,
        version: &Range<usize>,
    ) -> Self {
        let [method, target, version] = [method, target, version].map(compact);
        Self { stored, method, target, version, path_segments: OnceLock::new(), graphql: None }
    }

    /// Finds out whether the request is GraphQL, and marks it so.
    pub(crate) fn mark_graphql(&mut self, response: Option<&Response>, limits: &Limits) -> bool {
        let may_be = match self.method() {
            b"POST" => true,
            b"GET" => memchr::memchr(b'?', self.target()).is_some(),
            _ => false,
        };
        if !may_be {
            return false;
        }
        let answered = response.map(|response| graphql::Answered {
            status: response.status,
            content_type: response.stored.first_value(b"content-type"),
        });
        let is_graphql = graphql::recognise(&self.asked(), answered);
        if is_graphql {
            self.graphql = Some(GraphQl::new(limits));
        }
        is_graphql
    }

    fn asked(&self) -> graphql::Asked<'_> {
        let content_type = self.stored.first_value(b"content-type");
        let body = if graphql::may_be(content_type) { self.stored.content() } else { &[] };
        graphql::Asked { method: self.method(), target: self.target(), content_type, body }
    }

    pub(crate) fn method(&self) -> &[u8] {
        &self.stored.buffer[self.method.start as usize..self.method.end as usize]
    }

    pub(crate) fn is_http_1_0(&self) -> bool {
        self.stored.buffer[..self.version.end as usize].ends_with(b"1.0")
    }

    pub(crate) fn target(&self) -> &[u8] {
        &self.stored.buffer[self.target.start as usize..self.target.end as usize]
    }

    fn path(&self) -> Cow<'_, str> {
        let target = self.target();
        match &target[query::path(target)] {
            b"" => Cow::Borrowed("/"),
            path => String::from_utf8_lossy(path),
        }
    }

    fn path_segments(&self) -> &Vec<String> {
        self.path_segments.get_or_init(|| {
            let path = self.path();
            path.strip_prefix('/').unwrap_or(&path).split('/').map(str::to_owned).collect()
        })
    }

    fn cookies(&self) -> TextMap<'_> {
        let mut cookies = TextMap::default();
        let values = self.stored.fields().all(b"cookie");
        values
            .flat_map(|value| value.split(|&byte| byte == b';'))
            .for_each(|pair| add_cookie(&mut cookies, pair));
        cookies
    }

    fn has(&self, name: &str) -> bool {
        match name {
            "postData" => self.stored.body_size > 0,
            "trailers" => self.stored.trailers.is_some(),
            "graphql" => self.graphql.is_some(),
            _ => true,
        }
    }
}

const REQUEST_FIELDS: [&str; 14] = [
    "method",
    "url",
    "targetUri",
    "path",
    "pathSegments",
    "httpVersion",
    "headers",
    "cookies",
    "queryString",
    "headersSize",
    "bodySize",
    "postData",
    "trailers",
    "graphql",
];

impl Object for Request {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in REQUEST_FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        REQUEST_FIELDS.into_iter().filter(|name| self.has(name)).for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let stored = &self.stored;
        Some(match name {
            "method" => Value::Str(stored.text(&self.method)),
            "url" | "targetUri" => Value::Str(stored.text(&self.target)),
            "path" => Value::Str(self.path()),
            "pathSegments" => Value::List(self.path_segments()),
            "httpVersion" => Value::Str(stored.text(&self.version)),
            "headers" => stored.headers(),
            "cookies" => owned(self.cookies()),
            "queryString" => owned(query::query_map(query::query(self.target()))),
            "headersSize" => Value::Int(-1),
            "bodySize" => Value::count(stored.body_size),
            "postData" if self.has(name) => {
                owned(PostData::new(stored.first(b"content-type"), stored.content()))
            }
            "trailers" => return stored.trailers(),
            "graphql" => {
                let graphql = self.graphql.as_deref()?;
                let decode = || graphql::request(&self.asked(), graphql.caps);
                graphql.decoded.get_or_init(decode).value()
            }
            _ => return None,
        })
    }
}

impl Message for Request {
    fn memory(&self) -> usize {
        let segments = self.path_segments.get();
        size_of::<Self>()
            + self.stored.memory()
            + segments.map_or(0, |all| all.iter().map(|one| size_of::<String>() + one.capacity()).sum())
            + GraphQl::memory(&self.graphql)
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) stored: Stored,
    version: Range<u32>,
    status: u16,
    reason: Range<u32>,
    graphql: Option<Box<GraphQl>>,
}

impl Response {
    pub(crate) fn new(stored: Stored, version: &Range<usize>, status: u16, reason: &Range<usize>) -> Self {
        Self { stored, version: compact(version), status, reason: compact(reason), graphql: None }
    }

    /// Its request is GraphQL. So is the response, if it is JSON.
    pub(crate) fn mark_graphql(&mut self, limits: &Limits) {
        if graphql::is_json(self.stored.first_value(b"content-type")) {
            self.graphql = Some(GraphQl::new(limits));
        }
    }

    pub(crate) fn is_http_1_0(&self) -> bool {
        self.stored.buffer[..self.version.end as usize].ends_with(b"1.0")
    }

    fn cookies(&self) -> TextMap<'_> {
        let mut cookies = TextMap::default();
        for value in self.stored.fields().all(b"set-cookie") {
            add_cookie(&mut cookies, value.split(|&byte| byte == b';').next().unwrap_or(value));
        }
        cookies
    }
}

const RESPONSE_FIELDS: [&str; 11] = [
    "httpVersion",
    "status",
    "statusText",
    "headers",
    "cookies",
    "headersSize",
    "bodySize",
    "redirectURL",
    "content",
    "trailers",
    "graphql",
];

impl Object for Response {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in RESPONSE_FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        let has = |name: &&str| match *name {
            "trailers" => self.stored.trailers.is_some(),
            "graphql" => self.graphql.is_some(),
            _ => true,
        };
        RESPONSE_FIELDS.into_iter().filter(has).for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let stored = &self.stored;
        Some(match name {
            "httpVersion" => Value::Str(stored.text(&self.version)),
            "status" => Value::Int(self.status.into()),
            "statusText" => Value::Str(stored.text(&self.reason)),
            "headers" => stored.headers(),
            "cookies" => owned(self.cookies()),
            "headersSize" => Value::Int(-1),
            "bodySize" => Value::count(stored.body_size),
            "redirectURL" => Value::Str(stored.first(b"location")),
            "content" => owned(Content { stored }),
            "trailers" => return stored.trailers(),
            "graphql" => {
                let graphql = self.graphql.as_deref()?;
                let decode = || graphql::response(stored.content(), graphql.caps);
                graphql.decoded.get_or_init(decode).value()
            }
            _ => return None,
        })
    }
}

impl Message for Response {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.stored.memory() + GraphQl::memory(&self.graphql)
    }
}

/// A response's `content`. The text is listed where a body was kept; only reading it decodes.
struct Content<'m> {
    stored: &'m Stored,
}

const CONTENT_FIELDS: [&str; 4] = ["size", "mimeType", "encoding", "text"];

impl Object for Content<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in CONTENT_FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        let has = |name: &&str| *name != "text" || !self.stored.body().is_empty();
        CONTENT_FIELDS.into_iter().filter(has).for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "size" => Value::count(self.stored.content_size()),
            "mimeType" => Value::Str(self.stored.first(b"content-type")),
            "encoding" => Value::str("base64"),
            "text" if !self.stored.body().is_empty() => Value::Base64(self.stored.content()),
            _ => return None,
        })
    }
}
