//! The few messages of a handshake that decryption depends on, out of the content of records.

use super::super::handshake::kind;

/// Messages of TLS 1.3 that are encrypted.
pub(super) const END_OF_EARLY_DATA: u8 = 5;
pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(super) const FINISHED: u8 = 20;
pub(super) const KEY_UPDATE: u8 = 24;

/// What is kept of one message. A ServerHello with post-quantum keys has less than half.
const KEPT: usize = 4096;

/// Version and random value, which are all that is read of a ClientHello.
pub(super) const CLIENT_HELLO_BYTES: usize = 2 + 32;

const HEAD: usize = 4;

/// One direction's messages.
#[derive(Default)]
pub(super) struct Messages {
    /// The message that is not whole yet, as much as is wanted of it.
    kept: Vec<u8>,
    /// Bytes of it that are passed over.
    skip: usize,
}

impl Messages {
    /// Takes content and gives the first message that it finishes, with what is behind it.
    pub(super) fn next(&mut self, content: &mut &[u8]) -> Option<(u8, Vec<u8>)> {
        let skipped = self.skip.min(content.len());
        self.skip -= skipped;
        *content = &content[skipped..];
        if content.is_empty() {
            return None;
        }
        self.keep(HEAD, content);
        let [kind, a, b, c, ..] = *self.kept else { return None };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let wanted = length.min(match kind {
            kind::CLIENT_HELLO => CLIENT_HELLO_BYTES,
            kind::SERVER_HELLO | ENCRYPTED_EXTENSIONS => KEPT,
            _ => 0,
        });
        self.keep(HEAD + wanted, content);
        if self.kept.len() < HEAD + wanted {
            return None;
        }
        self.skip = length - wanted;
        let body = self.kept.split_off(HEAD);
        self.kept.clear();
        Some((kind, body))
    }

    fn keep(&mut self, wanted: usize, content: &mut &[u8]) {
        let (taken, rest) = content.split_at(content.len().min(wanted.saturating_sub(self.kept.len())));
        self.kept.extend_from_slice(taken);
        *content = rest;
    }

    /// Bytes are missing: what comes begins a message, or is not understood.
    pub(super) fn lose(&mut self) {
        *self = Self::default();
    }

    pub(super) fn memory(&self) -> usize {
        self.kept.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(messages: &mut Messages, mut content: &[u8]) -> Vec<(u8, usize)> {
        std::iter::from_fn(|| messages.next(&mut content)).map(|(kind, body)| (kind, body.len())).collect()
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let mut bytes = vec![kind::CLIENT_HELLO, 0, 0, 60];
        bytes.extend([7; 60]);
        bytes.extend([11, 0, 1, 0]);
        bytes.extend([7; 256]);
        bytes.extend([FINISHED, 0, 0, 2, 1, 1, KEY_UPDATE, 0, 0, 1, 0, kind::SERVER_HELLO, 0, 0, 3, 1, 2, 3]);
        let expected = [(1, 34), (11, 0), (20, 0), (24, 0), (2, 3)];
        assert_eq!(all(&mut Messages::default(), &bytes), expected);
        let mut messages = Messages::default();
        let found: Vec<_> = bytes.chunks(1).flat_map(|piece| all(&mut messages, piece)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_long_message_is_cut() {
        let mut messages = Messages::default();
        let mut bytes = vec![kind::SERVER_HELLO, 0xff, 0xff, 0xff];
        bytes.resize(10_000, 0);
        assert_eq!(all(&mut messages, &bytes), [(2, KEPT)]);
        assert!(messages.memory() < 2 * KEPT);
        assert_eq!(all(&mut messages, &[FINISHED, 0, 0, 0]), []);
        messages.lose();
        assert_eq!(all(&mut messages, &[FINISHED, 0, 0, 0]), [(20, 0)]);
    }
}
