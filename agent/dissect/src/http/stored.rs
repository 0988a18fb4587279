//! A message as its bytes: the head and the body, out of which everything else is read on demand.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use super::content;
use super::fields::{self, Fields, Form, Headers};
use super::text_map::TextMap;
use crate::Limits;
use crate::unpack::DecodeCaps;
use crate::value::{Object, ObjectRef, Value};

/// Bytes reserved for a body on the word of its Content-Length alone.
const TRUSTED_LENGTH: u64 = 64 << 10;

/// What reading a body may cost; copied from the limits since items outlive the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) decode: DecodeCaps,
    pub(crate) value_bytes: usize,
    pub(crate) list_entries: usize,
    pub(crate) nesting: usize,
}

impl Caps {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            decode: DecodeCaps::of(limits),
            value_bytes: limits.value_bytes,
            list_entries: limits.list_entries,
            nesting: limits.nesting,
        }
    }
}

/// What requests and responses have in common: head and body in one buffer.
#[derive(Debug)]
pub(crate) struct Stored {
    buffer: Vec<u8>,
    head: usize,
    form: Form,
    /// Body bytes as transferred, whether kept or not.
    pub(crate) body_size: u64,
    /// Kept body bytes before the first that is missing. A coded body can be decoded no further.
    unbroken: usize,
    caps: Caps,
    body_cap: usize,
    trailers: Option<Box<[u8]>>,
    decoded: OnceLock<Option<Vec<u8>>>,
}

impl Stored {
    /// `announced` is how long the body says it will be.
    pub(crate) fn new(form: Form, head: &[u8], announced: u64, limits: &Limits) -> Self {
        let body = announced.min(TRUSTED_LENGTH).min(limits.http_body_bytes as u64) as usize;
        let mut buffer = Vec::with_capacity(head.len() + body);
        buffer.extend_from_slice(head);
        Self {
            buffer,
            head: head.len(),
            form,
            body_size: 0,
            unbroken: usize::MAX,
            caps: Caps::of(limits),
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
        if self.of_form(lines).next().is_some() {
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

    /// The kept body bytes as transferred.
    pub(crate) fn body(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    /// The body up to where bytes of it are missing or were not kept.
    fn unbroken_body(&self) -> &[u8] {
        let body = self.body();
        &body[..body.len().min(self.unbroken)]
    }

    /// The same without its codings, and whether that is all of it.
    pub(crate) fn unbroken_content(&self) -> (&[u8], bool) {
        let body = self.unbroken_body();
        (self.decoded().unwrap_or(body), body.len() as u64 == self.body_size)
    }

    pub(crate) const fn caps(&self) -> Caps {
        self.caps
    }

    fn of_form<'a>(&self, fields: &'a [u8]) -> Fields<'a> {
        match self.form {
            Form::Lines => Fields::of_lines(fields),
            Form::Pairs => Fields::of_pairs(fields, &[]),
        }
    }

    /// The header fields, without the trailers.
    pub(crate) fn fields(&self) -> Fields<'_> {
        match self.form {
            Form::Lines => Fields::of_head(self.head()),
            Form::Pairs => Fields::of_pairs(self.head(), &[]),
        }
    }

    pub(crate) fn trailer_fields(&self) -> Fields<'_> {
        self.of_form(self.trailers.as_deref().unwrap_or_default())
    }

    /// The body without its codings, where it has any.
    fn decoded(&self) -> Option<&[u8]> {
        let decode = || content::decode(self.unbroken_body(), self.fields(), self.caps.decode);
        self.decoded.get_or_init(decode).as_deref()
    }

    pub(crate) fn content(&self) -> &[u8] {
        self.decoded().unwrap_or_else(|| self.body())
    }

    fn content_size(&self) -> u64 {
        self.decoded().map_or(self.body_size, |decoded| decoded.len() as u64)
    }

    /// The value of a field, empty where there is none. `name` is in lower case.
    pub(crate) fn first(&self, name: &'static [u8]) -> Cow<'_, str> {
        self.fields().all(name).next().map(fields::text).unwrap_or_default()
    }

    /// A part of the head.
    pub(crate) fn text(&self, range: &Range<u32>) -> Cow<'_, str> {
        crate::text::lossy(&self.buffer[range.start as usize..range.end as usize])
    }

    /// The `headers` map. Of a message whose head is in pairs the trailers are there too, as the scripting API has them.
    pub(crate) fn headers(&self) -> Value<'_> {
        owned(Headers::new(match (self.form, &self.trailers) {
            (Form::Pairs, Some(trailers)) => Fields::of_pairs(self.head(), trailers),
            _ => self.fields(),
        }))
    }

    pub(crate) const fn has_trailers(&self) -> bool {
        self.trailers.is_some()
    }

    pub(crate) fn trailers(&self) -> Option<Value<'_>> {
        self.has_trailers().then(|| owned(Headers::new(self.trailer_fields())))
    }

    /// The `cookies` of a request.
    pub(crate) fn sent_cookies(&self) -> TextMap<'_> {
        let mut cookies = TextMap::default();
        let values = self.fields().all(b"cookie");
        values
            .flat_map(|value| value.split(|&byte| byte == b';'))
            .for_each(|pair| add_cookie(&mut cookies, pair));
        cookies
    }

    /// The `cookies` of a response.
    pub(crate) fn set_cookies(&self) -> TextMap<'_> {
        let mut cookies = TextMap::default();
        for value in self.fields().all(b"set-cookie") {
            add_cookie(&mut cookies, value.split(|&byte| byte == b';').next().unwrap_or(value));
        }
        cookies
    }
}

/// An object that is made for the question.
pub(crate) fn owned<'a>(object: impl Object + 'a) -> Value<'a> {
    Value::Object(ObjectRef::Owned(Box::new(object)))
}

/// Adds a `name=value` cookie. Quotes around the value belong to the syntax (RFC 6265, section 4.1.1).
fn add_cookie<'m>(cookies: &mut TextMap<'m>, pair: &'m [u8]) {
    let Some(equals) = memchr::memchr(b'=', pair) else { return };
    let value = pair[equals + 1..].trim_ascii();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    cookies.join(crate::text::lossy(pair[..equals].trim_ascii()), crate::text::lossy(value), ",");
}

/// A response's `content`. The text is listed where a body was kept; only reading it decodes.
pub(crate) struct Content<'m> {
    stored: &'m Stored,
}

impl<'m> Content<'m> {
    pub(crate) const fn new(stored: &'m Stored) -> Self {
        Self { stored }
    }
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
