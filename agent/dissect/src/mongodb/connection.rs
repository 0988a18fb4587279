//! One connection: whose messages ask, and which answers which.

use super::KIND;
use super::sides::{self, Note, Subject};
use super::wire::{Header, Messages, op};
use crate::exchange::Half;
use crate::frame::{Framed, Frames, Step};
use crate::item::Absence;
use crate::pair::ById;
use crate::{Context, Direction, Dissector, End, Fields, Reader, Value};

/// Streams of replies that a connection has at once; clients have one.
const STREAMS: usize = 16;

/// Longer names are not remembered for the replies of a stream.
const MAX_NAME_BYTES: usize = 256;

#[derive(Default)]
pub(super) struct Connection {
    frames: Frames,
    session: Option<Session>,
    /// Bytes of a direction went missing.
    lossy: [bool; 2],
    ended: [Option<End>; 2],
    /// A message was read.
    sure: bool,
}

/// A connection whose asking side is known.
struct Session {
    requests: Direction,
    waiting: ById<i32, Note>,
    streams: Vec<Stream>,
}

/// Replies that come without being asked for each.
struct Stream {
    /// What the next one answers.
    answers: i32,
    note: Note,
    subject: Names,
}

/// Command, database, collection.
type Names = [Option<String>; 3];

/// Whether a message asks, as far as it says so itself.
fn asks(header: &Header, bytes: &[u8]) -> Option<bool> {
    match header.op {
        op::REPLY => Some(false),
        op::MSG | op::COMPRESSED if header.response_to != 0 => Some(false),
        // The first request of some clients has id 0, which says nothing of the answer to it.
        op::MSG if memchr::memmem::find(bytes, b"\x02$db\0").is_some() => Some(true),
        op::MSG | op::COMPRESSED => None,
        _ => Some(true),
    }
}

impl Connection {
    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let Ok(header) = Header::read(&mut Reader::new(&framed.bytes)) else {
            self.fragment(direction, framed, context);
            return;
        };
        if framed.is_whole() {
            self.sure = true;
            context.confirm();
        }
        let session = self.session.get_or_insert_with(|| {
            let asks = asks(&header, &framed.bytes).unwrap_or(direction == Direction::ToServer);
            let requests = if asks { direction } else { direction.reverse() };
            Session { requests, waiting: ById::new(KIND, requests), streams: Vec::new() }
        });
        if direction == session.requests {
            session.request(&header, framed, context);
            if let Some(end) = self.ended[direction.reverse().index()] {
                session.waiting.give_up(Absence::Ended(end), context);
            }
        } else {
            let lossy = self.lossy[session.requests.index()];
            session.response(&header, framed, lossy, context);
        }
    }

    /// A message that is cut inside of its header.
    fn fragment(&self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let Some(session) = &self.session else {
            context.counters.undissected_bytes += framed.size;
            return;
        };
        let half = sides::bare(framed, Fields::new());
        context.items.push(if direction == session.requests {
            KIND.request(session.requests, half, Absence::Lost)
        } else {
            KIND.response(session.requests, half, Absence::Lost)
        });
    }
}

impl Session {
    fn request(&mut self, header: &Header, framed: &Framed<'_>, context: &mut Context<'_>) {
        let request = sides::request(header, framed, context.limits);
        if request.one_way {
            context.items.push(KIND.message(self.requests, request.half));
        } else {
            self.waiting.request(header.request_id, request.half, request.note, context);
        }
    }

    fn response(&mut self, header: &Header, framed: &Framed<'_>, lossy: bool, context: &mut Context<'_>) {
        if let Some((request, note)) = self.waiting.remove(&header.response_to) {
            let response = sides::response(header, framed, Some(note), None, context.limits);
            if response.more {
                self.expect(Stream { answers: header.request_id, note, subject: names(&request) });
            }
            context.items.push(KIND.exchange(self.requests, request, response.half));
        } else if let Some(at) = self.streams.iter().position(|stream| stream.answers == header.response_to) {
            let stream = self.streams.swap_remove(at);
            let [command, database, collection] = stream.subject.clone();
            let subject = Subject { command, database, collection };
            let response = sides::response(header, framed, Some(stream.note), Some(subject), context.limits);
            if response.more {
                self.expect(Stream { answers: header.request_id, ..stream });
            }
            context.items.push(KIND.message(self.requests.reverse(), response.half));
        } else {
            let response = sides::response(header, framed, None, None, context.limits);
            let absence = if lossy { Absence::Lost } else { Absence::BeforeCapture };
            context.items.push(KIND.response(self.requests, response.half, absence));
        }
    }

    fn expect(&mut self, stream: Stream) {
        if self.streams.len() >= STREAMS {
            self.streams.remove(0);
        }
        self.streams.push(stream);
    }

    fn memory(&self) -> usize {
        self.waiting.memory() + self.streams.len() * (size_of::<Stream>() + 3 * MAX_NAME_BYTES)
    }
}

fn names(request: &Half) -> Names {
    ["command", "database", "collection"].map(|name| match request.message.get(name) {
        Some(Value::Str(text)) if text.len() <= MAX_NAME_BYTES => Some(text.into_owned()),
        _ => None,
    })
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while let Some(rest @ [_, ..]) = bytes.get(used..) {
            match self.frames.step(&Messages, direction, rest, context) {
                Step::Wait => break,
                Step::Used(more) => used += more,
                Step::Message(framed, more) => {
                    used += more;
                    self.message(direction, &framed, context);
                }
                Step::Invalid(_) if !self.sure => {
                    context.withdraw();
                    return bytes.len();
                }
                Step::Invalid(why) => {
                    self.lossy[direction.index()] = true;
                    context.items.push(KIND.failure(direction, context.now, rest, context.offset, why));
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        self.lossy[direction.index()] |= self.sure || bytes > 0;
        if let Some(framed) = self.frames.gap(&Messages, direction, bytes, unparsed, context) {
            self.message(direction, &framed, context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.lossy[direction.index()] = true;
        self.frames.lose(direction);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.end(&Messages, direction, unparsed, context) {
            self.message(direction, &framed, context);
        }
        self.ended[direction.index()] = Some(end);
        if let Some(session) = self.session.as_mut().filter(|session| session.requests != direction) {
            session.waiting.give_up(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.frames.memory() + self.session.as_ref().map_or(0, Session::memory)
    }
}
