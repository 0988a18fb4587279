//! One connection: its bytes become frames, those become what happens to streams.

use remora_packet::Timestamp;

use super::fields::FieldList;
use super::frame::{self, HEAD_BYTES, Head, PREFACE};
use super::hpack::Decoder;
use super::streams::{Block, Streams};
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
    block: Option<Unfinished>,
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

#[derive(Debug)]
struct Unfinished {
    stream: u32,
    /// The stream a PUSH_PROMISE announces.
    promised: Option<u32>,
    fragments: Vec<u8>,
    ends: bool,
    time: Timestamp,
    size: u64,
    /// Fragments were dropped: it is longer than the cap.
    cut: bool,
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

    /// Gives up a header block that another frame interrupts; true where there was one.
    fn interrupted(&mut self, direction: Direction, head: Head, context: &mut Context<'_>) -> bool {
        let continues = |block: &Unfinished| head.kind == frame::CONTINUATION && block.stream == head.stream;
        match self.side(direction).block.take_if(|block| !continues(block)) {
            Some(block) => {
                let sizes = (block.size, 0);
                let why = "a header block does not end";
                self.streams.broken_headers(direction, block.stream, block.ends, sizes, why, context);
                true
            }
            None => false,
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

    fn content(
        &mut self,
        direction: Direction,
        head: Head,
        content: &[u8],
        time: Timestamp,
        context: &mut Context<'_>,
    ) -> Result<(), &'static str> {
        let word = |at: usize| content.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word));
        match head.kind {
            frame::HEADERS => {
                // The priority that may stand before the fields is of no interest: a stream and a weight.
                let fields = unpad(head, content, if head.flags & 0x20 != 0 { 5 } else { 0 })?;
                let block = Unfinished::new(head, None, time);
                self.fragment(direction, head, block, fields, context);
            }
            frame::PUSH_PROMISE => {
                let inside = unpad(head, content, 0)?;
                let (promised, fields) =
                    inside.split_first_chunk().ok_or("a PUSH_PROMISE frame that is too short")?;
                let block = Unfinished::new(head, Some(u32::from_be_bytes(*promised) & 0x7fff_ffff), time);
                self.fragment(direction, head, block, fields, context);
            }
            frame::CONTINUATION => match self.side(direction).block.take() {
                Some(mut block) => {
                    block.size += head.total();
                    self.fragment(direction, head, block, content, context);
                }
                // Its beginning was lost.
                None => self.side(direction).decoder.forget(),
            },
            frame::RST_STREAM => {
                self.streams.count(direction, head.stream, head.total());
                self.streams.reset(direction, head.stream, word(0).unwrap_or(0), context);
            }
            frame::GOAWAY => self.streams.go_away(direction, content, context),
            _ => {}
        }
        Ok(())
    }

    /// A part of a header block, which ends with it or goes on.
    fn fragment(
        &mut self,
        direction: Direction,
        head: Head,
        mut block: Unfinished,
        fields: &[u8],
        context: &mut Context<'_>,
    ) {
        if head.ends_headers() && block.fragments.is_empty() && !block.cut {
            self.block(direction, &block, fields, context);
            return;
        }
        if block.fragments.len() + fields.len() > context.limits.pending_bytes {
            block.cut = true;
            block.fragments = Vec::new();
        } else if !block.cut {
            block.fragments.extend_from_slice(fields);
        }
        if !head.ends_headers() {
            self.side(direction).block = Some(block);
        } else if block.cut {
            self.broken(direction, &block, "a header block is too long", context);
        } else {
            let fields = std::mem::take(&mut block.fragments);
            self.block(direction, &block, &fields, context);
        }
    }

    fn broken(&mut self, direction: Direction, block: &Unfinished, why: &str, context: &mut Context<'_>) {
        self.side(direction).decoder.forget();
        let sizes = (block.size, 0);
        self.streams.broken_headers(direction, block.stream, block.ends, sizes, why, context);
    }

    /// A whole header block.
    fn block(&mut self, direction: Direction, block: &Unfinished, fields: &[u8], context: &mut Context<'_>) {
        let mut list = FieldList::new(context.limits.http_headers, context.limits.pending_bytes);
        if let Err(why) = self.side(direction).decoder.decode(fields, &mut list) {
            if self.confirmed {
                self.broken(direction, block, why, context);
            } else {
                self.side(direction).state = State::Left;
                context.withdraw();
            }
            return;
        }
        if list.of_response {
            self.settle(direction.reverse(), context);
        } else if list.of_request {
            // A promised request comes from the server.
            let by_client = block.promised.is_none();
            self.settle(if by_client { direction } else { direction.reverse() }, context);
        }
        let Unfinished { stream, promised, ends, time, size, .. } = *block;
        match promised {
            Some(stream) => self.streams.promise(Block { stream, list, ends, time, size }, context),
            None => self.streams.headers(direction, Block { stream, list, ends, time, size }, context),
        }
    }

    /// Bytes that HTTP/2 does not allow: looks for frames again.
    fn fail(&mut self, direction: Direction, bytes: &[u8], why: &str, context: &mut Context<'_>) -> Progress {
        if self.confirmed {
            let time = self.side(direction).since.unwrap_or(context.now);
            context.items.push(KIND.failure(direction, time, bytes, context.offset, why));
            self.lose(direction, context);
            // Not the same place again.
            context.counters.undissected_bytes += 1;
            return Progress::Used(1);
        }
        self.side(direction).state = State::Left;
        context.withdraw();
        Progress::Wait
    }

    /// The place in a direction is not known, nor which messages lost bytes.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        if let Some(block) = self.side(direction).block.take() {
            self.broken(direction, &block, "header fields are missing", context);
        }
        let side = self.side(direction);
        side.state = State::Lost;
        side.since = None;
        side.decoder.forget();
        self.streams.lose(direction);
    }

    /// A frame of which `left` bytes are passed over, `missing` of them because they were not captured.
    fn lose_frame(
        &mut self,
        direction: Direction,
        head: Head,
        left: u64,
        missing: u64,
        context: &mut Context<'_>,
    ) {
        let side = self.side(direction);
        side.state = if left == 0 { State::Frames } else { State::Skip(left) };
        side.since = None;
        if !head.carries_fields() {
            return;
        }
        side.decoder.forget();
        let size = head.total() - missing;
        let ends = match self.side(direction).block.take() {
            Some(block) => block.ends,
            None => head.ends_stream(),
        };
        if head.kind == frame::PUSH_PROMISE {
            self.streams.lose_promise();
        } else {
            let why = "header fields are missing";
            self.streams.broken_headers(direction, head.stream, ends, (size, missing), why, context);
        }
    }

    /// Of `missing` bytes, those that are in a frame whose beginning is known; `None` where it is not.
    fn bridge(
        &mut self,
        direction: Direction,
        missing: u64,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) -> Option<u64> {
        let kept = unparsed.len() as u64;
        match self.sides[direction.index()].state {
            State::Data(mut data) => {
                let body = data.body.min(missing);
                let padding = data.padding.min(missing - body);
                data.body -= body;
                data.padding -= padding;
                self.streams.skip(direction, data.stream, body + padding, body);
                self.move_on(direction, data, context);
                Some(body + padding)
            }
            State::Skip(left) => {
                let inside = left.min(missing);
                self.side(direction).skip(inside);
                Some(inside)
            }
            State::Frames => {
                let head = Head::parse(unparsed).filter(|head| head.fault().is_none())?;
                if head.kind == frame::DATA {
                    // Only the length of its padding is missing.
                    return None;
                }
                let inside = missing.min(head.total().checked_sub(kept)?);
                self.lose_frame(direction, head, head.total() - kept - inside, inside, context);
                Some(inside)
            }
            State::Start | State::Lost | State::Left => None,
        }
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

impl Unfinished {
    const fn new(head: Head, promised: Option<u32>, time: Timestamp) -> Self {
        Self {
            stream: head.stream,
            promised,
            fragments: Vec::new(),
            ends: head.ends_stream(),
            time,
            size: head.total(),
            cut: false,
        }
    }
}

/// What a frame carries between its padding's length and its padding, without `prefix` bytes at its front.
fn unpad(head: Head, content: &[u8], prefix: usize) -> Result<&[u8], &'static str> {
    let (padding, content) = match content.split_first() {
        Some((&padding, rest)) if head.is_padded() => (usize::from(padding), rest),
        _ if head.is_padded() => return Err("a padded frame that is empty"),
        _ => (0, content),
    };
    let end = content.len().checked_sub(padding).ok_or("padding longer than its frame")?;
    content.get(prefix..end).ok_or("a HEADERS frame that is too short")
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
