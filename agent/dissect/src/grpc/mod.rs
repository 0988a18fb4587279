//! gRPC and gRPC-Web: what a request and a response are beyond HTTP (the project's PROTOCOL-HTTP2.md and PROTOCOL-WEB.md).

mod body;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};

use base64::Engine as _;
use memchr::memmem;

use crate::Item;
use crate::Protocol;
use crate::http::fields;
use crate::http::stored::Stored;
use crate::item::{Filter, Summary};
use crate::protobuf::{self, Schema, Typed};
use crate::tree::Fields;
use crate::value::{Object, Value};
use body::Body;

pub static GRPC: Protocol = Protocol {
    name: "http",
    version: "2.0",
    abbr: "gRPC",
    long_name: "Hypertext Transfer Protocol Version 2 (HTTP/2) [ gRPC over HTTP/2 ]",
    macro_name: "grpc",
    background_color: "#244c5a",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://grpc.io/docs/what-is-grpc/core-concepts/",
    ports: &["80", "443", "8080", "50051"],
    layer4: "tcp",
    priority: 0,
};

/// gRPC-Web over HTTP/1.
pub static GRPC_WEB: Protocol = Protocol {
    version: "1.1",
    long_name: "Hypertext Transfer Protocol -- HTTP/1.1 [ gRPC-Web over HTTP/1.1 ]",
    ..GRPC
};

/// A message as one of a call, with what the schema knows of its type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part(Option<Typed>);

/// Request and response of a call, where they are one: what each of them gets to show as such.
pub(crate) fn recognise(
    request: Option<(&Stored, Option<&str>)>,
    response: Option<&Stored>,
    schema: Option<&Arc<Schema>>,
) -> Option<[Option<Part>; 2]> {
    let sides = [request.map(|(stored, _)| stored), response];
    if !sides.into_iter().flatten().any(is_grpc) {
        return None;
    }
    let path = request.and_then(|(_, path)| path);
    let types = schema.and_then(|schema| Some((schema, schema.method(path?)?)));
    let part = |at: usize| {
        // An error page of a proxy is none, nor is what says to be something else.
        let stored = sides[at].filter(|stored| is_grpc(stored) || content_type(stored).is_none());
        let typed =
            types.map(|(schema, messages)| Typed { schema: Arc::clone(schema), message: messages[at] });
        stored.map(|_| Part(typed))
    };
    Some([part(0), part(1)])
}

/// Fields that only gRPC has. Gateways that speak JSON have others that begin with `grpc-`.
const FIELDS_OF_GRPC: [&[u8]; 5] =
    [b"grpc-status", b"grpc-message", b"grpc-encoding", b"grpc-accept-encoding", b"grpc-timeout"];

/// Made once: each head is looked through.
static GRPC_NAMED: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"grpc"));

/// Whether a message is gRPC's: by its content type, else, where that is not known, by a field that only gRPC has.
fn is_grpc(stored: &Stored) -> bool {
    // Most messages are not, and are not gone through field by field.
    if !stored.has_trailers() && GRPC_NAMED.find(stored.head()).is_none() {
        return false;
    }
    match content_type(stored) {
        Some(content_type) if subtype(content_type).is_some() => true,
        Some(_) => stored.fields().chain(stored.trailer_fields()).any(|(name, _)| name == b"grpc-status"),
        None => {
            let mut fields = stored.fields().chain(stored.trailer_fields());
            fields.any(|(name, _)| name.starts_with(b"grpc-") && FIELDS_OF_GRPC.contains(&name))
        }
    }
}

fn content_type(stored: &Stored) -> Option<&[u8]> {
    stored.fields().all(b"content-type").next()
}

/// What follows `application/grpc` in a content type.
fn subtype(content_type: &[u8]) -> Option<&[u8]> {
    const TYPE: &[u8] = b"application/grpc";
    let (start, rest) = content_type.split_at_checked(TYPE.len())?;
    let ends = matches!(rest.first(), None | Some(b'+' | b'-' | b';' | b' '));
    (start.eq_ignore_ascii_case(TYPE) && ends)
        .then(|| rest.split(|&byte| byte == b';').next().unwrap_or(rest))
}

/// A message's `grpc`. What it holds is read when asked for.
pub(crate) struct Call<'m> {
    stored: &'m Stored,
    part: &'m Part,
    /// Of a request.
    path: Option<Cow<'m, str>>,
    is_request: bool,
    body: OnceLock<Body>,
}

impl<'m> Call<'m> {
    pub(crate) const fn request(stored: &'m Stored, path: Cow<'m, str>, part: &'m Part) -> Self {
        Self { stored, part, path: Some(path), is_request: true, body: OnceLock::new() }
    }

    pub(crate) const fn response(stored: &'m Stored, part: &'m Part) -> Self {
        Self { stored, part, path: None, is_request: false, body: OnceLock::new() }
    }

    fn body(&self) -> &Body {
        self.body.get_or_init(|| Body::read(self.stored, self.part.0.as_ref()))
    }

