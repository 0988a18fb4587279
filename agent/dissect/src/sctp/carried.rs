//! Diameter in chunks of user data (RFC 6733, section 2.1): a message a user message, which may be in several chunks.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use super::chunk::Data;
use crate::diameter::{self, message};
use crate::item::Absence;
use crate::peers::{Peers, fingerprint};
use crate::{Context, Direction, Half, Kind, ParseError};

/// Payload protocol identifier of Diameter; that of Diameter over DTLS is encrypted.
const DIAMETER: u32 = 46;

/// Chunks remembered, to know one that is sent again.
const REMEMBERED: usize = 64;

pub(super) struct Carried {
    kind: Kind,
    pairing: Peers<message::Key>,
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    seen: VecDeque<u32>,
    /// A message that goes on in the next chunk.
    begun: Option<Begun>,
}

struct Begun {
    next_tsn: u32,
    stream: u16,
    time: Timestamp,
    bytes: Vec<u8>,
}

impl Carried {
    pub(super) fn new() -> Self {
        let kind = diameter::kind(&diameter::SCTP_PROTOCOL);
        Self { kind, pairing: Peers::new(kind), sides: Default::default() }
    }

    /// Takes a chunk of user data. A message of which a chunk is missing gives no item.
    pub(super) fn take(&mut self, direction: Direction, data: &Data<'_>, context: &mut Context<'_>) {
        if data.protocol != DIAMETER {
            return;
        }
        let side = &mut self.sides[direction.index()];
        if side.seen.contains(&data.tsn) {
            return;
        }
        side.seen.truncate(REMEMBERED - 1);
        side.seen.push_front(data.tsn);
        let begun = side.begun.take();
        if data.begins && data.ends {
            self.message(direction, context.now, data.bytes, context);
            return;
        }
        let mut begun = match begun {
            _ if data.begins => {
                Begun { next_tsn: data.tsn, stream: data.stream, time: context.now, bytes: Vec::new() }
            }
            Some(begun) if begun.next_tsn == data.tsn && begun.stream == data.stream => begun,
            _ => return,
        };
        if begun.bytes.len() + data.bytes.len() > context.limits.message_bytes {
            return;
        }
        begun.bytes.extend_from_slice(data.bytes);
        begun.next_tsn = data.tsn.wrapping_add(1);
        if data.ends {
            self.message(direction, begun.time, &begun.bytes, context);
        } else {
            side.begun = Some(begun);
        }
    }

    fn message(&mut self, direction: Direction, time: Timestamp, bytes: &[u8], context: &mut Context<'_>) {
        let read = message::read(bytes, context.limits).and_then(|(message, result)| {
            result?;
            if message.header.length as usize == bytes.len() {
                Ok(message)
            } else {
                Err(ParseError { offset: 0, what: "the header makes no sense" })
            }
        });
        let message = match read {
            Ok(message) => message,
            Err(ParseError { offset, what }) => {
                context.items.push(self.kind.failure(direction, time, bytes, offset as u64, what));
                return;
            }
        };
        let header = message.header;
        let half = Half::new(time, bytes.len() as u64, message);
        let copy = fingerprint(bytes);
        if header.is_request() {
            self.pairing.request(direction, header.key(), half, copy, (), context);
        } else {
            self.pairing.response(direction, &header.key(), half, copy, context);
        }
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.pairing.due()
    }

    pub(super) fn elapse(&mut self, context: &mut Context<'_>) {
        self.pairing.elapse(context);
    }

    pub(super) fn give_up(&mut self, direction: Direction, absence: Absence, context: &mut Context<'_>) {
        self.pairing.give_up(direction, absence, context);
    }

    pub(super) fn memory(&self) -> usize {
        let side = |side: &Side| {
            side.seen.capacity() * size_of::<u32>()
                + side.begun.as_ref().map_or(0, |begun| begun.bytes.capacity())
        };
        self.pairing.memory() + self.sides.iter().map(side).sum::<usize>()
    }
}
