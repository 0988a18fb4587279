//! A connection: which side is the client, what answers what, and what comes unasked.

use remora_packet::Timestamp;

use super::KIND;
use super::commands::{self, Answer, Publication};
use super::message::{Command, Reply, text};
use super::recognise::{self, Head};
use super::resp::{Parsed, Parser, Step};
use crate::item::{Absence, ErrorKind};
use crate::pair::InOrder;
use crate::{Context, Direction, Dissector, End, Half, Tree};

#[derive(Debug, Default)]
pub(super) struct Connection {
    /// The direction of the commands, and the requests that wait; known from the first bytes on.
    pairs: Option<(Direction, InOrder<Note>)>,
    sides: [Side; 2],
    confirmed: bool,
    /// The beginning was not seen.
    joined: bool,
    replies: Replies,
    mode: Mode,
    subscriptions: Subscriptions,
    acks: Acks,
    /// The answer to the command that is arriving may be among lost bytes.
    answer_lost: bool,
}

#[derive(Debug, Default)]
struct Side {
    parser: Parser,
    /// The place in the stream is not known.
    lost: bool,
    /// Something was read.
    begun: bool,
    ended: bool,
}

/// What is remembered of a command that waits.
#[derive(Debug)]
struct Note {
    answer: Answer,
    /// Channels it names.
    channels: u64,
}

/// `CLIENT REPLY`: which commands are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Replies {
    #[default]
    All,
    /// The next command is not.
    Skip,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Mode {
    #[default]
    Normal,
    /// The server shows what others do.
    Monitor,
    /// The server sends its changes, the client how far it is.
    Replica,
    /// What follows can't be told apart.
    Opaque,
}

/// What a client is subscribed to, as the acknowledgements count it.
#[derive(Debug, Default)]
struct Subscriptions {
    /// Channels and patterns, and by sharded channels apart.
    by_kind: [u64; 3],
    /// Bytes are missing; the counts may be wrong.
    doubtful: bool,
}

/// Acknowledgements of the first command that waits, until all are there.
#[derive(Debug, Default)]
struct Acks {
    list: Vec<Tree>,
    count: u64,
    heap: usize,
    size: u64,
    time: Option<Timestamp>,
}

impl Subscriptions {
    fn kind(ack: &str) -> usize {
        match ack.as_bytes().first() {
            Some(b'p') => 1,
            _ if ack.starts_with("ss") || ack.starts_with("sun") => 2,
            _ => 0,
        }
    }

    /// Of an acknowledgement, with the count in it: channels and patterns together, or sharded ones.
    fn acknowledge(&mut self, ack: &str, count: i64) {
        let kind = Self::kind(ack);
        let count = u64::try_from(count).unwrap_or(0);
        self.by_kind[kind] = match kind {
            2 => count,
            _ => count.saturating_sub(self.by_kind[1 - kind]),
        };
    }

    fn any(&self) -> bool {
        self.by_kind.iter().any(|&count| count > 0)
    }
}

impl Connection {
    /// Which side sends commands is told by the first bytes that come.
    fn begin(&mut self, direction: Direction, bytes: &[u8], now: Timestamp) {
        let joined = self.joined;
        self.pairs.get_or_insert_with(|| {
            let turned = direction == Direction::ToClient
                && matches!(recognise::head(bytes), Head::Command(name) if recognise::is_known(name));
            let client = if turned { Direction::ToClient } else { Direction::ToServer };
            let mut pairs = InOrder::new(KIND, client);
            if joined {
                pairs.join(now);
            }
            (client, pairs)
        });
    }

    fn is_client(&self, direction: Direction) -> bool {
        self.pairs.as_ref().map_or(Direction::ToServer, |(client, _)| *client) == direction
    }

    fn confirm(&mut self, context: &mut Context<'_>) {
        if !self.confirmed {
            self.confirmed = true;
            context.confirm();
        }
    }

