//! What a packet says.

use super::properties::{self, binary, reason, return_code, text};
use super::wire::Head;
use crate::{Direction, Fields, Limits, ParseError, Reader, Tree};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Connect = 1,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

const TYPES: [(Type, &str); 15] = [
    (Type::Connect, "CONNECT"),
    (Type::Connack, "CONNACK"),
    (Type::Publish, "PUBLISH"),
    (Type::Puback, "PUBACK"),
    (Type::Pubrec, "PUBREC"),
    (Type::Pubrel, "PUBREL"),
    (Type::Pubcomp, "PUBCOMP"),
    (Type::Subscribe, "SUBSCRIBE"),
    (Type::Suback, "SUBACK"),
    (Type::Unsubscribe, "UNSUBSCRIBE"),
    (Type::Unsuback, "UNSUBACK"),
    (Type::Pingreq, "PINGREQ"),
    (Type::Pingresp, "PINGRESP"),
    (Type::Disconnect, "DISCONNECT"),
    (Type::Auth, "AUTH"),
];

impl Type {
    pub(super) fn of(number: u8) -> Option<Self> {
        let at = usize::from(number).checked_sub(1)?;
        TYPES.get(at).map(|(kind, _)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        TYPES[self as usize - 1].1
    }

    /// MQTT 3.1 lets clients repeat packets, which sets the bit DUP.
    pub(super) const fn allows(self, flags: u8) -> bool {
        match self {
            Self::Publish => flags & 6 != 6,
            Self::Pubrel | Self::Subscribe | Self::Unsubscribe => flags & !8 == 2,
            _ => flags == 0,
        }
    }

    pub(super) const fn goes(self, direction: Direction) -> bool {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::Pingreq => {
                matches!(direction, Direction::ToServer)
            }
            Self::Connack | Self::Suback | Self::Unsuback | Self::Pingresp => {
                matches!(direction, Direction::ToClient)
            }
            _ => true,
        }
    }
}

/// What decides how a packet is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    Three,
    Five,
}

#[derive(Debug)]
pub(super) struct Packet {
    pub(super) fields: Fields,
    pub(super) id: u16,
    /// The reason code tells of an error.
    pub(super) failed: bool,
}

/// A level of protocol, as a CONNECT tells it.
pub(super) const fn level(byte: u8) -> Option<(Version, &'static str)> {
    // Bridges set the highest bit.
    Some(match byte & 0x7f {
        3 => (Version::Three, "3.1"),
        4 => (Version::Three, "3.1.1"),
        5 => (Version::Five, "5.0"),
        _ => return None,
    })
}

/// In which versions, 3 and 5, a whole packet can be read.
pub(super) fn versions(head: Head, body: &[u8]) -> [bool; 2] {
    let limits = Limits { message_bytes: 0, value_bytes: 0, list_entries: 0, ..Limits::default() };
    [Version::Three, Version::Five].map(|version| {
        let length = body.len() as u64;
        let mut fields = Fields::new();
        Parser { version: Some(version), limits: &limits, length, whole: true }
            .packet(head, &mut Reader::new(body), &mut fields)
            .is_ok()
    })
}

/// Reads a packet behind its fixed header. What was read before an error is in `fields`.
pub(super) struct Parser<'l> {
    /// `None`: only what all versions have in common is read.
    pub(super) version: Option<Version>,
    pub(super) limits: &'l Limits,
    /// Of the packet behind its fixed header.
    pub(super) length: u64,
    /// All of it is there.
    pub(super) whole: bool,
}

