//! The JSON shape of requests and responses, that of HTTP/1's with what HTTP/2 adds.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use crate::http::application::{Application, Asked};
use crate::http::post_data::PostData;
use crate::http::query;
use crate::http::status::reason;
use crate::http::stored::{Content, Stored, owned};
use crate::item::Message;
use crate::value::{Object, Value};

const VERSION: &str = "HTTP/2.0";

/// What is shown of a pseudo-header field that was not captured.
const UNKNOWN: &str = "(unknown)";

#[derive(Debug)]
pub(super) struct Request {
    pub(super) stored: Stored,
    /// Where the values of the pseudo-header fields lie in the head.
    pub(super) method: Option<Range<u32>>,
    pub(super) path: Option<Range<u32>>,
    pub(super) authority: Option<Range<u32>>,
    /// Made by the server, which answers it on its own accord.
    pub(super) pushed: bool,
    pub(super) application: Application,
    pub(super) path_segments: OnceLock<Vec<String>>,
}

impl Request {
    fn method(&self) -> Cow<'_, str> {
        self.method.as_ref().map_or(Cow::Borrowed(UNKNOWN), |place| self.stored.text(place))
    }

    /// As sent, with the query; of `CONNECT`, which has none, the authority.
    fn target(&self) -> Cow<'_, str> {
        match self.path.as_ref().or(self.authority.as_ref()) {
            Some(place) => self.stored.text(place),
            None => Cow::Borrowed(UNKNOWN),
        }
    }

    fn bytes(&self, place: Option<&Range<u32>>) -> &[u8] {
        place.map_or(&[], |place| &self.stored.head()[place.start as usize..place.end as usize])
    }

    /// For whoever speaks over HTTP.
    pub(super) fn asked(&self) -> Asked<'_> {
        let method = self.bytes(self.method.as_ref());
        Asked { stored: &self.stored, method, target: self.bytes(self.path.as_ref()) }
    }

    fn path_segments(&self) -> &Vec<String> {
        self.path_segments.get_or_init(|| {
            let target = self.target();
            query::segments(&target[..target.find(['?', '#']).unwrap_or(target.len())])
        })
    }

    fn has(&self, name: &str) -> bool {
        match name {
            "pushed" => self.pushed,
            "postData" => self.stored.body_size > 0,
            "trailers" => self.stored.has_trailers(),
            "graphql" | "grpc" => self.application.has(name),
            _ => true,
        }
    }
}

const REQUEST_FIELDS: [&str; 16] = [
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
    "pushed",
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
            "method" => Value::Str(self.method()),
            "url" | "targetUri" | "path" => Value::Str(self.target()),
            "pathSegments" => Value::List(self.path_segments()),
            "httpVersion" => Value::str(VERSION),
            "headers" => stored.headers(),
            "cookies" => owned(stored.sent_cookies()),
            "queryString" => owned(query::query_map(query::query(self.bytes(self.path.as_ref())))),
            "headersSize" => Value::Int(-1),
            "bodySize" => Value::count(stored.body_size),
            "postData" if self.has(name) => {
                owned(PostData::new(stored.first(b"content-type"), stored.content()).in_base64())
            }
            "trailers" => return stored.trailers(),
            "pushed" if self.pushed => Value::Bool(true),
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
pub(super) struct Response {
    pub(super) stored: Stored,
    /// 0 where it was not captured.
    pub(super) status: u16,
    pub(super) application: Application,
}

impl Response {
    fn has(&self, name: &str) -> bool {
        match name {
            "trailers" => self.stored.has_trailers(),
            "graphql" | "grpc" => self.application.has(name),
            _ => true,
        }
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
        RESPONSE_FIELDS.into_iter().filter(|name| self.has(name)).for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let stored = &self.stored;
        Some(match name {
            "httpVersion" => Value::str(VERSION),
            "status" => Value::Int(self.status.into()),
            "statusText" => Value::str(reason(self.status)),
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
