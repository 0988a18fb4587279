//! The record layer of a connection (RFC 8446, section 5; RFC 5246, section 6.2): what is in a record goes to the handshake,
//! is decrypted, or is passed over.

mod messages;
mod side;

use remora_packet::Timestamp;

use super::KIND;
use super::decrypt::{Found, Inside};
use super::fingerprint::Carrier;
use super::handshake::{self, Handed, Handshake};
use super::hello::ClientHello;
use super::message;
use super::record::{self, HEADER, Header};
use crate::{Context, Direction, Dissector, End, Successor};
use messages::Messages;
use side::Side;

#[derive(Debug)]
pub(super) struct Connection {
    sides: [Side; 2],
    handshake: Handshake,
    /// A record was followed by another, or a hello was read.
    sure: bool,
    /// It is SSL 2.0: its records are not followed.
    is_v2: bool,
    inside: Inside,
}

impl Connection {
    pub(super) const fn new() -> Self {
        Self {
            sides: [Side::new(), Side::new()],
            handshake: Handshake::new(KIND, Carrier::Tcp),
            sure: false,
            is_v2: false,
            inside: Inside::new(),
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    /// Takes the record at the front of `bytes`; how much of it was used, 0 to wait for more.
    fn record(
        &mut self,
        direction: Direction,
        header: Header,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> usize {
        let side = &mut self.sides[direction.index()];
        let end = HEADER + header.length;
        if self.inside.opens(direction, header, context) {
            return self.encrypted(direction, header, bytes, context);
        }
        let reads =
            !self.handshake.is_over() && matches!(header.kind, record::kind::HANDSHAKE | record::kind::ALERT);
        if !reads {
            match header.kind {
                record::kind::CHANGE_CIPHER_SPEC => {
                    side.changed = true;
                    self.inside.changes(direction);
                    self.handshake.encrypts(direction, false, context);
                }
                record::kind::APPLICATION_DATA => self.handshake.encrypts(direction, true, context),
                _ => {}
            }
            side.opaque |= header.kind != record::kind::ALERT;
            if self.handshake.is_over() {
                side.messages = Messages::new();
            }
            let used = end.min(bytes.len());
            side.skip = end - used;
            return used;
        }
        let Some(content) = bytes.get(HEADER..end) else { return 0 };
        let time = side.since.unwrap_or(context.now);
        match *content {
            [level, code] if header.kind == record::kind::ALERT => {
                self.handshake.alert(direction, level, code, end as u64, context);
            }
            _ if header.kind == record::kind::ALERT => side.opaque = true,
            _ => self.content(direction, content, time, context),
        }
        end
    }

    /// Takes a record whose keys are known.
    fn encrypted(
        &mut self,
        direction: Direction,
        header: Header,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> usize {
        let end = HEADER + header.length;
        let Some(record) = bytes.get(..end) else { return 0 };
        let side = &mut self.sides[direction.index()];
        side.opaque = true;
        side.messages = Messages::new();
        let captured = side.since.unwrap_or(context.now);
        if let Some(alpn) = self.inside.record(direction, record, captured, context) {
            self.handshake.add(direction, "alpn", message::text(&alpn, context.limits));
        }
        if header.kind == record::kind::APPLICATION_DATA {
            self.handshake.encrypts(direction, true, context);
        }
        end
    }

    /// Takes handshake bytes of a record.
    fn content(&mut self, direction: Direction, content: &[u8], time: Timestamp, context: &mut Context<'_>) {
        let Self { sides, handshake, sure, inside, .. } = self;
        let side = &mut sides[direction.index()];
        if side.opaque && side.messages.is_empty() && !record::begins_hello(content) {
            return;
        }
        let late = side.changed && handshake.is_awaited();
        if side.messages.is_empty() && record::begins_hello(content) {
            *sure = true;
            context.confirm();
            // What follows it is not encrypted again.
            side.opaque = false;
        }
        inside.handshake(direction, content, context);
        handshake.add_size(direction, (HEADER + content.len()) as u64);
        side.messages.read(direction, content, time, handshake, context);
        if late {
            // Only a client that was told to retry says so before its ClientHello.
            handshake.fail(direction, "the first ClientHello was not captured");
        }
    }

    /// What comes is not a record.
    fn invalid(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if !self.sure {
            context.withdraw();
            return 0;
        }
        let is_answer =
            self.handshake.client() == Some(direction.reverse()) && self.handshake.is_unanswered();
        if self.side(direction).opaque || self.handshake.is_over() {
            self.handshake.end(End::Fin, context);
            for direction in Direction::BOTH {
                self.inside.end(direction, End::Fin, 0, context);
            }
            context.hand_over(Successor::Probed);
            return 0;
        }
        if is_answer && !self.side(direction).begun {
            self.handshake.refused(context);
            context.hand_over(Successor::Probed);
            return 0;
        }
        context.items.push(KIND.failure(direction, context.now, bytes, context.offset, "no TLS record"));
        self.handshake.fail(direction, "what follows is not a TLS record");
        let side = self.side(direction);
        side.lost = true;
        side.opaque = true;
        side.messages = Messages::new();
        bytes.len()
    }

    /// Takes a CLIENT-HELLO of SSL 2.0, with which a connection may begin; how much of it was used, 0 to wait for more.
    fn v2(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Option<usize> {
        let length = record::v2_client_hello(bytes)?;
        match length.and_then(|length| bytes.get(..length)) {
            Some(hello) => {
                self.hello_v2(direction, hello, context);
                Some(hello.len())
            }
            None => {
                self.side(direction).waits(context.now);
                Some(0)
            }
        }
    }

    fn hello_v2(&mut self, direction: Direction, content: &[u8], context: &mut Context<'_>) {
        let (hello, result) = ClientHello::parse_v2(content.get(3..).unwrap_or_default());
        let time = self.side(direction).since.take().unwrap_or(context.now);
        let handed = Handed { kind: handshake::kind::CLIENT_HELLO, body: content, whole: true, time };
        self.is_v2 = hello.version == 0x0002;
        self.handshake.add_size(direction, content.len() as u64);
        self.handshake.client_hello(direction, &hello, result.err(), handed, context);
        self.handshake.add(direction, "sslv2", true);
        self.side(direction).begun = true;
        self.sure = true;
        context.confirm();
    }

    /// Reads what there is of a record that will not be whole, and says how long it would be.
    fn cut(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) -> Option<usize> {
        let header = Header::read(unparsed)?;
        let content = unparsed.get(HEADER..)?;
        if header.kind == record::kind::HANDSHAKE && !self.handshake.is_over() {
            let time = self.side(direction).since.unwrap_or(context.now);
            self.content(direction, content, time, context);
        }
        Some(HEADER + header.length)
    }

    /// Nothing will be added to the handshake message that was begun.
    fn cut_message(&mut self, direction: Direction, context: &mut Context<'_>) {
        let Self { sides, handshake, .. } = self;
        sides[direction.index()].messages.cut(direction, handshake, context);
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let start = context.offset;
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            context.offset = start + at as u64;
            let side = &mut self.sides[direction.index()];
            if self.is_v2 {
                return bytes.len();
            }
            if side.skip > 0 {
                at += side.pass(rest);
                continue;
            }
            let is_lost = side.lost;
            if !side.begun
                && !is_lost
                && let Some(used) = self.v2(direction, rest, context)
            {
                match used {
                    0 => break,
                    used => at += used,
                }
                continue;
            }
            if rest.len() < HEADER && !is_lost {
                self.side(direction).waits(context.now);
                break;
            }
            if is_lost && self.inside.is_open(direction, context) {
                let found = self.inside.search(direction, rest, context);
                let (Found::Record(passed) | Found::Nothing(passed)) = found;
                context.counters.undissected_bytes += passed as u64;
                at += passed;
                if let Found::Nothing(_) = found {
                    break;
                }
                self.side(direction).lost = false;
                continue;
            }
            let Some(header) = Header::read(rest) else {
                if is_lost {
                    context.counters.undissected_bytes += rest.len() as u64;
                    return bytes.len();
                }
                return at + self.invalid(direction, rest, context);
            };
            let side = self.side(direction);
            side.lost = false;
            side.waits(context.now);
            if self.sides.iter().any(|side| side.begun) {
                self.sure = true;
                context.confirm();
            }
            let used = self.record(direction, header, rest, context);
            if used == 0 {
                break;
            }
            self.side(direction).took();
            at += used;
        }
        at
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let length = self.cut(direction, unparsed, context);
        self.cut_message(direction, context);
        self.handshake.gap(direction, bytes);
        self.inside.gap(direction, if bytes == 0 { 0 } else { bytes + unparsed.len() as u64 });
        self.side(direction).gap(bytes, unparsed.len(), length);
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.gap(direction, 0, unparsed, context);
        self.handshake.fail(direction, "a record is beyond the cap");
        self.side(direction).lose();
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        self.inside.end(direction, end, unparsed.len(), context);
        if let Some(length) = self.cut(direction, unparsed, context) {
            self.cut_message(direction, context);
            self.handshake.gap(direction, length.saturating_sub(unparsed.len()) as u64);
        } else if !self.side(direction).messages.is_empty() {
            self.cut_message(direction, context);
            self.handshake.fail(direction, "a message is not whole");
        }
        self.side(direction).ended = true;
        if self.sides.iter().all(|side| side.ended) {
            self.handshake.end(end, context);
        }
    }

    fn memory(&self) -> usize {
        let kept: usize = self.sides.iter().map(|side| side.messages.memory()).sum();
        kept + self.handshake.memory() + self.inside.memory()
    }
}
