//! One connection: a negotiation, and then whatever the client wanted it for.

mod outcome;

use remora_packet::Timestamp;

use super::fields::is_followed;
use super::message::{self, GSSAPI, NO_METHOD, Opening, PASSWORD, Reply, Request};
use crate::item::Absence;
use crate::read::{ParseError, Reader};
use crate::{Context, Direction, Dissector, End};

const BIND: u8 = 2;

/// Bytes of the choice of a method, and of the answer to credentials.
const CHOICE_BYTES: u64 = 2;

/// What became of a message of the server that had to come.
#[derive(Default)]
enum Answer<T> {
    #[default]
    Awaited,
    There(T),
    Lost,
}

impl<T> Answer<T> {
    const fn there(&self) -> Option<&T> {
        if let Self::There(answer) = self { Some(answer) } else { None }
    }

    const fn is_awaited(&self) -> bool {
        matches!(self, Self::Awaited)
    }

    const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }
}

/// The messages of both sides are read as they come, each direction by itself, so that it does not matter which comes first.
#[derive(Default)]
pub(super) struct Connection {
    /// Who asks. Programs behind a firewall open the connection to whoever then asks.
    client: Option<Direction>,
    version: u8,
    methods: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    /// Bytes are missing where the credentials should be.
    user_is_lost: bool,
    request: Option<Request>,
    method: Answer<u8>,
    /// Of the credentials.
    verdict: Answer<u8>,
    reply: Option<Reply>,
    /// The second reply to a BIND: somebody connected.
    incoming: Option<Reply>,
    /// Bytes that are missing, or were nobody's, before the client's first message was found.
    missed: [u64; 2],
    /// Bytes of the messages, by direction.
    sizes: [u64; 2],
    /// When the bytes that are next came.
    since: [Option<Timestamp>; 2],
    /// When the latest message of the client came, and the answer to it.
    asked: Timestamp,
    answered: Timestamp,
    /// It is SOCKS: an answer fitted.
    sure: bool,
    /// The item is out, and nobody reads on.
    over: bool,
    ended: [Option<End>; 2],
}

