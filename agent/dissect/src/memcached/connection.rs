//! A connection: which of the two protocols it speaks, and what answers what.

use remora_packet::Timestamp;

use super::binary::{self, Frames24};
use super::request::{self, Storing, Words};
use super::server::{Head, Server};
use super::text::{self, Answer, Incoming, Line};
use super::told::Told;
use crate::frame::{Framed, Step};
use crate::item::{Absence, ErrorKind};
use crate::pair::InOrder;
use crate::{Context, Direction, Dissector, End, Fields, Frames, Half, Tree};

#[derive(Debug)]
enum Note {
    Text(text::Note),
    Binary(binary::Note),
}

/// One connection in either protocol; the first byte tells which.
#[derive(Debug, Default)]
pub(super) struct Connection {
    speech: Option<Speech>,
    frames: Frames,
    client: Client,
    server: Server,
    ended: [bool; 2],
    confirmed: bool,
    joined: bool,
    /// The answer to the command that is arriving may be among lost bytes.
    answer_lost: bool,
    /// Directions whose beginning was not seen.
    torn: [bool; 2],
}

#[derive(Debug)]
struct Speech {
    binary: bool,
    client: Direction,
    pairs: InOrder<Note>,
}

/// What the client is in the middle of.
#[derive(Debug, Default)]
struct Client {
    lost: bool,
    since: Option<Timestamp>,
    storing: Option<Box<Storing>>,
    /// Up to the end of this line the server skips.
    skipping: bool,
}

impl Connection {
    fn begin(&mut self, direction: Direction, bytes: &[u8], now: Timestamp) {
        if self.speech.is_some() {
            return;
        }
        let (binary, client) = match bytes.first() {
            Some(0x80) => (true, direction),
            Some(0x81) => (true, direction.reverse()),
            _ => (false, Direction::ToServer),
        };
        let mut pairs = InOrder::new(super::kind(binary), client);
        if self.joined {
            pairs.join(now);
        }
        for direction in Direction::BOTH {
            if self.torn[direction.index()] {
                self.frames.lose(direction);
            }
        }
        self.client.lost = self.torn[client.index()];
        self.server.lost = self.torn[client.reverse().index()];
        self.speech = Some(Speech { binary, client, pairs });
    }

    fn request(&mut self, note: Note, half: Half, context: &mut Context<'_>) {
        let answer_lost = std::mem::take(&mut self.answer_lost);
        let Some(Speech { binary, client, pairs }) = &mut self.speech else { return };
        let kind = super::kind(*binary);
        let silent = match &note {
            Note::Text(note) => note.noreply && !note.command.starts_with('m'),
            Note::Binary(note) => note.opcode == 0x17,
        };
        if silent {
            context.items.push(kind.message(*client, half));
        } else if answer_lost {
            context.items.push(kind.request(*client, half, Absence::Lost));
            pairs.lose(true, context);
        } else {
            pairs.request(half, note, context);
        }
    }

    /// An answer. Quiet commands before the one that it fits were not answered, which is an answer too.
    fn respond(&mut self, fits: impl Fn(&Note) -> bool, told: bool, half: Half, context: &mut Context<'_>) {
        let Some(Speech { binary, client, pairs }) = &mut self.speech else { return };
        let kind = super::kind(*binary);
        let quiet = |note: &Note| match note {
            Note::Text(note) => note.noreply,
            Note::Binary(note) => note.is_quiet(),
        };
        let mut mismatch = false;
        while let Some(note) = pairs.note() {
            let is_quiet = quiet(note);
            if fits(note) && (!is_quiet || told) {
                break;
            }
            if !is_quiet {
                mismatch = true;
                break;
            }
            if let Some((request, _)) = pairs.pop() {
                context.items.push(kind.message(*client, request));
            }
        }
        if mismatch {
            pairs.lose(false, context);
        }
        if !self.confirmed && !pairs.is_empty() {
            self.confirmed = true;
            context.confirm();
        }
        pairs.response(half, context);
    }

    fn invalid(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        why: &str,
        context: &mut Context<'_>,
    ) {
        if !self.confirmed {
            context.withdraw();
            return;
        }
        let offset = context.offset + at as u64;
        self.lose(direction, context);
        let Some(speech) = &self.speech else { return };
        context.items.push(super::kind(speech.binary).failure(direction, context.now, rest, offset, why));
    }

