//! The list row of an item.

use std::borrow::Cow;
use std::fmt::Write;

use crate::item::{Filter, Summary};
use crate::value::ObjectRef;
use crate::{Item, List, Object, Value};

/// Topics named in a row.
const SHOWN_TOPICS: usize = 20;

/// Where requests have their topics, and what names one.
const TOPICS: [(&str, &[&str]); 3] = [
    ("topicData", &["topic", "topicID"]),
    ("topics", &["topic", "name", "topicID", "uuid"]),
    ("topicNames", &[]),
];

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
        } else if let Some(payload) = object(request.get("payload")) {
            add_topics(payload, &mut summary);
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

fn add_topics(payload: &dyn Object, summary: &mut Summary<'_>) {
    let (mut names, mut query) = (String::new(), String::new());
    for (field, named_by) in TOPICS {
        let Some(Value::List(list)) = payload.get(field) else { continue };
        for index in 0..list.len().min(SHOWN_TOPICS) {
            let Some((path, name)) = topic(list, index, named_by) else { continue };
            if !names.is_empty() {
                names.push_str(", ");
                query.push_str(" and ");
            }
            names.push_str(&name);
            let mut text = Vec::new();
            crate::json::write_str(&name, &mut text);
            let text = String::from_utf8_lossy(&text);
            // Writing to a string does not fail.
            let _ = write!(query, "request.payload.{field}[{index}]{path} == {text}");
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
fn topic<'a>(list: &'a dyn List, index: usize, named_by: &[&str]) -> Option<(String, Cow<'a, str>)> {
    match list.at(index)? {
        Value::Str(name) => Some((String::new(), name)),
        Value::Object(ObjectRef::Borrowed(entry)) => {
            named_by.iter().find_map(|field| match entry.get(field)? {
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

fn object(value: Option<Value<'_>>) -> Option<&dyn Object> {
    if let Some(Value::Object(ObjectRef::Borrowed(object))) = value { Some(object) } else { None }
}