    /// A command, whole.
    fn request(&mut self, direction: Direction, parsed: Parsed, context: &mut Context<'_>) {
        let (time, size, missing, inline) = (parsed.time, parsed.size, parsed.missing, parsed.marker == 0);
        // An empty array is no command, and is not answered.
        let Some(command) = Command::new(parsed) else { return };
        if !inline {
            self.confirm(context);
        }
        let name = command.name();
        let first = command.argument(0);
        let is = |word: &str| first.eq_ignore_ascii_case(word);
        let mut answered = self.replies == Replies::All;
        if self.replies == Replies::Skip {
            self.replies = Replies::All;
        }
        if name == "CLIENT" && is("REPLY") {
            let how = command.argument(1);
            if how.eq_ignore_ascii_case("OFF") {
                (self.replies, answered) = (Replies::None, false);
            } else if how.eq_ignore_ascii_case("ON") {
                (self.replies, answered) = (Replies::All, true);
            } else if how.eq_ignore_ascii_case("SKIP") {
                if self.replies == Replies::All {
                    self.replies = Replies::Skip;
                }
                answered = false;
            }
        }
        let acknowledges = name == "REPLCONF" && is("ACK");
        if acknowledges && !self.joined {
            answered = false;
        } else if acknowledges {
            self.mode = Mode::Replica;
        }
        let answer = commands::answer(name);
        let note = Note { answer, channels: command.count() };
        if name == "SYNC" && answered {
            self.sides[direction.reverse().index()].parser.expect_dump();
        }
        let half = Half::new(time, size, command).missing(missing);
        let Some((client, pairs)) = &mut self.pairs else { return };
        if !answered || self.mode == Mode::Replica {
            context.items.push(KIND.message(*client, half));
        } else if std::mem::take(&mut self.answer_lost) {
            context.items.push(KIND.request(*client, half, Absence::Lost));
            pairs.lose(true, context);
        } else {
            pairs.request(half, note, context);
        }
    }

    /// A value from the server, whole.
    fn reply(&mut self, direction: Direction, parsed: Parsed, context: &mut Context<'_>) {
        let Some((_, pairs)) = &mut self.pairs else { return };
        if !self.confirmed && (!pairs.is_empty() || parsed.marker == b'>') {
            self.confirmed = true;
            context.confirm();
        }
        let answer = pairs.note().map(|note| note.answer);
        let idle = answer.is_none();
        let publication = match parsed.marker {
            b'>' | b'*' => commands::publication(&parsed.tree),
            _ => None,
        };
        match publication {
            _ if self.mode == Mode::Replica => self.unasked(direction, parsed, context),
            _ if self.mode == Mode::Monitor && is_shown(&parsed) => {
                let (time, size, missing) = (parsed.time, parsed.size, parsed.missing);
                let half = Half::new(time, size, Command::monitored(parsed)).missing(missing);
                context.items.push(KIND.message(direction, half));
            }
            Some(Publication::Ack(ack))
                if parsed.marker == b'>' || idle || answer == Some(Answer::Acks(ack)) =>
            {
                self.acknowledgement(ack, parsed, context);
            }
            Some(Publication::Message) if idle || self.subscriptions.any() => {
                self.unasked(direction, parsed, context);
            }
            _ if parsed.marker == b'>' => self.unasked(direction, parsed, context),
            _ => self.value(direction, parsed, answer, context),
        }
    }

    /// What answers a command by itself.
    fn value(
        &mut self,
        direction: Direction,
        parsed: Parsed,
        answer: Option<Answer>,
        context: &mut Context<'_>,
    ) {
        let status = if parsed.marker == b'+' { text(&parsed.tree) } else { "".into() };
        let is_error = matches!(parsed.marker, b'-' | b'!');
        // A transaction puts off everything.
        let fits = !matches!(answer, Some(Answer::Acks(_))) || is_error || status == "QUEUED" || parsed.cut;
        match answer {
            Some(Answer::Monitor) if status == "OK" => self.mode = Mode::Monitor,
            Some(Answer::Replication) if status.starts_with("FULLRESYNC") => {
                self.mode = Mode::Replica;
                self.sides[direction.index()].parser.expect_dump();
            }
            Some(Answer::Replication) if status.starts_with("CONTINUE") || parsed.marker == b'$' => {
                self.mode = Mode::Replica;
            }
            None if status == "RESET" => self.mode = Mode::Normal,
            _ => {}
        }
        self.acks = Acks::default();
        let half = half_of(parsed);
        let Some((_, pairs)) = &mut self.pairs else { return };
        if !fits {
            pairs.lose(false, context);
        }
        pairs.response(half, context);
    }

