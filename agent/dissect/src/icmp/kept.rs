//! Messages that ask or answer, and errors, kept as they came: most of what is sent.

use super::message::{self, Key, Role};
use super::{names, quoted};
use crate::on_demand::{self, Known};
use crate::{Fields, Limits, Reader, Value};

/// A message of which nothing is missing.
#[derive(Debug)]
pub(super) struct Kept {
    ipv6: bool,
    /// Of what asks or answers no more is kept than is shown.
    bytes: Box<[u8]>,
    /// Of the whole message.
    length: u64,
    /// The identifier and the sequence number of what asks or answers.
    numbers: Option<(u16, u16)>,
}

impl Kept {
    /// `None` where the message is of another kind, or not all there.
    pub(super) fn read(ipv6: bool, bytes: &[u8], limits: &Limits) -> Option<(Self, Role)> {
        let [kind, _, _, _, rest @ ..] = bytes else { return None };
        let length = bytes.len() as u64;
        if matches!((ipv6, *kind), (false, 3 | 4 | 5 | 11 | 12) | (true, 1..=4)) {
            let mut reader = Reader::new(rest);
            let is_right = reader.skip(4).is_ok() && quoted::is_right(&reader);
            if !is_right || bytes.len() > limits.value_bytes {
                return None;
            }
            return Some((Self { ipv6, bytes: bytes.into(), length, numbers: None }, Role::Alone));
        }
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
        Some((Self { ipv6, bytes: shown.into(), length, numbers: Some((id, sequence)) }, role))
    }
}

impl on_demand::Kept for Kept {
    fn known(&self, name: &str) -> Known<'_> {
        let [kind, code, ..] = *self.bytes else { return Known::Unknown };
        let number = |number: u16| Known::Is(Value::Int(number.into()));
        match (name, self.numbers) {
            ("typeName", _) => Known::Is(Value::Str(names::type_name(self.ipv6, kind))),
            ("codeName", _) => match names::code_name(self.ipv6, kind, code) {
                Some(name) => Known::Is(Value::str(name)),
                None => Known::Absent,
            },
            ("id", Some((id, _))) => number(id),
            ("sequence", Some((_, sequence))) => number(sequence),
            ("id" | "sequence" | "target" | "group", _) => Known::Absent,
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
