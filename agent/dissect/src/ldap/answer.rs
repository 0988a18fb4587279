//! Responses of several messages: a search's entries and references before its result.

use remora_packet::Timestamp;

use super::message::Decoded;
use crate::Context;
use crate::frame::Framed;
use crate::tree::{Fields, Tree};

/// What came of a response so far.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) id: i64,
    pub(super) time: Timestamp,
    pub(super) size: u64,
    pub(super) missing: u64,
    pub(super) error: Option<String>,
    pub(super) lists: [Listed; 3],
    pub(super) bytes: usize,
    pub(super) truncated: bool,
    /// The kind of the latest message.
    pub(super) name: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Listed {
    count: u64,
    kept: Vec<Tree>,
}

/// The lists of an [`Answer`], and their counts.
const LISTS: [(&str, &str); 3] = [
    ("entries", "entryCount"),
    ("references", "referenceCount"),
    ("intermediateResponses", "intermediateResponseCount"),
];

impl Answer {
    pub(super) fn new(id: i64, time: Timestamp) -> Self {
        Self {
            id,
            time,
            size: 0,
            missing: 0,
            error: None,
            lists: Default::default(),
            bytes: 0,
            truncated: false,
            name: "",
        }
    }

    pub(super) fn add(&mut self, list: usize, framed: &Framed<'_>, decoded: Decoded, context: &Context<'_>) {
        self.size += framed.size;
        self.missing += framed.missing;
        self.name =
            if list == 2 && self.name.is_empty() { "Intermediate Response" } else { "Search Response" };
        if let Some(error) = decoded.error {
            self.error.get_or_insert_with(|| super::exchanges::place(error, framed));
        }
        let mut fields = Fields::with_capacity(decoded.fields.len());
        for (name, value) in decoded.fields {
            if name == "truncated" {
                self.truncated = true;
            } else if list == 1 && name == "uris" {
                // A reference is its addresses.
                self.keep(1, value, context);
                return;
            } else if name != "type" && name != "messageId" {
                fields.push(name, value);
            }
        }
        self.keep(list, Tree::Fields(fields), context);
    }

    fn keep(&mut self, list: usize, value: Tree, context: &Context<'_>) {
        let listed = &mut self.lists[list];
        listed.count += 1;
        let bytes = value.heap() + size_of::<Tree>();
        let fits = self.bytes + bytes <= context.limits.message_bytes.max(1);
        if fits && listed.kept.len() < context.limits.list_entries {
            listed.kept.push(value);
            self.bytes += bytes;
        } else {
            self.truncated = true;
        }
    }
}

pub(super) fn answer_fields(fields: &mut Fields, lists: [Listed; 3], truncated: bool, is_search: bool) {
    for ((list, listed), (name, count)) in lists.into_iter().enumerate().zip(LISTS) {
        if listed.count > 0 || is_search && list == 0 {
            fields.push(count, listed.count);
            fields.push(name, listed.kept);
        }
    }
    if truncated {
        fields.set("truncated", true);
    }
}