    /// The place in a direction is not known any more.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        let Some(Speech { client, pairs, .. }) = &mut self.speech else { return };
        let of_requests = *client == direction;
        if of_requests {
            self.client = Client { lost: true, ..Client::default() };
        } else {
            self.server = Server::lost();
            self.answer_lost = self.client.storing.is_some();
        }
        pairs.lose(of_requests, context);
    }

    fn parse_binary(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let Some(client) = self.speech.as_ref().map(|speech| speech.client) else { return bytes.len() };
        let framing = Frames24 { client };
        let mut at = 0;
        while at < bytes.len() {
            match self.frames.step(&framing, direction, &bytes[at..], context) {
                Step::Wait => break,
                Step::Used(used) => at += used,
                Step::Message(framed, used) => {
                    at += used;
                    self.message(direction, &framed, context);
                }
                Step::Invalid(why) => self.invalid(direction, &bytes[at..], 0, why, context),
            }
        }
        at
    }

    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let Some(message) = binary::decode(framed, context.limits) else { return };
        let binary::Message { fields, note, stat } = message;
        let half = |fields: Fields| Half::new(framed.time, framed.size, fields).missing(framed.missing);
        if self.speech.as_ref().is_some_and(|speech| speech.client == direction) {
            self.request(Note::Binary(note), half(fields), context);
            return;
        }
        if let Some((name, value)) = stat {
            let server = &mut self.server;
            server.since.get_or_insert(framed.time);
            server.size += framed.size;
            server.missing += framed.missing;
            server.add_stat(name, value, context.limits);
            return;
        }
        let half = if note.opcode == 0x10 && !self.server.is_idle() {
            self.server.size += framed.size;
            self.server.finish(fields, framed.time)
        } else {
            half(fields)
        };
        self.respond(
            |waiting| matches!(waiting, Note::Binary(waiting) if *waiting == note),
            true,
            half,
            context,
        );
    }

    fn parse_client(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if let Some(storing) = &mut self.client.storing {
                let left = usize::try_from(storing.value.left).unwrap_or(usize::MAX);
                let taken = storing.value.take(rest, context.limits);
                let used = rest.len().min(left);
                storing.size += used as u64;
                at += used;
                if taken.is_none() || storing.value.left == 0 {
                    if taken.is_none() {
                        // What follows up to the end of the line is skipped by the server.
                        self.client.skipping = bytes.get(at.wrapping_sub(1)) != Some(&b'\n');
                    }
                    self.stored(taken.is_none(), context);
                }
                continue;
            }
            if self.client.lost {
                let whole = matches!(text::line(rest), Line::Whole(line, _) if text::request(line, context.limits).is_some());
                if !whole {
                    context.counters.undissected_bytes += rest.len() as u64;
                    return bytes.len();
                }
                self.client.lost = false;
            }
            let time = *self.client.since.get_or_insert(context.now);
            let (line, used) = match text::line(rest) {
                Line::Whole(line, used) => (line, used),
                Line::Unfinished => break,
                Line::TooLong => {
                    self.invalid(direction, rest, at, "a line is too long", context);
                    return bytes.len();
                }
            };
            self.client.since = None;
            if std::mem::take(&mut self.client.skipping) {
                at += used;
                continue;
            }
            let words = request::words(line, context.limits);
            match words.or_else(|| text::request(line, context.limits).map(Words::Read)) {
                Some(words) if words.value().is_some() => {
                    let value = Incoming::new(words.value().unwrap_or(0));
                    let storing = Storing { words, value, time, size: used as u64, missing: 0 };
                    self.client.storing = Some(Box::new(storing));
                }
                Some(words) => {
                    let (note, half) = words.into_half(None, time, used as u64);
                    self.request(Note::Text(note), half, context);
                }
                None if is_text(line) => self.unknown(line, used, time, context),
                None => {
                    self.invalid(direction, rest, at, "not a command", context);
                    return bytes.len();
                }
            }
            at += used;
        }
        at
    }

    /// A line that the server will refuse.
    fn unknown(&mut self, line: &[u8], used: usize, time: Timestamp, context: &mut Context<'_>) {
        let word = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        let shown = &line[..line.len().min(context.limits.value_bytes)];
        let mut fields = Fields::new().with("command", Tree::lossy(&word[..word.len().min(32)]));
        fields.push("line", Tree::lossy(shown));
        fields.push("invalid", true);
        let note = text::Note { command: "", ..text::Note::default() };
        self.request(Note::Text(note), Half::new(time, used as u64, fields), context);
    }

    /// The value of a command is there.
    fn stored(&mut self, broken: bool, context: &mut Context<'_>) {
        let Some(storing) = self.client.storing.take() else { return };
        let (note, mut half) = storing.into_half();
        if broken {
            half = half.error(ErrorKind::Dissection, "the value does not end where its size says");
        }
        self.request(Note::Text(note), half, context);
    }

    fn parse_server(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let time = *self.server.since.get_or_insert(context.now);
            if let Some((_, value)) = &mut self.server.value {
                let Some(used) = value.take(rest, context.limits) else {
                    self.invalid(direction, rest, at, "a value does not end where its size says", context);
                    return bytes.len();
                };
                let whole = value.left == 0;
                self.server.size += used as u64;
                at += used;
                if whole {
                    self.value_done(context);
                }
                continue;
            }
            let found = match text::line(rest) {
                Line::Whole(line, used) => Some((line, used)),
                Line::Unfinished if !self.server.lost => break,
                Line::Unfinished => None,
                Line::TooLong => None,
            };
            let front = self.speech.as_ref().and_then(|speech| match speech.pairs.note() {
                Some(Note::Text(note)) => Some(note.command),
                _ => None,
            });
            let listing = matches!(front, Some("stats" | "lru_crawler"));
            if let Some((line, used)) = found
                && self.server.stat(line, context.limits)
            {
                self.server.lost = false;
                self.server.size += used as u64;
                at += used;
                continue;
            }
            let answer = found.and_then(|(line, used)| {
                let answer = text::answer(line);
                let line = (answer.is_none() && listing && is_text(line)).then_some(line);
                (answer.is_some() || line.is_some()).then_some((answer, line, used))
            });
            let Some((answer, line, used)) = answer else {
                if !self.server.lost {
                    self.invalid(direction, rest, at, "not an answer", context);
                }
                self.server.since = None;
                context.counters.undissected_bytes += rest.len() as u64;
                return bytes.len();
            };
            self.server.lost = false;
            self.server.size += used as u64;
            at += used;
            match answer {
                Some(Answer::Value(size)) => {
                    let head = Head::Line(found.map(|(line, _)| line).unwrap_or_default().into());
                    self.server.value = Some((head, Incoming::new(size)));
                }
                Some(Answer::MetaValue(fields, size)) => {
                    self.server.value = Some((Head::Meta(fields), Incoming::new(size)));
                }
                Some(Answer::Stat(name, value)) => self.server.add_stat(name, value, context.limits),
                Some(Answer::End) if self.server.is_idle() && listing => {
                    let fields = Fields::with_capacity(2).with("status", "END").with("stats", Fields::new());
                    self.answered(fields, time, context);
                }
                Some(Answer::End) => {
                    let told = Told::of_end(self.server.has_stats());
                    let half = self.server.finish_list(time);
                    self.tell(&told, half, context);
                }
                Some(Answer::Whole(fields)) => self.answered(fields, time, context),
                None => {
                    let line = line.unwrap_or_default();
                    if self.server.room(line.len(), context.limits) {
                        let shown = &line[..line.len().min(context.limits.value_bytes)];
                        self.server.lines.push(Tree::lossy(shown));
                    }
                }
            }
        }
        at
    }

    fn value_done(&mut self, context: &mut Context<'_>) {
        match self.server.value.take() {
            Some((Head::Meta(mut fields), value)) => {
                value.data.write(&mut fields);
                self.answered(fields, context.now, context);
            }
            Some((Head::Line(line), value)) => self.server.add_value(line, value.data, context.limits),
            None => {}
        }
    }

    fn answered(&mut self, fields: Fields, time: Timestamp, context: &mut Context<'_>) {
        let mut told = Told::of(&fields);
        told.stats |= self.server.has_stats();
        let half = self.server.finish(fields, time);
        self.tell(&told, half, context);
    }

    fn tell(&mut self, told: &Told, half: Half, context: &mut Context<'_>) {
        let fits = |note: &Note| match note {
            Note::Text(note) if note.command.is_empty() => told.error,
            Note::Text(note) => told.fits(note),
            Note::Binary(_) => false,
        };
        self.respond(fits, told.repeats(), half, context);
    }

    /// What a hole, or the end, cut short.
    fn cut(&mut self, direction: Direction, missing: u64, why: Option<End>, context: &mut Context<'_>) {
        let Some(Speech { binary, client, pairs }) = &mut self.speech else { return };
        let kind = super::kind(*binary);
        let error = |half: Half| match why {
            None => half,
            Some(end) => {
                let kind = match end {
                    End::Fin | End::Reset => ErrorKind::Connection,
                    End::Evicted | End::Input => ErrorKind::Dissection,
                };
                half.error(kind, format!("{} within the message", Absence::Ended(end).as_str()))
            }
        };
        if direction == *client {
            if let Some(storing) = self.client.storing.take() {
                let mut storing = *storing;
                storing.value.data.miss(storing.value.left.saturating_sub(2).max(1));
                let half = error(storing.into_half().1.missing(missing));
                context.items.push(kind.request(*client, half, why.map_or(Absence::Lost, Absence::Ended)));
            }
        } else if !self.server.is_idle() {
            let half = error(self.server.cut(missing, context.now));
            pairs.response(half, context);
        }
    }
}

