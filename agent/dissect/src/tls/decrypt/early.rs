//! Data that a client of TLS 1.3 sends with its ClientHello (RFC 8446, section 2.3): it waits until the server says
//! whether it takes it.

use remora_packet::Timestamp;

/// How much waits. Servers take 16 KiB by default.
const EARLY_BYTES: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Early {
    /// Whether the server takes it.
    accepted: Option<bool>,
    waiting: Waiting,
}

/// Data that waits.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) bytes: Vec<u8>,
    /// When the first of it was captured.
    pub(super) since: Option<Timestamp>,
    /// There is more than is kept.
    pub(super) cut: bool,
}

impl Early {
    /// Whether the server takes it, once that is known.
    pub(super) const fn accepted(&self) -> Option<bool> {
        self.accepted
    }

    /// Some of it is missing; what is behind does not wait.
    pub(super) const fn cut(&mut self) {
        self.waiting.cut = true;
    }

    /// Takes data that comes before the server's word.
    pub(super) fn wait(&mut self, bytes: &[u8], captured: Timestamp) {
        let waiting = &mut self.waiting;
        if waiting.cut {
            return;
        }
        waiting.since.get_or_insert(captured);
        let kept = bytes.len().min(EARLY_BYTES - waiting.bytes.len());
        waiting.bytes.extend_from_slice(&bytes[..kept]);
        waiting.cut |= kept < bytes.len();
    }

    /// The server said whether it takes it. Gives what waited, if it does.
    pub(super) fn answer(&mut self, accepted: bool) -> Option<Waiting> {
        self.accepted = Some(accepted);
        Some(std::mem::take(&mut self.waiting)).filter(|_| accepted)
    }

    /// The server's word was missed. Gives about how many bytes waited, where any did.
    pub(super) fn give_up(&mut self) -> Option<u64> {
        let waits = self.waiting.cut || !self.waiting.bytes.is_empty();
        if self.accepted.is_some() || !waits {
            return None;
        }
        Some(std::mem::take(&mut self.waiting).bytes.len() as u64)
    }

    /// Bytes of heap held.
    pub(super) const fn memory(&self) -> usize {
        self.waiting.bytes.capacity()
    }
}
