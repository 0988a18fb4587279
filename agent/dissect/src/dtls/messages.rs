//! One side's handshake messages, put together from fragments and in order (RFC 6347, section 4.2.2).

use remora_packet::Timestamp;

use super::fragment::Fragment;
use crate::pieces::Pieces;

/// Messages that wait for one before them. A flight has at most seven.
const MAX_WAITING: u16 = 32;

/// How many times the cap of one message all that wait may take.
const MAX_MESSAGES: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The number of the message that is due.
    next: u16,
    /// Messages that are not whole, or come too early; in order.
    waiting: Vec<Message>,
    memory: usize,
}

#[derive(Debug)]
pub(super) struct Message {
    pub kind: u8,
    pub sequence: u16,
    pub length: usize,
    pub time: Timestamp,
    is_hello: bool,
    pieces: Pieces,
}

/// What became of a fragment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It was there before.
    Known,
    Kept,
    /// It is a whole message that is due, and was not kept.
    Due,
    /// Why it is left out.
    Refused(&'static str),
}

impl Message {
    /// What there is of it without a hole.
    pub(super) fn body(&self) -> &[u8] {
        self.pieces.whole()
    }

    /// Whether all of it is there that `cap` allows.
    fn is_whole(&self, cap: usize) -> bool {
        self.body().len() >= self.length.min(cap)
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.pieces.memory()
    }
}

impl Messages {
    /// Takes a fragment; messages of more than `cap` bytes are kept in part.
    pub(super) fn take(&mut self, fragment: &Fragment<'_>, time: Timestamp, cap: usize) -> Taken {
        let sequence = fragment.sequence;
        let Some(ahead) = sequence.checked_sub(self.next) else { return Taken::Known };
        if ahead > MAX_WAITING {
            return Taken::Refused("a message comes long before it is due");
        }
        let place = self.waiting.partition_point(|message| message.sequence < sequence);
        let known = self.waiting.get(place).filter(|message| message.sequence == sequence);
        let is_hello = fragment.is_hello();
        if known.is_none() && fragment.bytes.len() == fragment.length && fragment.length <= cap {
            if is_hello || ahead == 0 {
                self.passed(sequence);
                return Taken::Due;
            }
        } else if fragment.bytes.is_empty() {
            return Taken::Known;
        }
        if known.is_some_and(|message| message.kind != fragment.kind || message.length != fragment.length) {
            return Taken::Refused("fragments of a message do not agree");
        }
        // What is made room for, twice over as vectors grow.
        let room = 2 * (fragment.offset + fragment.bytes.len()).min(cap);
        if self.memory + room > MAX_MESSAGES * cap.max(1 << 14) {
            return Taken::Refused("too much waits for what is missing");
        }
        if known.is_none() {
            let (kind, length) = (fragment.kind, fragment.length);
            let message = Message { kind, sequence, length, time, is_hello, pieces: Pieces::default() };
            self.memory += message.memory();
            self.waiting.insert(place, message);
        }
        let Some(message) = self.waiting.get_mut(place) else { return Taken::Known };
        let before = message.pieces.memory();
        // A message may be without content.
        let new = message.pieces.add(fragment.offset, fragment.bytes, cap) || message.length == 0;
        self.memory += message.pieces.memory() - before;
        if new { Taken::Kept } else { Taken::Known }
    }

    /// The next message that is whole and due. A hello is always: what came before it was not captured.
    pub(super) fn due(&mut self, cap: usize) -> Option<Message> {
        let next = self.next;
        let is_due = |message: &Message| message.is_hello || message.sequence == next;
        let place = self.waiting.iter().position(|message| is_due(message) && message.is_whole(cap))?;
        let message = self.waiting.remove(place);
        self.memory -= message.memory();
        self.passed(message.sequence);
        Some(message)
    }

    /// What waits in vain, in order, each with the numbers of the messages missing before it.
    pub(super) fn left(&mut self) -> impl Iterator<Item = (std::ops::Range<u16>, Message)> + use<> {
        self.memory = 0;
        let mut next = self.next;
        let waiting = std::mem::take(&mut self.waiting);
        self.next = waiting.last().map_or(next, |message| message.sequence.saturating_add(1));
        waiting.into_iter().map(move |message| {
            let missing = next..message.sequence;
            next = message.sequence.saturating_add(1);
            (missing, message)
        })
    }

    fn passed(&mut self, sequence: u16) {
        self.next = sequence.saturating_add(1);
        while self.waiting.first().is_some_and(|message| message.sequence <= sequence) {
            self.memory -= self.waiting.remove(0).memory();
        }
    }

    pub(super) const fn memory(&self) -> usize {
        self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(0);

    fn piece(sequence: u16, offset: usize, bytes: &[u8], length: usize) -> Fragment<'_> {
        Fragment { kind: 11, length, sequence, offset, size: bytes.len(), bytes }
    }

    #[test]
    fn messages_come_in_order_whatever_their_fragments_do() {
        let mut messages = Messages::default();
        assert_eq!(messages.take(&piece(0, 0, b"ab", 2), NOW, 100), Taken::Due);
        assert_eq!(messages.take(&piece(0, 0, b"ab", 2), NOW, 100), Taken::Known);
        assert_eq!(messages.take(&piece(2, 0, b"x", 1), NOW, 100), Taken::Kept);
        assert_eq!(messages.take(&piece(1, 2, b"ef", 4), NOW, 100), Taken::Kept);
        assert_eq!(messages.take(&piece(1, 2, b"ef", 4), NOW, 100), Taken::Known);
        assert!(messages.due(100).is_none());
        assert_eq!(messages.take(&piece(1, 0, b"cde", 4), NOW, 100), Taken::Kept);
        assert_eq!(messages.due(100).unwrap().body(), b"cdef");
        assert_eq!(messages.due(100).unwrap().body(), b"x");
        assert!(messages.due(100).is_none());
        assert_eq!(messages.memory(), 0);
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut messages = Messages::default();
        messages.take(&piece(3, 0, b"x", 1), NOW, 100);
        messages.take(&piece(1, 1, b"x", 2), NOW, 100);
        let left: Vec<_> = messages.left().map(|(missing, message)| (missing, message.sequence)).collect();
        assert_eq!(left, [(0..1, 1), (2..3, 3)]);
        assert_eq!(messages.memory(), 0);
        assert_eq!(messages.take(&piece(3, 0, b"x", 1), NOW, 100), Taken::Known);
    }

    #[test]
    fn lengths_that_lie_cost_little() {
        let mut messages = Messages::default();
        let cap = 1 << 16;
        for sequence in 1..2_000 {
            messages.take(&piece(sequence, cap - 1, b"x", 0xff_ffff), NOW, cap);
            assert!(messages.memory() <= 5 * cap, "{}", messages.memory());
        }
        for place in 0..10_000 {
            messages.take(&piece(0, place * 2, b"x", 0xff_ffff), NOW, cap);
            assert!(messages.memory() <= 5 * cap, "{}", messages.memory());
        }
        assert!(matches!(messages.take(&piece(0, 0, b"x", 9), NOW, cap), Taken::Refused(_)));
    }
}
