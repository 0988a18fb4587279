//! The entries that a search finds, kept as they came.

use super::framing::{Head, Look, look};
use super::message;
use super::names::op;
use crate::der::{Element, tag};
use crate::limits::ValueLimits;
use crate::read::ParseError;
use crate::tree::{Fields, Tree};
use crate::{Limits, Reader};

/// Bytes of heap that a decoded entry may take at most: for itself, and for each byte it came in. A value takes two bytes at
/// least, an attribute six.
const DECODED: usize = 640;
const DECODED_BYTE: usize = 64;

/// Entries of one answer, as few as are shown whole for certain.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Their messages, one behind the other.
    bytes: Vec<u8>,
    count: usize,
}

impl Entries {
    /// Keeps a whole message; whether it is an entry in which decoding finds nothing wrong, and no cap takes anything away.
    pub(super) fn keep(&mut self, head: &Head, bytes: &[u8], limits: &Limits) -> bool {
        let count = self.count + 1;
        let decoded = count * DECODED + (self.bytes.len() + bytes.len()) * DECODED_BYTE;
        let fits = count <= limits.list_entries
            && bytes.len() <= limits.value_bytes
            && decoded <= limits.message_bytes
            && head.end == bytes.len() as u64;
        let is_kept =
            head.op == op::SEARCH_ENTRY && fits && is_right(head, bytes, limits).is_ok_and(|right| right);
        if is_kept {
            self.count = count;
            self.bytes.reserve_exact(if self.bytes.is_empty() { bytes.len() } else { 0 });
            self.bytes.extend_from_slice(bytes);
        }
        is_kept
    }

    pub(super) const fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn decode(&self, limits: ValueLimits, mut with: impl FnMut(Tree)) {
        let mut reader = Reader::new(&self.bytes);
        while let Look::Head(head) = look(reader.rest())
            && let Ok(length) = usize::try_from(head.length)
            && let Ok(bytes) = reader.take(length)
        {
            let decoded = message::decode(&head, bytes, true, limits).fields;
            let mut fields = Fields::with_capacity(decoded.len());
            decoded.into_iter().filter(|(name, _)| !is_of_message(name)).for_each(|(name, value)| {
                fields.push(name, value);
            });
            with(fields.into());
        }
    }
}

/// Whether a field is of the message that carries an entry.
pub(super) fn is_of_message(name: &str) -> bool {
    matches!(name, "type" | "messageId")
}

fn is_right(head: &Head, bytes: &[u8], limits: &Limits) -> Result<bool, ParseError> {
    let content = bytes.get(head.content..).unwrap_or_default();
    let mut parts = Element { tag: head.op, content, offset: head.content }.elements();
    parts.expect(tag::OCTET_STRING)?;
    let mut attributes = 0;
    for attribute in parts.expect(tag::SEQUENCE)?.elements() {
        let mut attribute = attribute?.elements();
        attribute.expect(tag::OCTET_STRING)?;
        let mut values = 0;
        for value in attribute.expect(tag::SET)?.elements() {
            value?;
            values += 1;
        }
        if values > limits.list_entries {
            return Ok(false);
        }
        attributes += 1;
    }
    Ok(attributes <= limits.list_entries)
}
