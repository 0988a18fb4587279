//! Handshake messages out of the content of records: a record may hold several, and a part of one (RFC 8446, section 5.1).

use remora_packet::Timestamp;

use super::super::handshake::{Handed, Handshake};
use crate::{Context, Direction};

/// Type and length.
const HEAD: usize = 4;

/// Handshake messages that go over the end of a record.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The message that is not whole yet.
    bytes: Vec<u8>,
    time: Timestamp,
    /// Bytes of a message that is too long, still to come.
    skip: usize,
}

impl Messages {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), time: Timestamp::from_nanos(0), skip: 0 }
    }

    /// No message is begun.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.skip == 0
    }

    /// Hands over the messages that `content` finishes, and keeps the beginning of one that it does not.
    pub(super) fn read(
        &mut self,
        direction: Direction,
        mut content: &[u8],
        time: Timestamp,
        handshake: &mut Handshake,
        context: &mut Context<'_>,
    ) {
        let cap = context.limits.message_bytes.max(HEAD);
        while !content.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(content.len());
                self.skip -= skipped;
                content = &content[skipped..];
                continue;
            }
            if self.bytes.is_empty() {
                self.time = time;
                // Most messages lie whole in a record.
                if let [kind, a, b, c, rest @ ..] = content {
                    let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
                    if let Some((body, behind)) = rest.split_at_checked(length)
                        && length + HEAD <= cap
                    {
                        let handed = Handed { kind: *kind, body, whole: true, time };
                        handshake.message(direction, handed, context);
                        content = behind;
                        continue;
                    }
                }
            }
            content = self.keep(HEAD, content);
            let [_, a, b, c, ..] = *self.bytes else { break };
            let wanted = HEAD + u32::from_be_bytes([0, a, b, c]) as usize;
            let kept = wanted.min(cap);
            content = self.keep(kept, content);
            if self.bytes.len() < kept {
                break;
            }
            self.hand_over(direction, wanted == kept, handshake, context);
            self.skip = wanted - kept;
            if self.skip > 0 {
                handshake.too_long(direction, wanted as u64);
            }
        }
    }

    /// Adds to the bytes kept until there are `wanted`; gives what is left.
    fn keep<'a>(&mut self, wanted: usize, content: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = content.split_at(content.len().min(wanted.saturating_sub(self.bytes.len())));
        self.bytes.extend_from_slice(taken);
        rest
    }

    fn hand_over(
        &mut self,
        direction: Direction,
        whole: bool,
        handshake: &mut Handshake,
        context: &mut Context<'_>,
    ) {
        let bytes = std::mem::take(&mut self.bytes);
        if let [kind, _, _, _, body @ ..] = &*bytes {
            handshake.message(direction, Handed { kind: *kind, body, whole, time: self.time }, context);
        }
    }

    /// The message that was begun will not become whole.
    pub(super) fn cut(&mut self, direction: Direction, handshake: &mut Handshake, context: &mut Context<'_>) {
        if !self.bytes.is_empty() {
            self.hand_over(direction, false, handshake, context);
        }
        self.skip = 0;
    }

    /// Bytes of heap held.
    pub(super) const fn memory(&self) -> usize {
        self.bytes.capacity()
    }
}
