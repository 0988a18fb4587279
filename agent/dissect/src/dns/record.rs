//! Resource records (RFC 1035, section 4.1.3).

use std::sync::{Arc, OnceLock};

use super::edns::Edns;
use super::message::Caps;
use super::{codes, name, rdata};
use crate::{Fields, List, Object, ObjectRef, ParseError, Reader, Tree, Value};

pub(super) const OPT: u16 = 41;
pub(super) const SOA: u16 = 6;

/// The top bit of a class: in a record of multicast DNS "flush the cache", in a question "answer me alone"
/// (RFC 6762, sections 5.4 and 10.2).
pub(super) const TOP_BIT: u16 = 0x8000;

/// Where a record lies in its message, and what it says there at fixed places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    name_at: usize,
    data_at: usize,
    data_length: u16,
    pub(super) kind: u16,
    class: u16,
    ttl: u32,
    cache_flush: bool,
}

/// A record of a message that is kept: its name and data are made out when they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Record {
    message: Arc<[u8]>,
    head: Head,
    /// Bytes shown of data of an unknown form.
    value_bytes: usize,
}

/// Fields that a record of another type has empty.
const TEXTS: [&str; 10] = ["ip", "ns", "cname", "ptr", "txts", "soa", "srv", "mx", "opt", "uri"];

/// What a record's data is made into.
#[derive(Default)]
pub(super) struct Data {
    slot: Option<&'static str>,
    text: String,
    pub(super) more: Fields,
}

impl Data {
    /// One of the fields that all records have.
    pub(super) fn text(slot: &'static str, text: impl Into<String>) -> Self {
        Self { slot: Some(slot), text: text.into(), more: Fields::new() }
    }

    /// Fields of which the record has none by default.
    pub(super) fn fields(more: Fields) -> Self {
        Self { more, ..Self::default() }
    }

    /// A field that only this type has.
    pub(super) fn field(name: impl Into<std::borrow::Cow<'static, str>>, value: impl Into<Tree>) -> Self {
        Self::fields(Fields::new().with(name, value))
    }
}

impl Head {
    pub(super) fn read(reader: &mut Reader<'_>, multicast: bool) -> Result<Self, ParseError> {
        let name_at = reader.position();
        name::skip(reader)?;
        let (kind, class, ttl) = (reader.u16_be()?, reader.u16_be()?, reader.u32_be()?);
        let data_length = reader.u16_be()?;
        let data_at = reader.position();
        reader.skip(data_length.into())?;
        let cache_flush = multicast && kind != OPT && class & TOP_BIT != 0;
        let class = if cache_flush { class & !TOP_BIT } else { class };
        Ok(Self { name_at, data_at, data_length, kind, class, ttl, cache_flush })
    }

    /// Of an OPT record, the upper eight bits of the response code.
    pub(super) const fn code(&self) -> u8 {
        self.ttl.to_be_bytes()[0]
    }

    pub(super) fn of(self, message: &Arc<[u8]>, caps: Caps) -> Record {
        Record { message: Arc::clone(message), head: self, value_bytes: caps.value_bytes }
    }
}

impl Record {
    /// Bytes of the message it keeps.
    pub(super) fn message_bytes(&self) -> usize {
        self.message.len()
    }

    pub(super) fn name(&self) -> String {
        let mut reader = Reader::new(&self.message);
        // It was passed over before, so that it can be read.
        let read = reader.skip(self.head.name_at).and_then(|()| name::read(&mut reader));
        read.unwrap_or_default()
    }

    /// Names in the data may point back, but nothing reaches beyond the data's end.
    fn inside(&self) -> Reader<'_> {
        let Head { data_at, data_length, .. } = self.head;
        let until = self.message.get(..data_at + usize::from(data_length)).unwrap_or_default();
        let mut reader = Reader::new(until);
        let _ = reader.skip(data_at.min(until.len()));
        reader
    }

    /// Of an OPT record, what EDNS says with it.
    pub(super) fn edns(&self) -> Edns {
        Edns::read(self.head.class, self.head.ttl, self.inside())
    }

    fn data(&self) -> Data {
        match self.head {
            Head { kind: OPT, .. } => Data::text("opt", self.edns().text()),
            Head { data_length: 0, .. } => Data::default(),
            Head { kind, .. } => rdata::read(kind, self.inside(), self.value_bytes),
        }
    }

    /// Of an SOA record, whose text has it as the third word.
    pub(super) fn serial(&self) -> Option<String> {
        if self.head.kind == SOA { self.data().text.split(' ').nth(2).map(str::to_owned) } else { None }
    }
}

/// A record being read.
struct Shown<'r> {
    record: &'r Record,
    data: OnceLock<Data>,
}

impl Shown<'_> {
    fn data(&self) -> &Data {
        self.data.get_or_init(|| self.record.data())
    }
}

impl Object for Shown<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        let Head { kind, class, ttl, cache_flush, .. } = self.record.head;
        visit("name", Value::text(self.record.name()));
        visit("type", Value::Str(codes::type_name(kind)));
        visit("class", Value::Str(codes::class_name(class)));
        visit("ttl", Value::Int(ttl.into()));
        let data = self.data();
        for name in TEXTS {
            visit(name, Value::str(if data.slot == Some(name) { &data.text } else { "" }));
        }
        if cache_flush {
            visit("cacheFlush", Value::Bool(true));
        }
        data.more.each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let head = &self.record.head;
        Some(match name {
            "name" => Value::text(self.record.name()),
            "type" => Value::Str(codes::type_name(head.kind)),
            "class" => Value::Str(codes::class_name(head.class)),
            "ttl" => Value::Int(head.ttl.into()),
            "cacheFlush" if head.cache_flush => Value::Bool(true),
            _ if TEXTS.contains(&name) => {
                let data = self.data();
                Value::str(if data.slot == Some(name) { &data.text } else { "" })
            }
            _ => return self.data().more.get(name),
        })
    }
}

impl List for Vec<Record> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        let shown = Shown { record: self.get(index)?, data: OnceLock::new() };
        Some(Value::Object(ObjectRef::Owned(Box::new(shown))))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) class: u16,
    unicast_response: bool,
}

impl Question {
    pub(super) fn read(reader: &mut Reader<'_>, multicast: bool) -> Result<Self, ParseError> {
        let name = name::read(reader)?;
        let (kind, class) = (reader.u16_be()?, reader.u16_be()?);
        let unicast_response = multicast && class & TOP_BIT != 0;
        let class = if unicast_response { class & !TOP_BIT } else { class };
        Ok(Self { name, kind, class, unicast_response })
    }

    /// Passes over one that [`Self::read`] can then read.
    pub(super) fn skip(reader: &mut Reader<'_>) -> Result<(), ParseError> {
        name::skip(reader)?;
        reader.skip(2)?;
        reader.skip(2)
    }
}

impl Object for Question {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ["name", "type", "class", "unicastResponse"] {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "name" => Value::str(&self.name),
            "type" => Value::Str(codes::type_name(self.kind)),
            "class" => Value::Str(codes::class_name(self.class)),
            "unicastResponse" if self.unicast_response => Value::Bool(true),
            _ => return None,
        })
    }
}

impl List for Vec<Question> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|question| Value::object(question))
    }
}
