//! Where what dissectors hand in becomes items.

use std::sync::Arc;

use crate::flow::Stream;
use crate::{Counters, Draft, Item, Origin};

/// Makes items, which know their stream, of drafts.
pub(super) struct Outlet {
    pub(super) origin: Arc<Origin>,
    /// What a dissector makes of the packet at hand; empty in between.
    pub(super) drafts: Vec<Draft>,
}

impl Outlet {
    pub(super) fn emit(&mut self, stream: &mut Stream, counters: &mut Counters, items: &mut Vec<Item>) {
        if self.drafts.is_empty() {
            return;
        }
        let name = stream.name();
        for draft in self.drafts.drain(..) {
            if let Some(tally) = &mut stream.tally {
                tally.carries(draft.protocol);
            }
            counters.items += 1;
            let unpaired = draft.request.is_none() || draft.response.is_none();
            counters.unpaired_items += u64::from(unpaired);
            counters.items_with_gaps += u64::from(!draft.gap.is_none());
            counters.failed_items += u64::from(draft.error.is_some());
            let (src, dst) = stream.ends(draft.request_direction);
            items.push(Item::between(self.origin.clone(), name, stream.items, src, dst, draft));
            stream.items += 1;
        }
    }
}