impl Parser<'_> {
    pub(super) fn packet(
        &self,
        head: Head,
        reader: &mut Reader<'_>,
        fields: &mut Fields,
    ) -> Result<Packet, ParseError> {
        fields.push("type", head.kind.name());
        let (mut id, mut failed) = (0, false);
        let five = self.version == Some(Version::Five);
        match head.kind {
            Type::Connect => self.connect(reader, fields)?,
            Type::Connack => {
                let session = reader.u8()?;
                if session > 1 {
                    return Err(reader.error("unknown flags of a CONNACK"));
                }
                fields.push("sessionPresent", session != 0);
                let code = reader.u8()?;
                failed = self.code(head.kind, code, fields);
                if five {
                    self.properties(reader, fields)?;
                }
            }
            Type::Publish => id = self.publish(head.flags, reader, fields)?,
            Type::Puback | Type::Pubrec | Type::Pubrel | Type::Pubcomp => {
                id = self.id(reader, fields)?;
                if five {
                    failed = self.ending(head.kind, reader, fields)?;
                }
            }
            Type::Subscribe | Type::Unsubscribe => {
                id = self.id(reader, fields)?;
                if self.version.is_some() {
                    if five {
                        self.properties(reader, fields)?;
                    }
                    self.topics(head.kind, reader, fields)?;
                }
            }
            Type::Suback | Type::Unsuback => {
                id = self.id(reader, fields)?;
                if self.version.is_some() {
                    if five {
                        self.properties(reader, fields)?;
                    }
                    if five || head.kind == Type::Suback {
                        failed = self.codes(head.kind, reader, fields)?;
                    }
                }
            }
            Type::Pingreq | Type::Pingresp => {}
            Type::Disconnect if five => failed = self.ending(head.kind, reader, fields)?,
            Type::Auth if self.version != Some(Version::Three) => {
                failed = self.ending(head.kind, reader, fields)?;
            }
            Type::Auth => return Err(reader.error("AUTH in a version without it")),
            Type::Disconnect => {}
        }
        if self.whole && self.version.is_some() && !reader.is_empty() {
            return Err(reader.error("a packet is longer than what it says"));
        }
        Ok(Packet { fields: std::mem::take(fields), id, failed })
    }

    fn id(&self, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<u16, ParseError> {
        let id = reader.u16_be()?;
        if id == 0 {
            return Err(reader.error("a packet identifier is 0"));
        }
        fields.push("packetId", id);
        Ok(id)
    }

    fn properties(&self, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
        fields.push("properties", properties::read(reader, self.limits.list_entries)?);
        Ok(())
    }

    /// A code with its meaning; whether it tells of an error.
    fn code(&self, kind: Type, code: u8, fields: &mut Fields) -> bool {
        let three = kind == Type::Connack && self.version != Some(Version::Five) && code < 0x80;
        let reason = if three { return_code(code) } else { reason(kind, code) };
        fields.push("reasonCode", code);
        fields.push("reason", reason);
        let failed = code >= 0x80 || three && code != 0;
        if failed {
            fields.push("error", Fields::new().with("code", code).with("text", reason));
        }
        failed
    }

    /// A code and properties that may be left out.
    fn ending(&self, kind: Type, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<bool, ParseError> {
        let code = if reader.is_empty() && self.whole { 0 } else { reader.u8()? };
        let failed = self.code(kind, code, fields);
        if !reader.is_empty() {
            self.properties(reader, fields)?;
        }
        Ok(failed)
    }

    fn codes(&self, kind: Type, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<bool, ParseError> {
        let codes = reader.take(reader.remaining())?;
        if codes.is_empty() {
            return Err(reader.error("an answer without reason codes"));
        }
        let known = |code: &u8| *code >= 0x80 || *code <= 2 || *code == 17;
        if !codes.iter().all(known) {
            return Err(reader.error("an unknown reason code"));
        }
        let kept = &codes[..codes.len().min(self.limits.list_entries)];
        fields.push("reasonCodes", kept.iter().copied().collect::<Tree>());
        fields.push("reasons", kept.iter().map(|code| reason(kind, *code)).collect::<Tree>());
        if kept.len() < codes.len() {
            fields.push("truncated", true);
        }
        let failure = codes.iter().copied().find(|code| *code >= 0x80);
        if let Some(code) = failure {
            fields.push("error", Fields::new().with("code", code).with("text", reason(kind, code)));
        }
        Ok(failure.is_some())
    }

    fn topics(&self, kind: Type, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
        let (mut topics, mut count) = (Vec::new(), 0usize);
        while !reader.is_empty() {
            let topic = text(reader)?;
            if topic.is_empty() {
                return Err(reader.error("an empty topic filter"));
            }
            count += 1;
            let entry: Tree = if kind == Type::Subscribe {
                let options = reader.u8()?;
                let five = self.version == Some(Version::Five);
                if options & 3 == 3 || options & !(if five { 0x3f } else { 3 }) != 0 {
                    return Err(reader.error("unknown options of a subscription"));
                }
                let mut entry = Fields::new().with("topic", topic).with("qos", options & 3);
                if five {
                    entry.push("noLocal", options & 4 != 0);
                    entry.push("retainAsPublished", options & 8 != 0);
                    entry.push("retainHandling", options >> 4 & 3);
                }
                entry.into()
            } else {
                topic.into()
            };
            if topics.len() < self.limits.list_entries {
                topics.push(entry);
            }
        }
        if count == 0 {
            return Err(reader.error("no topic filters"));
        }
        if topics.len() < count {
            fields.push("truncated", true);
        }
        fields.push("topics", topics);
        Ok(())
    }

    fn publish(&self, flags: u8, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<u16, ParseError> {
        let qos = flags >> 1 & 3;
        fields.push("dup", flags & 8 != 0);
        fields.push("qos", qos);
        fields.push("retain", flags & 1 != 0);
        let topic = text(reader)?;
        let wild = topic.contains(['+', '#']);
        if wild || topic.is_empty() && self.version == Some(Version::Three) {
            return Err(reader.error("not the name of a topic"));
        }
        fields.push("topic", topic);
        let id = if qos == 0 { 0 } else { self.id(reader, fields)? };
        match self.version {
            None => return Ok(id),
            Some(Version::Five) => self.properties(reader, fields)?,
            Some(Version::Three) => {}
        }
        let size = self.length.saturating_sub(reader.position() as u64);
        fields.push("payloadSize", size);
        let here = reader.take(reader.remaining())?;
        let kept = &here[..here.len().min(self.limits.message_bytes)];
        self.payload(kept, kept.len() as u64 == size, fields);
        Ok(id)
    }

    /// Text where it is UTF-8, else base64, and says so.
    fn payload(&self, bytes: &[u8], complete: bool, fields: &mut Fields) {
        let payload = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned().into(),
            // The cap may be in the middle of a character.
            Err(error) if !complete && error.error_len().is_none() => {
                Tree::text_or_bytes(&bytes[..error.valid_up_to()])
            }
            Err(_) => Tree::Bytes(bytes.to_vec()),
        };
        let encoding = if let Tree::Bytes(_) = payload { "base64" } else { "text" };
        fields.push("payloadEncoding", encoding);
        fields.push("payload", payload);
        if !complete {
            fields.push("truncated", true);
        }
    }

    fn connect(&self, reader: &mut Reader<'_>, fields: &mut Fields) -> Result<(), ParseError> {
        let name = text(reader)?;
        if !matches!(&*name, "MQTT" | "MQIsdp") {
            return Err(reader.error("a CONNECT of another protocol"));
        }
        fields.push("protocolName", name);
        let byte = reader.u8()?;
        fields.push("protocolLevel", byte);
        let Some((version, name)) = level(byte) else {
            // What follows is that version's.
            return reader.skip(reader.remaining());
        };
        fields.push("version", name);
        let five = version == Version::Five;
        let flags = reader.u8()?;
        fields.push(if five { "cleanStart" } else { "cleanSession" }, flags & 2 != 0);
        fields.push("keepAlive", reader.u16_be()?);
        if five {
            self.properties(reader, fields)?;
        }
        fields.push("clientId", text(reader)?);
        if flags & 4 != 0 {
            let mut will = Fields::new().with("qos", flags >> 3 & 3).with("retain", flags & 0x20 != 0);
            if five {
                self.properties(reader, &mut will)?;
            }
            will.push("topic", text(reader)?);
            let payload = binary(reader)?;
            will.push("payloadSize", payload.len());
            let kept = &payload[..payload.len().min(self.limits.value_bytes)];
            self.payload(kept, kept.len() == payload.len(), &mut will);
            fields.push("will", will);
        }
        if flags & 0x80 != 0 {
            fields.push("username", text(reader)?);
        }
        if flags & 0x40 != 0 {
            binary(reader)?;
            fields.push("password", "***");
        }
        Ok(())
    }
}
