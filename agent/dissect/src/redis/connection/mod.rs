//! A connection: which side is the client, what answers what, and what comes unasked.

mod losses;
mod subscriptions;

use remora_packet::Timestamp;

use super::KIND;
use super::commands::{self, Answer, Publication};
use super::message::{Command, Reply, text};
use super::recognise::{self, Head};
use super::resp::{Parsed, Parser, Step};
use super::whole;
use crate::item::Absence;
use crate::pair::InOrder;
use crate::{Context, Direction, Dissector, End, Half, Tree};
use subscriptions::{Acks, Subscriptions};

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

    /// A message that came whole and means nothing for what follows: how many bytes it takes.
    fn whole(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Option<usize> {
        let settled = self.mode == Mode::Normal && self.replies == Replies::All;
        if !settled || !self.sides[direction.index()].parser.is_fresh() {
            return None;
        }
        if self.is_client(direction) {
            let (command, used) = whole::command(bytes, context.limits)?;
            self.confirm(context);
            let half = Half::new(context.now, used as u64, command);
            self.ask(half, Note { answer: Answer::Value, channels: 0 }, true, context);
            return Some(used);
        }
        let (_, pairs) = self.pairs.as_ref()?;
        if pairs.note().is_some_and(|note| note.answer != Answer::Value) {
            return None;
        }
        let (reply, used) = whole::reply(bytes, context.limits)?;
        if !pairs.is_empty() {
            self.confirm(context);
        }
        self.acks = Acks::default();
        let (_, pairs) = self.pairs.as_mut()?;
        pairs.response(Half::new(context.now, used as u64, reply), context);
        Some(used)
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
        let is = |word: &str| command.argument(0).eq_ignore_ascii_case(word);
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
        self.ask(half, note, answered, context);
    }

    /// A command that waits for its answer, if it is answered.
    fn ask(&mut self, half: Half, note: Note, answered: bool, context: &mut Context<'_>) {
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
            if let Some(used) = self.whole(direction, rest, context) {
                at += used;
                continue;
            }
            let side = &mut self.sides[direction.index()];
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
        size_of::<Self>() + parsers + pairs + self.acks.memory()
    }
}
