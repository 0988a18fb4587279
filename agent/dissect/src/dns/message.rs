//! Messages (RFC 1035, section 4.1).

use std::cell::OnceCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::codes;
use super::record::{Head, OPT, Question, Record, TOP_BIT};
use crate::item;
use crate::peers::fingerprint;
use crate::{Fields, Limits, List, Object, ObjectRef, ParseError, Reader, Value};

/// Bytes of a header.
pub(super) const HEADER: usize = 12;
/// The least that a question and a record take: an empty name and what follows it.
const QUESTION: usize = 5;
const RECORD: usize = 11;

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    flags: u16,
    /// Of questions, answers, authorities and additionals, as claimed.
    counts: [u16; 4],
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Reader::new(bytes)).ok()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
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

/// Whether all of it is a message with a question of a known type and class for a name like those of hosts.
pub(super) fn is_whole_and_ordinary(bytes: &[u8]) -> bool {
    let limits = Limits { list_entries: 0, ..Limits::default() };
    let parsed = Dns::parse(bytes, false, &limits);
    parsed.error.is_none() && parsed.dns.is_some_and(|dns| dns.questions_seen_are_ordinary(bytes))
}

/// Whether a question of a known type and class comes first.
pub(super) fn begins_ordinarily(bytes: &[u8]) -> bool {
    first_question(bytes).is_some_and(|question| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'*');
        codes::known_type(question.kind).is_some()
            && matches!(question.class & !TOP_BIT, 1 | 3 | 4 | 255)
            && question.name.len() > 1
            && question.name.bytes().all(plain)
    })
}

/// The question that a message begins with, if it is one that has any.
pub(super) fn first_question(bytes: &[u8]) -> Option<Question> {
    let mut reader = Reader::new(bytes);
    reader.skip(HEADER).ok()?;
    let any = Header::parse(bytes)?.counts[0] != 0;
    any.then(|| Question::read(&mut reader, false).ok()).flatten()
}

/// A message, as a side of an item.
#[derive(Debug)]
pub(super) struct Dns {
    pub(super) header: Header,
    /// It is an item's response.
    answers_request: bool,
    pub(super) questions: Vec<Question>,
    /// Answers, authorities, additionals.
    pub(super) sections: [Vec<Record>; 3],
    /// How many there were, shown or not.
    counts: [u64; 4],
    /// The first record with what EDNS says.
    edns: Option<Record>,
    code: u16,
    /// Of a zone transfer.
    messages: u32,
    heap: usize,
}

/// What could be read of a message, and what the rest of it is wrong with.
pub(super) struct Parsed {
    pub(super) dns: Option<Dns>,
    pub(super) error: Option<ParseError>,
}

impl Dns {
    pub(super) fn parse(bytes: &[u8], multicast: bool, limits: &Limits) -> Parsed {
        let mut reader = Reader::new(bytes);
        let header = match Header::read(&mut reader) {
            Ok(header) => header,
            Err(error) => return Parsed { dns: None, error: Some(error) },
        };
        let mut dns = Self {
            header,
            answers_request: header.is_response() && !multicast,
            questions: Vec::new(),
            sections: Default::default(),
            counts: [0; 4],
            edns: None,
            code: header.flags & 15,
            messages: 1,
            heap: 0,
        };
        let read = dns.read(&mut reader, multicast, limits);
        // Where the rest is cut off, the header still tells how many there were.
        if read.is_err() {
            dns.counts = header.counts.map(u64::from);
        }
        let error = read.and_then(|()| match reader.is_empty() {
            true => Ok(()),
            false => Err(reader.error("bytes follow the last record")),
        });
        Parsed { dns: Some(dns), error: error.err() }
    }

    fn read(&mut self, reader: &mut Reader<'_>, multicast: bool, limits: &Limits) -> Result<(), ParseError> {
        let [questions, records @ ..] = self.header.counts;
        for _ in 0..questions {
            let question = Question::read(reader, multicast)?;
            self.counts[0] += 1;
            if self.questions.len() < limits.list_entries.max(1) {
                self.heap += question.name.capacity() + size_of::<Question>();
                self.questions.push(question);
            }
        }
        // Kept once, for all its records.
        let message = OnceCell::new();
        let result = self.records(records, reader, multicast, limits, &message);
        self.heap += message.get().map_or(0, |message: &Arc<[u8]>| message.len());
        result
    }

