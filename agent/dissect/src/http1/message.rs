//! A request or response as its bytes, and the JSON shape that is read out of them on demand.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use crate::http::application::{Application, Asked};
use crate::http::post_data::PostData;
use crate::http::query;
use crate::http::stored::{Content, Stored, owned};
use crate::item::Message;
use crate::tcp::Sent;
use crate::value::{Object, Value};

/// A position range in a head, which is far shorter than 4 GiB.
pub(crate) fn compact(range: &Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) stored: Stored,
    /// When its head was sent, to find its response.
    pub(super) sent: Option<Sent>,
    pub(crate) method: Range<u32>,
    pub(crate) target: Range<u32>,
    pub(crate) version: Range<u32>,
    path_segments: OnceLock<Vec<String>>,
    pub(crate) application: Application,
}

impl Request {
    pub(crate) fn new(
        stored: Stored,
        sent: Option<Sent>,
        method: &Range<usize>,
        target: &Range<usize>,
        version: &Range<usize>,
    ) -> Self {
        let [method, target, version] = [method, target, version].map(compact);
        Self {
            stored,
            sent,
            method,
            target,
            version,
            path_segments: OnceLock::new(),
            application: Application::None,
        }
    }

    pub(crate) fn method(&self) -> &[u8] {
        &self.stored.head()[self.method.start as usize..self.method.end as usize]
    }

    pub(crate) fn is_http_1_0(&self) -> bool {
        self.stored.head()[..self.version.end as usize].ends_with(b"1.0")
    }

    pub(crate) fn target(&self) -> &[u8] {
        &self.stored.head()[self.target.start as usize..self.target.end as usize]
    }

    fn path(&self) -> Cow<'_, str> {
        let target = self.target();
        match &target[query::path(target)] {
            b"" => Cow::Borrowed("/"),
            path => crate::text::lossy(path),
        }
    }

    fn path_segments(&self) -> &Vec<String> {
        self.path_segments.get_or_init(|| {
            let path = self.path();
            query::segments(&path)
        })
    }

    fn has(&self, name: &str) -> bool {
        match name {
            "postData" => self.stored.body_size > 0,
            "trailers" => self.stored.has_trailers(),
            "graphql" | "grpc" => self.application.has(name),
            _ => true,
        }
    }

    /// For whoever speaks over HTTP.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { stored: &self.stored, method: self.method(), target: self.target() }
    }
}

const REQUEST_FIELDS: [&str; 15] = [
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
    "grpc",
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
            "cookies" => owned(stored.sent_cookies()),
            "queryString" => owned(query::query_map(query::query(self.target()))),
            "headersSize" => Value::Int(-1),
            "bodySize" => Value::count(stored.body_size),
            "postData" if self.has(name) => {
                owned(PostData::new(stored.first(b"content-type"), stored.content()))
            }
            "trailers" => return stored.trailers(),
            "graphql" | "grpc" => return self.application.of_request(name, self.asked()),
            _ => return None,
        })
    }
}

impl Message for Request {
    fn memory(&self) -> usize {
        let segments = self.path_segments.get();
        size_of::<Self>()
            + self.stored.memory()
            + self.application.memory()
            + segments.map_or(0, |all| all.iter().map(|one| size_of::<String>() + one.capacity()).sum())
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) stored: Stored,
    /// When its head was sent, to find its request.
    pub(super) sent: Option<Sent>,
    version: Range<u32>,
    pub(crate) status: u16,
    reason: Range<u32>,
    pub(crate) application: Application,
}

impl Response {
    pub(crate) fn new(
        stored: Stored,
        sent: Option<Sent>,
        version: &Range<usize>,
        status: u16,
        reason: &Range<usize>,
    ) -> Self {
        Self {
            stored,
            sent,
            version: compact(version),
            status,
            reason: compact(reason),
            application: Application::None,
        }
    }

    pub(crate) fn is_http_1_0(&self) -> bool {
        self.stored.head()[..self.version.end as usize].ends_with(b"1.0")
    }
}

const RESPONSE_FIELDS: [&str; 12] = [
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
    "grpc",
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
            "trailers" => self.stored.has_trailers(),
            "graphql" | "grpc" => self.application.has(name),
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
            "cookies" => owned(stored.set_cookies()),
            "headersSize" => Value::Int(-1),
            "bodySize" => Value::count(stored.body_size),
            "redirectURL" => Value::Str(stored.first(b"location")),
            "content" => owned(Content::new(stored)),
            "trailers" => return stored.trailers(),
            "graphql" | "grpc" => return self.application.of_response(name, stored),
            _ => return None,
        })
    }
}

impl Message for Response {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.stored.memory() + self.application.memory()
    }
}
