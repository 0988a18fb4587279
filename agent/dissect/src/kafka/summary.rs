//! The list row of an item.

use std::any::Any;
use std::borrow::Cow;
use std::io::Write as _;

use super::kept::{Request, Response};
use super::topics::{NAMES, SHOWN_TOPICS, Topics};
use crate::item::{Filter, Message, Summary};
use crate::on_demand::OnDemand;
use crate::value::ObjectRef;
use crate::{Item, List, Value};

/// Where requests have their topics.
const OF_REQUESTS: &[&str] = &["topicData", "topics", "topicNames"];

/// Where the answer to a Fetch has them.
const OF_FETCHED: &[&str] = &["responses"];

pub(super) fn summarize(item: &Item) -> Summary<'_> {
    let mut summary = Summary::default();
    if let Some(request) = item.draft.request.as_deref()
        && let Some(Value::Str(method)) = request.get("apiKeyName")
    {
        if method == "ApiVersions" {
            if let Some(Value::Str(client)) = request.get("clientID") {
                summary.summary = client;
                summary.summary_filter = Filter::Field("request.clientID");
            }
        } else {
            add_topics(Some(request), "request", OF_REQUESTS, &mut summary);
            // Where a session knows them, only those with something new are named, and only by the answer.
            if summary.summary.is_empty() && method == "Fetch" {
                add_topics(item.draft.response.as_deref(), "response", OF_FETCHED, &mut summary);
            }
        }
        summary.method = method;
        summary.method_filter = Filter::Field("request.apiKeyName");
    }
    if let Some(Value::Int(code)) =
        item.draft.response.as_deref().and_then(|response| response.get("errorCode"))
    {
        summary.status = code;
        summary.status_filter = Filter::Field("response.errorCode");
    }
    summary
}

fn add_topics(
    side: Option<&dyn Message>,
    name: &'static str,
    fields: &[&'static str],
    summary: &mut Summary<'_>,
) {
    let Some(side) = side else { return };
    let mut row = Row { side: name, names: String::new(), only: None, query: Vec::new() };
    match kept_topics(side) {
        Some((topics, bytes)) if fields.contains(&topics.list) => {
            topics.iter(bytes).for_each(|(index, path, topic)| row.add(topics.list, index, path, &topic));
            row.end(topics.count);
        }
        Some(_) => {}
        None => row.add_all(side, fields),
    }
    row.finish(summary);
}

/// The topics of a side that is not decoded, and its bytes, where that shows all of them.
fn kept_topics(side: &dyn Message) -> Option<(&Topics, &[u8])> {
    let side: &dyn Any = side;
    match side.downcast_ref::<OnDemand<Request>>() {
        Some(request) => request.kept().topics(),
        None => side.downcast_ref::<OnDemand<Response>>()?.kept().topics(),
    }
}

/// What a row shows of topics.
struct Row {
    /// `request` or `response`.
    side: &'static str,
    names: String,
    /// Where the only topic so far is named; `query` is empty then.
    only: Option<&'static str>,
    query: Vec<u8>,
}

impl Row {
    fn add(&mut self, list: &str, index: usize, path: &str, topic: &str) {
        let first = self.names.is_empty() && self.query.is_empty() && index == 0;
        self.only = match first.then(|| first_topic(self.side, list, path)).flatten() {
            Some(field) => Some(field),
            None => {
                self.spell_out();
                self.join();
                // Writing to a Vec does not fail.
                let _ = write!(self.query, "{}.payload.{list}[{index}]{path} == ", self.side);
                crate::json::write_str(topic, &mut self.query);
                None
            }
        };
        if !self.names.is_empty() {
            self.names.push_str(", ");
        }
        self.names.push_str(topic);
    }

    fn join(&mut self) {
        if !self.query.is_empty() {
            self.query.extend_from_slice(b" and ");
        }
    }

    /// The column comes to show something else than the only topic.
    fn spell_out(&mut self) {
        if let Some(field) = self.only.take() {
            self.query.extend_from_slice(field.as_bytes());
            self.query.extend_from_slice(b" == ");
            crate::json::write_str(&self.names, &mut self.query);
        }
    }

    /// A list of so many ends.
    fn end(&mut self, count: usize) {
        if count > SHOWN_TOPICS {
            self.spell_out();
            self.names.push_str(", …");
        }
    }

    /// Adds those of a side that is decoded, or has to be.
    fn add_all(&mut self, side: &dyn Message, fields: &[&str]) {
        let Some(Value::Object(ObjectRef::Borrowed(payload))) = side.get("payload") else { return };
        for field in fields {
            let Some(Value::List(list)) = payload.get(field) else { continue };
            for index in 0..list.len().min(SHOWN_TOPICS) {
                if let Some((path, topic)) = topic(list, index) {
                    self.add(field, index, path, &topic);
                }
            }
            self.end(list.len());
        }
    }

    fn finish(self, summary: &mut Summary<'_>) {
        if self.names.is_empty() {
            return;
        }
        summary.summary = Cow::Owned(self.names);
        summary.summary_filter = match self.only {
            Some(field) => Filter::Field(field),
            None => Filter::Query(Cow::Owned(String::from_utf8(self.query).unwrap_or_default())),
        };
    }
}

/// Where the first topic of a list is named.
fn first_topic(side: &str, list: &str, path: &str) -> Option<&'static str> {
    Some(match (side, list, path) {
        ("request", "topicData", ".topic") => "request.payload.topicData[0].topic",
        ("request", "topicData", ".topicID.text") => "request.payload.topicData[0].topicID.text",
        ("request", "topics", ".topic") => "request.payload.topics[0].topic",
        ("request", "topics", ".topicID.text") => "request.payload.topics[0].topicID.text",
        ("request", "topics", ".name") => "request.payload.topics[0].name",
        ("request", "topics", ".uuid.text") => "request.payload.topics[0].uuid.text",
        ("request", "topicNames", "") => "request.payload.topicNames[0]",
        ("response", "responses", ".topic") => "response.payload.responses[0].topic",
        ("response", "responses", ".topicID.text") => "response.payload.responses[0].topicID.text",
        _ => return None,
    })
}

/// A topic's name, or where a version has none its id, and the path below the list's entry.
fn topic(list: &dyn List, index: usize) -> Option<(&'static str, Cow<'_, str>)> {
    match list.at(index)? {
        Value::Str(name) => Some(("", name)),
        Value::Object(ObjectRef::Borrowed(entry)) => {
            NAMES.iter().find_map(|&(field, path)| match entry.get(field)? {
                Value::Str(name) => Some((path, name)),
                Value::Object(ObjectRef::Borrowed(id)) => match id.get("text")? {
                    Value::Str(text) => Some((path, text)),
                    _ => None,
                },
                _ => None,
            })
        }
        _ => None,
    }
}
