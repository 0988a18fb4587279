//! A client and a server.

use super::KIND;
use super::message::{self, Header};
use crate::item::Absence;
use crate::peers::{Peers, fingerprint};
use crate::{Context, DatagramDissector, Direction, End, Half};

pub(super) struct Conversation {
    /// By identifier, with the request's code.
    pairing: Peers<u8, u8>,
}

impl Conversation {
    pub(super) fn new() -> Self {
        Self { pairing: Peers::new(KIND) }
    }
}

impl DatagramDissector for Conversation {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let (packet, result) = message::read(bytes, context.limits);
        let header = match (Header::parse(bytes), result) {
            (Some(header), result) if header.is_known() && (result.is_ok() || missing != 0) => header,
            (_, result) => {
                let (offset, what) = match result {
                    Err(error) => (error.offset as u64, error.what),
                    Ok(()) => (0, "the code is unknown"),
                };
                context.items.push(KIND.failure(direction, context.now, bytes, offset, what));
                return;
            }
        };
        let half = Half::new(context.now, bytes.len() as u64, packet).missing(missing.into());
        let copy = fingerprint(bytes);
        if !header.is_response() {
            self.pairing.request(direction, header.id, half, copy, header.code, context);
            return;
        }
        match self.pairing.note(direction, &header.id) {
            // The identifier is used again for another kind of request, whose answer this can't be.
            Some(request) if !message::answers(*request, header.code) => {
                context.items.push(KIND.response(direction.reverse(), half, Absence::BeforeCapture));
            }
            _ => self.pairing.response(direction, &header.id, half, copy, context),
        }
    }

    fn due(&self) -> Option<u64> {
        self.pairing.due()
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        self.pairing.elapse(context);
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        for direction in Direction::BOTH {
            self.pairing.give_up(direction, Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.pairing.memory()
    }
}
