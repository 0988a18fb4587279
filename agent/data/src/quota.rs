//! How many bytes files in the data directory may take, counted in blocks of the disk.

use std::sync::atomic::{AtomicU64, Ordering};

/// A file counts as whole blocks, and an empty one or a folder as one: that is about what it occupies, and it bounds the
/// number of files along with their bytes.
pub const BLOCK_BYTES: u64 = 4096;

/// What a file of `bytes` counts as.
pub(crate) fn charge(bytes: u64) -> u64 {
    bytes.max(1).div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES)
}

#[derive(Debug)]
pub(crate) struct Quota {
    limit: u64,
    used: AtomicU64,
}

impl Quota {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: AtomicU64::new(0) }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes `bytes` if there is room for them.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        self.used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.limit)
            })
            .is_ok()
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        let _ = self
            .used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used.saturating_sub(bytes)));
    }

    /// Replaces the count by what was found on the disk.
    pub(crate) fn set(&self, bytes: u64) {
        self.used.store(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_as_whole_blocks() {
        assert_eq!([0, 1, 4096, 4097].map(charge), [4096, 4096, 4096, 8192]);
    }

    #[test]
    fn no_more_than_the_limit_is_given_out() {
        let quota = Quota::new(10);
        assert!(quota.take(7));
        assert!(!quota.take(4) && !quota.take(u64::MAX));
        assert!(quota.take(3));
        quota.give_back(5);
        assert_eq!(quota.used(), 5);
        quota.give_back(50);
        assert_eq!(quota.used(), 0);
    }
}
