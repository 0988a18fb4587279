//! One connection: its frames become messages, those become items.

use remora_packet::Timestamp;

use super::frame::{self, Evidence, Head, Opcode, Parsed};
use super::handshake::{Deflate, Handshake};
use super::inflate::{Inflater, Stays};
use super::message::{Message, Payload};
use super::pings::Pings;
use super::{KIND, subprotocol::Subprotocol};
use crate::unpack::DecodeCaps;
use crate::{Context, Direction, Dissector, End};

/// So many frames that make sense tell a connection whose handshake was not seen, where only one side sends.
const SURE_FRAMES: u32 = 6;

#[derive(Debug)]
pub(super) struct Connection {
    handshake: Option<Handshake>,
    /// The direction whose frames are masked, once it is known.
    client: Option<Direction>,
    /// That it is WebSocket was told by frames alone, and is not certain yet.
    doubt: bool,
    /// Frames read of each direction, while in doubt.
    frames: [u32; 2],
    sides: [Side; 2],
    pings: Pings,
    subprotocol: Subprotocol,
    /// Bytes are missing somewhere, perhaps whole messages.
    lossy: bool,
}

#[derive(Debug, Default)]
struct Side {
    place: Place,
    /// When the first byte of the frame that begins was captured.
    since: Option<Timestamp>,
    /// The data message whose frames arrive.
    message: Option<Message>,
    /// The control frame that arrives.
    control: Option<Message>,
    inflater: Inflater,
}

#[derive(Debug, Default)]
enum Place {
    /// Before a frame's head.
    #[default]
    Between,
    Payload {
        head: Head,
        /// Bytes of payload that passed.
        at: u64,
    },
    /// Bytes are missing or made no sense: looking for a segment that begins with a message.
    Lost,
    Left,
}

impl Connection {
    pub(super) fn opened(handshake: Handshake) -> Self {
        let mut connection = Self::joined();
        let client = handshake.client;
        connection.client = Some(client);
        connection.doubt = false;
        connection.lossy = !handshake.placed;
        connection.subprotocol = Subprotocol::of(handshake.subprotocol.as_deref());
        if !handshake.placed {
            connection.sides[client.index()].lose();
        }
        connection.handshake = Some(handshake);
        connection
    }

