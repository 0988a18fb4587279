//! Captures of other people's HTTP, where the folder with them lies beside the repository: nothing panics, and what comes
//! out is plausible.

mod golden_support;

use golden_support::{Public, carries, replay};
use remora_dissect::{Item, Limits, Value, json};

/// Why an item can't be HTTP.
fn implausible(item: &Item) -> Option<String> {
    let summary = item.summary();
    let draft = &item.draft;
    if draft.request.is_none() && draft.response.is_none() {
        return Some("neither request nor response".to_owned());
    }
    if draft.request.is_some()
        && !summary.method.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
    {
        return Some(format!("method {:?}", summary.method));
    }
    if draft.response.is_some() && !(100..=999).contains(&summary.status) {
        return Some(format!("status {}", summary.status));
    }
    if (draft.request.is_none() || draft.response.is_none()) && draft.error.is_none() {
        return Some("half an exchange without an error".to_owned());
    }
    for (side, size) in [(&draft.request, draft.request_size), (&draft.response, draft.response_size)] {
        let body = side.as_ref().and_then(|side| side.get("bodySize"));
        let missing = draft.gap.request + draft.gap.response;
        if let Some(Value::Int(body)) = body
            && body.unsigned_abs() > size + missing
        {
            return Some(format!("a body of {body} bytes in {size} captured and {missing} missing"));
        }
    }
    None
}

#[test]
fn public_captures_are_plausible() {
    let Some(public) = Public::open() else { return };
    let mut failures = Vec::new();
    for (path, _) in public.captures().filter(|(_, protocols)| carries(protocols, "http")) {
        let mut replay = replay(&public.folder.join(path), Limits::default());
        // What an upgrade or a tunnel leads to has tests of its own.
        replay.items.retain(|item| item.draft.protocol.name == "http");
        let mut out = Vec::new();
        for item in &replay.items {
            json::write_object(item, &mut out);
            failures.extend(implausible(item).map(|why| format!("{path} {}: {why}", item.id())));
            out.clear();
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
