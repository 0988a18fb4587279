//! A connection: its version, its topic aliases, and what is acknowledged.

use std::collections::BTreeMap;

use super::flights::{COMPLETE, Flights, Key, RECEIVED, RELEASED};
use super::packet::{self, Packet, Parser, Type, Version};
use super::wire::{self, Head, Wire};
use super::{MQTT, MQTT_3_1, MQTT_3_1_1, MQTT_5, summary};
use crate::frame::{Framed, Frames, Step};
use crate::item::{Absence, ErrorKind};
use crate::{Context, Direction, Dissector, End, Fields, Half, Kind, Reader, Tree};

/// Whole packets that make a stream certain.
const SURE_PACKETS: u8 = 2;

#[derive(Debug)]
pub(super) struct Connection {
    frames: Frames,
    /// As the CONNECT says, or as packets show that can be of one version only.
    version: Option<Version>,
    kind: Kind,
    /// By the direction of what is acknowledged.
    flights: [Flights; 2],
    /// Topics by their aliases, for each direction.
    aliases: [BTreeMap<u16, String>; 2],
    alias_bytes: usize,
    /// Every byte since the connection began was seen.
    intact: bool,
    gapped: bool,
    /// Something a direction sent made no sense, and nothing has since.
    failed: [bool; 2],
    seen: u8,
}

