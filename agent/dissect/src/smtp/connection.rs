//! One connection: what its lines and messages mean, in the order in which they come.

use remora_packet::Timestamp;

use super::KIND;
use super::exchanges::{Exchanges, Outcome, Waits};
use super::line::{self, MAX_LINE, Verb};
use super::reply::Reply;
use crate::exchange::Half;
use crate::item::{Absence, ErrorKind};
use crate::{Context, Direction, Dissector, End, Successor};

/// What the client's next bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Commands,
    /// It depends on the reply to the latest command.
    Asked(Asked),
    /// A message, up to a line that is a dot alone.
    Message {
        line_begins: bool,
        bare: bool,
    },
    /// A chunk of a message.
    Chunk {
        left: u64,
        last: bool,
    },
    /// A line of credentials.
    Credentials,
    /// Not known: a line that can only be a command is looked for where segments begin.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Message,
    Credentials,
    Tls,
}

pub(super) struct Connection {
    mode: Mode,
    exchanges: Exchanges,
    /// The reply of which lines were read.
    reply: Option<Reply>,
    server_is_lost: bool,
    /// When the first byte of the line that begins was captured.
    since: [Option<Timestamp>; 2],
    /// It is SMTP.
    sure: bool,
    greeted: bool,
    /// Bytes of the message being sent are missing, so that its end may be.
    message_is_torn: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            mode: Mode::Commands,
            exchanges: Exchanges::default(),
            reply: None,
            server_is_lost: false,
            since: [None; 2],
            sure: false,
            greeted: false,
            message_is_torn: false,
        }
    }

    fn believe(&mut self, context: &mut Context<'_>) {
        self.sure = true;
        context.confirm();
    }

    /// Takes what the client's next bytes are; how many were used, 0 to wait for more.
    fn client(&mut self, bytes: &[u8], context: &mut Context<'_>) -> usize {
        match self.mode {
            Mode::Asked(Asked::Tls) => 0,
            Mode::Asked(asked) => {
                // Whoever was refused goes on with a command. What is none tells that the reply was not captured, or is late.
                match line::line_end(bytes) {
                    Some((end, _)) if line::command(&bytes[..end]).is_well_formed() => return 0,
                    None if bytes.len() < MAX_LINE => return 0,
                    _ => {}
                }
                match asked {
                    Asked::Message => self.begin_message(),
                    _ => self.mode = Mode::Credentials,
                }
                self.client(bytes, context)
            }
            Mode::Message { line_begins, bare } => self.message(bytes, line_begins, bare, context),
            Mode::Chunk { left, last } => {
                let taken = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.exchanges.content(&bytes[..taken], taken, context);
                self.chunk(left - taken as u64, last, context);
                taken
            }
            Mode::Lost if is_tls(bytes) => self.line(bytes, context),
            Mode::Lost => match line::line_end(bytes) {
                Some((end, _)) if line::command(&bytes[..end]).is_well_formed() => {
                    self.mode = Mode::Commands;
                    self.client(bytes, context)
                }
                _ => {
                    context.counters.undissected_bytes += bytes.len() as u64;
                    bytes.len()
                }
            },
            Mode::Credentials | Mode::Commands => self.line(bytes, context),
        }
    }

    fn line(&mut self, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let direction = Direction::ToServer;
        if is_tls(bytes) {
            return self.invalid(direction, bytes, "no command", context);
        }
        let time = *self.since[direction.index()].get_or_insert(context.now);
        let Some((end, next)) = line::line_end(bytes) else {
            if bytes.len() < MAX_LINE {
                return 0;
            }
            return self.invalid(direction, bytes, "a line is too long", context);
        };
        let command = line::command(&bytes[..end]);
        let is_text =
            bytes[..end].iter().all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\t' || *byte >= 0x80);
        if !is_text {
            return self.invalid(direction, bytes, "a command line with control characters", context);
        }
        self.since[direction.index()] = None;
        if self.mode == Mode::Credentials {
            self.mode = Mode::Asked(Asked::Credentials);
            self.exchanges.credentials(next);
            return next;
        }
        if !self.sure {
            if command.is_telling() {
                self.believe(context);
            } else if !command.is_well_formed() {
                context.withdraw();
                return 0;
            }
        }
        match command.verb {
            Verb::Data => self.mode = Mode::Asked(Asked::Message),
            Verb::Auth => self.mode = Mode::Asked(Asked::Credentials),
            Verb::StartTls => self.mode = Mode::Asked(Asked::Tls),
            _ => {}
        }
        self.exchanges.command(&command, time, next, context);
        if let Some((size, last)) = command.chunk() {
            self.exchanges.begin_chunk();
            self.chunk(size, last, context);
        }
        next
    }

    fn chunk(&mut self, left: u64, last: bool, context: &mut Context<'_>) {
        self.mode = Mode::Chunk { left, last };
        if left == 0 {
            if last {
                self.exchanges.message_sent();
                self.exchanges.finish(context);
            }
            self.mode = Mode::Commands;
        }
    }

    fn begin_message(&mut self) {
        self.mode = Mode::Message { line_begins: true, bare: false };
        self.message_is_torn = false;
        self.exchanges.begin_message();
    }

    /// Takes bytes of a message, without the dots that are put before lines that begin with one (RFC 5321, section 4.5.2).
    fn message(&mut self, bytes: &[u8], line_begins: bool, bare: bool, context: &mut Context<'_>) -> usize {
        let (mut at, mut line_begins, mut bare) = (0, line_begins, bare);
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            if line_begins && rest[0] == b'.' {
                let end = match rest {
                    [_, b'\r', b'\n', ..] => Some(3),
                    // Whoever ends lines with bare line feeds ends the message so too.
                    [_, b'\n', ..] if bare => Some(2),
                    [_] | [_, b'\r'] => break,
                    _ => None,
                };
                if let Some(end) = end {
                    self.exchanges.content(&[], end, context);
                    self.mode = Mode::Commands;
                    self.exchanges.message_sent();
                    self.exchanges.message_ended(context);
                    return at + end;
                }
                self.exchanges.content(&[], 1, context);
                (at, line_begins) = (at + 1, false);
                continue;
            }
            let feed = memchr::memchr(b'\n', rest);
            let length = feed.map_or(rest.len(), |feed| feed + 1);
            let chunk = &rest[..length];
            self.exchanges.content(chunk, length, context);
            line_begins = feed.is_some();
            bare = line_begins && !chunk.ends_with(b"\r\n");
            at += length;
        }
        self.mode = Mode::Message { line_begins, bare };
        at
    }

    /// Takes a line of the server.
    fn server(&mut self, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let direction = Direction::ToClient;
        if is_tls(bytes) {
            return self.invalid(direction, bytes, "not a reply", context);
        }
        let time = *self.since[direction.index()].get_or_insert(context.now);
        let Some((end, next)) = line::line_end(bytes) else {
            if bytes.len() < MAX_LINE && !self.server_is_lost {
                return 0;
            }
            return self.invalid(direction, bytes, "a line is too long", context);
        };
        let parsed = line::reply_line(&bytes[..end]);
        let fits =
            self.reply.as_ref().is_none_or(|reply| parsed.is_some_and(|(code, ..)| code == reply.code));
        let Some((code, last, text)) = parsed.filter(|_| fits) else {
            return self.invalid(direction, bytes, "not a reply", context);
        };
        self.server_is_lost = false;
        self.since[direction.index()] = None;
        let reply = self.reply.get_or_insert_with(|| Reply::new(code, time));
        reply.add(text, next, context.limits);
        if last && let Some(reply) = self.reply.take() {
            self.replied(reply, context);
        }
        next
    }

    fn replied(&mut self, reply: Reply, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.greeted, true) && reply.code == 220 {
            let text = reply.text().to_ascii_uppercase();
            if text.contains("SMTP") {
                self.believe(context);
            }
        }
        let code = reply.code;
        match self.exchanges.reply(reply, context) {
            Outcome::None if self.message_is_torn && matches!(self.mode, Mode::Message { .. }) => {
                self.mode = Mode::Lost;
            }
            Outcome::None => {}
            Outcome::Answered(waits) => match (self.mode, waits) {
                (Mode::Asked(Asked::Message), Waits::Data) if code == 354 => self.begin_message(),
                (Mode::Asked(Asked::Credentials), Waits::Credentials) if code == 334 => {
                    self.mode = Mode::Credentials;
                }
                (Mode::Asked(Asked::Tls), Waits::Tls) if code == 220 => {
                    self.exchanges.let_go(Absence::Lost, context);
                    context.hand_over(Successor::Probed);
                }
                (Mode::Asked(Asked::Message), Waits::Data)
                | (Mode::Asked(Asked::Credentials), Waits::Credentials)
                | (Mode::Asked(Asked::Tls), Waits::Tls) => self.mode = Mode::Commands,
                _ => {}
            },
            // The reply to a message whose end was not seen.
            Outcome::EndsMessage => self.mode = Mode::Lost,
        }
    }

    fn invalid(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        what: &'static str,
        context: &mut Context<'_>,
    ) -> usize {
        if !self.sure {
            context.withdraw();
            return 0;
        }
        if is_tls(bytes) {
            self.exchanges.let_go(Absence::Lost, context);
            context.hand_over(Successor::Probed);
            return 0;
        }
        self.since[direction.index()] = None;
        let was_lost = match direction {
            Direction::ToServer => std::mem::replace(&mut self.mode, Mode::Lost) == Mode::Lost,
            Direction::ToClient => std::mem::replace(&mut self.server_is_lost, true),
        };
        if was_lost {
            context.counters.undissected_bytes += bytes.len() as u64;
        } else {
            context.items.push(KIND.failure(direction, context.now, bytes, context.offset, what));
            self.lose(direction, context);
        }
        bytes.len()
    }

    /// Lines of a direction may be missing.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.since[direction.index()] = None;
        if direction == Direction::ToClient {
            self.server_is_lost = true;
            if let Some(reply) = self.reply.take() {
                let half = Half::new(reply.time, reply.size, reply.fields(false, context.limits))
                    .error(ErrorKind::Dissection, "lines of the reply are missing");
                context.items.push(KIND.response(Direction::ToServer, half, Absence::Lost));
            }
            if let Mode::Asked(asked) = self.mode {
                self.mode = match asked {
                    Asked::Tls => Mode::Commands,
                    _ => Mode::Asked(asked),
                };
            }
        }
        self.exchanges.lose(direction, context);
    }
}

