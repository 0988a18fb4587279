//! GraphQL over WebSocket: the subprotocols `graphql-transport-ws` (of the graphql-ws library) and `graphql-ws` (of the older
//! subscriptions-transport-ws).

use super::request::Operation;
use super::{Caps, json, response};
use crate::Limits;
use crate::tree::{Fields, Tree};

/// Bytes counted for an operation that is remembered, beside its texts.
const ENTRY_BYTES: usize = size_of::<Running>();

/// The operations of a connection that run, by their id.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    running: Vec<Running>,
    texts: usize,
}

#[derive(Debug)]
struct Running {
    id: String,
    name: Option<String>,
    kind: Option<String>,
}

/// What a message means.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) fields: Fields,
    /// It belongs to an operation whose beginning was not read.
    pub(crate) unknown_operation: bool,
}

impl Operations {
    pub(crate) fn memory(&self) -> usize {
        self.running.capacity() * ENTRY_BYTES + self.texts
    }

    /// Messages may have passed unseen: an id may stand for another operation now.
    pub(crate) fn forget(&mut self) {
        self.running = Vec::new();
        self.texts = 0;
    }

    /// Reads a message; `None` where it is none of the subprotocol.
    pub(crate) fn read(&mut self, text: &[u8], limits: &Limits) -> Option<Meaning> {
        let caps = Caps::of(limits);
        let (mut kind, mut id, mut payload) = (None, None, None);
        for (name, value) in json::members(text) {
            match name {
                b"type" => kind = json::string(value),
                b"id" => id = json::string(value).or_else(|| str::from_utf8(value).ok().map(str::to_owned)),
                b"payload" => payload = Some(value),
                _ => {}
            }
        }
        let (kind, mut cut) = (kind?, false);
        let id = id.filter(|id| id != "null").map(|id| json::shorten(id, caps, &mut cut));
        let mut fields = Fields::with_capacity(8);
        fields.push("type", json::shorten(kind.clone(), caps, &mut cut));
        fields.push_some("id", id.clone());
        let mut unknown_operation = false;
        match (kind.as_str(), &id) {
            ("subscribe" | "start", Some(id)) => {
                let operation =
                    Operation::of_json(payload.unwrap_or_default()).unwrap_or_default().shown(caps);
                self.begin(id, &operation, limits.waiting_requests);
                operation.into_iter().for_each(|(name, value)| fields.set(name, value));
            }
            ("next" | "data" | "error" | "complete" | "stop", Some(id)) => {
                match self.running.iter().position(|running| running.id == *id) {
                    Some(at) => {
                        let running = &self.running[at];
                        fields.push("operationName", running.name.clone());
                        fields.push_some("operationType", running.kind.clone());
                        if !matches!(kind.as_str(), "next" | "data") {
                            self.end(at);
                        }
                    }
                    // A server may complete what its client did at the same time.
                    None => unknown_operation = true,
                }
                match (kind.as_str(), payload) {
                    ("next" | "data", Some(payload)) => {
                        let result = response::result(payload, caps);
                        result.into_iter().for_each(|(name, value)| fields.set(name, value));
                    }
                    ("error", Some(payload)) => {
                        let errors = json::shown(payload, caps, &mut cut);
                        // The older subprotocol sends a single one.
                        let errors =
                            if errors.as_list().is_some() { errors } else { Tree::List(vec![errors]) };
                        fields.push("errors", errors);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        if cut {
            fields.set("truncated", true);
        }
        Some(Meaning { fields, unknown_operation })
    }

    fn begin(&mut self, id: &str, operation: &Fields, most: usize) {
        if let Some(at) = self.running.iter().position(|running| running.id == id) {
            self.end(at);
        }
        if self.running.len() >= most.max(1) {
            self.end(0);
        }
        let text = |name| operation.field(name).and_then(Tree::as_text).map(str::to_owned);
        let running = Running { id: id.to_owned(), name: text("operationName"), kind: text("operationType") };
        self.texts += running.texts();
        self.running.push(running);
    }

    fn end(&mut self, at: usize) {
        let running = self.running.remove(at);
        self.texts -= running.texts();
    }
}

impl Running {
    fn texts(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.id.len() + text(&self.name) + text(&self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_belong_to_their_operations() {
        let mut operations = Operations::default();
        let mut read = |text: &str| {
            let meaning = operations.read(text.as_bytes(), &Limits::default()).expect("a message");
            let mut out = Vec::new();
            crate::json::write_object(&meaning.fields, &mut out);
            let mut text = String::from_utf8(out).unwrap();
            if meaning.unknown_operation {
                text.push('?');
            }
            text
        };
        let expected = concat!(
            r#"{"type":"subscribe","id":"1","operationName":"T","operationType":"subscription","#,
            r#""query":"subscription T { t }","fields":["t"]}"#
        );
        assert_eq!(
            read(r#"{"id":"1","type":"subscribe","payload":{"query":"subscription T { t }"}}"#),
            expected
        );
        let of = r#""id":"1","operationName":"T","operationType":"subscription""#;
        assert_eq!(
            read(r#"{"id":"1","type":"next","payload":{"data":{"t":1}}}"#),
            format!(r#"{{"type":"next",{of},"errors":[],"hasData":true}}"#)
        );
        assert_eq!(read(r#"{"id":"1","type":"complete"}"#), format!(r#"{{"type":"complete",{of}}}"#));
        assert_eq!(read(r#"{"id":"1","type":"complete"}"#), r#"{"type":"complete","id":"1"}?"#);
        assert_eq!(read(r#"{"type":"ka"}"#), r#"{"type":"ka"}"#);
        assert_eq!(
            read(r#"{"type":"error","id":2,"payload":{"message":"no"}}"#),
            r#"{"type":"error","id":"2","errors":[{"message":"no"}]}?"#
        );
        let mut operations = Operations::default();
        assert!(operations.read(b"no JSON", &Limits::default()).is_none());
        for id in 0..5_000 {
            let text = format!(r#"{{"id":"{id}","type":"start","payload":{{"query":"{{a}}"}}}}"#);
            operations.read(text.as_bytes(), &Limits::default());
        }
        assert!(operations.running.len() <= 1_024 && operations.memory() < 300_000);
        operations.forget();
        assert_eq!(operations.memory(), 0);
    }
}
