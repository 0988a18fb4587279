//! A message's first twelve bytes (RFC 1035, section 4.1.1).

use crate::{Object, ParseError, Reader, Value};

/// Bytes of a header.
pub(super) const HEADER: usize = 12;
/// The least that a question and a record take: an empty name and what follows it.
const QUESTION: usize = 5;
pub(super) const RECORD: usize = 11;

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    flags: u16,
    /// Of questions, answers, authorities and additionals, as claimed.
    pub(super) counts: [u16; 4],
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Reader::new(bytes)).ok()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let (id, flags) = (reader.u16_be()?, reader.u16_be()?);
        Ok(Self {
            id,
            flags,
            counts: [reader.u16_be()?, reader.u16_be()?, reader.u16_be()?, reader.u16_be()?],
        })
    }

    pub(super) const fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub(super) const fn code(self) -> u16 {
        self.flags & 15
    }

    pub(super) const fn operation(self) -> u8 {
        (self.flags >> 11) as u8 & 15
    }

    /// Whether a message of `length` bytes may begin so.
    pub(super) fn is_plausible(self, length: usize) -> bool {
        let [questions, records @ ..] = self.counts.map(usize::from);
        let least = questions * QUESTION + records.iter().sum::<usize>() * RECORD;
        // The bit that is always zero, and a code that only responses have.
        let possible = self.flags & 0x40 == 0 && (self.is_response() || self.flags & 15 == 0);
        possible && HEADER + least <= length
    }

    pub(super) const fn has_known_operation(self) -> bool {
        matches!(self.operation(), 0..=2 | 4..=6)
    }

    /// Whether it is what most messages begin with: one question, and no records where nothing is answered.
    pub(super) fn is_strict(self) -> bool {
        let [questions, answers, authorities, additionals] = self.counts;
        let asks = answers == 0 && authorities == 0 && additionals <= 2;
        questions == 1 && self.operation() == 0 && (self.is_response() || asks)
    }
}

const FLAGS: [(&str, u16); 7] = [
    ("response", 0x8000),
    ("authoritative", 0x400),
    ("truncated", 0x200),
    ("recursionDesired", 0x100),
    ("recursionAvailable", 0x80),
    ("authenticData", 0x20),
    ("checkingDisabled", 0x10),
];

/// As the message's `flags` object.
impl Object for Header {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, bit) in FLAGS {
            visit(name, Value::Bool(self.flags & bit != 0));
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let (_, bit) = FLAGS.iter().find(|(flag, _)| *flag == name)?;
        Some(Value::Bool(self.flags & bit != 0))
    }
}
