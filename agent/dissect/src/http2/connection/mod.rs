//! One connection: its bytes become frames, those become what happens to streams.

mod blocks;
mod losses;

use remora_packet::Timestamp;

use super::fields::FieldList;
use super::frame::{self, HEAD_BYTES, Head, PREFACE};
use super::hpack::Decoder;
use super::streams::Streams;
use super::{HTTP_2, stream};
use crate::exchange::Kind;
use crate::{Context, Direction, Dissector, End, Limits};

/// Of items that say what could not be read.
const KIND: Kind = Kind { protocol: &HTTP_2, summarize: stream::summarize };

#[derive(Debug)]
pub(super) struct Connection {
    sides: [Side; 2],
    pub(super) streams: Streams,
    /// It is known which direction carries requests.
    settled: bool,
    /// Frames made sense.
    confirmed: bool,
}

#[derive(Debug)]
struct Side {
    state: State,
    decoder: Decoder,
    /// A header block whose end has not come.
    block: Option<blocks::Unfinished>,
    /// When the first byte of what is not used yet was captured.
    since: Option<Timestamp>,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Before the first frame.
    Start,
    /// Between frames.
    Frames,
    Data(Data),
    /// So many bytes of a frame are of no interest.
    Skip(u64),
    /// The place is not known: looking for frames.
    Lost,
    /// Another protocol, or over.
    Left,
}

/// What is left of a DATA frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Data {
    stream: u32,
    body: u64,
    padding: u64,
    ends: bool,
}

enum Progress {
    Used(usize),
    Wait,
}

impl Connection {
    pub(super) fn new() -> Self {
        let side =
            || Side { state: State::Start, decoder: Decoder::new(), block: None, since: None, ended: false };
        Self { sides: [side(), side()], streams: Streams::new(), settled: false, confirmed: false }
    }