    /// Frames were recognised in the middle of a connection.
    pub(super) fn joined() -> Self {
        Self {
            handshake: None,
            client: None,
            doubt: true,
            frames: [0, 0],
            sides: Default::default(),
            pings: Pings::new(),
            subprotocol: Subprotocol::Unknown,
            lossy: true,
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    fn is_masked(&self, direction: Direction) -> Option<bool> {
        self.client.map(|client| client == direction)
    }

    /// Uses some of `bytes`; `None` where they are not enough.
    fn step(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Option<usize> {
        let masked = self.is_masked(direction);
        let side = &mut self.sides[direction.index()];
        match &mut side.place {
            Place::Left => {
                context.counters.undissected_bytes += bytes.len() as u64;
                Some(bytes.len())
            }
            Place::Lost if frame::look(bytes, masked) < Evidence::Weak => {
                context.counters.undissected_bytes += bytes.len() as u64;
                Some(bytes.len())
            }
            Place::Lost => {
                side.place = Place::Between;
                Some(0)
            }
            Place::Between => {
                let time = *side.since.get_or_insert(context.now);
                match frame::head(bytes) {
                    Parsed::Partial => None,
                    Parsed::Invalid(why) => Some(self.refuse(direction, bytes, why, context)),
                    Parsed::Head(head) => match self.begin(direction, head, time) {
                        Ok(()) => {
                            self.finish(direction, context);
                            Some(head.bytes)
                        }
                        Err(why) => Some(self.refuse(direction, bytes, why, context)),
                    },
                }
            }
            Place::Payload { head, at } => {
                let left = usize::try_from(head.length - *at).unwrap_or(usize::MAX);
                let taken = &bytes[..bytes.len().min(left)];
                let message = if head.opcode.is_control() { &mut side.control } else { &mut side.message };
                if let Some(message) = message {
                    message.append(taken, head, *at, context.limits.message_bytes);
                }
                *at += taken.len() as u64;
                self.finish(direction, context);
                Some(taken.len())
            }
        }
    }

    /// A frame begins. Says why it must not.
    fn begin(&mut self, direction: Direction, head: Head, time: Timestamp) -> Result<(), &'static str> {
        let masked = head.mask.is_some();
        let client = *self.client.get_or_insert(if masked { direction } else { direction.reverse() });
        let fits = masked == (client == direction);
        if self.doubt && !fits {
            return Err("mask of the wrong side");
        }
        let known = self.handshake.as_ref().map(|handshake| handshake.extensions);
        if head.compressed && known.is_some_and(|known| known.deflate.is_none() && !known.unknown) {
            return Err("compressed frame without an extension for it");
        }
        let side = &mut self.sides[direction.index()];
        let slot = if head.opcode.is_control() { &mut side.control } else { &mut side.message };
        let message = match (head.opcode, slot.is_some()) {
            (Opcode::Continuation, false) => return Err("continuation of nothing"),
            (Opcode::Text | Opcode::Binary, true) => return Err("message inside a message"),
            _ if head.opcode == Opcode::Continuation && head.compressed => {
                return Err("continuation with a compression bit");
            }
            _ => slot.get_or_insert_with(|| Message::new(&head, time)),
        };
        message.frame(&head);
        if !fits {
            message.mark(if masked { "server frame with a mask" } else { "client frame without a mask" });
        }
        side.since = None;
        side.place = Place::Payload { head, at: 0 };
        Ok(())
    }

    /// Ends the frame, and the message where it is the last, once all of its payload has passed.
    fn finish(&mut self, direction: Direction, context: &mut Context<'_>) {
        let side = self.side(direction);
        let Place::Payload { head, at } = side.place else { return };
        if at < head.length {
            return;
        }
        side.place = Place::Between;
        let message = match head.opcode.is_control() {
            true => side.control.take(),
            false if head.last => side.message.take(),
            false => None,
        };
        if let Some(message) = message {
            self.emit(direction, message, context);
        }
        if self.doubt {
            self.frames[direction.index()] += 1;
            let [there, back] = self.frames;
            if there + back >= SURE_FRAMES || there > 0 && back > 0 && there + back > 2 {
                self.doubt = false;
                context.confirm();
            }
        }
    }

    fn emit(&mut self, direction: Direction, mut message: Message, context: &mut Context<'_>) {
        if self.handshake.as_ref().is_none_or(|handshake| handshake.path.is_empty()) {
            message.mark("the opening handshake was not captured");
        }
        match message.opcode {
            Opcode::Ping => {
                let key = message.bytes().to_vec();
                let half = self.half(message);
                self.pings.ping(direction, key, half, self.lossy, context);
            }
            Opcode::Pong => {
                let key = message.bytes().to_vec();
                let half = self.half(message);
                self.pings.pong(direction, &key, half, self.lossy, context);
            }
            Opcode::Close => {
                let half = self.half(message);
                context.items.push(KIND.message(direction, half));
            }
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                let payload = self.payload(direction, &mut message, context);
                let meaning = match message.opcode {
                    Opcode::Text if payload.whole && !payload.packed => {
                        self.subprotocol.read(&payload.bytes, context.limits)
                    }
                    _ => None,
                };
                if self.lossy && meaning.as_ref().is_some_and(|meaning| meaning.unknown_operation) {
                    message.mark("the operation it belongs to was not captured");
                }
                let meaning = meaning.map(|meaning| meaning.fields);
                let half = message.half(self.handshake.as_ref(), payload, meaning);
                context.items.push(KIND.message(direction, half));
            }
        }
        self.pings.elapse(context);
    }

    fn half(&self, mut message: Message) -> crate::exchange::Half {
        let payload = message.take_payload();
        message.half(self.handshake.as_ref(), payload, None)
    }

    /// What a data message carries, inflated where that can be done.
    fn payload(&mut self, direction: Direction, message: &mut Message, context: &Context<'_>) -> Payload {
        if !message.compressed {
            return message.take_payload();
        }
        let takeover = |deflate: Deflate| match self.client == Some(direction) {
            true => deflate.client_takeover,
            false => deflate.server_takeover,
        };
        let Some(deflate) = self.handshake.as_ref().and_then(|handshake| handshake.extensions.deflate) else {
            message.mark("compressed by an unknown extension");
            return message.take_payload();
        };
        let limit = DecodeCaps::of(context.limits).allow(message.bytes().len());
        let inflater = &mut self.sides[direction.index()].inflater;
        match inflater.inflate(message.bytes(), message.is_whole(), takeover(deflate), limit) {
            Ok(inflated) => {
                if !inflated.whole && message.is_whole() && inflated.bytes.len() < limit {
                    message.mark("compressed data is broken");
                }
                Payload { bytes: inflated.bytes, whole: inflated.whole, packed: false }
            }
            Err(why) => {
                message.mark(match why {
                    Stays::UnknownContext => "compressed with reference to messages that were not read",
                    Stays::Broken => "compressed data is broken",
                });
                message.take_payload()
            }
        }
    }

    /// Bytes that are no frame: one item says so, and what follows is passed over until a message begins.
    fn refuse(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        why: &'static str,
        context: &mut Context<'_>,
    ) -> usize {
        if self.doubt {
            context.withdraw();
            return 0;
        }
        let time = self.side(direction).since.unwrap_or(context.now);
        self.cut(direction, "what follows is not a frame", context);
        context.items.push(KIND.failure(direction, time, bytes, context.offset, why));
        context.counters.undissected_bytes += bytes.len() as u64;
        self.lose(direction);
        bytes.len()
    }

    /// Messages of a direction may have passed unseen.
    fn lose(&mut self, direction: Direction) {
        self.lossy = true;
        self.side(direction).lose();
        self.subprotocol.lose();
    }

    /// What arrived of an unfinished message comes out.
    fn cut(&mut self, direction: Direction, why: &'static str, context: &mut Context<'_>) {
        let side = self.side(direction);
        for message in [side.control.take(), side.message.take()].into_iter().flatten() {
            let mut message = message;
            message.fail(why);
            self.emit(direction, message, context);
        }
    }

    /// `missing` bytes did not come.
    fn pass_hole(&mut self, direction: Direction, missing: u64, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.lossy = true;
        let side = self.side(direction);
        let inside = match &mut side.place {
            Place::Left => return,
            Place::Payload { head, at } => {
                let inside = missing.min(head.length - *at);
                *at += inside;
                let message = if head.opcode.is_control() { &mut side.control } else { &mut side.message };
                if let Some(message) = message {
                    message.skip(inside);
                }
                inside
            }
            Place::Between | Place::Lost => 0,
        };
        self.finish(direction, context);
        if inside < missing || inside == 0 {
            self.pings.give_up(context);
            self.cut(direction, "bytes are missing behind it", context);
            self.lose(direction);
        }
    }
}

impl Side {
    fn lose(&mut self) {
        self.place = Place::Lost;
        self.since = None;
        self.inflater.tear();
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while let Some(rest @ [_, ..]) = bytes.get(used..) {
            match self.step(direction, rest, context) {
                Some(more) => {
                    used += more;
                    context.offset += more as u64;
                }
                None => break,
            }
            if context.is_over() {
                break;
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        self.pass_hole(direction, bytes, unparsed, context);
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        // Nothing is left lying but frame heads, which are short.
        self.pass_hole(direction, 0, unparsed, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.cut(direction, "the connection ended before it did", context);
        self.side(direction).place = Place::Left;
        self.pings.end(direction.reverse(), end, context);
    }

    fn memory(&self) -> usize {
        let side = |side: &Side| {
            side.inflater.memory()
                + side.message.as_ref().map_or(0, Message::memory)
                + side.control.as_ref().map_or(0, Message::memory)
        };
        let [there, back] = &self.sides;
        size_of::<Self>()
            + side(there)
            + side(back)
            + self.pings.memory()
            + self.subprotocol.memory()
            + self.handshake.as_ref().map_or(0, Handshake::memory)
    }
}
