//! A connection: which of the two protocols it speaks, and what answers what.

mod lines;

use remora_packet::Timestamp;

use crate::frame::{Framed, Step};
use crate::item::Absence;
use crate::memcached::binary::{self, Frames24};
use crate::memcached::request::Storing;
use crate::memcached::server::Server;
use crate::memcached::text;
use crate::pair::InOrder;
use crate::{Context, Direction, Dissector, End, Fields, Frames, Half};

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
        let mut pairs = InOrder::new(crate::memcached::kind(binary), client);
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
        let kind = crate::memcached::kind(*binary);
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
        let kind = crate::memcached::kind(*binary);
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
        context.items.push(crate::memcached::kind(speech.binary).failure(
            direction,
            context.now,
            rest,
            offset,
            why,
        ));
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

    /// What a hole, or the end, cut short.
    fn cut(&mut self, direction: Direction, missing: u64, why: Option<End>, context: &mut Context<'_>) {
        let Some(Speech { binary, client, pairs }) = &mut self.speech else { return };
        let kind = crate::memcached::kind(*binary);
        if direction == *client {
            if let Some(storing) = self.client.storing.take() {
                let mut storing = *storing;
                storing.value.data.miss(storing.value.left.saturating_sub(2).max(1));
                let half = storing.into_half().1.missing(missing).cut_short(why);
                context.items.push(kind.request(*client, half, why.map_or(Absence::Lost, Absence::Ended)));
            }
        } else if !self.server.is_idle() {
            let half = self.server.cut(missing, context.now).cut_short(why);
            pairs.response(half, context);
        }
    }
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
            let kind = crate::memcached::kind(binary);
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
