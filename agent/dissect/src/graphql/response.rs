//! Responses (GraphQL specification, October 2021, section 7.1): whether there is data, and what went wrong.

use super::{Caps, json};
use crate::tree::{Fields, Tree};

/// The `graphql` of a response whose request was GraphQL, from its decoded JSON body; a list for a batch.
pub(crate) fn response(body: &[u8], caps: Caps) -> Tree {
    if body.trim_ascii_start().starts_with(b"[") {
        json::elements(body).take(caps.entries).map(|element| result(element, caps)).collect()
    } else {
        result(body, caps).into()
    }
}

/// One result: `errors` as they are, and whether `data` is there and not null.
pub(super) fn result(text: &[u8], caps: Caps) -> Fields {
    let mut fields = Fields::with_capacity(3);
    let (mut errors, mut has_data, mut cut) = (Tree::List(Vec::new()), false, false);
    for (name, value) in json::members(text) {
        match name {
            b"errors" if value.starts_with(b"[") => errors = json::shown(value, caps, &mut cut),
            b"data" => has_data = value != b"null",
            _ => {}
        }
    }
    fields.push("errors", errors);
    fields.push("hasData", has_data);
    if cut {
        fields.push("truncated", true);
    }
    fields
}
