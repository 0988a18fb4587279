//! Messages that are decoded when somebody looks at them.

use remora_packet::Timestamp;

use super::apis::{Api, PRODUCE};
use super::budget::Budget;
use super::header::{Header, Look, look};
use super::messages::Layout;
use super::note::{Note, RESPONSE_HEAD};
use super::schema::survey;
use super::sides::{Source, decode_request, decode_response, total};
use super::topics::Topics;
use crate::on_demand::{Kept, Known};
use crate::{Fields, Reader, Value};

/// A request; only the head of one whose body is not decoded.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Box<[u8]>,
    time: Timestamp,
    budget: Budget,
    api: Option<&'static Api>,
    /// `None` where decoding will show them.
    topics: Option<Topics>,
}

/// What a request tells the connection.
pub(super) struct Told {
    pub(super) exact: bool,
    pub(super) unanswered: bool,
}

impl Request {
    pub(super) fn of(header: &Header<'_>, source: &Source<'_>) -> Option<(Self, Told)> {
        let (exact, acks, topics, kept) = match Layout::of(header.key, header.version) {
            Some(layout) => {
                let bytes = may_be_kept(source)?;
                let mut reader = Reader::new(bytes);
                reader.skip(header.body).ok()?;
                let encoding = Note::of(header).encoding();
                let survey = survey(layout.request, encoding, reader, bytes.len(), source.budget)?;
                {
                    let (exact, acks) = (survey.exact, survey.acks);
                    (exact, acks, survey.known_topics(), bytes)
                }
            }
            None => {
                source.whole.then_some(())?;
                (false, None, Some(Topics::default()), source.bytes.get(..header.body)?)
            }
        };
        let told = Told { exact, unanswered: header.key == PRODUCE && acks == Some(0) };
        let (time, budget) = (source.time, source.budget);
        Some((Self { bytes: kept.into(), time, budget, api: header.api, topics }, told))
    }

    /// The topics it is about, and its bytes. `None` where decoding will show them.
    pub(super) fn topics(&self) -> Option<(&Topics, &[u8])> {
        self.topics.as_ref().map(|topics| (topics, &*self.bytes))
    }

    fn header(&self) -> Option<Header<'_>> {
        if let Look::Header(header) = look(&self.bytes, false) { Some(header) } else { None }
    }
}

/// The bytes of a message that is all there and short enough.
fn may_be_kept<'a>(source: &Source<'a>) -> Option<&'a [u8]> {
    let fits = source.whole && source.bytes.len() == total(source.bytes);
    (fits && source.bytes.len() <= source.budget.value).then_some(source.bytes)
}

impl Kept for Request {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "apiKeyName" => Known::Is(Value::str(self.api.map_or("Unknown", |api| api.name))),
            "clientID" => {
                let client = self.header().and_then(|header| header.client);
                Known::Is(client.map_or(Value::Null, Value::str))
            }
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let source = Source { bytes: &self.bytes, whole: true, time: self.time, budget: self.budget };
        self.header().map(|header| decode_request(&header, &source).fields).unwrap_or_default()
    }

    fn heap(&self) -> usize {
        self.bytes.len() + self.topics.as_ref().map_or(0, Topics::heap)
    }
}

/// A response; only the head of one whose body is not decoded.
#[derive(Debug)]
pub(super) struct Response {
    bytes: Box<[u8]>,
    time: Timestamp,
    budget: Budget,
    /// Of the request, where the body is decoded.
    note: Option<Note>,
    /// `None` where decoding will show it; the same below.
    error_code: Option<i16>,
    topics: Option<Topics>,
}

impl Response {
    /// It, and whether its body is exactly what it should be.
    pub(super) fn of(note: Option<Note>, source: &Source<'_>) -> Option<(Self, bool)> {
        let (time, budget) = (source.time, source.budget);
        let body = note.and_then(|note| Some((note, note.response(source.bytes, total(source.bytes))?)));
        let Some((note, (layout, encoding, reader))) = body else {
            source.whole.then_some(())?;
            let bytes = source.bytes.get(..RESPONSE_HEAD)?.into();
            let topics = Some(Topics::default());
            return Some((Self { bytes, time, budget, note: None, error_code: None, topics }, false));
        };
        let bytes = may_be_kept(source)?;
        let survey = survey(layout.response, encoding, reader, bytes.len(), budget)?;
        let is_known = survey.error_code != 0 || !survey.perhaps_cut;
        let (exact, error_code) = (survey.exact, is_known.then_some(survey.error_code));
        let response = Self {
            bytes: bytes.into(),
            time,
            budget,
            note: Some(note),
            error_code,
            topics: survey.known_topics(),
        };
        Some((response, exact))
    }

    /// The topics it is about, and its bytes. `None` where decoding will show them.
    pub(super) fn topics(&self) -> Option<(&Topics, &[u8])> {
        self.topics.as_ref().map(|topics| (topics, &*self.bytes))
    }
}

impl Kept for Response {
    fn known(&self, name: &str) -> Known<'_> {
        match (name, self.error_code) {
            ("errorCode", Some(code)) => Known::Is(Value::Int(code.into())),
            ("errorCode", None) if self.note.is_none() => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let source = Source { bytes: &self.bytes, whole: true, time: self.time, budget: self.budget };
        decode_response(self.note, &source).fields
    }

    fn heap(&self) -> usize {
        self.bytes.len() + self.topics.as_ref().map_or(0, Topics::heap)
    }
}
