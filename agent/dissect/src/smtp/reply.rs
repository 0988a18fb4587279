//! Replies of one or several lines.

use std::borrow::Cow;

use remora_packet::Timestamp;

use super::line;
use crate::Limits;
use crate::tree::{Fields, Tree};

#[derive(Debug)]
pub(super) struct Reply {
    pub code: u16,
    pub time: Timestamp,
    /// Bytes, line ends included.
    pub size: u64,
    /// Its lines without codes, with line feeds between.
    lines: Vec<u8>,
    truncated: bool,
}

impl Reply {
    pub(super) const fn new(code: u16, time: Timestamp) -> Self {
        Self { code, time, size: 0, lines: Vec::new(), truncated: false }
    }

    pub(super) fn add(&mut self, text: &[u8], size: usize, limits: &Limits) {
        let is_first = self.size == 0;
        self.size += size as u64;
        if self.lines.len() >= limits.value_bytes {
            self.truncated = true;
            return;
        }
        if !is_first {
            self.lines.push(b'\n');
        }
        let room = limits.value_bytes.saturating_sub(self.lines.len());
        self.lines.extend_from_slice(&text[..text.len().min(room)]);
        self.truncated |= text.len() > room;
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        crate::text::lossy(&self.lines)
    }

    pub(super) const fn is_positive(&self) -> bool {
        self.code < 400
    }

    pub(super) fn memory(&self) -> usize {
        self.lines.capacity()
    }

    pub(super) fn add_to(&self, fields: &mut Fields) {
        let text = self.text();
        fields.push("code", self.code);
        if let Some(enhanced) = line::enhanced(self.code, &text) {
            fields.push("enhancedCode", enhanced.to_owned());
        }
        fields.push("success", self.is_positive());
        fields.push("text", text.into_owned());
        if self.truncated {
            fields.push("truncated", true);
        }
    }

    /// The side of an item; the answer to EHLO lists extensions (RFC 5321, section 4.1.1.1).
    pub(super) fn fields(&self, is_of_ehlo: bool, limits: &Limits) -> Fields {
        let mut fields = Fields::new();
        self.add_to(&mut fields);
        if is_of_ehlo && self.is_positive() {
            let lines = self.lines.split(|byte| *byte == b'\n').skip(1).take(limits.list_entries);
            fields.push("extensions", lines.map(Tree::lossy).collect::<Tree>());
        }
        fields
    }
}
