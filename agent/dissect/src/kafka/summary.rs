//! The list row of an item.

use std::borrow::Cow;
use std::fmt::Write;

use crate::item::{Filter, Message, Summary};
use crate::value::ObjectRef;
use crate::{Item, List, Value};

/// Topics named in a row.
const SHOWN_TOPICS: usize = 20;

/// Where requests have their topics.
const OF_REQUESTS: &[&str] = &["topicData", "topics", "topicNames"];

/// Where the answer to a Fetch has them.
const OF_FETCHED: &[&str] = &["responses"];

/// What names a topic, the more readable first.
const NAMES: [&str; 4] = ["topic", "name", "topicID", "uuid"];

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

fn add_topics(side: Option<&dyn Message>, name: &str, fields: &[&str], summary: &mut Summary<'_>) {
    let payload = side.and_then(|side| side.get("payload"));
    let Some(Value::Object(ObjectRef::Borrowed(payload))) = payload else { return };
    let (mut names, mut query) = (String::new(), String::new());
    for field in fields {
        let Some(Value::List(list)) = payload.get(field) else { continue };
        for index in 0..list.len().min(SHOWN_TOPICS) {
            let Some((path, topic)) = topic(list, index) else { continue };
            if !names.is_empty() {
                names.push_str(", ");
                query.push_str(" and ");
            }
            names.push_str(&topic);
            let mut text = Vec::new();
            crate::json::write_str(&topic, &mut text);
            let text = crate::text::lossy(&text);
            // Writing to a string does not fail.
            let _ = write!(query, "{name}.payload.{field}[{index}]{path} == {text}");
        }
        if list.len() > SHOWN_TOPICS {
            names.push_str(", …");
        }
    }
    if !names.is_empty() {
        summary.summary = Cow::Owned(names);
        summary.summary_filter = Filter::Query(Cow::Owned(query));
    }
}

/// A topic's name, or where a version has none its id, and the path below the list's entry.
fn topic(list: &dyn List, index: usize) -> Option<(String, Cow<'_, str>)> {
    match list.at(index)? {
        Value::Str(name) => Some((String::new(), name)),
        Value::Object(ObjectRef::Borrowed(entry)) => {
            NAMES.iter().find_map(|field| match entry.get(field)? {
                Value::Str(name) => Some((format!(".{field}"), name)),
                Value::Object(ObjectRef::Borrowed(id)) => match id.get("text")? {
                    Value::Str(text) => Some((format!(".{field}.text"), text)),
                    _ => None,
                },
                _ => None,
            })
        }
        _ => None,
    }
}
