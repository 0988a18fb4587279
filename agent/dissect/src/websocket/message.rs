//! Messages: their frames joined, and what an item shows of them.

use remora_packet::Timestamp;

use super::frame::{Head, Opcode, unmask};
use super::handshake::Handshake;
use crate::exchange::Half;
use crate::item::ErrorKind;
use crate::room;
use crate::tree::{Fields, Tree};

/// A message of which frames arrive.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) opcode: Opcode,
    pub(super) compressed: bool,
    masked: bool,
    frames: u64,
    /// Payload as far as it is kept: up to the cap, and up to the first hole.
    bytes: Vec<u8>,
    /// Bytes of payload on the wire, kept or not.
    length: u64,
    pub(super) time: Timestamp,
    /// Captured bytes, frame heads included.
    size: u64,
    pub(super) missing: u64,
    /// `bytes` is not all of it.
    cut: bool,
    fault: Option<&'static str>,
}

/// What of a message is shown: inflated, or as it was sent.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) bytes: Vec<u8>,
    pub(super) whole: bool,
    /// It is still compressed.
    pub(super) packed: bool,
}

impl Message {
    pub(super) fn new(head: &Head, time: Timestamp) -> Self {
        Self {
            opcode: head.opcode,
            compressed: head.compressed,
            masked: head.mask.is_some(),
            frames: 0,
            bytes: Vec::new(),
            length: 0,
            time,
            size: 0,
            missing: 0,
            cut: false,
            fault: None,
        }
    }

    /// A frame of it begins.
    pub(super) fn frame(&mut self, head: &Head) {
        self.frames += 1;
        self.length = self.length.saturating_add(head.length);
        self.size += head.bytes as u64;
    }

    /// Payload bytes that lie `at` bytes into their frame. Kept up to `cap`, and up to the first that are missing.
    pub(super) fn append(&mut self, bytes: &[u8], head: &Head, at: u64, cap: usize) {
        self.size += bytes.len() as u64;
        let room = if self.missing == 0 { cap.saturating_sub(self.bytes.len()) } else { 0 };
        let kept = &bytes[..bytes.len().min(room)];
        self.cut |= kept.len() < bytes.len();
        room::make(&mut self.bytes, kept.len(), head.length - at, cap);
        match head.mask {
            Some(mask) => unmask(kept, mask, at, &mut self.bytes),
            None => self.bytes.extend_from_slice(kept),
        }
    }

    /// Payload bytes that the capture does not have.
    pub(super) fn skip(&mut self, bytes: u64) {
        self.missing = self.missing.saturating_add(bytes);
        self.cut = true;
    }

    /// It ends before its last frame does.
    pub(super) fn fail(&mut self, what: &'static str) {
        self.cut = true;
        self.fault.get_or_insert(what);
    }

    /// Something is wrong with it, of which all is there.
    pub(super) fn mark(&mut self, what: &'static str) {
        self.fault.get_or_insert(what);
    }

    pub(super) const fn is_whole(&self) -> bool {
        !self.cut
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// What it carries, where that is not compressed.
    pub(super) fn take_payload(&mut self) -> Payload {
        Payload { bytes: std::mem::take(&mut self.bytes), whole: !self.cut, packed: self.compressed }
    }

    /// As a side of an item. `more` comes last: what the payload means.
    pub(super) fn half(self, handshake: Option<&Handshake>, payload: Payload, more: Option<Fields>) -> Half {
        let mut fields = Fields::with_capacity(12);
        fields.push("opcode", self.opcode.as_str());
        if let Some(handshake) = handshake {
            fields.push("path", handshake.path.clone());
            fields.push_some("host", handshake.host.clone());
            fields.push_some("subprotocol", handshake.subprotocol.clone());
        }
        let shown = payload.bytes.len() as u64;
        let length = if self.compressed && !payload.packed { shown } else { self.length };
        fields.push("payloadLength", length);
        let fault = self.push_payload(&mut fields, payload, length);
        fields.push("masked", self.masked);
        fields.push("fragments", self.frames);
        fields.push("compressed", self.compressed);
        if self.compressed {
            fields.push("compressedLength", self.length);
        }
        fields.push_some("graphql", more);
        let mut half = Half::new(self.time, self.size, fields).missing(self.missing);
        if let Some(what) = self.fault.or(fault) {
            half = half.error(ErrorKind::Dissection, what);
        }
        half
    }

    /// The payload in the form that suits its opcode; says what is wrong with it.
    fn push_payload(&self, fields: &mut Fields, payload: Payload, length: u64) -> Option<&'static str> {
        let whole = payload.whole;
        let mut fault = None;
        if self.opcode == Opcode::Close {
            fault = push_close(fields, &payload.bytes);
        } else {
            let text = match self.opcode {
                Opcode::Text if !payload.packed => text(payload.bytes, whole),
                // The payloads of pings are mostly text, and need not be.
                Opcode::Ping | Opcode::Pong => text(payload.bytes, true),
                _ => Err(payload.bytes),
            };
            match text {
                Ok(text) => fields.push("payloadData", text),
                Err(bytes) => {
                    if self.opcode == Opcode::Text && !payload.packed {
                        fault = Some("text that is not UTF-8");
                    }
                    fields.push("payloadData", Tree::Bytes(bytes));
                    fields.push("encoding", "base64");
                }
            }
        }
        if !whole || payload.packed && self.length != length {
            fields.push("truncated", true);
        }
        fault
    }
}

/// UTF-8, where the end may be missing in the middle of a character.
fn text(bytes: Vec<u8>, whole: bool) -> Result<String, Vec<u8>> {
    String::from_utf8(bytes).or_else(|error| {
        let (cut, at) = (error.utf8_error().error_len().is_none(), error.utf8_error().valid_up_to());
        let mut bytes = error.into_bytes();
        if whole || !cut {
            return Err(bytes);
        }
        bytes.truncate(at);
        String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)
    })
}

/// A close frame's code and reason (RFC 6455, section 5.5.1); without payload it has neither.
fn push_close(fields: &mut Fields, payload: &[u8]) -> Option<&'static str> {
    match payload {
        [] => None,
        [_] => Some("close frame with half a code"),
        [high, low, reason @ ..] => {
            fields.push("closeCode", u16::from_be_bytes([*high, *low]));
            if !reason.is_empty() {
                fields.push("closeReason", Tree::lossy(reason));
            }
            None
        }
    }
}
