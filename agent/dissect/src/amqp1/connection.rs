//! A connection: its frames (AMQP 1.0, section 2.3), and which performative answers which.

use super::performatives::{
    self, ATTACH, BEGIN, CLOSE, OPEN, SASL_CHALLENGE, SASL_INIT, SASL_OUTCOME, SASL_RESPONSE, TRANSFER,
};
use super::types::{Decoder, descriptor};
use super::{KIND, types};
use crate::frame::{Framed, Frames, Framing, Length, Step};
use crate::item::Absence;
use crate::pair::ById;
use crate::{Context, Direction, Dissector, End, Fields, Half, Limits, Reader, Successor, Tree};

const HEAD: usize = 8;

/// Larger than any frame that is agreed on in practice.
const MAX_FRAME: u32 = 256 << 20;

struct Wire;

/// What is answered: its code, and a channel or the name of a link.
type Key = (u64, String);

#[derive(Debug)]
pub(super) struct Connection {
    frames: Frames,
    /// By the direction of what is answered.
    waiting: [ById<Key>; 2],
    /// Every byte since the connection began was seen. Without it either of two alike performatives may be the answer.
    intact: bool,
    gapped: bool,
    failed: [bool; 2],
    /// What the client's protocol header asked for.
    asked: Option<[u8; 4]>,
}

impl Connection {
    pub(super) fn new() -> Self {
        let waiting = Direction::BOTH.map(|direction| ById::new(KIND, direction));
        Self {
            frames: Frames::default(),
            waiting,
            intact: false,
            gapped: false,
            failed: [false; 2],
            asked: None,
        }
    }

    fn lose(&mut self, context: &mut Context<'_>) {
        (self.intact, self.gapped) = (false, true);
        for waiting in &mut self.waiting {
            waiting.give_up(Absence::Lost, context);
        }
    }

    fn report(&mut self, direction: Direction, framed: &Framed<'_>, what: &str, context: &mut Context<'_>) {
        self.lose(context);
        if !std::mem::replace(&mut self.failed[direction.index()], true) {
            context.items.push(KIND.failure(direction, framed.time, &framed.bytes, framed.offset, what));
        }
    }

    fn header(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        context.confirm();
        let [_, _, _, _, version @ ..] = &*framed.bytes else { return };
        let Ok(version) = <[u8; 4]>::try_from(version) else { return };
        if direction == Direction::ToServer {
            self.intact |= framed.offset == 0 && !self.gapped;
            self.asked = Some(version);
        } else if version == [2, 1, 0, 0] {
            context.hand_over(Successor::Probed);
        } else if self.asked.is_some_and(|asked| asked != version) {
            let answer = Fields::new()
                .with("method", "protocol header")
                .with("protocolId", version[0])
                .with("versionMajor", version[1])
                .with("versionMinor", version[2])
                .with("revision", version[3]);
            context.items.push(KIND.message(direction, Half::new(framed.time, framed.size, answer)));
        }
    }

    fn frame(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        if framed.bytes.starts_with(b"AMQP") {
            return self.header(direction, framed, context);
        }
        let (Some(&offset), Some(channel)) = (framed.bytes.get(4), framed.bytes.get(6..8)) else { return };
        let channel = u16::from_be_bytes([channel[0], channel[1]]);
        let Some(body) = framed.bytes.get(usize::from(offset) * 4..) else { return };
        if body.is_empty() && framed.is_whole() {
            // An empty frame keeps the connection alive.
            return;
        }
        let read = read(body, framed, context.limits);
        if framed.missing != 0 {
            self.lose(context);
            context.counters.undissected_bytes += framed.size;
            return;
        }
        match read {
            Ok((code, fields)) => {
                self.failed[direction.index()] = false;
                context.confirm();
                self.performative(direction, channel, code, fields, framed, context);
            }
            Err(error) => self.report(direction, framed, error.what, context),
        }
    }

