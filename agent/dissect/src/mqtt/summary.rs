//! The row of an item.

use std::borrow::Cow;

use crate::item::{Filter, Message, Summary};
use crate::{Item, Value};

fn text<'a>(side: Option<&'a dyn Message>, name: &str) -> Cow<'a, str> {
    match side.and_then(|side| side.get(name)) {
        Some(Value::Str(text)) => text,
        _ => Cow::Borrowed(""),
    }
}

pub(super) fn summarize(item: &Item) -> Summary<'_> {
    let request = item.draft.request.as_deref();
    let response = item.draft.response.as_deref();
    let mut summary = Summary {
        method: text(request.or(response), "type"),
        method_filter: Filter::Field(if request.is_some() { "request.type" } else { "response.type" }),
        ..Summary::default()
    };
    match &*summary.method {
        "PUBLISH" => {
            summary.summary = text(request, "topic");
            summary.summary_filter = Filter::Field("request.topic");
        }
        "CONNECT" => {
            summary.summary = text(request, "clientId");
            summary.summary_filter = Filter::Field("request.clientId");
        }
        kind @ ("SUBSCRIBE" | "UNSUBSCRIBE") => {
            if let Some(Value::List(topics)) = request.and_then(|request| request.get("topics")) {
                let first = match topics.at(0) {
                    Some(Value::Object(first)) => match first.get("topic") {
                        Some(Value::Str(topic)) => topic.into_owned(),
                        _ => String::new(),
                    },
                    Some(Value::Str(topic)) => topic.into_owned(),
                    _ => String::new(),
                };
                summary.summary_filter = Filter::Field(if kind == "SUBSCRIBE" {
                    "request.topics[0].topic"
                } else {
                    "request.topics[0]"
                });
                summary.summary = Cow::Owned(first);
            }
        }
        "DISCONNECT" | "AUTH" => {
            summary.summary = text(request, "reason");
            summary.summary_filter = Filter::Field("request.reason");
        }
        _ => {}
    }
    let sides = [(response, "response.error.code"), (request, "request.error.code")];
    for (side, filter) in sides {
        if let Some(Value::Object(error)) = side.and_then(|side| side.get("error"))
            && let Some(Value::Int(code)) = error.get("code")
        {
            summary.status = code;
            summary.status_filter = Filter::Field(filter);
            break;
        }
    }
    summary
}