    fn acknowledgement(&mut self, ack: &'static str, mut parsed: Parsed, context: &mut Context<'_>) {
        let before = self.subscriptions.by_kind[Subscriptions::kind(ack)];
        let count = parsed.tree.as_list().and_then(|list| list.get(2)?.as_int()).unwrap_or(0);
        self.subscriptions.acknowledge(ack, count);
        let Some((client, pairs)) = &mut self.pairs else { return };
        let Some(note) = pairs.note_mut().filter(|note| note.answer == Answer::Acks(ack)) else {
            let half = half_of(parsed);
            if self.subscriptions.doubtful || !pairs.is_empty() {
                // Of a command that named no channels, and of which the number of answers is not known.
                context.items.push(KIND.response(*client, half, Absence::BeforeCapture));
            } else {
                pairs.response(half, context);
            }
            return;
        };
        let unknown = note.channels == 0 && self.subscriptions.doubtful;
        if note.channels == 0 {
            note.channels = if unknown { 1 } else { before.max(1) };
        }
        let acks = &mut self.acks;
        acks.count += 1;
        acks.size += parsed.size;
        acks.time.get_or_insert(parsed.time);
        if acks.count < note.channels {
            if acks.list.len() < context.limits.list_entries && acks.heap < context.limits.message_bytes {
                acks.heap += size_of::<Tree>() + parsed.tree.heap();
                acks.list.push(parsed.tree);
            }
            return;
        }
        let mut acks = std::mem::take(&mut self.acks);
        if acks.count > 1 {
            acks.list.push(std::mem::take(&mut parsed.tree));
            parsed.truncated |= acks.list.len() as u64 != acks.count;
            parsed.tree = Tree::List(acks.list);
            parsed.count = acks.count;
            parsed.size = acks.size;
            parsed.time = acks.time.unwrap_or(parsed.time);
        }
        let mut half = half_of(parsed);
        if unknown {
            let why = "how many acknowledgements belong to it is not known";
            half = half.error(ErrorKind::Dissection, why);
        }
        pairs.response(half, context);
    }

    /// What the server sends by itself.
    fn unasked(&mut self, direction: Direction, parsed: Parsed, context: &mut Context<'_>) {
        let (time, size, missing) = (parsed.time, parsed.size, parsed.missing);
        let half = match parsed.tree {
            Tree::List(ref list) if !list.is_empty() => match Command::new(parsed) {
                Some(command) => Half::new(time, size, command).missing(missing),
                None => return,
            },
            _ => half_of(parsed),
        };
        context.items.push(KIND.message(direction, half));
    }

    /// The place in a direction is not known any more.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        let of_requests = self.is_client(direction);
        let side = &mut self.sides[direction.index()];
        side.lost = true;
        side.parser = Parser::default();
        self.acks = Acks::default();
        self.subscriptions.doubtful = true;
        if of_requests {
            self.replies = Replies::All;
        } else {
            self.answer_lost = !self.sides[direction.reverse().index()].parser.is_idle();
        }
        if let Some((_, pairs)) = &mut self.pairs {
            pairs.lose(of_requests, context);
        }
    }

    /// The message that a hole, or the end, cut short.
    fn cut(&mut self, direction: Direction, missing: u64, why: Option<End>, context: &mut Context<'_>) {
        let is_client = self.is_client(direction);
        let Some(parsed) = self.sides[direction.index()].parser.abandon(missing, context.limits) else {
            return;
        };
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
        let absence = why.map_or(Absence::Lost, Absence::Ended);
        let Some((client, pairs)) = &mut self.pairs else { return };
        if is_client {
            let (time, size, missing) = (parsed.time, parsed.size, parsed.missing);
            if let Some(command) = Command::new(parsed) {
                let half = error(Half::new(time, size, command).missing(missing));
                context.items.push(KIND.request(*client, half, absence));
            }
            return;
        }
        let pushed = parsed.marker == b'>' || self.subscriptions.any() || self.mode != Mode::Normal;
        let half = error(half_of(parsed));
        if pushed {
            context.items.push(KIND.message(direction, half));
        } else {
            pairs.response(half, context);
        }
    }
}