    fn performative(
        &mut self,
        direction: Direction,
        channel: u16,
        code: u64,
        mut fields: Fields,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) {
        let text = |name: &str| fields.field(name).and_then(Tree::as_text).unwrap_or_default().to_owned();
        let remote = fields.field("remoteChannel").and_then(Tree::as_int);
        let key = match code {
            OPEN | CLOSE => (code, String::new()),
            BEGIN => (code, remote.map_or_else(|| channel.to_string(), |remote| remote.to_string())),
            ATTACH => (code, text("name")),
            SASL_INIT | SASL_OUTCOME => (SASL_INIT, String::new()),
            SASL_CHALLENGE | SASL_RESPONSE => (SASL_CHALLENGE, String::new()),
            _ => {
                fields.push("channel", channel);
                let half = Half::new(framed.time, framed.size, fields);
                context.items.push(KIND.message(direction, half));
                return;
            }
        };
        fields.push("channel", channel);
        let half = Half::new(framed.time, framed.size, fields);
        let (here, there) = (direction.index(), direction.reverse().index());
        if !self.intact {
            context.items.push(KIND.request(direction, half, Absence::Lost));
        } else if matches!(code, SASL_OUTCOME | SASL_RESPONSE) || self.waiting[there].note(&key).is_some() {
            self.waiting[there].response(&key, half, context);
        } else {
            self.waiting[here].request(key, half, (), context);
        }
    }
}

/// A performative with its fields, and what a transfer carries.
fn read(body: &[u8], framed: &Framed<'_>, limits: &Limits) -> Result<(u64, Fields), crate::ParseError> {
    let mut reader = Reader::new(body);
    let mut decoder = Decoder::new(limits, framed.cut != 0);
    if reader.u8()? != 0 {
        return Err(reader.error("a frame without a performative"));
    }
    let code = descriptor(&mut reader, &mut decoder, 0)?;
    let Some(code) = code.filter(|code| performatives::is_performative(*code)) else {
        return Err(reader.error("an unknown performative"));
    };
    let Tree::Fields(mut values) = decoder.described(Some(code), &mut reader, 0)? else {
        return Err(reader.error("a performative that is no list"));
    };
    let mut fields = Fields::new().with("method", performatives::find(code).map_or("", |found| found.name));
    if matches!(code, SASL_INIT | SASL_RESPONSE) {
        hide(&mut values, &mut fields);
    }
    for (name, value) in values.iter().filter(|(name, _)| *name != "type") {
        fields.push(name.to_owned(), value.clone());
    }
    if code == SASL_OUTCOME
        && let Some(refusal) = values.field("code").and_then(Tree::as_int).filter(|code| *code != 0)
    {
        let text = if refusal == 1 { "authentication failed" } else { "system error" };
        fields.push("error", Fields::new().with("code", refusal).with("text", text));
    }
    if code == TRANSFER {
        let size = framed.size.saturating_sub((framed.bytes.len() - reader.remaining()) as u64);
        fields.push("payloadSize", size);
        let part = values.field("more") == Some(&Tree::Bool(true)) || values.field("deliveryId").is_none();
        match message(reader, &mut decoder) {
            Ok(message) if !part && framed.is_whole() => fields.push("message", message),
            // One of several frames of a message, or not in the standard's format.
            _ => {
                let rest = reader.rest();
                decoder.truncated |= rest.len() > limits.value_bytes;
                fields.push("payload", Tree::Bytes(rest[..rest.len().min(limits.value_bytes)].to_vec()));
            }
        }
    }
    if decoder.truncated {
        fields.push("truncated", true);
    }
    Ok((code, fields))
}

/// Takes the secrets out of a SASL frame and keeps the name.
fn hide(values: &mut Fields, fields: &mut Fields) {
    for name in ["initialResponse", "response"] {
        if let Some(Tree::Bytes(secret)) = values.field(name) {
            if values.field("mechanism").and_then(Tree::as_text) == Some("PLAIN")
                && let Some(user) = secret.split(|byte| *byte == 0).nth(1)
            {
                fields.push("user", Tree::lossy(user));
            }
            values.set(name, "***");
        }
    }
}

