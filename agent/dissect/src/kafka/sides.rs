//! The two sides of an item.

use super::apis::PRODUCE;
use super::budget::Budget;
use super::errors;
use super::header::{Header, SIZE_BYTES};
use super::messages::Layout;
use super::note::{Note, correlation, size};
use super::schema::{Body, read};
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::{Fields, Half, Limits, ParseError, Reader, Tree};

/// A message made into a side.
pub(super) struct Side {
    pub(super) half: Half,
    /// Its body is whole, decoded, and exactly what it should be.
    pub(super) exact: bool,
    /// A request whose sender wants no answer.
    pub(super) unanswered: bool,
}

pub(super) fn request(header: &Header<'_>, framed: &Framed<'_>, limits: &Limits) -> Side {
    let note = Note::of(header);
    let mut fields = Fields::with_capacity(9)
        .with("size", header.size)
        .with("apiKeyName", note.api.map_or("Unknown", |api| api.name))
        .with("apiKey", header.key)
        .with("apiVersion", header.version)
        .with("correlationID", header.correlation)
        .with("clientID", header.client.map(str::to_owned));
    let mut read_body = ReadBody::of(framed);
    let mut unanswered = false;
    if let Some(layout) = Layout::of(header.key, header.version) {
        let mut reader = Reader::new(&framed.bytes);
        if reader.skip(header.body).is_ok() {
            let body = read(layout.request, note.encoding(), reader, total(framed), Budget::of(limits));
            let acks = body.fields.field("requiredAcks").and_then(Tree::as_int);
            unanswered = header.key == PRODUCE && acks == Some(0);
            read_body.take(body, &mut fields);
        }
    } else if Layout::of(header.key, 0).is_some() || note.api.is_none_or(|api| header.version > api.newest) {
        fields.push("unsupportedVersion", true);
    }
    Side { exact: read_body.exact, unanswered, half: read_body.finish("request", fields, framed) }
}

/// `note`: what is known of the request.
pub(super) fn response(note: Option<Note>, framed: &Framed<'_>, limits: &Limits) -> Side {
    let mut fields = Fields::with_capacity(7);
    fields.push_some("size", size(&framed.bytes));
    fields.push_some("correlationID", correlation(&framed.bytes));
    let mut read_body = ReadBody::of(framed);
    if let Some(note) = note
        && let Some((layout, encoding, reader)) = note.response(&framed.bytes, total(framed))
    {
        let mut body = read(layout.response, encoding, reader, total(framed), Budget::of(limits));
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
    Side { exact: read_body.exact, unanswered: false, half: read_body.finish("response", fields, framed) }
}

/// A token's content is a secret or proves one: only its size is shown.
pub(super) fn token(framed: &Framed<'_>) -> Half {
    let mut fields = Fields::new();
    fields.push_some("size", size(&framed.bytes));
    fields.push("apiKeyName", "SaslToken");
    half(framed, fields)
}

pub(super) fn half(framed: &Framed<'_>, fields: Fields) -> Half {
    Half::new(framed.time, framed.size, fields).missing(framed.missing)
}

/// What became of a body.
struct ReadBody {
    exact: bool,
    cut: bool,
    problem: Option<ParseError>,
}

impl ReadBody {
    fn of(framed: &Framed<'_>) -> Self {
        Self { exact: false, cut: !framed.is_whole(), problem: None }
    }

    fn take(&mut self, body: Body, fields: &mut Fields) {
        self.exact = !self.cut && body.problem.is_none() && body.left_over == 0;
        self.cut |= body.cut;
        self.problem = body.problem;
        fields.push("payload", body.fields);
        fields.push_some("undecodedBytes", (body.left_over > 0).then_some(body.left_over));
    }

    fn finish(self, side: &str, mut fields: Fields, framed: &Framed<'_>) -> Half {
        fields.push("captureTime", framed.time.to_string());
        if self.cut {
            fields.push("truncated", true);
        }
        let half = half(framed, fields);
        match self.problem {
            Some(problem) => half.error(ErrorKind::Dissection, format!("{side}: {problem}")),
            None => half,
        }
    }
}

/// Bytes of the whole message, as it says itself.
fn total(framed: &Framed<'_>) -> usize {
    size(&framed.bytes).map_or(framed.bytes.len(), |size| size as usize + SIZE_BYTES)
}