impl Connection {
    fn step(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<usize, ParseError> {
        match self.client {
            Some(client) if client == direction => self.client(direction, bytes, context),
            Some(_) => self.server(direction, bytes, context),
            None => self.open(direction, bytes, context),
        }
    }

    fn open(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<usize, ParseError> {
        let (opening, used) = match message::opening(bytes) {
            Ok(opening) => opening,
            Err(error) if error.is_early() => return Err(error),
            // What was said before, in another protocol.
            Err(_) => {
                self.since[direction.index()] = None;
                context.counters.undissected_bytes += bytes.len() as u64;
                return Ok(bytes.len());
            }
        };
        self.client = Some(direction);
        (self.version, self.methods, self.request) = match opening {
            Opening::Greeting(methods) => (5, Some(methods), None),
            Opening::Request5(request) => (5, None, Some(request)),
            Opening::Request4(request) => (4, None, Some(request)),
        };
        self.asked(direction, used, context);
        Ok(used)
    }

    /// Takes the client's next message. What is behind its request is for whoever reads on.
    fn client(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<usize, ParseError> {
        if self.request.is_some() {
            return Ok(0);
        }
        if self.goes_its_own_way() {
            if self.method.there() == Some(&GSSAPI) && bytes.first() != Some(&1) {
                return Err(ParseError { offset: 0, what: "no message of GSSAPI" });
            }
            self.emit(None, context);
            self.finish(context);
            return Ok(0);
        }
        let mut reader = Reader::new(bytes);
        if self.user_is_lost {
            let request = message::request5(&mut reader, true);
            // More was missing: it goes the way of any other hole.
            self.sure = request.is_ok();
            self.request = Some(request?);
        } else if bytes.first() == Some(&1) && self.user.is_none() && self.takes_passwords() {
            self.user = Some(message::credentials(&mut reader)?);
        } else {
            self.request = Some(message::request5(&mut reader, !self.sure)?);
        }
        let used = reader.position();
        self.asked(direction, used, context);
        self.settle(context);
        Ok(used)
    }

    /// A method was chosen whose messages are not read, and behind which what follows may be encrypted.
    fn goes_its_own_way(&self) -> bool {
        self.method.there().is_some_and(|method| !is_followed(*method) && *method != NO_METHOD)
    }

    fn asked(&mut self, direction: Direction, used: usize, context: &Context<'_>) {
        self.sizes[direction.index()] += used as u64;
        self.asked = self.since[direction.index()].take().unwrap_or(context.now);
    }

    /// Whether credentials may be what comes.
    fn takes_passwords(&self) -> bool {
        match self.method {
            Answer::There(method) => method == PASSWORD,
            _ => self.methods.as_ref().is_some_and(|methods| methods.contains(&PASSWORD)),
        }
    }

    /// Takes the server's next message. What is behind the last one is for whoever reads on.
    fn server(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<usize, ParseError> {
        let mut reader = Reader::new(bytes);
        if self.reply.is_some() {
            if !self.awaits_connection() {
                return Ok(0);
            }
            self.incoming = Some(self.read_reply(&mut reader)?);
        } else if self.methods.is_some() && self.method.is_awaited() {
            match self.read_choice(&mut reader) {
                // It is among what was missing when the greeting was found.
                Err(error) if !error.is_early() && self.missed[direction.index()] == CHOICE_BYTES => {
                    self.method = Answer::Lost;
                    return self.server(direction, bytes, context);
                }
                choice => self.method = Answer::There(choice?),
            }
            self.sure = true;
        } else if bytes.first() == Some(&1) && self.verdict.is_awaited() && self.takes_passwords() {
            reader.skip(1)?;
            self.verdict = Answer::There(reader.u8()?);
        } else {
            self.reply = Some(self.read_reply(&mut reader)?);
        }
        let used = reader.position();
        self.sizes[direction.index()] += used as u64;
        let time = self.since[direction.index()].take().unwrap_or(context.now);
        if self.incoming.is_none() {
            self.answered = time;
        }
        self.settle(context);
        Ok(used)
    }

    fn read_choice(&self, reader: &mut Reader<'_>) -> Result<u8, ParseError> {
        let version = reader.u8()?;
        let method = reader.u8()?;
        let is_offered = self.methods.as_ref().is_some_and(|methods| methods.contains(&method));
        // Only a server that read ahead goes on.
        let goes_on = matches!(reader.peek(), None | Some(1 | 5));
        if version == 5 && goes_on && (is_offered || method == NO_METHOD) {
            Ok(method)
        } else {
            Err(ParseError { offset: 0, what: "not the choice of a method" })
        }
    }

    fn read_reply(&self, reader: &mut Reader<'_>) -> Result<Reply, ParseError> {
        if self.version == 4 { message::reply4(reader) } else { message::reply5(reader) }
    }

    /// Whether the reply that is there is the first of two.
    fn awaits_connection(&self) -> bool {
        self.incoming.is_none()
            && self.request.as_ref().is_some_and(|request| request.command == BIND)
            && self.reply.as_ref().is_some_and(Reply::is_granted)
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let start = context.offset;
        let mut at = 0;
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            context.offset = start + at as u64;
            if self.over {
                context.counters.undissected_bytes += rest.len() as u64;
                return bytes.len();
            }
            self.since[direction.index()].get_or_insert(context.now);
            let used = match self.step(direction, rest, context) {
                Ok(used) => used,
                Err(error) if error.is_early() => 0,
                Err(error) => self.invalid(direction, rest, error.what, context),
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
        self.since[direction.index()] = None;
        let Some(client) = self.client else {
            self.missed[direction.index()] = bytes;
            return;
        };
        if self.over || direction != client && unparsed.is_empty() && self.lose_answer(bytes, context) {
            return;
        }
        if direction == client && unparsed.is_empty() && self.lose_credentials(bytes, context) {
            return;
        }
        // Others find their way into what it carries; where it had an item already it is too late for that.
        if self.awaits_connection() {
            self.give_up(Absence::Lost, context);
        } else {
            context.withdraw();
        }
    }

    fn overflow(&mut self, _direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        if !self.over {
            self.give_up(Absence::Lost, context);
        }
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.ended[direction.index()] = Some(end);
        let Some(client) = self.client else { return };
        if let (false, [Some(_), Some(_)]) = (self.over, self.ended) {
            let end = self.ended[client.reverse().index()].unwrap_or(end);
            self.give_up(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        let request = self.request.as_ref().map_or(0, Request::memory);
        let replies = [&self.reply, &self.incoming];
        let bound: usize = replies.into_iter().flatten().map(|reply| reply.bound.host.memory()).sum();
        let texts: usize = [&self.methods, &self.user].into_iter().flatten().map(Vec::capacity).sum();
        size_of::<Self>() + request + bound + texts
    }
}
