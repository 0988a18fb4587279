//! What messages mean where the handshake agreed on a subprotocol that is understood.

use crate::Limits;
use crate::graphql::{Meaning, Operations};

#[derive(Debug)]
pub(super) enum Subprotocol {
    Unknown,
    GraphQl(Operations),
}

impl Subprotocol {
    pub(super) fn of(name: Option<&str>) -> Self {
        match name {
            Some("graphql-transport-ws" | "graphql-ws") => Self::GraphQl(Operations::default()),
            _ => Self::Unknown,
        }
    }

    pub(super) fn read(&mut self, text: &[u8], limits: &Limits) -> Option<Meaning> {
        match self {
            Self::GraphQl(operations) => operations.read(text, limits),
            Self::Unknown => None,
        }
    }

    /// Messages may have passed unseen.
    pub(super) fn lose(&mut self) {
        if let Self::GraphQl(operations) = self {
            operations.forget();
        }
    }

    pub(super) fn memory(&self) -> usize {
        match self {
            Self::GraphQl(operations) => operations.memory(),
            Self::Unknown => 0,
        }
    }
}
