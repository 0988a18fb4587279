//! The list row of an item.

use std::borrow::Cow;

use crate::item::{Filter, Summary};
use crate::value::ObjectRef;
use crate::{Item, Value, json};

pub(super) fn summarize(item: &Item) -> Summary<'_> {
    let draft = &item.draft;
    let of_request = |name| match draft.request.as_ref()?.get(name)? {
        Value::Str(text) => Some(text),
        _ => None,
    };
    let mut summary = Summary::default();
    if let Some(command) = of_request("command") {
        (summary.method, summary.method_filter) = (command, Filter::Field("request.command"));
    }
    match (of_request("database"), of_request("collection")) {
        (Some(database), Some(collection)) => {
            let query = format!(
                "request.database == {} and request.collection == {}",
                quoted(&database),
                quoted(&collection)
            );
            summary.summary = Cow::Owned(format!("{database}.{collection}"));
            summary.summary_filter = Filter::Query(Cow::Owned(query));
        }
        (Some(database), None) => {
            (summary.summary, summary.summary_filter) = (database, Filter::Field("request.database"));
        }
        _ => {}
    }
    // A reply that nobody asked for is its item's request.
    let sides = [
        (draft.response.as_ref(), "response.error.code", "response.success == false"),
        (draft.request.as_ref(), "request.error.code", "request.success == false"),
    ];
    for (side, field, query) in sides {
        let Some(side) = side else { continue };
        if let Some(Value::Object(ObjectRef::Borrowed(error))) = side.get("error") {
            (summary.status, summary.status_filter) = match error.get("code") {
                Some(Value::Int(code)) => (code, Filter::Field(field)),
                _ => (1, Filter::Query(Cow::Borrowed(query))),
            };
            break;
        }
        if let Some(Value::Bool(true)) = side.get("success") {
            let query = query.replace("false", "true");
            summary.status_filter = Filter::Query(Cow::Owned(query));
            break;
        }
    }
    summary
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::write_str(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
