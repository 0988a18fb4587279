//! The two sides of an item.

use super::apis::PRODUCE;
use super::budget::Budget;
use super::errors;
use super::header::{Header, SIZE_BYTES};
use super::kept::{Request, Response};
use super::messages::Layout;
use super::note::{Note, correlation, size};
use super::schema::{Body, read};
use remora_packet::Timestamp;

use crate::frame::Framed;
use crate::item::{ErrorKind, Message};
use crate::on_demand::OnDemand;
use crate::{Fields, Half, Limits, ParseError, Reader, Tree};

/// A message made into a side.
pub(super) struct Side {
    pub(super) half: Half,
    /// Its body is whole, decoded, and exactly what it should be.
    pub(super) exact: bool,
    /// A request whose sender wants no answer.
    pub(super) unanswered: bool,
}

/// What a side is made of.
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    /// Nothing of it is missing.
    pub(super) whole: bool,
    pub(super) time: Timestamp,
    pub(super) budget: Budget,
}

impl<'a> Source<'a> {
    fn of(framed: &'a Framed<'_>, limits: &Limits) -> Self {
        let (whole, time) = (framed.is_whole(), framed.time);
        Self { bytes: &framed.bytes, whole, time, budget: Budget::of(limits) }
    }
}

/// The fields of a side, and what became of its body.
pub(super) struct Decoded {
    pub(super) fields: Fields,
    body: ReadBody,
    unanswered: bool,
}

impl Decoded {
    fn into_side(self, side: &str, framed: &Framed<'_>) -> Side {
        let half = half(framed, self.fields);
        let half = match self.body.problem {
            Some(problem) => half.error(ErrorKind::Dissection, format!("{side}: {problem}")),
            None => half,
        };
        Side { exact: self.body.exact, unanswered: self.unanswered, half }
    }
}

pub(super) fn request(header: &Header<'_>, framed: &Framed<'_>, limits: &Limits) -> Side {
    let source = Source::of(framed, limits);
    if let Some((request, told)) = Request::of(header, &source) {
        return Side {
            exact: told.exact,
            unanswered: told.unanswered,
            half: half(framed, OnDemand::new(request)),
        };
    }
    decode_request(header, &source).into_side("request", framed)
}

pub(super) fn decode_request(header: &Header<'_>, source: &Source<'_>) -> Decoded {
    let note = Note::of(header);
    let mut fields = Fields::with_capacity(9)
        .with("size", header.size)
        .with("apiKeyName", note.api.map_or("Unknown", |api| api.name))
        .with("apiKey", header.key)
        .with("apiVersion", header.version)
        .with("correlationID", header.correlation)
        .with("clientID", header.client.map(str::to_owned));
    let mut read_body = ReadBody::of(source);
    let mut unanswered = false;
    if let Some(layout) = Layout::of(header.key, header.version) {
        let mut reader = Reader::new(source.bytes);
        if reader.skip(header.body).is_ok() {
            let body = read(layout.request, note.encoding(), reader, total(source.bytes), source.budget);
            let acks = body.fields.field("requiredAcks").and_then(Tree::as_int);
            unanswered = header.key == PRODUCE && acks == Some(0);
            read_body.take(body, &mut fields);
        }
    } else if Layout::of(header.key, 0).is_some() || note.api.is_none_or(|api| header.version > api.newest) {
        fields.push("unsupportedVersion", true);
    }
    read_body.finish(source, &mut fields);
    Decoded { fields, body: read_body, unanswered }
}

/// `note`: what is known of the request.
pub(super) fn response(note: Option<Note>, framed: &Framed<'_>, limits: &Limits) -> Side {
    let source = Source::of(framed, limits);
    if let Some((response, exact)) = Response::of(note, &source) {
        return Side { exact, unanswered: false, half: half(framed, OnDemand::new(response)) };
    }
    decode_response(note, &source).into_side("response", framed)
}

pub(super) fn decode_response(note: Option<Note>, source: &Source<'_>) -> Decoded {
    let mut fields = Fields::with_capacity(7);
    fields.push_some("size", size(source.bytes));
    fields.push_some("correlationID", correlation(source.bytes));
    let mut read_body = ReadBody::of(source);
    if let Some(note) = note
        && let Some((layout, encoding, reader)) = note.response(source.bytes, total(source.bytes))
    {
        let mut body = read(layout.response, encoding, reader, total(source.bytes), source.budget);
        if note.is_refusal(&body) {
            body.problem = None;
        }
        // Of a body that is not all here it is not known that there is no error.
        if body.error_code != 0 || !body.cut {
            fields.push("errorCode", body.error_code);
        }
        if body.error_code != 0 {
            fields.push_some("errorName", errors::name(body.error_code));
        }
        read_body.take(body, &mut fields);
    }
    read_body.finish(source, &mut fields);
    Decoded { fields, body: read_body, unanswered: false }
}

/// A token's content is a secret or proves one: only its size is shown.
pub(super) fn token(framed: &Framed<'_>) -> Half {
    let mut fields = Fields::new();
    fields.push_some("size", size(&framed.bytes));
    fields.push("apiKeyName", "SaslToken");
    half(framed, fields)
}

pub(super) fn half(framed: &Framed<'_>, fields: impl Message + 'static) -> Half {
    Half::new(framed.time, framed.size, fields).missing(framed.missing)
}

/// What became of a body.
struct ReadBody {
    exact: bool,
    cut: bool,
    problem: Option<ParseError>,
}

impl ReadBody {
    const fn of(source: &Source<'_>) -> Self {
        Self { exact: false, cut: !source.whole, problem: None }
    }

    fn take(&mut self, body: Body, fields: &mut Fields) {
        self.exact = !self.cut && body.problem.is_none() && body.left_over == 0;
        self.cut |= body.cut;
        self.problem = body.problem;
        fields.push("payload", body.fields);
        fields.push_some("undecodedBytes", (body.left_over > 0).then_some(body.left_over));
    }

    fn finish(&self, source: &Source<'_>, fields: &mut Fields) {
        fields.push("captureTime", source.time.to_string());
        if self.cut {
            fields.push("truncated", true);
        }
    }
}

/// Bytes of the whole message, as it says itself.
pub(super) fn total(bytes: &[u8]) -> usize {
    size(bytes).map_or(bytes.len(), |size| size as usize + SIZE_BYTES)
}
