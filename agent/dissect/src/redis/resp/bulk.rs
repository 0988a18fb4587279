//! Strings whose length is told beforehand: `$`, `!`, `=`, and the pieces of a streamed one.

use super::building::shortened;
use crate::room;
use crate::{Limits, Tree};

/// A string that is coming.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    marker: u8,
    data: Vec<u8>,
    /// Of the data, as far as announced.
    size: u64,
    /// Still to come, with the line end.
    left: u64,
    missing: u64,
    ending: [u8; 2],
    /// No line end follows, and nothing is kept.
    bare: bool,
}

impl Bulk {
    pub(super) fn new(marker: u8, size: u64) -> Self {
        Self { marker, size, left: size + 2, ..Self::default() }
    }

    /// A dump of the whole data set, which no line end follows.
    pub(super) fn dump(size: u64) -> Self {
        Self { marker: b'$', size, left: size, ending: *b"\r\n", bare: true, ..Self::default() }
    }

    pub(super) const fn marker(&self) -> u8 {
        self.marker
    }

    /// What has come of it.
    pub(super) const fn taken(&self) -> u64 {
        (self.size + 2).saturating_sub(self.left)
    }

    /// Bytes of heap held for what is to come.
    pub(super) const fn room(&self) -> usize {
        self.data.capacity() - self.data.len()
    }

    /// Nothing is to come.
    pub(super) const fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The data is all there.
    pub(super) const fn is_whole(&self) -> bool {
        self.missing == 0 && self.data.len() as u64 == self.size
    }

    /// Takes what belongs to it; `kept` counts what the message it is in holds.
    pub(super) fn take(&mut self, bytes: &[u8], kept: &mut usize, limits: &Limits) -> usize {
        let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let ending = if self.bare { 0 } else { 2 };
        let data = taken.min(usize::try_from(self.left.saturating_sub(ending)).unwrap_or(usize::MAX));
        let room = limits.value_bytes.saturating_sub(self.data.len());
        let room = room.min(limits.message_bytes.saturating_sub(*kept));
        let room = if self.missing == 0 && !self.bare { data.min(room) } else { 0 };
        room::make(&mut self.data, room, self.left.saturating_sub(ending), limits.value_bytes);
        self.data.extend_from_slice(&bytes[..room]);
        *kept += room;
        self.left -= data as u64;
        for &byte in &bytes[data..taken] {
            self.ending = [self.ending[1], byte];
            self.left -= 1;
        }
        taken
    }

    /// Bytes went missing. True where it goes on behind them.
    pub(super) const fn skip(&mut self, missing: u64) -> bool {
        if missing >= self.left {
            return false;
        }
        self.missing += missing;
        self.left -= missing;
        true
    }

    /// All of it has come.
    pub(super) fn end(&mut self) -> Result<(), &'static str> {
        if self.missing == 0 && self.ending != *b"\r\n" {
            return Err("a string does not end where its length says");
        }
        // The format of a verbatim string.
        if self.marker == b'=' && self.data.get(3) == Some(&b':') {
            self.data.drain(..4);
            self.size -= 4;
        }
        Ok(())
    }

    /// What is to come of it will not.
    pub(super) fn abandon(&mut self) {
        let present = self.size.saturating_sub(self.left.saturating_sub(2));
        self.missing = self.missing.max(self.size - present.min(self.size)).max(1);
    }

    pub(super) fn into_tree(self) -> Tree {
        let whole = self.is_whole();
        let kept = match String::from_utf8(self.data) {
            Ok(text) => text.into(),
            // A character that the cut went through is left out.
            Err(error) if !whole && error.utf8_error().error_len().is_none() => {
                Tree::lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()])
            }
            Err(error) => Tree::Bytes(error.into_bytes()),
        };
        if whole { kept } else { shortened(kept, self.size, self.missing) }
    }
}