fn is_text(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok() && !line.iter().any(|byte| *byte < b' ' && *byte != b'\t')
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        self.begin(direction, bytes, context.now);
        let Some(Speech { binary, client, .. }) = &self.speech else { return bytes.len() };
        match (*binary, *client == direction) {
            (true, _) => self.parse_binary(direction, bytes, context),
            (false, true) => self.parse_client(direction, bytes, context),
            (false, false) => self.parse_server(direction, bytes, context),
        }
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let Some(Speech { binary, client, .. }) = &mut self.speech else {
            self.torn[direction.index()] = true;
            self.joined = true;
            return;
        };
        let (binary, client) = (*binary, *client);
        if binary {
            let framing = Frames24 { client };
            if let Some(framed) = self.frames.gap(&framing, direction, bytes, unparsed, context) {
                self.message(direction, &framed, context);
            }
            if self.frames.is_lost(direction) {
                self.cut(direction, bytes, None, context);
                self.lose(direction, context);
            }
            return;
        }
        context.counters.undissected_bytes += unparsed.len() as u64;
        let (value, missing) = match direction == client {
            true => match &mut self.client.storing {
                Some(storing) => (Some(&mut storing.value), &mut storing.missing),
                None => (None, &mut self.server.missing),
            },
            false => (self.server.value.as_mut().map(|value| &mut value.1), &mut self.server.missing),
        };
        if let Some(value) = value
            && bytes + 2 <= value.left
        {
            *missing += bytes;
            value.left -= bytes;
            value.data.miss(bytes);
            return;
        }
        self.cut(direction, bytes, None, context);
        self.lose(direction, context);
    }

    fn overflow(&mut self, direction: Direction, _unparsed: &[u8], context: &mut Context<'_>) {
        self.lose(direction, context);
        self.frames.lose(direction);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        self.ended[direction.index()] = true;
        let Some(Speech { binary, client, .. }) = &self.speech else { return };
        let (binary, client) = (*binary, *client);
        if binary {
            if let Some(framed) = self.frames.end(&Frames24 { client }, direction, unparsed, context) {
                self.message(direction, &framed, context);
            }
        } else {
            context.counters.undissected_bytes += unparsed.len() as u64;
        }
        self.cut(direction, 0, Some(end), context);
        let Some(Speech { pairs, .. }) = &mut self.speech else { return };
        if direction != client || self.ended.iter().all(|ended| *ended) {
            // A quiet command at the end was carried out without a word.
            let kind = super::kind(binary);
            while let Some(Note::Binary(note)) = pairs.note()
                && (note.is_quiet() || note.opcode == 0x07)
                && let Some((request, _)) = pairs.pop()
            {
                context.items.push(kind.message(client, request));
            }
            pairs.give_up(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        let storing = self.client.storing.as_ref().map_or(0, |storing| storing.memory());
        let pairs = self.speech.as_ref().map_or(0, |speech| speech.pairs.memory());
        size_of::<Self>() + self.frames.memory() + storing + self.server.memory() + pairs
    }
}
