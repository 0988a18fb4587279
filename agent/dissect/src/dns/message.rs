//! Messages (RFC 1035, section 4.1).

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::content::Content;
use super::header::{HEADER, Header};
use super::key::Asked;
use super::record::{Head, OPT, Question, Record, TOP_BIT};
use super::{codes, name};
use crate::{Fields, Limits, List, Object, ObjectRef, ParseError, Reader, Value, item};

/// How much of lists and of values is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    pub(super) entries: usize,
    pub(super) value_bytes: usize,
}

impl Caps {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self { entries: limits.list_entries, value_bytes: limits.value_bytes }
    }
}

/// Whether all of it is a message with a question of a known type and class for a name like those of hosts.
pub(super) fn is_whole_and_ordinary(bytes: &[u8]) -> bool {
    Scan::of(bytes, false).is_ok_and(|scan| scan.error.is_none()) && begins_ordinarily(bytes)
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
    let header = Header::read(&mut reader).ok()?;
    let any = header.counts[0] != 0;
    any.then(|| Question::read(&mut reader, false).ok()).flatten()
}

/// What going through a message once tells.
struct Scan {
    header: Header,
    code: u16,
    error: Option<ParseError>,
}

impl Scan {
    fn of(bytes: &[u8], multicast: bool) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let mut scan = Self { header, code: header.code(), error: None };
        scan.error = match scan.rest(&mut reader, multicast) {
            Ok(()) if !reader.is_empty() => Some(reader.error("bytes follow the last record")),
            read => read.err(),
        };
        Ok(scan)
    }

    fn rest(&mut self, reader: &mut Reader<'_>, multicast: bool) -> Result<(), ParseError> {
        let [questions, records @ ..] = self.header.counts;
        for _ in 0..questions {
            Question::skip(reader)?;
        }
        for count in records {
            for _ in 0..count {
                let head = Head::read(reader, multicast)?;
                if head.kind == OPT {
                    self.code |= u16::from(head.code()) << 4;
                }
            }
        }
        Ok(())
    }
}

/// A message, as a side of an item. It is kept as it came; its lists are made when they are asked for.
#[derive(Debug)]
pub(super) struct Dns {
    pub(super) header: Header,
    /// It is an item's response.
    answers_request: bool,
    multicast: bool,
    code: u16,
    caps: Caps,
    bytes: Arc<[u8]>,
    content: OnceLock<Box<Content>>,
}

/// What could be read of a message, and what the rest of it is wrong with.
pub(super) struct Parsed {
    pub(super) dns: Option<Dns>,
    pub(super) error: Option<ParseError>,
}

impl Dns {
    pub(super) fn parse(bytes: &[u8], multicast: bool, caps: Caps) -> Parsed {
        let Scan { header, code, error } = match Scan::of(bytes, multicast) {
            Ok(scan) => scan,
            Err(error) => return Parsed { dns: None, error: Some(error) },
        };
        let answers_request = header.is_response() && !multicast;
        let content = OnceLock::new();
        let dns = Self { header, answers_request, multicast, code, caps, bytes: bytes.into(), content };
        Parsed { dns: Some(dns), error }
    }

    pub(super) fn content(&self) -> &Content {
        self.content
            .get_or_init(|| Box::new(Content::of(&self.bytes, self.header, self.multicast, self.caps)))
    }

    /// Its head, without records.
    pub(super) fn empty_copy(&self) -> Self {
        let content = Box::new(self.content().empty_copy());
        Self { bytes: Arc::clone(&self.bytes), content: content.into(), ..*self }
    }

    /// Adds the answers of a zone transfer's next message.
    pub(super) fn append(&mut self, next: Self, caps: Caps) {
        if next.code != 0 {
            self.code = next.code;
        }
        next.content();
        if let (Some(content), Some(next)) = (self.content.get_mut(), next.content.into_inner()) {
            content.append(*next, caps);
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

    /// What a request wants.
    pub(super) fn operation(&self) -> Option<Cow<'static, str>> {
        let operation = self.header.operation();
        if self.answers_request { None } else { Some(codes::operation_name(operation)) }
    }

    /// How a response says that it went.
    pub(super) fn response_code(&self) -> Option<u16> {
        self.answers_request.then_some(self.code)
    }

    /// What the first question is known by.
    pub(super) fn asked(&self) -> Option<Asked> {
        Asked::peek(&self.bytes)
    }

    /// The name of the first question.
    pub(super) fn asked_name(&self) -> Option<String> {
        first_question(&self.bytes).map(|question| question.name)
    }

    /// The name of the first answer that is shown.
    pub(super) fn answered_name(&self) -> Option<String> {
        if let Some(content) = self.content.get() {
            return content.sections[0].first().map(Record::name);
        }
        let [questions, answers, ..] = self.header.counts;
        if self.caps.entries == 0 || answers == 0 {
            return None;
        }
        let mut reader = Reader::new(&self.bytes);
        reader.skip(HEADER).ok()?;
        (0..questions).try_for_each(|_| Question::skip(&mut reader)).ok()?;
        let mut at = reader;
        Head::read(&mut reader, self.multicast).ok()?;
        name::read(&mut at).ok()
    }

    fn list(&self, section: usize) -> Value<'_> {
        let records = &self.content().sections[section];
        if records.is_empty() { Value::Null } else { Value::List(records as &dyn List) }
    }

    fn counted(&self) -> Option<Fields> {
        let content = self.content();
        let [questions, answers, authorities, additionals] = content.counts;
        content.is_shortened().then(|| {
            Fields::with_capacity(4)
                .with("questions", questions)
                .with("answers", answers)
                .with("authorities", authorities)
                .with("additionals", additionals)
        })
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
        let owned = |fields| Value::Object(ObjectRef::Owned(Box::new(fields)));
        Some(match name {
            "opCode" => Value::Str(self.operation()?),
            "code" if self.answers_request => Value::Str(codes::response_name(self.code)),
            "rcode" => Value::Int(self.response_code()?.into()),
            "questions" => Value::List(&self.content().questions as &dyn List),
            "answers" => section(0)?,
            "authorities" => section(1)?,
            "additionals" => section(2)?,
            "id" => Value::Int(self.header.id.into()),
            "flags" => Value::object(&self.header),
            "edns" => owned(self.content().edns.as_ref()?.edns().into_fields()),
            "counts" => owned(self.counted()?),
            "messages" => match self.content.get()?.messages {
                several @ 2.. => Value::count(several.into()),
                _ => return None,
            },
            _ => return None,
        })
    }
}

impl item::Message for Dns {
    fn memory(&self) -> usize {
        let content = self.content.get().map_or(0, |content| size_of::<Content>() + content.heap);
        size_of::<Self>() + self.bytes.len() + content
    }
}
