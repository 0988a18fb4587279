//! A connection: its frames, its channels, and what is made of them.

use std::collections::BTreeMap;

use remora_packet::Timestamp;

use super::content::{Arrival, Content, Nothing};
use super::methods::{self, Method, Role};
use super::pairing::{Calls, Key};
use super::values::Decoder;
use super::wire::{self, Frame, Wire};
use super::{KIND, protocol_header};
use crate::frame::{Framed, Frames, Step};
use crate::item::Absence;
use crate::{Context, Direction, Dissector, End, Fields, Half, Reader, Tree};

const CONNECTION_CLOSE: Key = (10, 50);
const CHANNEL_OPEN: Key = (20, 10);
const CHANNEL_CLOSE: Key = (20, 40);

/// Messages of the largest size that a connection may hold unfinished, all channels together.
const LARGE_MESSAGES: usize = 4;

/// Whole frames that make a stream certain.
const SURE_FRAMES: u8 = 2;

#[derive(Debug)]
pub(super) struct Connection {
    frames: Frames,
    channels: BTreeMap<u16, Channel>,
    /// Every byte since the connection began was seen.
    intact: bool,
    /// Bytes were missed.
    gapped: bool,
    /// The client's protocol header, until the server answers.
    greeting: Option<Half>,
    /// Something a direction sent made no sense, and nothing has since.
    failed: [bool; 2],
    /// Whole frames seen, up to what makes the stream certain.
    seen: u8,
    /// Halves that wait and contents that are arriving.
    waiting: usize,
    memory: usize,
}

#[derive(Debug)]
struct Channel {
    /// By the direction that a call takes.
    calls: [Calls; 2],
    content: [Option<Box<Content>>; 2],
}

impl Channel {
    fn new(aligned: bool) -> Self {
        let calls = Direction::BOTH.map(|direction| Calls::new(KIND, direction, aligned));
        Self { calls, content: [None, None] }
    }

    fn len(&self) -> usize {
        self.calls.iter().map(Calls::len).sum()
    }

