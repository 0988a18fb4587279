//! What a connection carries, where the secrets of its session are known.
//!
//! Keys of TLS 1.2 are looked for at the first encrypted record of a direction, those of TLS 1.3 at each change of keys
//! (RFC 8446, section 7). A record counts only when its tag verifies. After bytes are missing, the number of the next record
//! is found by trying, and what the connection carries gets a gap there.

mod agreed;
mod cipher;
mod derive;
mod early;
mod messages;
mod secrets;
mod side;
mod tunnel;

use remora_packet::Timestamp;

use super::record::{self, Header};
use crate::stream::carried::LAYERS;
use crate::{Context, Direction, End};
pub use secrets::{KeyLogError, KeyLogFault, Secrets};
use tunnel::Tunnel;

/// What is inside a connection; nothing where no secrets are known.
#[derive(Default)]
pub(super) struct Inside(Option<Box<Tunnel>>);

/// What was found where the beginning of a record was looked for.
pub(super) enum Found {
    /// A record behind so many bytes.
    Record(usize),
    /// Nothing in so many bytes; what is behind them needs more.
    Nothing(usize),
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Inside").field(&self.0.is_some()).finish()
    }
}

impl Inside {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |tunnel| tunnel.memory())
    }

    /// Handshake bytes in the clear.
    pub(super) fn handshake(&mut self, direction: Direction, content: &[u8], context: &Context<'_>) {
        if self.0.is_none() {
            let known = context.limits.tls_secrets.as_ref().is_some_and(|secrets| !secrets.is_empty());
            if !known || context.layers >= LAYERS || !record::begins_hello(content) {
                return;
            }
            self.0 = Some(Box::new(Tunnel::new()));
        }
        if let Some(tunnel) = &mut self.0 {
            tunnel.clear_messages(direction, content);
        }
    }

    /// What a side sends from here on is encrypted, up to TLS 1.2.
    pub(super) fn changes(&mut self, direction: Direction) {
        if let Some(tunnel) = &mut self.0 {
            tunnel.changes(direction);
        }
    }

    /// Whether a record of this kind is encrypted with keys that are known.
    pub(super) fn opens(&mut self, direction: Direction, header: Header, context: &Context<'_>) -> bool {
        let Some(tunnel) = &mut self.0 else { return false };
        if !tunnel.encrypts(direction, header.kind) {
            return false;
        }
        if tunnel.is_hopeless(context) {
            self.0 = None;
            return false;
        }
        let is_open = tunnel.prepare(direction, context);
        if !is_open {
            tunnel.pass(direction, header.length as u64);
        }
        is_open
    }

    /// Takes a record for which [`Self::opens`] holds, header included. Gives the application protocol that a server of
    /// TLS 1.3 chose, where the record says it.
    pub(super) fn record(
        &mut self,
        direction: Direction,
        record: &[u8],
        captured: Timestamp,
        context: &mut Context<'_>,
    ) -> Option<Vec<u8>> {
        self.0.as_mut()?.record(direction, record, captured, context)
    }

    /// Bytes are missing.
    pub(super) fn gap(&mut self, direction: Direction, bytes: u64) {
        if let Some(tunnel) = &mut self.0 {
            tunnel.gap(direction, bytes);
        }
    }

    /// Whether the beginning of a record can be looked for in what comes.
    pub(super) fn is_open(&mut self, direction: Direction, context: &Context<'_>) -> bool {
        let Some(tunnel) = &mut self.0 else { return false };
        tunnel.is_agreed() && tunnel.prepare(direction, context)
    }

    /// Looks for a record, where it is not known where one begins.
    pub(super) fn search(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Found {
        match &mut self.0 {
            Some(tunnel) => tunnel.search(direction, bytes, context),
            None => Found::Nothing(bytes.len()),
        }
    }

    /// A side sends no more records; `cut` bytes of one were left.
    pub(super) fn end(&mut self, direction: Direction, end: End, cut: usize, context: &mut Context<'_>) {
        if let Some(tunnel) = &mut self.0 {
            tunnel.end(direction, end, cut, context);
        }
    }
}

#[cfg(test)]
mod tests {
    pub(super) fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        digits.as_chunks::<2>().0.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect()
    }
}
