//! The messages that come most often, kept as they came: binds by password, searches, entries, results.

use super::answer::{Listed, answer_fields};
use super::entries::Entries;
use super::filter;
use super::framing::Head;
use super::message;
use super::names::{self, op};
use crate::der::{Element, Elements, tag};
use crate::limits::ValueLimits;
use crate::on_demand::{self, Known};
use crate::read::ParseError;
use crate::tree::Fields;
use crate::{Limits, Value};

/// By how much the text of a filter may be longer than the filter: by an escape for each byte.
const FILTER_GROWTH: usize = 3;

/// A whole message, in which decoding finds nothing wrong, and of which no cap takes anything away.
#[derive(Debug)]
pub(super) struct Kept {
    head: Head,
    bytes: Box<[u8]>,
    limits: ValueLimits,
    /// Where the DN that a request is about lies.
    dn: Option<(usize, usize)>,
    result: Option<i64>,
    /// The entries before a result.
    entries: Entries,
}

impl Kept {
    /// `None` where it has to be decoded to know more.
    pub(super) fn read(head: &Head, bytes: &[u8], limits: &Limits) -> Option<Self> {
        if bytes.len() > limits.value_bytes / FILTER_GROWTH || head.end != bytes.len() as u64 {
            return None;
        }
        let content = bytes.get(head.content..)?;
        let parts = Element { tag: head.op, content, offset: head.content }.elements();
        let (dn, result) = match head.op {
            op::BIND_REQUEST => (Some(bind(parts).ok()??), None),
            op::SEARCH_REQUEST => (Some(search(parts, limits).ok()??), None),
            op::BIND_RESPONSE
            | op::SEARCH_DONE
            | op::MODIFY_RESPONSE
            | op::ADD_RESPONSE
            | op::DEL_RESPONSE
            | op::MODIFY_DN_RESPONSE
            | op::COMPARE_RESPONSE => (None, Some(result(parts).ok()??)),
            _ => return None,
        };
        let dn = dn.map(|dn| (dn.offset, dn.content.len()));
        Some(Self {
            head: *head,
            bytes: bytes.into(),
            limits: limits.of_values(),
            dn,
            result,
            entries: Entries::default(),
        })
    }

    /// With the entries that came before it.
    pub(super) fn behind(self, entries: Entries) -> Self {
        Self { entries, ..self }
    }

    pub(super) const fn result(&self) -> Option<i64> {
        self.result
    }
}

/// The name of who binds by a password.
fn bind(mut parts: Elements<'_>) -> Result<Option<Element<'_>>, ParseError> {
    parts.expect(tag::INTEGER)?.integer()?;
    let name = parts.expect(tag::OCTET_STRING)?;
    Ok((parts.element()?.tag == tag::context_primitive(0)).then_some(name))
}

/// Where a search begins.
fn search<'a>(mut parts: Elements<'a>, limits: &Limits) -> Result<Option<Element<'a>>, ParseError> {
    let base = parts.expect(tag::OCTET_STRING)?;
    for names in [names::SCOPES, names::DEREFS] {
        let number = parts.expect(tag::ENUMERATED)?.integer()?;
        if !usize::try_from(number).is_ok_and(|number| number < names.len()) {
            return Ok(None);
        }
    }
    for _ in ["sizeLimit", "timeLimit"] {
        parts.expect(tag::INTEGER)?.integer()?;
    }
    parts.expect(tag::BOOLEAN)?.boolean()?;
    if !filter::is_right(parts.element()?, limits.nesting)? {
        return Ok(None);
    }
    let mut attributes = 0;
    for attribute in parts.expect(tag::SEQUENCE)?.elements() {
        attribute?;
        attributes += 1;
    }
    Ok((attributes <= limits.list_entries).then_some(base))
}

/// The code of a result that has nothing behind its text.
fn result(mut parts: Elements<'_>) -> Result<Option<i64>, ParseError> {
    let code = parts.expect(tag::ENUMERATED)?.integer()?;
    parts.expect(tag::OCTET_STRING)?;
    parts.expect(tag::OCTET_STRING)?;
    Ok(parts.is_empty().then_some(code))
}

impl on_demand::Kept for Kept {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "type" => match names::operation(self.head.op) {
                Some((_, name)) => Known::Is(Value::str(name)),
                None => Known::Absent,
            },
            "messageId" => Known::Is(Value::Int(self.head.id)),
            "dn" => match self.dn.and_then(|(at, length)| self.bytes.get(at..at + length)) {
                Some(dn) => Known::Is(Value::Str(crate::text::lossy(dn))),
                None => Known::Absent,
            },
            "resultCode" => match self.result {
                Some(code) => Known::Is(Value::Int(code)),
                None => Known::Absent,
            },
            "name" | "oid" => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let mut fields = message::decode(&self.head, &self.bytes, true, self.limits).fields;
        let mut lists: [Listed; 3] = Default::default();
        self.entries.decode(self.limits, |entry| lists[0].push(entry));
        answer_fields(&mut fields, lists, false, self.head.op == op::SEARCH_DONE);
        fields
    }

    fn heap(&self) -> usize {
        self.bytes.len() + self.entries.memory()
    }
}
