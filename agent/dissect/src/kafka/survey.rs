//! What is told of a body that is decoded later.

use super::topics::Topics;

/// What a body tells that is decoded later.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The first code that is not 0.
    pub(super) error_code: i16,
    /// Nothing is left over behind the body.
    pub(super) exact: bool,
    pub(super) acks: Option<i16>,
    pub(super) topics: Topics,
    /// Records may be more than is kept of them.
    pub(super) perhaps_cut: bool,
    /// Entries of lists.
    pub(super) entries: usize,
    /// A list has more than are kept.
    pub(super) cut: bool,
}

impl Survey {
    /// `None` where it is not known whether all are shown.
    pub(super) fn known_topics(self) -> Option<Topics> {
        // In front of the name of the first there is nothing that could use up what may be shown.
        (!self.perhaps_cut || self.topics.count <= 1).then_some(self.topics)
    }
}
