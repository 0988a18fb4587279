//! One connection: its messages, which answers which, and what was prepared.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use remora_packet::Timestamp;

use super::framing::{Header, Inner, Outer, TRAILER, Wire, crc32};
use super::message::{self, Content, Note};
use super::names::opcode;
use super::request::Asked;
use super::response::Told;
use super::statements::Statement;
use super::{KIND, compression};
use crate::frame::{Framed, Step};
use crate::item::Absence;
use crate::pair::ById;
use crate::remember::{Caps, Remembered};
use crate::{Context, Direction, Dissector, End, Frames, Half, Tree, Value};

/// Responses that wait for a request which the capture delivers late. Above it the oldest comes out alone.
const EARLY: usize = 64;

struct Early {
    stream: i16,
    half: Half,
    told: Option<Told>,
    memory: usize,
}

pub(super) struct Connection {
    wire: Wire,
    frames: Frames,
    /// Envelopes inside of frames, and bytes of one that is not whole yet.
    inner: Frames,
    unframed: [Vec<u8>; 2],
    /// Which way requests go, and those that wait.
    waiting: Option<(Direction, ById<i16, Note>)>,
    early: VecDeque<Early>,
    early_bytes: usize,
    statements: Remembered<Vec<u8>, Arc<Statement>>,
    keyspace: Option<Arc<str>>,
    /// Requests under way that may change the keyspace.
    using: u32,
    /// Messages may be missing, or are from before the capture.
    lossy: bool,
    ended: [bool; 2],
    sure: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            wire: Wire::default(),
            frames: Frames::default(),
            inner: Frames::default(),
            unframed: [Vec::new(), Vec::new()],
            waiting: None,
            early: VecDeque::new(),
            early_bytes: 0,
            statements: Remembered::new(),
            keyspace: None,
            using: 0,
            lossy: false,
            ended: [false; 2],
            sure: false,
        }
    }

    fn fail(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        offset: u64,
        what: &str,
        context: &mut Context<'_>,
    ) {
        if self.sure {
            context.items.push(KIND.failure(direction, time, bytes, offset, what));
            self.lose(direction, context);
        } else {
            context.withdraw();
        }
    }

    /// Messages of a direction may be missing: a waiting request can't be told from another of the same stream, and what
    /// was remembered may be of before.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.lossy = true;
        self.give_up(Absence::Lost, context);
        self.statements.clear();
        self.keyspace = None;
        self.unframed[direction.index()] = Vec::new();
        self.inner.lose(direction);
    }

    fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.using = 0;
        let Some((requests, waiting)) = &mut self.waiting else { return };
        waiting.give_up(absence, context);
        for early in self.early.drain(..) {
            context.items.push(KIND.response(*requests, early.half, absence));
        }
        self.early_bytes = 0;
    }

    /// A frame of version 5.
    fn outer(&mut self, direction: Direction, framed: &Framed<'_>, outer: Outer, context: &mut Context<'_>) {
        self.wire.framed[direction.index()] = true;
        let payload = framed.bytes.get(outer.head..framed.bytes.len().saturating_sub(TRAILER));
        let (Some(payload), true) = (payload, framed.is_whole()) else {
            self.lose(direction, context);
            return;
        };
        if !framed.bytes.ends_with(&crc32(payload).to_le_bytes()) {
            let what = "the checksum of a frame is wrong";
            return self.fail(direction, framed.time, &framed.bytes, framed.offset, what, context);
        }
        let at = direction.index();
        if self.inner.is_lost(direction) && !outer.self_contained {
            context.counters.undissected_bytes += framed.size;
            return;
        }
        if outer.unpacked == 0 {
            self.unframed[at].extend_from_slice(payload);
        } else if let Some(payload) = compression::payload(payload, outer.unpacked) {
            self.unframed[at].extend_from_slice(&payload);
        } else {
            let what = "the payload of a frame can't be unpacked";
            return self.fail(direction, framed.time, &framed.bytes, framed.offset, what, context);
        }
        let (offset, now) = (context.offset, context.now);
        (context.offset, context.now) = (framed.offset, framed.time);
        let mut bytes = std::mem::take(&mut self.unframed[at]);
        let mut used = 0;
        while used < bytes.len() && !context.is_over() {
            match self.inner.step(&Inner, direction, &bytes[used..], context) {
                Step::Wait => break,
                Step::Used(count) => used += count,
                Step::Message(mut message, count) => {
                    used += count;
                    message.offset = framed.offset;
                    self.envelope(direction, &message, context);
                }
                Step::Invalid(what) => {
                    self.fail(direction, framed.time, &bytes[used..], framed.offset, what, context);
                    used = bytes.len();
                }
            }
        }
        if used < bytes.len() {
            bytes.drain(..used);
            self.unframed[at] = bytes;
        }
        (context.offset, context.now) = (offset, now);
    }

    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        match self.wire.outer(&framed.bytes) {
            Some(outer) => self.outer(direction, framed, outer, context),
            None => self.envelope(direction, framed, context),
        }
    }

    fn envelope(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let Some(header) = Header::parse(&framed.bytes) else { return };
        let requests = if header.is_response { direction.reverse() } else { direction };
        let (known, _) = self.waiting.get_or_insert_with(|| (requests, ById::new(KIND, requests)));
        if *known != requests {
            let what = "both sides ask";
            return self.fail(direction, framed.time, &framed.bytes, framed.offset, what, context);
        }
        self.wire.plain |= header.version < 5;
        if header.is_response {
            self.response(&header, framed, context);
        } else {
            self.request(&header, framed, context);
        }
    }

    /// Whether a message may be believed; confirms where it shows what this is.
    fn judge(&mut self, header: &Header, exact: bool, wrong: bool, context: &mut Context<'_>) -> bool {
        if exact && header.length > 0 {
            self.sure = true;
            context.confirm();
        }
        if wrong && !self.sure {
            context.withdraw();
            return false;
        }
        true
    }

    fn request(&mut self, header: &Header, framed: &Framed<'_>, context: &mut Context<'_>) {
        let statements = &self.statements;
        let known = |id: &[u8]| statements.get(&id.to_vec()).cloned();
        let mut read = message::request(header, framed, &known, context.limits);
        if !self.judge(header, read.exact, read.is_wrong(), context) {
            return;
        }
        let asks = matches!(header.code, opcode::QUERY | opcode::PREPARE | opcode::EXECUTE | opcode::BATCH);
        if asks && let Some(keyspace) = &self.keyspace {
            match &mut read.content {
                Content::Kept(request) => request.add_keyspace(keyspace),
                Content::Decoded(fields) if fields.field("keyspace").is_none() => {
                    fields.push("keyspace", keyspace.to_string());
                }
                Content::Decoded(_) => {}
            }
        }
        let asked = read.meaning.take().unwrap_or_else(|| Asked { uses: asks, ..Asked::default() });
        if asked.uses {
            self.keyspace = None;
            self.using += 1;
        }
        let note = Note::new(&asked);
        let half = read.into_half(framed);
        let Some((requests, waiting)) = &mut self.waiting else { return };
        if let Some(at) = self.early.iter().position(|early| early.stream == header.stream)
            && let Some(early) = self.early.remove(at)
        {
            self.early_bytes -= early.memory;
            let requests = *requests;
            self.learn(&note, &half, early.told, context);
            context.items.push(KIND.exchange(requests, half, early.half));
            return;
        }
        let answers_end = self.ended[requests.reverse().index()];
        waiting.request(header.stream, half, note, context);
        if answers_end {
            waiting.give_up(Absence::Lost, context);
        }
    }

    fn response(&mut self, header: &Header, framed: &Framed<'_>, context: &mut Context<'_>) {
        let Some((requests, waiting)) = &mut self.waiting else { return };
        let late = waiting.is_newer(&header.stream, context);
        let (requests, note) = (*requests, waiting.note(&header.stream).filter(|_| !late));
        let (paired, columns) = (note.is_some(), note.and_then(Note::columns));
        let mut read = message::response(header, framed, columns, context.limits);
        let shows = read.exact || paired && !read.is_wrong() && framed.is_whole();
        if paired && shows && !self.sure {
            self.sure = true;
            context.confirm();
        }
        if !self.judge(header, read.exact, read.is_wrong(), context) {
            return;
        }
        let told = read.meaning.take();
        let half = read.into_half(framed);
        if header.code == opcode::EVENT {
            context.items.push(KIND.message(requests.reverse(), half));
            return;
        }
        let Some((_, waiting)) = &mut self.waiting else { return };
        let request = if late { None } else { waiting.remove(&header.stream) };
        match request {
            Some((request, note)) => {
                self.learn(&note, &request, told, context);
                context.items.push(KIND.exchange(requests, request, half));
            }
            None if late || self.lossy || header.stream < 0 || self.ended[requests.index()] => {
                let absence = if late || self.lossy { Absence::Lost } else { Absence::BeforeCapture };
                context.items.push(KIND.response(requests, half, absence));
            }
            None => {
                if self.early.len() >= EARLY
                    && let Some(oldest) = self.early.pop_front()
                {
                    self.early_bytes -= oldest.memory;
                    context.items.push(KIND.response(requests, oldest.half, Absence::BeforeCapture));
                }
                let memory = half.memory();
                self.early_bytes += memory;
                self.early.push_back(Early { stream: header.stream, half, told, memory });
            }
        }
    }

    /// What an exchange tells for those that follow.
    fn learn(&mut self, note: &Note, request: &Half, told: Option<Told>, context: &Context<'_>) {
        if note.uses {
            self.using = self.using.saturating_sub(1);
        }
        match told {
            Some(Told::Keyspace(keyspace)) if self.using == 0 => self.keyspace = Some(keyspace),
            Some(Told::Prepared { id, variables, columns, metadata_id }) if note.prepares => {
                // A text that was cut is none to show for all of it.
                let Some(Value::Str(query)) = request.message.get("query") else { return };
                let query = Tree::Text(Cow::Owned(query.into_owned()));
                let mut statement = Statement { query, variables, columns, metadata_id, memory: 0 };
                statement.memory = size_of::<Statement>() + statement.heap();
                let memory = id.len() + statement.memory;
                let caps = Caps { entries: context.limits.list_entries, bytes: context.limits.message_bytes };
                self.statements.insert(id, Arc::new(statement), memory, caps);
            }
            _ => {}
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() && !context.is_over() {
            let (time, offset, wire) = (context.now, context.offset, self.wire);
            match self.frames.step(&wire, direction, &bytes[used..], context) {
                Step::Wait => break,
                Step::Used(count) => used += count,
                Step::Message(framed, count) => {
                    used += count;
                    self.message(direction, &framed, context);
                }
                Step::Invalid(what) => {
                    self.fail(direction, time, &bytes[used..], offset, what, context);
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let wire = self.wire;
        let cut = self.frames.gap(&wire, direction, bytes, unparsed, context);
        self.lose(direction, context);
        if let Some(framed) = cut {
            self.message(direction, &framed, context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.frames.lose(direction);
        self.lose(direction, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let wire = self.wire;
        if let Some(framed) = self.frames.end(&wire, direction, unparsed, context) {
            self.message(direction, &framed, context);
        }
        self.ended[direction.index()] = true;
        let no_answer = self.waiting.as_ref().is_some_and(|(requests, _)| direction != *requests);
        if no_answer || self.ended == [true, true] {
            self.give_up(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        let waiting = self.waiting.as_ref().map_or(0, |(_, waiting)| waiting.memory());
        let unframed: usize = self.unframed.iter().map(Vec::capacity).sum();
        let early = self.early.capacity() * size_of::<Early>() + self.early_bytes;
        size_of::<Self>()
            + self.frames.memory()
            + self.inner.memory()
            + unframed
            + waiting
            + early
            + self.statements.memory()
    }
}