    fn memory(&self) -> usize {
        let content = |content: &Option<Box<Content>>| content.as_ref().map_or(0, |content| content.memory());
        self.calls.iter().map(Calls::memory).sum::<usize>() + self.content.iter().map(content).sum::<usize>()
    }
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::default(),
            channels: BTreeMap::new(),
            intact: false,
            gapped: false,
            greeting: None,
            failed: [false; 2],
            seen: 0,
            waiting: 0,
            memory: 0,
        }
    }

    /// Does something to a channel and keeps the sums.
    fn with<T>(
        &mut self,
        channel: u16,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut Channel, &mut Context<'_>) -> T,
    ) -> T {
        let known = self.channels.len();
        let full = self.waiting >= context.limits.waiting_requests.max(1)
            || self.memory >= 2 * LARGE_MESSAGES * context.limits.message_bytes.max(1)
            || known >= context.limits.waiting_requests.max(1) && !self.channels.contains_key(&channel);
        if full {
            self.give_up(Absence::TooMany, context);
            self.channels.clear();
            self.intact = false;
            (self.waiting, self.memory) = (0, 0);
        }
        let intact = self.intact;
        let state = self.channels.entry(channel).or_insert_with(|| Channel::new(intact));
        let (waiting, memory) = (state.len(), state.memory());
        let result = act(state, context);
        self.waiting = self.waiting + state.len() - waiting;
        self.memory = self.memory + state.memory() - memory;
        result
    }

    fn each(&mut self, context: &mut Context<'_>, mut act: impl FnMut(&mut Channel, &mut Context<'_>)) {
        (self.waiting, self.memory) = (0, 0);
        for channel in self.channels.values_mut() {
            act(channel, context);
            self.waiting += channel.len();
            self.memory += channel.memory();
        }
    }

    fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.each(context, |channel, context| {
            for calls in &mut channel.calls {
                calls.give_up(absence, context);
            }
        });
    }

    /// Frames may be missing from a direction: contents are torn, and the order of answers means nothing.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.intact = false;
        self.gapped = true;
        self.tear(direction, context);
        self.each(context, |channel, context| {
            for calls in &mut channel.calls {
                calls.lose(context);
            }
        });
    }

    /// The contents that a direction was sending do not get whole.
    fn tear(&mut self, direction: Direction, context: &mut Context<'_>) {
        let torn: Vec<u16> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.content[direction.index()].is_some())
            .map(|(number, _)| *number)
            .collect();
        for number in torn {
            self.finish_content(direction, number, context);
        }
    }

    fn finish_content(&mut self, direction: Direction, number: u16, context: &mut Context<'_>) {
        let content = self.with(number, context, |channel, _| channel.content[direction.index()].take());
        if let Some(content) = content {
            let (method, fields, arrival) = content.finish();
            self.method(direction, number, method, fields, arrival, context);
        }
    }

    fn fail(&mut self, direction: Direction, framed: &Framed<'_>, what: &str, context: &mut Context<'_>) {
        let (time, offset) = (framed.time, framed.offset);
        self.report(direction, time, &framed.bytes, offset, what, context);
    }

    fn report(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        offset: u64,
        what: &str,
        context: &mut Context<'_>,
    ) {
        self.lose(direction, context);
        if !std::mem::replace(&mut self.failed[direction.index()], true) {
            context.items.push(KIND.failure(direction, time, bytes, offset, what));
        }
    }

    fn frame(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        if framed.bytes.first() == Some(&b'A') {
            return self.header(direction, framed, context);
        }
        self.greeting = None;
        let frame = match wire::read(framed) {
            Ok(frame) => frame,
            Err(what) => return self.fail(direction, framed, what, context),
        };
        if framed.missing != 0 {
            return self.damaged(direction, &frame, framed, context);
        }
        self.seen = self.seen.saturating_add(1);
        if self.seen == SURE_FRAMES {
            context.confirm();
        }
        match frame.kind {
            wire::METHOD => self.method_frame(direction, &frame, framed, context),
            wire::HEADER | wire::BODY => self.content_frame(direction, &frame, framed, context),
            // A heartbeat, of which there are two a minute on an idle connection, says nothing.
            _ => {}
        }
    }

    /// A frame with a hole.
    fn damaged(
        &mut self,
        direction: Direction,
        frame: &Frame<'_>,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) {
        self.finish_content(direction, frame.channel, context);
        if frame.kind == wire::METHOD {
            self.lose(direction, context);
            let mut reader = Reader::new(frame.payload);
            let (Ok(class), Ok(id)) = (reader.u16_be(), reader.u16_be()) else { return };
            if let Some(method) = methods::find(class, id) {
                let mut fields = Fields::new().with("method", method.name);
                let mut decoder = Decoder::new(context.limits);
                let _ = decoder.arguments(method, &mut reader, &mut fields);
                let half = Half::new(framed.time, framed.size, fields).missing(framed.missing);
                context.items.push(if method.role == Role::Answer {
                    KIND.response(direction.reverse(), half, Absence::Lost)
                } else {
                    KIND.message(direction, half)
                });
            }
        }
    }

    fn method_frame(
        &mut self,
        direction: Direction,
        frame: &Frame<'_>,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) {
        // The content before it was not complete.
        self.finish_content(direction, frame.channel, context);
        let mut reader = Reader::new(frame.payload);
        let (Ok(class), Ok(id)) = (reader.u16_be(), reader.u16_be()) else {
            return self.fail(direction, framed, "a method frame is too short", context);
        };
        let Some(method) = methods::find(class, id) else {
            return self.fail(direction, framed, "an unknown method", context);
        };
        let mut fields = Fields::with_capacity(method.arguments.len() + 4).with("method", method.name);
        let mut decoder = Decoder::new(context.limits);
        if let Err(error) = decoder.arguments(method, &mut reader, &mut fields) {
            if framed.cut == 0 {
                return self.fail(direction, framed, error.what, context);
            }
            decoder.truncated = true;
        }
        if decoder.truncated {
            fields.push("truncated", true);
        }
        self.failed[direction.index()] = false;
        if method.content {
            let content = Box::new(Content::new(method, fields, framed.time, framed.size));
            let at = direction.index();
            self.with(frame.channel, context, |channel, _| channel.content[at] = Some(content));
        } else {
            let arrival = Arrival::new(framed.time, framed.size);
            self.method(direction, frame.channel, method, fields, arrival, context);
        }
    }

    fn content_frame(
        &mut self,
        direction: Direction,
        frame: &Frame<'_>,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) {
        let at = direction.index();
        let limits = context.limits;
        let room = (LARGE_MESSAGES * limits.message_bytes).saturating_sub(self.memory);
        let outcome = self.with(frame.channel, context, |channel, _| {
            let content = channel.content[at].as_mut()?;
            let outcome = if frame.kind == wire::HEADER {
                content.header(frame.payload, framed.size, limits).map_err(|error| error.what)
            } else {
                let room = room.min(limits.message_bytes.saturating_sub(content.kept()));
                content.body(frame, framed.size, room)
            };
            Some(outcome.map(|()| content.is_whole()))
        });
        match outcome {
            Some(Ok(true)) => self.finish_content(direction, frame.channel, context),
            Some(Ok(false)) => {}
            Some(Err(what)) => self.fail(direction, framed, what, context),
            // Its method is missing.
            None if !self.intact => context.counters.undissected_bytes += framed.size,
            None => self.fail(direction, framed, "a content without a method", context),
        }
    }

    /// A method with all that belongs to it.
    fn method(
        &mut self,
        direction: Direction,
        number: u16,
        method: &'static Method,
        fields: Fields,
        arrival: Arrival,
        context: &mut Context<'_>,
    ) {
        let key = method.key();
        let one_way = method.role == Role::OneWay || fields.field("noWait") == Some(&Tree::Bool(true));
        let closes = method.role == Role::Call && matches!(key, CONNECTION_CLOSE | CHANNEL_CLOSE);
        if closes {
            self.refuse(direction, number, &fields, arrival, context);
        }
        let half = arrival.half(fields);
        if method.role == Role::Answer {
            let to = direction.reverse().index();
            self.with(number, context, |channel, context| channel.calls[to].answer(key, half, context));
        } else if one_way {
            let nothing = Half::new(half.time, 0, Nothing);
            context.items.push(KIND.exchange(direction, half, nothing));
        } else {
            let opens = key == CHANNEL_OPEN;
            self.with(number, context, |channel, context| {
                channel.calls[direction.index()].call(key, half, opens, context);
            });
        }
    }

    /// The other side's call is answered by closing the channel or the connection.
    fn refuse(
        &mut self,
        direction: Direction,
        number: u16,
        fields: &Fields,
        arrival: Arrival,
        context: &mut Context<'_>,
    ) {
        let number_of = |name: &str| {
            fields.field(name).and_then(Tree::as_int).and_then(|value| u16::try_from(value).ok()).unwrap_or(0)
        };
        let code = number_of("relyCode");
        let Some(method) = methods::find(number_of("classId"), number_of("methodId")) else { return };
        let calls = direction.reverse().index();
        let whole_connection = method.class == 10 || number == 0;
        let mut waiting = self
            .channels
            .iter()
            .filter(|(at, channel)| (whole_connection || **at == number) && channel.calls[calls].len() != 0);
        // A connection's close does not tell the channel; one that waits alone is meant.
        let (Some((&at, _)), None) = (waiting.next(), waiting.next()) else { return };
        let text = fields.field("replyText").cloned().unwrap_or_default();
        let error = Fields::new().with("code", code).with("text", text);
        let message = fields.clone().with("error", error);
        let answer = Half::new(arrival.time, arrival.size, message);
        self.with(at, context, |channel, context| {
            let calls = &mut channel.calls[calls];
            if calls.answers(method.key(), answer.time)
                && let Some(call) = calls.pop()
            {
                context.items.push(KIND.exchange(direction.reverse(), call, answer));
            }
            calls.give_up(Absence::Ended(End::Fin), context);
        });
    }

    /// A protocol header: the client's first bytes, or the server's answer to those of a version it does not speak.
    fn header(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let half =
            Half::new(framed.time, framed.size, protocol_header(&framed.bytes)).missing(framed.missing);
        context.confirm();
        match (direction, self.greeting.take()) {
            (Direction::ToServer, _) => {
                self.intact = framed.is_whole() && framed.offset == 0 && !self.gapped;
                self.greeting = Some(half);
            }
            (Direction::ToClient, Some(request)) => {
                context.items.push(KIND.exchange(Direction::ToServer, request, half));
            }
            (Direction::ToClient, None) => {
                context.items.push(KIND.response(Direction::ToServer, half, Absence::BeforeCapture));
            }
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            match self.frames.step(&Wire, direction, rest, context) {
                Step::Wait => break,
                Step::Used(more) => used += more,
                Step::Message(framed, more) => {
                    used += more;
                    self.frame(direction, &framed, context);
                }
                Step::Invalid(what) => {
                    let (time, offset) = (context.now, context.offset);
                    self.report(direction, time, rest, offset, what, context);
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let framed = self.frames.gap(&Wire, direction, bytes, unparsed, context);
        // A message may be cut short and others lost behind it.
        if let Some(framed) = &framed {
            self.frame(direction, framed, context);
        }
        if bytes == 0 && unparsed.is_empty() {
            self.frames.lose(direction);
        }
        if self.frames.is_lost(direction) {
            self.lose(direction, context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.gap(direction, unparsed.len() as u64, &[], context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.end(&Wire, direction, unparsed, context) {
            self.frame(direction, &framed, context);
        }
        self.tear(direction, context);
        self.each(context, |channel, context| {
            for calls in &mut channel.calls {
                calls.end(direction, end, context);
            }
        });
        if direction == Direction::ToClient
            && let Some(greeting) = self.greeting.take()
        {
            context.items.push(KIND.request(Direction::ToServer, greeting, Absence::Ended(end)));
        }
    }

    fn memory(&self) -> usize {
        let channels = self.channels.len() * (size_of::<Channel>() + size_of::<u16>());
        size_of::<Self>() + self.frames.memory() + channels + self.memory
    }
}
