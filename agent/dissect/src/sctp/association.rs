//! What two ends send each other.

use super::KIND;
use super::carried::Carried;
use super::packet::{self, Key, Note, Packet, Role};
use crate::item::{Absence, ErrorKind};
use crate::peers::{Peers, fingerprint};
use crate::{Context, DatagramDissector, Direction, End, Half};

pub(super) struct Association {
    pairing: Peers<Key>,
    /// From the first user data on.
    carried: Option<Box<Carried>>,
}

impl Association {
    pub(super) fn new() -> Self {
        Self { pairing: Peers::new(KIND), carried: None }
    }
}

impl DatagramDissector for Association {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let (mut packet, mut note) = (Packet::new(bytes, missing, context.limits), Note::NONE);
        let result = packet.read(&mut note);
        if let (Err(error), 0) = (result, missing) {
            let offset = error.offset as u64;
            context.items.push(KIND.failure(direction, context.now, bytes, offset, error.what));
            return;
        }
        let count = packet.count;
        let mut half = Half::new(context.now, bytes.len() as u64, packet).missing(missing.into());
        if let Some(cause) = note.abort {
            half = half.error(ErrorKind::Connection, format!("the association was aborted: {cause}"));
        }
        match note.role {
            Role::Request(key) => self.pairing.request(direction, key, half, fingerprint(bytes), (), context),
            // Most associations are given up after their INIT was answered.
            Role::Reply(key) if note.abort.is_some() && self.pairing.note(direction, &key).is_none() => {
                context.items.push(KIND.message(direction, half));
            }
            Role::Reply(key) => self.pairing.response(direction, &key, half, fingerprint(bytes), context),
            Role::Alone => context.items.push(KIND.message(direction, half)),
        }
        if note.carries {
            let carried = self.carried.get_or_insert_with(|| Box::new(Carried::new()));
            packet::data(bytes, count).for_each(|data| carried.take(direction, &data, context));
        }
    }

    fn due(&self) -> Option<u64> {
        match (self.pairing.due(), self.carried.as_ref().and_then(|carried| carried.due())) {
            (Some(own), Some(carried)) => Some(own.min(carried)),
            (own, carried) => own.or(carried),
        }
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        self.pairing.elapse(context);
        if let Some(carried) = &mut self.carried {
            carried.elapse(context);
        }
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        for direction in Direction::BOTH {
            self.pairing.give_up(direction, Absence::Ended(end), context);
            if let Some(carried) = &mut self.carried {
                carried.give_up(direction, Absence::Ended(end), context);
            }
        }
    }

    fn memory(&self) -> usize {
        let carried = self.carried.as_ref().map_or(0, |carried| size_of::<Carried>() + carried.memory());
        size_of::<Self>() + self.pairing.memory() + carried
    }
}
