//! How much of one message is kept.

use crate::Limits;
use crate::unpack::DecodeCaps;

/// Lists of one message together keep so many times what one list may.
const LISTS: usize = 10;

#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Entries of one list.
    pub(super) list: usize,
    /// Bytes of one value.
    pub(super) value: usize,
    /// Entries of all lists together that are still to be had.
    entries: usize,
    /// The same for what compressed records decode to.
    decoded: usize,
    caps: DecodeCaps,
    spent: bool,
}

impl Budget {
    pub(super) const NONE: Self = Self {
        list: 0,
        value: 0,
        entries: 0,
        decoded: 0,
        caps: DecodeCaps { bytes: 0, ratio: 0 },
        spent: false,
    };

    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            list: limits.list_entries,
            value: limits.value_bytes,
            entries: limits.list_entries.saturating_mul(LISTS),
            decoded: limits.decoded_bytes,
            caps: DecodeCaps::of(limits),
            spent: false,
        }
    }

    /// Whether so many entries of lists no longer than may be are all to be had.
    pub(super) const fn allows(&self, entries: usize) -> bool {
        entries <= self.entries
    }

    /// Takes one entry.
    pub(super) fn entry(&mut self) -> bool {
        match self.entries.checked_sub(1) {
            Some(left) => {
                self.entries = left;
                true
            }
            None => {
                self.spend();
                false
            }
        }
    }

    /// Bytes that so many compressed ones may decode to.
    pub(super) fn allow(&self, compressed: usize) -> usize {
        self.caps.allow(compressed).min(self.decoded)
    }

    pub(super) fn decoded(&mut self, bytes: usize) {
        self.decoded = self.decoded.saturating_sub(bytes);
    }

    /// Something was left out.
    pub(super) fn spend(&mut self) {
        self.spent = true;
    }

    pub(super) const fn is_spent(&self) -> bool {
        self.spent
    }
}
