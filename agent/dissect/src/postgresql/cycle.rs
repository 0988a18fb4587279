//! Whether both sides are known to be at the same query cycle.
//!
//! Pairing is by order alone. Every cycle ends with one `ReadyForQuery`, and hardly any client begins a cycle before it
//! has got the one before; so after a loss a cycle of the client, one `ReadyForQuery`, and the client's next cycle tell
//! the place. A second of silence after a `ReadyForQuery` does too.

use remora_packet::Timestamp;

const SILENCE_NANOS: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Alignment {
    known: bool,
    /// Since the loss the client has begun a cycle.
    began: bool,
    /// `ReadyForQuery`s since then.
    ready: u32,
    ready_at: Option<Timestamp>,
    /// The client's next message begins a cycle.
    pub(super) at_start: bool,
}

impl Alignment {
    /// At the beginning of a connection.
    pub(super) const fn new() -> Self {
        Self { known: true, began: false, ready: 0, ready_at: None, at_start: true }
    }

    pub(super) const fn is_known(&self) -> bool {
        self.known
    }

    pub(super) fn lose(&mut self) {
        let at_start = self.at_start;
        *self = Self { known: false, at_start, ..Self::new() };
    }

    /// The client begins a cycle; `idle` where the server's latest message is known to have been `ReadyForQuery`.
    pub(super) fn begin(&mut self, now: Timestamp, idle: bool) {
        if self.known {
            return;
        }
        let turned = self.began && self.ready == 1;
        let quiet = self.ready_at.is_some_and(|at| now.since(at) >= SILENCE_NANOS);
        self.known = idle && (turned || quiet);
        self.began = true;
        self.ready = 0;
    }

    pub(super) fn ready(&mut self, now: Timestamp) {
        self.ready = self.ready.saturating_add(1);
        self.ready_at = Some(now);
    }
}
