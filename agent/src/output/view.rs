//! What of the items is shown, and as what: the filter, the scripts' `onItemQueried`, and redaction.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use remora_dissect::{Item, json};
use remora_kfl::Query;
use remora_script::{ItemView, Reply, ScriptHost};
use serde_json::Value;

/// The view of a person on the items: `--filter`.
pub(crate) struct View {
    host: Arc<ScriptHost>,
    filter: Option<Query>,
    /// As written, for `onItemQueried`.
    text: Arc<str>,
    /// Unix milliseconds at the beginning, which times in the filter count from.
    begun: i64,
    /// Items that may still be shown, where the filter has a `limit`.
    left: Option<u64>,
    /// Items that are not shown because a script was ended before it could be asked about them.
    pub(super) withheld: u64,
}

/// An item to be shown.
pub(super) struct Shown {
    pub(super) item: Arc<Item>,
    /// What is shown in its place.
    pub(super) instead: Option<Value>,
}

impl View {
    pub(crate) fn new(host: Arc<ScriptHost>, filter: Option<(String, Query)>) -> Self {
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (text, filter) = filter.map_or_else(Default::default, |(text, query)| (text, Some(query)));
        Self {
            host,
            left: filter.as_ref().and_then(Query::limit),
            filter,
            text: text.into(),
            withheld: 0,
            begun: i64::try_from(begun.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// Whether every item is shown, and as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.filter.is_none() && !self.host.wants_queries()
    }

    /// Whether looking has an effect beside what is printed: scripts may mark items in `onItemQueried`.
    pub(crate) fn is_watched(&self) -> bool {
        self.host.wants_queries()
    }

    /// The items that are to be shown.
    pub(super) fn select(&mut self, items: &[Arc<Item>]) -> Vec<Shown> {
        let mut chosen: Vec<Arc<Item>> =
            items.iter().filter(|item| self.matches(item)).map(Arc::clone).collect();
        if let Some(left) = &mut self.left {
            chosen.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= chosen.len() as u64;
        }
        let mut replies = match self.host.wants_queries() {
            true => self.host.query(&chosen, &self.text),
            false => Vec::new(),
        };
        replies.resize(chosen.len(), Reply::default());
        let mut shown = Vec::with_capacity(chosen.len());
        for (item, reply) in chosen.into_iter().zip(replies) {
            if reply.unasked {
                self.withheld += 1;
            } else {
                let instead = self.redacted(&item, reply.text);
                shown.push(Shown { item, instead });
            }
        }
        shown
    }

    fn matches(&self, item: &Arc<Item>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(&ItemView::new(item), self.begun))
    }

    /// The reply of scripts, or the item where the filter redacts something in it.
    fn redacted(&self, item: &Item, reply: Option<String>) -> Option<Value> {
        // The engine has made the text.
        let mut shown = reply.and_then(|text| serde_json::from_str(&text).ok());
        if let Some(filter) = &self.filter {
            let outcome = filter.evaluate(&ItemView::new(item), self.begun);
            if outcome.redactions().next().is_some() {
                let mut value = shown.or_else(|| {
                    let mut text = Vec::new();
                    json::write_object(item, &mut text);
                    serde_json::from_slice(&text).ok()
                })?;
                outcome.redact(&mut value);
                shown = Some(value);
            }
        }
        shown
    }
}
