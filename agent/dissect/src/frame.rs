//! Splits a stream into messages that say their length beforehand, and keeps the place where bytes are missing.

use std::borrow::Cow;

use remora_packet::Timestamp;

use crate::{Context, Direction, room};

/// What the first bytes of a message tell of its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// More bytes are needed to tell.
    Unknown,
    /// Of the whole message, head included; at least 1.
    Known(u64),
    /// This is not the beginning of a message, and why.
    Invalid(&'static str),
}

/// How a protocol marks its messages off.
pub trait Framing {
    /// Messages longer than this are put together here rather than in the stream's pending bytes, which do not know how
    /// much is to come. Such a message has begun for [`Frames::is_between`].
    const LONG: u64 = u64::MAX;

    fn length(&self, direction: Direction, bytes: &[u8]) -> Length;

    /// Whether a message begins here, where that is not known because bytes before are missing. Stricter than a length
    /// that makes sense: most bytes that are looked at here are not.
    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool;
}

/// A message, or as much of it as there is.
#[derive(Debug)]
pub struct Framed<'a> {
    /// From its first byte on. Shorter than the message where bytes are missing or a cap was reached.
    pub bytes: Cow<'a, [u8]>,
    /// When its first byte was captured.
    pub time: Timestamp,
    /// Where it begins in the stream of its direction.
    pub offset: u64,
    /// Bytes of it that were captured.
    pub size: u64,
    /// Bytes of it that the capture does not have.
    pub missing: u64,
    /// Bytes of it that were captured and are not in `bytes`: beyond the cap, or behind missing ones.
    pub cut: u64,
}

impl Framed<'_> {
    /// Whether `bytes` is all of it.
    pub const fn is_whole(&self) -> bool {
        self.missing == 0 && self.cut == 0
    }
}

/// What came of the bytes at hand.
#[derive(Debug)]
pub enum Step<'a> {
    /// They are not enough; nothing was used.
    Wait,
    /// So many were used, and no message is finished by them.
    Used(usize),
    Message(Framed<'a>, usize),
    /// They are not the beginning of a message. Until [`Framing::begins`] finds one, what follows is passed over.
    Invalid(&'static str),
}

/// Both directions of a conversation.
#[derive(Debug, Default)]
pub struct Frames {
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    state: State,
    /// When the first byte of the message that begins was captured.
    since: Option<Timestamp>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Between,
    /// Inside a message that does not fit the pending bytes, or has a hole.
    Inside(Box<Inside>),
    /// The place is not known.
    Lost,
    Left,
}

#[derive(Debug)]
struct Inside {
    framed: Framed<'static>,
    /// Bytes of the message still to come.
    left: u64,
    /// Bytes are added to `framed.bytes`.
    keeping: bool,
}

impl Frames {
    /// Whether messages of a direction are being looked for.
    pub fn is_lost(&self, direction: Direction) -> bool {
        matches!(self.sides[direction.index()].state, State::Lost)
    }

    /// Whether the next byte of a direction is the first of a message.
    pub fn is_between(&self, direction: Direction) -> bool {
        matches!(self.sides[direction.index()].state, State::Between)
    }

    /// The place in a direction is not known, or was found wrong.
    pub fn lose(&mut self, direction: Direction) {
        self.sides[direction.index()] = Side { state: State::Lost, since: None };
    }

    /// Bytes of heap held.
    pub fn memory(&self) -> usize {
        let heap = |side: &Side| match &side.state {
            State::Inside(inside) => size_of::<Inside>() + inside.heap(),
            _ => 0,
        };
        self.sides.iter().map(heap).sum()
    }

    /// Takes the next message. To be called with what is left until there is nothing or `Wait` is answered; moves
    /// [`Context::offset`] on by what was used.
    pub fn step<'a>(
        &mut self,
        framing: &impl Framing,
        direction: Direction,
        bytes: &'a [u8],
        context: &mut Context<'_>,
    ) -> Step<'a> {
        let step = self.take(framing, direction, bytes, context);
        if let Step::Used(used) | Step::Message(_, used) = step {
            context.offset += used as u64;
        }
        step
    }

    fn take<'a>(
        &mut self,
        framing: &impl Framing,
        direction: Direction,
        bytes: &'a [u8],
        context: &mut Context<'_>,
    ) -> Step<'a> {
        let side = &mut self.sides[direction.index()];
        match &mut side.state {
            State::Left => {
                context.counters.undissected_bytes += bytes.len() as u64;
                Step::Used(bytes.len())
            }
            State::Lost if !framing.begins(direction, bytes) => {
                context.counters.undissected_bytes += bytes.len() as u64;
                Step::Used(bytes.len())
            }
            State::Lost => {
                side.state = State::Between;
                Step::Used(0)
            }
            State::Inside(inside) => {
                let taken = bytes.len().min(usize::try_from(inside.left).unwrap_or(usize::MAX));
                inside.take(&bytes[..taken], context.limits.message_bytes);
                match side.finish() {
                    Some(framed) => Step::Message(framed, taken),
                    None => Step::Used(taken),
                }
            }
            State::Between => side.begin(framing, direction, bytes, context),
        }
    }

    /// Bytes went missing, behind `unparsed`. Gives the message they cut short, where that can be told.
    pub fn gap(
        &mut self,
        framing: &impl Framing,
        direction: Direction,
        missing: u64,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) -> Option<Framed<'static>> {
        let side = &mut self.sides[direction.index()];
        if let State::Between = side.state {
            match framing.length(direction, unparsed) {
                Length::Known(length) if length > unparsed.len() as u64 => {
                    let inside = side.inside(length, unparsed, context);
                    side.state = State::Inside(inside);
                }
                _ => {
                    context.counters.undissected_bytes += unparsed.len() as u64;
                    *side = Side { state: State::Lost, since: None };
                    return None;
                }
            }
        }
        let State::Inside(inside) = &mut side.state else { return None };
        inside.keeping = false;
        let of_message = missing.min(inside.left);
        inside.framed.missing += of_message;
        inside.left -= of_message;
        let framed = side.finish();
        if missing > of_message {
            self.lose(direction);
        }
        framed
    }

    /// No more bytes. Gives the message that was begun; the rest of it counts as missing.
    pub fn end(
        &mut self,
        framing: &impl Framing,
        direction: Direction,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) -> Option<Framed<'static>> {
        let cut = self.gap(framing, direction, 0, unparsed, context);
        let side = &mut self.sides[direction.index()];
        let last = match std::mem::replace(&mut side.state, State::Left) {
            State::Inside(mut inside) => {
                inside.framed.missing += inside.left;
                Some(inside.framed)
            }
            _ => None,
        };
        cut.or(last)
    }
}