    /// A connection whose first request came as HTTP/1, with `list`.
    pub(super) fn after_upgrade(list: FieldList, time: Timestamp, size: u64, limits: &Limits) -> Self {
        let mut connection = Self::new();
        connection.streams.upgraded(list, time, size, limits);
        connection
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    fn step(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        match self.sides[direction.index()].state {
            State::Start => self.start(direction, bytes, context),
            State::Frames => self.frame(direction, bytes, context),
            State::Data(data) => {
                let used = self.data(direction, data, bytes, context);
                Progress::Used(used)
            }
            State::Skip(left) => {
                let used = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.side(direction).skip(used as u64);
                Progress::Used(used)
            }
            State::Lost => self.search(direction, bytes, context),
            State::Left => {
                context.counters.undissected_bytes += bytes.len() as u64;
                Progress::Used(bytes.len())
            }
        }
    }

    fn start(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        let length = bytes.len().min(PREFACE.len());
        if bytes[..length] == PREFACE[..length] {
            if length < PREFACE.len() {
                return Progress::Wait;
            }
            self.preface(direction, context);
            return Progress::Used(length);
        }
        match Head::parse(bytes) {
            None => return Progress::Wait,
            // What both sides begin with.
            Some(head) if head.kind == frame::SETTINGS && !head.is_ack() => {}
            Some(_) => {
                self.side(direction).decoder.forget();
                self.streams.lose(direction);
            }
        }
        self.side(direction).state = State::Frames;
        Progress::Used(0)
    }

    fn preface(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.settle(direction, context);
        let side = self.side(direction);
        side.state = State::Frames;
        side.since = None;
        side.decoder = Decoder::new();
    }

    /// `direction` carries requests.
    fn settle(&mut self, direction: Direction, context: &mut Context<'_>) {
        if !self.settled {
            self.settled = true;
            self.streams.requests = direction;
        }
        self.confirmed = true;
        context.confirm();
    }

    fn search(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        let streams = &self.streams;
        let known = |stream| streams.is_open(stream);
        let place = (0..bytes.len()).find(|&at| {
            let rest = &bytes[at..];
            // No typical frame is longer than its lower two length bytes tell, save a long DATA frame.
            rest[0] <= 0x10 && frame::begin(rest, at != 0, &known) || rest.starts_with(PREFACE)
        });
        let Some(place) = place else {
            context.counters.undissected_bytes += bytes.len() as u64;
            return Progress::Used(bytes.len());
        };
        context.counters.undissected_bytes += place as u64;
        // A preface is read by `start`; anything else leaves the table forgotten.
        let begins = bytes[place..].starts_with(PREFACE);
        self.side(direction).state = if begins { State::Start } else { State::Frames };
        Progress::Used(place)
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Progress {
        let Some(head) = Head::parse(bytes) else { return Progress::Wait };
        if let Some(why) = head.fault() {
            return self.fail(direction, bytes, why, context);
        }
        if head.kind == frame::DATA {
            return self.begin_data(direction, head, bytes, context);
        }
        if head.kind > frame::CONTINUATION {
            self.side(direction).state = State::Skip(head.total());
            return Progress::Used(0);
        }
        if head.total() > context.limits.pending_bytes as u64 {
            self.lose_frame(direction, head, head.total(), 0, context);
            return Progress::Used(0);
        }
        match bytes.get(HEAD_BYTES..head.total() as usize) {
            Some(content) => {
                let time = self.side(direction).since.take().unwrap_or(context.now);
                if self.interrupted(direction, head, context) {
                    self.side(direction).decoder.forget();
                }
                if let Err(why) = self.content(direction, head, content, time, context) {
                    return self.fail(direction, bytes, why, context);
                }
                Progress::Used(head.total() as usize)
            }
            None => Progress::Wait,
        }
    }

    fn begin_data(
        &mut self,
        direction: Direction,
        head: Head,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Progress {
        let length = u64::from(head.length);
        let (first, padding) = match (head.is_padded(), bytes.get(HEAD_BYTES)) {
            (false, _) => (0, 0),
            (true, None) if length > 0 => return Progress::Wait,
            (true, Some(&padding)) if u64::from(padding) < length => (1, u64::from(padding)),
            (true, _) => return self.fail(direction, bytes, "padding longer than its frame", context),
        };
        if self.interrupted(direction, head, context) {
            self.side(direction).decoder.forget();
        }
        let data =
            Data { stream: head.stream, body: length - first - padding, padding, ends: head.ends_stream() };
        self.side(direction).since = None;
        self.streams.count(direction, head.stream, HEAD_BYTES as u64 + first);
        self.move_on(direction, data, context);
        Progress::Used(HEAD_BYTES + first as usize)
    }

    /// Reads on in a DATA frame, or behind it.
    fn move_on(&mut self, direction: Direction, data: Data, context: &mut Context<'_>) {
        if data.body + data.padding != 0 {
            self.side(direction).state = State::Data(data);
            return;
        }
        self.side(direction).state = State::Frames;
        if data.ends {
            self.streams.end(direction, data.stream, context);
        }
    }

    fn data(
        &mut self,
        direction: Direction,
        mut data: Data,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> usize {
        let available = bytes.len() as u64;
        let body = data.body.min(available);
        let padding = data.padding.min(available - body);
        data.body -= body;
        data.padding -= padding;
        if body != 0 {
            self.streams.data(direction, data.stream, &bytes[..body as usize], context);
        }
        self.streams.count(direction, data.stream, padding);
        self.move_on(direction, data, context);
        (body + padding) as usize
    }
}

impl Side {
    fn skip(&mut self, bytes: u64) {
        if let State::Skip(left) = &mut self.state {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.state = State::Frames;
                self.since = None;
            }
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            match self.step(direction, &bytes[used..], context) {
                Progress::Used(more) => {
                    used += more;
                    context.offset += more as u64;
                }
                Progress::Wait => {
                    self.side(direction).since.get_or_insert(context.now);
                    break;
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        match self.sides[direction.index()].state {
            State::Left => {}
            _ => {
                if self.bridge(direction, bytes, unparsed, context).is_none_or(|bridged| bridged < bytes) {
                    self.lose(direction, context);
                    context.counters.undissected_bytes += unparsed.len() as u64;
                }
            }
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        // Frames that long are not waited for.
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.lose(direction, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        if self.sides[direction.index()].state == State::Frames
            && let Some(head) = Head::parse(unparsed)
            && head.fault().is_none()
        {
            let missing = head.total().saturating_sub(unparsed.len() as u64);
            self.lose_frame(direction, head, 0, missing, context);
        }
        let side = self.side(direction);
        side.state = State::Left;
        side.ended = true;
        side.block = None;
        side.decoder.forget();
        let both = self.sides.iter().all(|side| side.ended);
        self.streams.end_direction(direction, end, both, context);
    }

    fn memory(&self) -> usize {
        let block = |side: &Side| side.block.as_ref().map_or(0, |block| block.fragments.capacity());
        size_of::<Self>()
            + self.streams.memory()
            + self.sides.iter().map(|side| side.decoder.memory() + block(side)).sum::<usize>()
    }
}
