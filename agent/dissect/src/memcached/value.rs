//! A value as it comes: its beginning is kept, the rest counted.

use crate::{Fields, Limits, Tree, room};

#[derive(Debug, Default)]
pub(super) struct Data {
    kept: Vec<u8>,
    size: u64,
    missing: u64,
}

impl Data {
    /// `announced` bytes come, of which these are the first.
    pub(super) fn add(&mut self, bytes: &[u8], announced: u64, limits: &Limits) {
        self.size += bytes.len() as u64;
        if self.missing == 0 {
            let kept = bytes.len().min(limits.value_bytes.saturating_sub(self.kept.len()));
            room::make(&mut self.kept, kept, announced, limits.value_bytes);
            self.kept.extend_from_slice(&bytes[..kept]);
        }
    }

    pub(super) fn miss(&mut self, bytes: u64) {
        self.missing += bytes;
    }

    pub(super) fn memory(&self) -> usize {
        self.kept.capacity()
    }

    /// Writes it as `value` and `size`.
    pub(super) fn write(mut self, fields: &mut Fields) {
        let kept = std::mem::take(&mut self.kept);
        self.push(kept, fields);
    }

    /// As [`Self::write`], and stays.
    pub(super) fn tell(&self, fields: &mut Fields) {
        self.push(self.kept.clone(), fields);
    }

    fn push(&self, kept: Vec<u8>, fields: &mut Fields) {
        let size = self.size + self.missing;
        let cut = kept.len() as u64 != size;
        fields.push("value", text(kept, cut));
        fields.push("size", size);
        if cut {
            fields.push("truncated", true);
        }
    }
}

/// Text where it is; a character that a cut went through is left out.
fn text(bytes: Vec<u8>, cut: bool) -> Tree {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => {
            let valid = error.utf8_error();
            let mut bytes = error.into_bytes();
            if cut && valid.error_len().is_none() {
                bytes.truncate(valid.valid_up_to());
                return Tree::text_or_bytes(&bytes);
            }
            Tree::Bytes(bytes)
        }
    }
}