fn half_of(parsed: Parsed) -> Half {
    let (time, size, missing) = (parsed.time, parsed.size, parsed.missing);
    Half::new(time, size, Reply::new(parsed)).missing(missing)
}

/// Whether a monitor is shown this, rather than that it answers: a time and a source come first.
fn is_shown(parsed: &Parsed) -> bool {
    let line = text(&parsed.tree);
    let digits = line.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    parsed.marker == b'+' && digits > 8 && line[digits..].starts_with(" [")
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        self.begin(direction, bytes, context.now);
        let is_client = self.is_client(direction);
        let mut at = 0;
        while at < bytes.len() && self.mode != Mode::Opaque {
            let rest = &bytes[at..];
            let side = &mut self.sides[direction.index()];
            side.begun = true;
            if side.lost {
                let begins = match is_client {
                    true => matches!(recognise::head(rest), Head::Command(_)),
                    false => recognise::is_reply(rest),
                };
                if !begins {
                    break;
                }
                side.lost = false;
            }
            match side.parser.feed(rest, is_client, context.now, context.limits) {
                Step::More => return bytes.len(),
                Step::Value(parsed, used) => {
                    at += used;
                    if is_client {
                        self.request(direction, parsed, context);
                    } else {
                        self.reply(direction, parsed, context);
                    }
                }
                Step::Invalid(..) if !self.confirmed => {
                    context.withdraw();
                    return bytes.len();
                }
                Step::Invalid(..) if self.mode == Mode::Replica => {
                    self.mode = Mode::Opaque;
                    break;
                }
                Step::Invalid(why, used, earlier) => {
                    at += used;
                    self.lose(direction, context);
                    let offset = (context.offset + at as u64).saturating_sub(earlier);
                    context.items.push(KIND.failure(direction, context.now, &bytes[at..], offset, why));
                    break;
                }
            }
        }
        context.counters.undissected_bytes += (bytes.len() - at) as u64;
        bytes.len()
    }

    fn gap(&mut self, direction: Direction, bytes: u64, _unparsed: &[u8], context: &mut Context<'_>) {
        let side = &mut self.sides[direction.index()];
        if !side.begun {
            side.lost = true;
            self.joined |= self.pairs.is_none();
            self.subscriptions.doubtful = true;
            if self.pairs.is_some() && bytes > 0 {
                self.lose(direction, context);
            }
            return;
        }
        if side.lost || side.parser.skip(bytes) {
            if side.lost {
                self.lose(direction, context);
            }
            return;
        }
        if self.is_client(direction) {
            self.lose_keeping(direction, bytes, context);
        } else {
            self.cut(direction, bytes, None, context);
            self.lose(direction, context);
        }
    }

    fn overflow(&mut self, direction: Direction, _unparsed: &[u8], context: &mut Context<'_>) {
        self.lose(direction, context);
    }

    fn end(&mut self, direction: Direction, end: End, _unparsed: &[u8], context: &mut Context<'_>) {
        self.sides[direction.index()].ended = true;
        self.cut(direction, 0, Some(end), context);
        let over = self.sides.iter().all(|side| side.ended) || !self.is_client(direction);
        if let Some((_, pairs)) = &mut self.pairs
            && over
        {
            pairs.give_up(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        let parsers: usize = self.sides.iter().map(|side| side.parser.memory()).sum();
        let pairs = self.pairs.as_ref().map_or(0, |(_, pairs)| pairs.memory());
        size_of::<Self>() + parsers + pairs + self.acks.heap + self.acks.list.capacity() * size_of::<Tree>()
    }
}

impl Connection {
    /// The command that the hole cut comes out behind those that waited before it.
    fn lose_keeping(&mut self, direction: Direction, missing: u64, context: &mut Context<'_>) {
        let parser = std::mem::take(&mut self.sides[direction.index()].parser);
        self.lose(direction, context);
        self.sides[direction.index()].parser = parser;
        self.cut(direction, missing, None, context);
        self.sides[direction.index()].parser = Parser::default();
    }
}
