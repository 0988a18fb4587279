//! Two peers on a connection; either asks.

use super::message::{self, Header, Key};
use super::{PROTOCOL, kind};
use crate::frame::{Framed, Length, Step};
use crate::item::Absence;
use crate::peers::{Peers, fingerprint};
use crate::{Context, Direction, Dissector, End, Frames, Framing, Half, Kind};

struct DiameterFraming;

impl Framing for DiameterFraming {
    fn length(&self, _: Direction, bytes: &[u8]) -> Length {
        if bytes.len() < message::HEADER {
            return match bytes.first() {
                Some(1) | None => Length::Unknown,
                Some(_) => Length::Invalid("the version is unknown"),
            };
        }
        match Header::parse(bytes) {
            Some(header) => Length::Known(header.length.into()),
            None => Length::Invalid("the header makes no sense"),
        }
    }

    fn begins(&self, _: Direction, bytes: &[u8]) -> bool {
        Header::parse(bytes)
            .is_some_and(|header| header.is_known() && message::begins_well(bytes, &header) == Some(true))
    }
}

pub(super) struct Connection {
    kind: Kind,
    frames: Frames,
    pairing: Peers<Key>,
    /// A whole message was read.
    sure: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        let kind = kind(&PROTOCOL);
        Self { kind, frames: Frames::default(), pairing: Peers::new(kind), sure: false }
    }

    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let (message, whole) = match message::read(&framed.bytes, context.limits) {
            Ok((message, Ok(()))) => (message, framed.is_whole()),
            Ok((message, Err(_))) if !framed.is_whole() => (message, false),
            Ok((_, Err(error))) | Err(error) => {
                if !self.sure {
                    context.withdraw();
                    return;
                }
                let offset = framed.offset + error.offset as u64;
                let failure = self.kind.failure(direction, framed.time, &framed.bytes, offset, error.what);
                context.items.push(failure);
                return;
            }
        };
        if whole {
            self.sure = true;
            context.confirm();
        }
        let header = message.header;
        let half = Half::new(framed.time, framed.size, message).missing(framed.missing);
        let copy = fingerprint(&*framed.bytes);
        if header.is_request() {
            self.pairing.request(direction, header.key(), half, copy, (), context);
        } else {
            self.pairing.response(direction, &header.key(), half, copy, context);
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            let (time, offset) = (context.now, context.offset);
            match self.frames.step(&DiameterFraming, direction, &bytes[used..], context) {
                Step::Wait => break,
                Step::Used(count) => used += count,
                Step::Message(framed, count) => {
                    used += count;
                    self.message(direction, &framed, context);
                }
                Step::Invalid(what) => {
                    if !self.sure {
                        context.withdraw();
                        return used;
                    }
                    context.items.push(self.kind.failure(direction, time, &bytes[used..], offset, what));
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.gap(&DiameterFraming, direction, bytes, unparsed, context) {
            self.message(direction, &framed, context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.frames.lose(direction);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.end(&DiameterFraming, direction, unparsed, context) {
            self.message(direction, &framed, context);
        }
        // Whoever ends does not answer any more.
        self.pairing.give_up(direction.reverse(), Absence::Ended(end), context);
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.frames.memory() + self.pairing.memory()
    }
}