/// A hello of TLS in place of a line: what asked for it was not seen.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 3, 0..=4, _, _, 1 | 2, ..])
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let start = context.offset;
        let mut at = 0;
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            context.offset = start + at as u64;
            let used = match direction {
                Direction::ToServer => self.client(rest, context),
                Direction::ToClient => self.server(rest, context),
            };
            at += used;
            if used == 0 || context.is_over() {
                break;
            }
        }
        at
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        if direction == Direction::ToClient {
            self.lose(direction, context);
            return;
        }
        match self.mode {
            Mode::Message { .. } => {
                self.message_is_torn = true;
                self.exchanges.content_missing(bytes);
                self.mode = Mode::Message { line_begins: false, bare: false };
            }
            Mode::Chunk { left, last } if bytes < left => {
                self.exchanges.content_missing(bytes);
                self.mode = Mode::Chunk { left: left - bytes, last };
            }
            _ => {
                self.mode = Mode::Lost;
                self.lose(direction, context);
            }
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        if direction == Direction::ToServer {
            self.mode = Mode::Lost;
        }
        self.lose(direction, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        if direction == Direction::ToServer {
            self.exchanges.client_closed = end == End::Fin;
        }
        if direction == Direction::ToClient {
            if let Some(reply) = self.reply.take() {
                let half = Half::new(reply.time, reply.size, reply.fields(false, context.limits))
                    .error(ErrorKind::Dissection, "lines of the reply are missing");
                context.items.push(KIND.response(Direction::ToServer, half, Absence::Ended(end)));
            }
            self.exchanges.let_go(Absence::Ended(end), context);
            if !self.sure {
                context.withdraw();
            }
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.exchanges.memory() + self.reply.as_ref().map_or(0, Reply::memory)
    }
}
