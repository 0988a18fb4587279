//! Responses of several messages: a search's entries and references before its result.

use remora_packet::Timestamp;

use super::entries::{Entries, is_of_message};
use super::framing::Head;
use super::message::Decoded;
use crate::Limits;
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
    /// Those that came before anything is in the lists.
    entries: Entries,
    bytes: usize,
    pub(super) truncated: bool,
    /// The kind of the latest message.
    pub(super) name: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Listed {
    count: u64,
    kept: Vec<Tree>,
}

impl Listed {
    pub(super) fn push(&mut self, value: Tree) {
        self.count += 1;
        self.kept.push(value);
    }
}

pub(super) const SEARCH: &str = "Search Response";

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
            entries: Entries::default(),
            bytes: 0,
            truncated: false,
            name: "",
        }
    }

    /// Keeps an entry as it came, where that can be; whether it was kept.
    pub(super) fn keep_entry(&mut self, head: &Head, framed: &Framed<'_>, limits: &Limits) -> bool {
        let kept = self.is_kept() && self.entries.keep(head, &framed.bytes, limits);
        if kept {
            self.size += framed.size;
            self.missing += framed.missing;
            self.name = SEARCH;
        }
        kept
    }

    /// Whether all of it is kept as it came.
    pub(super) fn is_kept(&self) -> bool {
        !self.truncated && self.lists.iter().all(|listed| listed.count == 0)
    }

    /// All of it, which is kept as it came.
    pub(super) fn take_entries(&mut self) -> Entries {
        std::mem::take(&mut self.entries)
    }

    /// Decodes what was kept as it came.
    pub(super) fn settle(&mut self, limits: &Limits) {
        self.take_entries().decode(limits.of_values(), |entry| self.keep(0, entry, limits));
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes + self.entries.memory()
    }

    pub(super) fn add(&mut self, list: usize, framed: &Framed<'_>, decoded: Decoded, limits: &Limits) {
        self.settle(limits);
        self.size += framed.size;
        self.missing += framed.missing;
        self.name = if list == 2 && self.name.is_empty() { "Intermediate Response" } else { SEARCH };
        if let Some(error) = decoded.error {
            self.error.get_or_insert_with(|| super::exchanges::place(error, framed));
        }
        let mut fields = Fields::with_capacity(decoded.fields.len());
        for (name, value) in decoded.fields {
            if name == "truncated" {
                self.truncated = true;
            } else if list == 1 && name == "uris" {
                // A reference is its addresses.
                self.keep(1, value, limits);
                return;
            } else if !is_of_message(&name) {
                fields.push(name, value);
            }
        }
        self.keep(list, Tree::Fields(fields), limits);
    }

    fn keep(&mut self, list: usize, value: Tree, limits: &Limits) {
        let listed = &mut self.lists[list];
        listed.count += 1;
        let bytes = value.heap() + size_of::<Tree>();
        let fits = self.bytes + bytes <= limits.message_bytes.max(1);
        if fits && listed.kept.len() < limits.list_entries {
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
