//! Messages that ask or answer, kept as they came: most of what is sent.

use super::message::{self, Key, Role};
use super::names;
use crate::on_demand::{self, Known};
use crate::{Fields, Value};

/// A message with an identifier and a sequence number, of which nothing is missing.
#[derive(Debug)]
pub(super) struct Kept {
    ipv6: bool,
    /// Of which no more is kept than is shown.
    bytes: Box<[u8]>,
    /// Of the whole message.
    length: u64,
    id: u16,
    sequence: u16,
}

impl Kept {
    /// `None` where the message is of another kind, or not all there.
    pub(super) fn read(ipv6: bool, bytes: &[u8]) -> Option<(Self, Role)> {
        let [kind, _, _, _, rest @ ..] = bytes else { return None };
        let least = match (ipv6, *kind) {
            (false, 0 | 8 | 15 | 16 | 42 | 43) | (true, 128 | 129 | 160 | 161) => 8,
            (false, 17 | 18) => 12,
            (false, 13 | 14) => 20,
            _ => return None,
        };
        if bytes.len() < least {
            return None;
        }
        let [a, b, c, d] = *rest.first_chunk()?;
        let is_short = matches!((ipv6, *kind), (false, 42 | 43) | (true, 160 | 161));
        let id = u16::from_be_bytes([a, b]);
        let sequence = if is_short { c.into() } else { u16::from_be_bytes([c, d]) };
        let key = Key::new(ipv6, *kind, id, sequence);
        let role = if message::is_reply(ipv6, *kind) { Role::Reply(key) } else { Role::Request(key) };
        let shown = &bytes[..bytes.len().min(message::SHOWN)];
        Some((Self { ipv6, bytes: shown.into(), length: bytes.len() as u64, id, sequence }, role))
    }
}

impl on_demand::Kept for Kept {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "typeName" => match self.bytes.first() {
                Some(kind) => Known::Is(Value::Str(names::type_name(self.ipv6, *kind))),
                None => Known::Absent,
            },
            "id" => Known::Is(Value::Int(self.id.into())),
            "sequence" => Known::Is(Value::Int(self.sequence.into())),
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        message::fields(self.ipv6, &self.bytes, self.length)
    }

    fn heap(&self) -> usize {
        self.bytes.len()
    }
}