    fn records(
        &mut self,
        counts: [u16; 3],
        reader: &mut Reader<'_>,
        multicast: bool,
        limits: &Limits,
        message: &OnceCell<Arc<[u8]>>,
    ) -> Result<(), ParseError> {
        let whole = reader.whole();
        let kept = |head: Head| head.of(message.get_or_init(|| whole.into()), limits);
        for (section, count) in counts.into_iter().map(usize::from).enumerate() {
            let shown = count.min(limits.list_entries);
            self.sections[section].reserve_exact(shown.min(reader.remaining() / RECORD));
            for place in 0..count {
                let head = Head::read(reader, multicast)?;
                if head.kind == OPT {
                    self.code |= u16::from(head.code()) << 4;
                    self.edns.get_or_insert_with(|| kept(head));
                }
                self.counts[section + 1] += 1;
                if place < shown {
                    self.keep(section, kept(head));
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, section: usize, record: Record) {
        self.heap += size_of::<Record>();
        self.sections[section].push(record);
    }

    /// Its head, without records.
    pub(super) fn empty_copy(&self) -> Self {
        let questions = self.questions.clone();
        let asked = questions.iter().map(|question| question.name.capacity() + size_of::<Question>());
        let heap = asked.sum::<usize>() + self.edns.as_ref().map_or(0, Record::message_bytes);
        Self {
            questions,
            sections: Default::default(),
            counts: [self.counts[0], 0, 0, 0],
            edns: self.edns.clone(),
            messages: 0,
            heap,
            ..*self
        }
    }

    /// Adds the answers of a zone transfer's next message.
    pub(super) fn append(&mut self, next: Self, limits: &Limits) {
        self.messages += next.messages;
        for (count, more) in self.counts.iter_mut().zip(next.counts).skip(1) {
            *count += more;
        }
        let mut message_bytes = 0;
        for (section, records) in next.sections.into_iter().enumerate() {
            let room = limits.list_entries.saturating_sub(self.sections[section].len());
            for record in records.into_iter().take(room) {
                message_bytes = record.message_bytes();
                self.keep(section, record);
            }
        }
        self.heap += message_bytes;
        if next.code != 0 {
            self.code = next.code;
        }
    }

    /// A message that nobody is known to have asked for goes into an item alone, as its request.
    pub(super) fn alone(mut self) -> Self {
        self.answers_request = false;
        self
    }

    pub(super) const fn code(&self) -> u16 {
        self.code
    }

    fn questions_seen_are_ordinary(&self, bytes: &[u8]) -> bool {
        !self.questions.is_empty() && begins_ordinarily(bytes)
    }

    fn list<'a>(&'a self, section: usize) -> Value<'a> {
        let records = &self.sections[section];
        if records.is_empty() { Value::Null } else { Value::List(records as &dyn List) }
    }

    /// Whether some of what there was is not shown.
    fn is_shortened(&self) -> bool {
        let shown =
            [self.questions.len(), self.sections[0].len(), self.sections[1].len(), self.sections[2].len()];
        self.counts != shown.map(|shown| shown as u64)
    }
}

const REQUEST_FIELDS: [&str; 9] =
    ["opCode", "questions", "answers", "authorities", "additionals", "id", "flags", "edns", "counts"];
const RESPONSE_FIELDS: [&str; 11] = [
    "code",
    "answers",
    "authorities",
    "additionals",
    "id",
    "rcode",
    "flags",
    "questions",
    "edns",
    "counts",
    "messages",
];

impl Object for Dns {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        let names: &[&str] = if self.answers_request { &RESPONSE_FIELDS } else { &REQUEST_FIELDS };
        for name in names {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        // In a request a section with nothing in it is left out.
        let section = |section: usize| match self.list(section) {
            Value::Null if !self.answers_request => None,
            list => Some(list),
        };
        Some(match name {
            "opCode" if !self.answers_request => Value::Str(codes::operation_name(self.header.operation())),
            "code" if self.answers_request => Value::Str(codes::response_name(self.code)),
            "rcode" if self.answers_request => Value::Int(self.code.into()),
            "messages" if self.messages > 1 => Value::count(self.messages.into()),
            "questions" => Value::List(&self.questions as &dyn List),
            "answers" => section(0)?,
            "authorities" => section(1)?,
            "additionals" => section(2)?,
            "id" => Value::Int(self.header.id.into()),
            "flags" => Value::object(&self.header),
            "edns" => {
                let fields = self.edns.as_ref()?.edns().into_fields();
                Value::Object(ObjectRef::Owned(Box::new(fields)))
            }
            "counts" if self.is_shortened() => Value::Object(ObjectRef::Owned(Box::new(self.counted()))),
            _ => return None,
        })
    }
}

impl Dns {
    fn counted(&self) -> Fields {
        let [questions, answers, authorities, additionals] = self.counts;
        Fields::new()
            .with("questions", questions)
            .with("answers", answers)
            .with("authorities", authorities)
            .with("additionals", additionals)
    }
}

impl item::Message for Dns {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.heap
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

/// The question as it is compared: names without regard to case (RFC 4343).
pub(super) fn question_hash(question: &Question) -> u64 {
    struct Asked<'a>(&'a Question);
    impl Hash for Asked<'_> {
        fn hash<H: Hasher>(&self, state: &mut H) {
            let Question { name, kind, class, .. } = self.0;
            let mut lower = [0; 32];
            for part in name.as_bytes().chunks(lower.len()) {
                let lower = &mut lower[..part.len()];
                lower.copy_from_slice(part);
                lower.make_ascii_lowercase();
                state.write(lower);
            }
            (kind, class).hash(state);
        }
    }
    fingerprint(Asked(question))
}