/// The sections of a message (AMQP 1.0, section 3.2).
fn message(mut reader: Reader<'_>, decoder: &mut Decoder<'_>) -> Result<Fields, crate::ParseError> {
    let mut message = Fields::new();
    while !reader.is_empty() {
        if reader.u8()? != 0 {
            return Err(reader.error("a section without a descriptor"));
        }
        let code = types::descriptor(&mut reader, decoder, 0)?;
        let Some(name) = code.and_then(performatives::section) else {
            return Err(reader.error("an unknown section"));
        };
        let value = decoder.described(code, &mut reader, 0)?;
        if message.field(name).is_none() {
            message.push(name, value);
        } else {
            // A body may come in several sections.
            decoder.truncated = true;
        }
    }
    Ok(message)
}

/// Whether a frame with a known performative begins here; `None` where more bytes are needed to tell.
pub(super) fn begins(direction: Direction, bytes: &[u8]) -> Option<bool> {
    let length = match Wire.length(direction, bytes) {
        Length::Known(length) => length,
        Length::Invalid(_) => return Some(false),
        Length::Unknown => {
            // Extended headers, for which the offset would be larger, are not in use.
            let fits = bytes.first().is_none_or(|first| *first <= 0x10)
                && bytes.get(4).is_none_or(|offset| *offset == 2)
                && bytes.get(5).is_none_or(|kind| *kind <= 1);
            return if fits { None } else { Some(false) };
        }
    };
    let at = usize::from(bytes[4]) * 4;
    let code = match bytes.get(at..) {
        Some([0, 0x53, code, 0x45 | 0xc0 | 0xd0, ..]) => u64::from(*code),
        None | Some([] | [0] | [0, 0x53] | [0, 0x53, _]) if length > at as u64 => return None,
        _ => return Some(false),
    };
    let sasl = code >= 0x40;
    Some(length > at as u64 && performatives::is_performative(code) && sasl == (bytes[5] == 1))
}

impl Framing for Wire {
    fn length(&self, _direction: Direction, bytes: &[u8]) -> Length {
        if bytes.len() < HEAD {
            return Length::Unknown;
        }
        if bytes.starts_with(b"AMQP") {
            return Length::Known(HEAD as u64);
        }
        let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let offset = u32::from(bytes[4]) * 4;
        match (size, bytes[5]) {
            (8..=MAX_FRAME, 0 | 1) if offset >= 8 && offset <= size => Length::Known(size.into()),
            _ => Length::Invalid("not a frame"),
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        begins(direction, bytes) == Some(true)
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            match self.frames.step(&Wire, direction, rest, context) {
                Step::Wait => break,
                Step::Used(more) => used += more,
                Step::Message(framed, more) => {
                    used += more;
                    self.frame(direction, &framed, context);
                    if direction == Direction::ToClient && *framed.bytes == *b"AMQP\x02\x01\0\0" {
                        // What follows is TLS.
                        break;
                    }
                }
                Step::Invalid(what) => {
                    let (time, offset, size) = (context.now, context.offset, rest.len() as u64);
                    let framed = Framed { bytes: rest.into(), time, offset, size, missing: 0, cut: 0 };
                    self.report(direction, &framed, what, context);
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.gap(&Wire, direction, bytes, unparsed, context) {
            self.frame(direction, &framed, context);
        }
        if bytes == 0 && unparsed.is_empty() {
            self.frames.lose(direction);
        }
        if self.frames.is_lost(direction) {
            self.lose(context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.gap(direction, unparsed.len() as u64, &[], context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.end(&Wire, direction, unparsed, context) {
            self.frame(direction, &framed, context);
        }
        self.waiting[direction.reverse().index()].give_up(Absence::Ended(end), context);
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.frames.memory() + self.waiting.iter().map(ById::memory).sum::<usize>()
    }
}
