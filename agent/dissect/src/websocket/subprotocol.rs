//! What messages mean where the handshake agreed on a subprotocol that is understood.

use crate::tree::Fields;
use crate::{Direction, Limits};

#[derive(Debug)]
pub(super) enum Subprotocol {
    Unknown,
}

/// What a message means in its subprotocol.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) fields: Fields,
    /// It belongs to an operation that was not seen.
    pub(super) unknown_operation: bool,
}

impl Subprotocol {
    pub(super) fn of(_name: Option<&str>, _client: Direction) -> Self {
        Self::Unknown
    }

    pub(super) fn read(&mut self, _text: &[u8], _direction: Direction, _limits: &Limits) -> Option<Meaning> {
        None
    }

    pub(super) fn lose(&mut self) {}

    pub(super) fn memory(&self) -> usize {
        0
    }
}
