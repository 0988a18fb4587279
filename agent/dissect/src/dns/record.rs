//! Resource records (RFC 1035, section 4.1.3).

use super::{codes, edns, name, rdata};
use crate::{Fields, Limits, List, Object, ParseError, Reader, Tree, Value};

pub(super) const OPT: u16 = 41;
pub(super) const SOA: u16 = 6;

/// The top bit of a class: in a record of multicast DNS "flush the cache", in a question "answer me alone"
/// (RFC 6762, sections 5.4 and 10.2).
pub(super) const TOP_BIT: u16 = 0x8000;

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) kind: u16,
    class: u16,
    ttl: u32,
    cache_flush: bool,
    /// Which of [`TEXTS`] the record has, if any.
    slot: Option<usize>,
    text: String,
    /// What other types have.
    more: Fields,
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

impl Record {
    /// Reads the next record; where it is an OPT record, also what EDNS says with it.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        multicast: bool,
        limits: &Limits,
    ) -> Result<(Self, Option<edns::Edns>), ParseError> {
        let name = name::read(reader)?;
        let (kind, class, ttl) = (reader.u16_be()?, reader.u16_be()?, reader.u32_be()?);
        let length = usize::from(reader.u16_be()?);
        let start = reader.position();
        reader.skip(length)?;
        // Names in the data may point back, but nothing reaches beyond the data's end.
        let mut inside = Reader::new(&reader.whole()[..start + length]);
        inside.skip(start)?;
        let edns = (kind == OPT).then(|| edns::Edns::read(class, ttl, inside));
        let data = match &edns {
            Some(edns) => Data::text("opt", edns.text()),
            None if length == 0 => Data::default(),
            None => rdata::read(kind, inside, limits),
        };
        let cache_flush = multicast && kind != OPT && class & TOP_BIT != 0;
        let class = if cache_flush { class & !TOP_BIT } else { class };
        let slot = data.slot.and_then(|slot| TEXTS.iter().position(|text| *text == slot));
        let record = Self { name, kind, class, ttl, cache_flush, slot, text: data.text, more: data.more };
        Ok((record, edns))
    }

    pub(super) fn heap(&self) -> usize {
        self.name.capacity() + self.text.capacity() + self.more.heap()
    }

    /// Of an SOA record, whose text has it as the third word.
    pub(super) fn serial(&self) -> Option<&str> {
        if self.kind == SOA { self.text.split(' ').nth(2) } else { None }
    }
}

impl Object for Record {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("name", Value::str(&self.name));
        visit("type", Value::Str(codes::type_name(self.kind)));
        visit("class", Value::Str(codes::class_name(self.class)));
        visit("ttl", Value::Int(self.ttl.into()));
        for (place, text) in TEXTS.iter().enumerate() {
            visit(text, Value::str(if self.slot == Some(place) { &self.text } else { "" }));
        }
        if self.cache_flush {
            visit("cacheFlush", Value::Bool(true));
        }
        self.more.each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "name" => Value::str(&self.name),
            "type" => Value::Str(codes::type_name(self.kind)),
            "class" => Value::Str(codes::class_name(self.class)),
            "ttl" => Value::Int(self.ttl.into()),
            "cacheFlush" if self.cache_flush => Value::Bool(true),
            _ => match TEXTS.iter().position(|text| *text == name) {
                Some(place) => Value::str(if self.slot == Some(place) { &self.text } else { "" }),
                None => return self.more.get(name),
            },
        })
    }
}

impl List for Vec<Record> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|record| Value::object(record))
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
