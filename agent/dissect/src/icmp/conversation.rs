//! What two hosts send each other.

use super::kept::Kept;
use super::kind;
use super::message::{self, Key, Role};
use crate::item::Absence;
use crate::on_demand::OnDemand;
use crate::peers::{Peers, fingerprint};
use crate::{Context, DatagramDissector, Direction, End, Half};

#[derive(Default)]
pub(super) struct Conversation {
    /// From the first request on.
    pairing: Option<Peers<Key>>,
}

impl DatagramDissector for Conversation {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let kind = kind(context.ipv6);
        let size = bytes.len() as u64;
        let (half, role) = if missing == 0
            && let Some((kept, role)) = Kept::read(context.ipv6, bytes, context.limits)
        {
            (Half::new(context.now, size, OnDemand::new(kept)), role)
        } else {
            let (fields, role, result) = message::read(context.ipv6, bytes, missing, context.limits);
            if let (Err(error), 0) = (result, missing) {
                let offset = error.offset as u64;
                context.items.push(kind.failure(direction, context.now, bytes, offset, error.what));
                return;
            }
            (Half::new(context.now, size, fields).missing(missing.into()), role)
        };
        if role == Role::Alone {
            context.items.push(kind.message(direction, half));
            return;
        }
        let pairing = self.pairing.get_or_insert_with(|| Peers::new(kind));
        let copy = fingerprint(bytes);
        match role {
            Role::Request(key) => pairing.request(direction, key, half, copy, (), context),
            Role::Reply(key) => pairing.response(direction, &key, half, copy, context),
            Role::Alone => {}
        }
    }

    fn due(&self) -> Option<u64> {
        self.pairing.as_ref().and_then(Peers::due)
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        if let Some(pairing) = &mut self.pairing {
            pairing.elapse(context);
        }
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        if let Some(pairing) = &mut self.pairing {
            Direction::BOTH.into_iter().for_each(|side| pairing.give_up(side, Absence::Ended(end), context));
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.pairing.as_ref().map_or(0, Peers::memory)
    }
}
