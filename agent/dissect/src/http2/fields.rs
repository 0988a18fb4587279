//! The header fields of one block, and what HTTP/2 itself wants to know of them.

use std::ops::Range;

use crate::http::fields::push_pair;

/// A decoded header block. Its fields are kept as pairs; see [`push_pair`].
#[derive(Debug)]
pub(super) struct FieldList {
    pub(super) pairs: Vec<u8>,
    /// Fields that could still be kept.
    room: usize,
    /// Bytes that `pairs` may take.
    cap: usize,
    /// Fields beyond the caps.
    pub(super) cut: u32,
    /// Fields of which the name or the value was not captured.
    pub(super) unknown: u32,
    /// It begins with one of those: a pseudo-header field, perhaps.
    pub(super) begins_unknown: bool,
    pub(super) method: Option<Range<u32>>,
    pub(super) path: Option<Range<u32>>,
    pub(super) authority: Option<Range<u32>>,
    pub(super) status: Option<u16>,
    /// There is a pseudo-header field of a request, or of a response (RFC 9113, sections 8.3.1 and 8.3.2).
    pub(super) of_request: bool,
    pub(super) of_response: bool,
}

impl FieldList {
    pub(super) fn new(fields: usize, bytes: usize) -> Self {
        Self {
            pairs: Vec::new(),
            room: fields,
            cap: bytes,
            cut: 0,
            unknown: 0,
            begins_unknown: false,
            method: None,
            path: None,
            authority: None,
            status: None,
            of_request: false,
            of_response: false,
        }
    }

    /// Whether it is the head of a message, not its trailers.
    pub(super) const fn is_head(&self) -> bool {
        self.of_request || self.of_response || self.begins_unknown
    }

    pub(super) fn push(&mut self, name: &[u8], value: &[u8], known: bool) {
        if !known {
            self.unknown += 1;
            self.begins_unknown |= self.pairs.is_empty() && self.cut == 0;
        }
        let end = self.pairs.len() + 8 + name.len() + value.len();
        if self.room == 0 || end > self.cap {
            self.cut += 1;
            return;
        }
        self.room -= 1;
        if self.pairs.is_empty() {
            self.pairs.reserve(256.min(self.cap));
        }
        push_pair(&mut self.pairs, name, value);
        if let [b':', ..] = name {
            self.pseudo(name, value, (end - value.len()) as u32..end as u32);
        }
    }

    /// `place` is where the value lies.
    fn pseudo(&mut self, name: &[u8], value: &[u8], place: Range<u32>) {
        match name {
            b":status" => {
                self.of_response = true;
                let status = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.status = self.status.or(status.filter(|status| (100..=999).contains(status)));
                return;
            }
            b":method" => _ = self.method.get_or_insert(place),
            b":path" => _ = self.path.get_or_insert(place),
            b":authority" => _ = self.authority.get_or_insert(place),
            b":scheme" | b":protocol" => {}
            _ => return,
        }
        self.of_request = true;
    }
}