/// What a packet acknowledges, and which step of that it is.
const fn acknowledged(kind: Type) -> Option<(Type, usize)> {
    Some(match kind {
        Type::Connack => (Type::Connect, COMPLETE),
        Type::Suback => (Type::Subscribe, COMPLETE),
        Type::Unsuback => (Type::Unsubscribe, COMPLETE),
        Type::Pingresp => (Type::Pingreq, COMPLETE),
        Type::Puback | Type::Pubcomp => (Type::Publish, COMPLETE),
        Type::Pubrec => (Type::Publish, RECEIVED),
        Type::Pubrel => (Type::Publish, RELEASED),
        _ => return None,
    })
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::default(),
            version: None,
            kind: Kind { protocol: &MQTT, summarize: summary::summarize },
            flights: Direction::BOTH.map(Flights::new),
            aliases: [BTreeMap::new(), BTreeMap::new()],
            alias_bytes: 0,
            intact: false,
            gapped: false,
            failed: [false; 2],
            seen: 0,
        }
    }

    /// Packets may be missing from a direction: identifiers and aliases may mean something else by now.
    fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        (self.intact, self.gapped) = (false, true);
        for flights in &mut self.flights {
            flights.give_up(self.kind, Absence::Lost, context);
        }
        self.forget_aliases(direction);
    }

    fn forget_aliases(&mut self, direction: Direction) {
        for (_, topic) in std::mem::take(&mut self.aliases[direction.index()]) {
            self.alias_bytes -= topic.capacity();
        }
    }

    fn report(&mut self, direction: Direction, framed: &Framed<'_>, what: &str, context: &mut Context<'_>) {
        self.lose(direction, context);
        if !std::mem::replace(&mut self.failed[direction.index()], true) {
            let failure = self.kind.failure(direction, framed.time, &framed.bytes, framed.offset, what);
            context.items.push(failure);
        }
    }

    fn frame(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let mut reader = Reader::new(&framed.bytes);
        let Ok(head) = wire::head(&mut reader) else {
            return self.report(direction, framed, "not a packet", context);
        };
        let body = reader.rest();
        match head.kind {
            Type::Connect => self.begin(framed, body),
            _ if self.version.is_none() && framed.is_whole() => self.infer(head, body),
            _ => {}
        }
        let version = if head.kind == Type::Connect { Some(Version::Three) } else { self.version };
        let length = u64::from(head.remaining);
        let parser = Parser { version, limits: context.limits, length, whole: framed.is_whole() };
        let mut fields = Fields::new();
        let outcome = parser.packet(head, &mut Reader::new(body), &mut fields);
        if framed.missing != 0 {
            return self.damaged(
                direction,
                head,
                framed,
                outcome.map_or(fields, |packet| packet.fields),
                context,
            );
        }
        match outcome {
            Ok(packet) => {
                self.failed[direction.index()] = false;
                self.seen = self.seen.saturating_add(1);
                if head.kind == Type::Connect || self.seen == SURE_PACKETS {
                    context.confirm();
                }
                self.packet(direction, head, packet, framed, context);
            }
            Err(error) => self.report(direction, framed, error.what, context),
        }
    }

    fn begin(&mut self, framed: &Framed<'_>, body: &[u8]) {
        self.intact = framed.offset == 0 && framed.is_whole() && !self.gapped;
        let mut reader = Reader::new(body);
        let level = reader.u16_be().and_then(|name| reader.skip(name.into())).and_then(|()| reader.u8());
        if let Some((version, name)) = level.ok().and_then(packet::level) {
            self.version = Some(version);
            self.kind.protocol = match name {
                "3.1" => &MQTT_3_1,
                "3.1.1" => &MQTT_3_1_1,
                _ => &MQTT_5,
            };
        }
    }

    /// The CONNECT was not seen: some packets can be read in one way only.
    fn infer(&mut self, head: Head, body: &[u8]) {
        self.version = match packet::versions(head, body) {
            [true, false] => Some(Version::Three),
            [false, true] => Some(Version::Five),
            _ => return,
        };
        if self.version == Some(Version::Five) {
            self.kind.protocol = &MQTT_5;
        }
    }

    /// A packet with a hole: what was read before it, if that is anything.
    fn damaged(
        &mut self,
        direction: Direction,
        head: Head,
        framed: &Framed<'_>,
        mut fields: Fields,
        context: &mut Context<'_>,
    ) {
        self.lose(direction, context);
        if head.kind == Type::Publish && fields.field("topic").and_then(Tree::as_text) == Some("") {
            return;
        }
        fields.set("truncated", true);
        let half = Half::new(framed.time, framed.size, fields).missing(framed.missing);
        context.items.push(match acknowledged(head.kind) {
            Some((_, RELEASED)) | None => self.kind.message(direction, half),
            Some(_) => self.kind.response(direction.reverse(), half, Absence::Lost),
        });
    }

    fn packet(
        &mut self,
        direction: Direction,
        head: Head,
        packet: Packet,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) {
        let Packet { mut fields, id, failed } = packet;
        let mut half = Half::new(framed.time, framed.size, Fields::new());
        if head.kind == Type::Publish {
            half = self.topic(direction, &mut fields, half, context);
        }
        let depends = matches!(
            head.kind,
            Type::Publish | Type::Subscribe | Type::Suback | Type::Unsubscribe | Type::Unsuback
        );
        if depends && self.version.is_none() {
            half =
                half.error(ErrorKind::Dissection, "not read to its end: the protocol's version is not known");
        }
        let qos = head.flags >> 1 & 3;
        let request = match head.kind {
            Type::Publish if qos != 0 => Some((Key(Type::Publish, id), qos == 2)),
            Type::Connect | Type::Subscribe | Type::Unsubscribe | Type::Pingreq => {
                Some((Key(head.kind, id), false))
            }
            _ => None,
        };
        if let Some((key, twice)) = request {
            let half = Half { message: Box::new(fields), ..half };
            self.flights[direction.index()].begin(self.kind, key, twice, half, context);
            return;
        }
        let Some((of, step)) = acknowledged(head.kind) else {
            let half = Half { message: Box::new(fields), ..half };
            context.items.push(self.kind.message(direction, half));
            return;
        };
        let to = if step == RELEASED { direction } else { direction.reverse() };
        let (kind, keep) = (self.kind, self.intact);
        self.flights[to.index()].step(kind, Key(of, id), step, failed, half, fields, keep, context);
    }

    /// Gives a topic to a message that has only its alias, and remembers aliases.
    fn topic(
        &mut self,
        direction: Direction,
        fields: &mut Fields,
        half: Half,
        context: &Context<'_>,
    ) -> Half {
        let alias = fields.field("properties").and_then(Tree::as_fields);
        let alias = alias.and_then(|properties| properties.field("topicAlias")).and_then(Tree::as_int);
        let alias = alias.and_then(|alias| u16::try_from(alias).ok());
        let topic = fields.field("topic").and_then(Tree::as_text).unwrap_or_default().to_owned();
        let aliases = &mut self.aliases[direction.index()];
        match alias {
            Some(alias) if topic.is_empty() => match aliases.get(&alias) {
                Some(topic) => {
                    fields.set("topic", topic.clone());
                    half
                }
                None => {
                    fields.set("topic", Tree::Null);
                    half.error(ErrorKind::Dissection, "the topic of an alias is not known")
                }
            },
            Some(alias) => {
                if aliases.len() < context.limits.list_entries || aliases.contains_key(&alias) {
                    self.alias_bytes += topic.capacity();
                    if let Some(old) = aliases.insert(alias, topic) {
                        self.alias_bytes -= old.capacity();
                    }
                }
                half
            }
            None if topic.is_empty() => {
                fields.set("topic", Tree::Null);
                half.error(ErrorKind::Dissection, "a message without a topic")
            }
            None => half,
        }
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
                }
                Step::Invalid(what) => {
                    let framed = Framed {
                        bytes: rest.into(),
                        time: context.now,
                        offset: context.offset,
                        size: rest.len() as u64,
                        missing: 0,
                        cut: 0,
                    };
                    self.report(direction, &framed, what, context);
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let framed = self.frames.gap(&Wire, direction, bytes, unparsed, context);
        if let Some(framed) = &framed {
            self.frame(direction, framed, context);
        }
        if bytes == 0 && unparsed.is_empty() {
            self.frames.lose(direction);
        }
        if self.frames.is_lost(direction) {
            self.lose(direction, context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.gap(direction, unparsed.len() as u64, &[], context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        if let Some(framed) = self.frames.end(&Wire, direction, unparsed, context) {
            self.frame(direction, &framed, context);
        }
        for flights in &mut self.flights {
            flights.end(self.kind, direction, end, context);
        }
    }

    fn memory(&self) -> usize {
        let aliases = self.aliases.iter().map(|aliases| aliases.len() * size_of::<(u16, String)>());
        size_of::<Self>()
            + self.frames.memory()
            + self.flights.iter().map(Flights::memory).sum::<usize>()
            + aliases.sum::<usize>()
            + self.alias_bytes
    }
}
