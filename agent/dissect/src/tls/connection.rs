//! The record layer of a connection.

use remora_packet::Timestamp;

use super::KIND;
use super::decrypt::{Found, Inside};
use super::fingerprint::Carrier;
use super::handshake::{self, Handed, Handshake};
use super::hello::ClientHello;
use super::message;
use super::record::{self, HEADER, Header};
use crate::{Context, Direction, Dissector, End, Successor};

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

#[derive(Debug, Default)]
struct Side {
    /// Bytes of the current record that are passed over.
    skip: usize,
    /// Where records begin is not known.
    lost: bool,
    /// What it sends is encrypted, or a piece of the handshake is missing: only a hello is read.
    opaque: bool,
    /// It sent a ChangeCipherSpec.
    changed: bool,
    /// When the first byte of the record that begins was captured.
    since: Option<Timestamp>,
    /// A record was seen.
    begun: bool,
    ended: bool,
    messages: Messages,
}

/// Handshake messages that go over the end of a record.
#[derive(Debug, Default)]
struct Messages {
    /// The message that is not whole yet.
    bytes: Vec<u8>,
    time: Timestamp,
    /// Bytes of a message that is too long, still to come.
    skip: usize,
}

impl Connection {
    pub(super) const fn new() -> Self {
        const fn side() -> Side {
            Side {
                skip: 0,
                lost: false,
                opaque: false,
                changed: false,
                since: None,
                begun: false,
                ended: false,
                messages: Messages { bytes: Vec::new(), time: Timestamp::from_nanos(0), skip: 0 },
            }
        }
        Self {
            sides: [side(), side()],
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
                side.messages = Messages::default();
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
        side.messages = Messages::default();
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
        side.messages = Messages::default();
        bytes.len()
    }

    /// Takes a CLIENT-HELLO of SSL 2.0.
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
                let skipped = side.skip.min(rest.len());
                side.skip -= skipped;
                at += skipped;
                continue;
            }
            if !side.begun && !side.lost {
                match record::v2_client_hello(rest) {
                    Some(Some(length)) => {
                        if let Some(hello) = rest.get(..length) {
                            self.hello_v2(direction, hello, context);
                            at += length;
                            continue;
                        }
                        side.since.get_or_insert(context.now);
                        break;
                    }
                    Some(None) => {
                        side.since.get_or_insert(context.now);
                        break;
                    }
                    None => {}
                }
            }
            if rest.len() < HEADER && !side.lost {
                side.since.get_or_insert(context.now);
                break;
            }
            if side.lost && self.inside.is_open(direction, context) {
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
                if side.lost {
                    context.counters.undissected_bytes += rest.len() as u64;
                    return bytes.len();
                }
                return at + self.invalid(direction, rest, context);
            };
            side.lost = false;
            if side.begun || self.sides[direction.reverse().index()].begun {
                self.sure = true;
                context.confirm();
            }
            let side = &mut self.sides[direction.index()];
            side.since.get_or_insert(context.now);
            let used = self.record(direction, header, rest, context);
            if used == 0 {
                break;
            }
            let side = self.side(direction);
            side.begun = true;
            side.since = None;
            at += used;
        }
        at
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let length = self.cut(direction, unparsed, context);
        self.cut_message(direction, context);
        self.handshake.gap(direction, bytes);
        self.inside.gap(direction, if bytes == 0 { 0 } else { bytes + unparsed.len() as u64 });
        let side = self.side(direction);
        side.since = None;
        side.opaque = true;
        let inside = match length {
            Some(length) => length - unparsed.len().min(length),
            None if unparsed.is_empty() => side.skip,
            None => 0,
        };
        match usize::try_from(bytes).ok().and_then(|bytes| inside.checked_sub(bytes)) {
            // The gap ends within the record, or with it.
            Some(left) if inside > 0 => side.skip = left,
            _ => {
                side.skip = 0;
                side.lost = true;
            }
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.gap(direction, 0, unparsed, context);
        self.handshake.fail(direction, "a record is beyond the cap");
        let side = self.side(direction);
        side.skip = 0;
        side.lost = true;
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
        let kept: usize = self.sides.iter().map(|side| side.messages.bytes.capacity()).sum();
        kept + self.handshake.memory() + self.inside.memory()
    }
}

impl Messages {
    const fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.skip == 0
    }

    /// Hands over the messages that `content` finishes, and keeps the beginning of one that it does not.
    fn read(
        &mut self,
        direction: Direction,
        mut content: &[u8],
        time: Timestamp,
        handshake: &mut Handshake,
        context: &mut Context<'_>,
    ) {
        /// Type and length.
        const HEAD: usize = 4;
        let cap = context.limits.message_bytes.max(HEAD);
        while !content.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(content.len());
                self.skip -= skipped;
                content = &content[skipped..];
                continue;
            }
            if self.bytes.is_empty() {
                self.time = time;
                // Most messages lie whole in a record.
                if let [kind, a, b, c, rest @ ..] = content {
                    let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
                    if let Some((body, behind)) = rest.split_at_checked(length)
                        && length + HEAD <= cap
                    {
                        let handed = Handed { kind: *kind, body, whole: true, time };
                        handshake.message(direction, handed, context);
                        content = behind;
                        continue;
                    }
                }
            }
            content = self.keep(HEAD, content);
            let [_, a, b, c, ..] = *self.bytes else { break };
            let wanted = HEAD + u32::from_be_bytes([0, a, b, c]) as usize;
            let kept = wanted.min(cap);
            content = self.keep(kept, content);
            if self.bytes.len() < kept {
                break;
            }
            self.hand_over(direction, wanted == kept, handshake, context);
            self.skip = wanted - kept;
            if self.skip > 0 {
                handshake.too_long(direction, wanted as u64);
            }
        }
    }

    /// Adds to the bytes kept until there are `wanted`; gives what is left.
    fn keep<'a>(&mut self, wanted: usize, content: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = content.split_at(content.len().min(wanted.saturating_sub(self.bytes.len())));
        self.bytes.extend_from_slice(taken);
        rest
    }

    fn hand_over(
        &mut self,
        direction: Direction,
        whole: bool,
        handshake: &mut Handshake,
        context: &mut Context<'_>,
    ) {
        let bytes = std::mem::take(&mut self.bytes);
        if let [kind, _, _, _, body @ ..] = &*bytes {
            handshake.message(direction, Handed { kind: *kind, body, whole, time: self.time }, context);
        }
    }

    /// The message that was begun will not become whole.
    fn cut(&mut self, direction: Direction, handshake: &mut Handshake, context: &mut Context<'_>) {
        if !self.bytes.is_empty() {
            self.hand_over(direction, false, handshake, context);
        }
        self.skip = 0;
    }
}
