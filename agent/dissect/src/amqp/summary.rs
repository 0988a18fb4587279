//! The row of an item: which name of a method's arguments tells most.

use std::borrow::Cow;

use crate::item::{Filter, Message, Summary};
use crate::{Item, Value};

fn text<'a>(side: Option<&'a dyn Message>, name: &str) -> Cow<'a, str> {
    match side.and_then(|side| side.get(name)) {
        Some(Value::Str(text)) => text,
        Some(Value::Int(number)) => Cow::Owned(number.to_string()),
        _ => Cow::Borrowed(""),
    }
}

macro_rules! column {
    ($name:literal) => {
        Some(($name, concat!("request.", $name), concat!("response.", $name)))
    };
}

/// The argument shown, and how filters call it in a request and in a response.
fn column(method: &str) -> Option<(&'static str, &'static str, &'static str)> {
    match method {
        "basic publish" | "basic deliver" | "basic return" | "basic get-ok" | "exchange declare"
        | "exchange delete" => column!("exchange"),
        "exchange bind" | "exchange unbind" => column!("destination"),
        "queue declare" | "queue declare-ok" | "queue bind" | "queue unbind" | "queue purge"
        | "queue delete" | "basic consume" | "basic get" => column!("queue"),
        "basic cancel" | "basic consume-ok" | "basic cancel-ok" => column!("consumerTag"),
        "basic ack" | "basic nack" | "basic reject" => column!("deliveryTag"),
        "basic qos" => column!("prefetchCount"),
        "connection close" | "channel close" => column!("replyText"),
        "connection open" => column!("virtualHost"),
        "connection tune" | "connection tune-ok" => column!("channelMax"),
        "connection blocked" | "connection update-secret" => column!("reason"),
        _ => None,
    }
}

pub(super) fn summarize(item: &Item) -> Summary<'_> {
    let request = item.draft.request.as_deref();
    let response = item.draft.response.as_deref();
    let side = request.or(response);
    let method = text(side, "method");
    let mut summary = Summary {
        method_filter: Filter::Field(if request.is_some() { "request.method" } else { "response.method" }),
        ..Summary::default()
    };
    if matches!(&*method, "connection start" | "protocol header") {
        let (major, minor) = (text(side, "versionMajor"), text(side, "versionMinor"));
        let prefix = if request.is_some() { "request" } else { "response" };
        summary.summary_filter = Filter::Query(Cow::Owned(format!(
            "{prefix}.versionMajor == {major} and {prefix}.versionMinor == {minor}"
        )));
        summary.summary = Cow::Owned(format!("{major}.{minor}"));
    } else if let Some((name, in_request, in_response)) = column(&method) {
        let field = if request.is_some() { in_request } else { in_response };
        summary.summary = text(side, name);
        summary.summary_filter = match side.and_then(|side| side.get(name)) {
            Some(Value::Int(number)) => Filter::Query(Cow::Owned(format!("{field} == {number}"))),
            _ => Filter::Field(field),
        };
        // The default exchange has no name, and a queue may be named by the server.
        let better = match name {
            "exchange" => Some((
                side,
                "routingKey",
                if request.is_some() { "request.routingKey" } else { "response.routingKey" },
            )),
            "queue" if method == "queue declare" => Some((response, "queue", "response.queue")),
            _ => None,
        };
        if summary.summary.is_empty()
            && let Some((side, name, field)) = better
            && let text = text(side, name)
            && !text.is_empty()
        {
            (summary.summary, summary.summary_filter) = (text, Filter::Field(field));
        }
    }
    if let Some(Value::Object(error)) = response.and_then(|response| response.get("error"))
        && let Some(Value::Int(code)) = error.get("code")
    {
        summary.status = code;
        summary.status_filter = Filter::Field("response.error.code");
    } else if let Some((code, filter)) = refusal(request) {
        summary.status = code;
        summary.status_filter = Filter::Field(filter);
    }
    summary.method = method;
    summary
}

/// The code of a method that itself tells of an error. 0 and 200 are the codes of those that close in peace.
fn refusal(request: Option<&dyn Message>) -> Option<(i64, &'static str)> {
    let codes = [("relyCode", "request.relyCode"), ("replyCode", "request.replyCode")];
    codes.into_iter().find_map(|(name, filter)| match request?.get(name) {
        Some(Value::Int(code)) if !matches!(code, 0 | 200) => Some((code, filter)),
        _ => None,
    })
}