impl Side {
    fn begin<'a, F: Framing>(
        &mut self,
        framing: &F,
        direction: Direction,
        bytes: &'a [u8],
        context: &mut Context<'_>,
    ) -> Step<'a> {
        let time = *self.since.get_or_insert(context.now);
        match framing.length(direction, bytes) {
            Length::Unknown => Step::Wait,
            Length::Invalid(why) => {
                *self = Self { state: State::Lost, since: None };
                Step::Invalid(why)
            }
            Length::Known(length) => {
                let length = length.max(1);
                let fits = length <= context.limits.message_bytes as u64;
                match usize::try_from(length).ok().and_then(|length| bytes.get(..length)) {
                    Some(message) if fits => {
                        self.since = None;
                        let framed = Framed {
                            bytes: Cow::Borrowed(message),
                            time,
                            offset: context.offset,
                            size: length,
                            missing: 0,
                            cut: 0,
                        };
                        Step::Message(framed, message.len())
                    }
                    None if length <= (context.limits.pending_bytes as u64).min(F::LONG) => Step::Wait,
                    _ => {
                        let here = bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX));
                        let inside = self.inside(length, &bytes[..here], context);
                        self.state = State::Inside(inside);
                        match self.finish() {
                            Some(framed) => Step::Message(framed, here),
                            None => Step::Used(here),
                        }
                    }
                }
            }
        }
    }

    fn inside(&mut self, length: u64, bytes: &[u8], context: &Context<'_>) -> Box<Inside> {
        let framed = Framed {
            bytes: Cow::Owned(Vec::new()),
            time: self.since.take().unwrap_or(context.now),
            offset: context.offset,
            size: 0,
            missing: 0,
            cut: 0,
        };
        let mut inside = Box::new(Inside { framed, left: length, keeping: true });
        inside.take(bytes, context.limits.message_bytes);
        inside
    }

    /// The message, once nothing of it is to come.
    fn finish(&mut self) -> Option<Framed<'static>> {
        match std::mem::take(&mut self.state) {
            State::Inside(inside) if inside.left == 0 => Some(inside.framed),
            state => {
                self.state = state;
                None
            }
        }
    }
}

impl Inside {
    const fn heap(&self) -> usize {
        if let Cow::Owned(bytes) = &self.framed.bytes { bytes.capacity() } else { 0 }
    }

    fn take(&mut self, bytes: &[u8], cap: usize) {
        let announced = self.left;
        self.left -= bytes.len() as u64;
        self.framed.size += bytes.len() as u64;
        let kept = self.framed.bytes.to_mut();
        let room = if self.keeping { bytes.len().min(cap.saturating_sub(kept.len())) } else { 0 };
        room::make(kept, room, announced, cap);
        kept.extend_from_slice(&bytes[..room]);
        self.framed.cut += (bytes.len() - room) as u64;
    }
}