    /// Service and method out of `/package.Service/Method`.
    fn path_part(&self, method: bool) -> Option<Value<'_>> {
        let (service, name) = self.path.as_deref()?.strip_prefix('/')?.rsplit_once('/')?;
        Some(Value::str(if method { name } else { service }))
    }

    /// A field of the status: trailers, or the head where there is nothing but it, or what gRPC-Web has for trailers.
    fn status_field(&self, name: &'static [u8]) -> Option<Cow<'_, [u8]>> {
        let stored = self.stored;
        let of_http = stored.trailer_fields().all(name).next().or_else(|| stored.fields().all(name).next());
        of_http.map(Cow::Borrowed).or_else(|| {
            let web =
                content_type(stored).and_then(subtype).is_some_and(|subtype| subtype.starts_with(b"-web"));
            let trailers = if web { self.body().web_trailers.as_deref()? } else { return None };
            fields::Fields::of_lines(trailers).all(name).next().map(Cow::Borrowed)
        })
    }

    fn status(&self) -> Option<i64> {
        let status = self.status_field(b"grpc-status")?;
        std::str::from_utf8(&status).ok()?.trim().parse().ok()
    }

    /// `grpc-message`, whose bytes above ASCII are percent-encoded.
    fn message(&self) -> Option<String> {
        let message = self.status_field(b"grpc-message")?;
        let mut bytes = Vec::with_capacity(message.len());
        let mut rest = &message[..];
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            let hex = |at: usize| after.get(at).and_then(|&digit| (digit as char).to_digit(16));
            match (byte, hex(0), hex(1)) {
                (b'%', Some(high), Some(low)) => {
                    bytes.push((high << 4 | low) as u8);
                    rest = &after[2..];
                }
                _ => bytes.push(byte),
            }
        }
        Some(crate::text::lossy(&bytes).into_owned())
    }

    /// `grpc-status-details-bin`, a `google.rpc.Status`.
    fn details(&self) -> Option<Fields> {
        let coded = self.status_field(b"grpc-status-details-bin")?;
        let coded = coded.trim_ascii_end().strip_suffix(b"==").unwrap_or(&coded);
        let coded = coded.strip_suffix(b"=").unwrap_or(coded);
        let status = base64::engine::general_purpose::STANDARD_NO_PAD.decode(coded).ok()?;
        Some(protobuf::decode(&status, None, body::caps(self.stored))?.0)
    }
}

const FIELDS: [&str; 10] = [
    "service",
    "method",
    "status",
    "statusName",
    "message",
    "details",
    "encoding",
    "count",
    "truncated",
    "messages",
];

impl Object for Call<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        if matches!(name, "status" | "statusName" | "message" | "details") && self.is_request {
            return None;
        }
        Some(match name {
            "service" => return self.path_part(false),
            "method" => return self.path_part(true),
            "status" => Value::Int(self.status()?),
            "statusName" => Value::str(status_name(self.status()?)),
            "message" => Value::text(self.message()?),
            "details" => crate::http::stored::owned(self.details()?),
            "encoding" => {
                let encoding = self.stored.fields().all(b"grpc-encoding").next()?;
                Value::Str(crate::text::lossy(encoding))
            }
            "count" => Value::count(self.body().count),
            "truncated" if self.body().truncated => Value::Bool(true),
            "messages" => Value::List(&self.body().messages),
            _ => return None,
        })
    }
}

/// The names of the status codes.
const fn status_name(status: i64) -> &'static str {
    match status {
        0 => "OK",
        1 => "CANCELLED",
        2 => "UNKNOWN",
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        11 => "OUT_OF_RANGE",
        12 => "UNIMPLEMENTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        15 => "DATA_LOSS",
        16 => "UNAUTHENTICATED",
        _ => "unknown status",
    }
}

/// The list row: HTTP's method, the path, and the call's status; HTTP's where the call has none.
pub(crate) fn summarize(item: &Item) -> Summary<'_> {
    let text = |name| match item.draft.request.as_deref().and_then(|request| request.get(name)) {
        Some(Value::Str(text)) => text,
        _ => Cow::Borrowed(""),
    };
    let response = item.draft.response.as_deref();
    let number =
        |value: Option<Value<'_>>| if let Some(Value::Int(number)) = value { Some(number) } else { None };
    let of_call = match response.and_then(|response| response.get("grpc")) {
        Some(Value::Object(call)) => number(call.get("status")),
        _ => None,
    };
    let (status, status_filter) = match of_call {
        Some(status) => (status, "response.grpc.status"),
        None => {
            (number(response.and_then(|response| response.get("status"))).unwrap_or(0), "response.status")
        }
    };
    Summary {
        method: text("method"),
        method_filter: Filter::Field("request.method"),
        summary: text("path"),
        summary_filter: Filter::Field("request.path"),
        status,
        status_filter: Filter::Field(status_filter),
    }
}
