//! Owned values: what a message is made into where its bytes are not kept.

use std::borrow::Cow;

use crate::item::Message;
use crate::json;
use crate::value::{List, Object, Value};

/// A JSON-like value.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Tree {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'static, str>),
    /// Its JSON form is base64.
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Fields(Fields),
}

/// Named values in a fixed order. What does not apply is left out rather than null.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fields(Vec<(Cow<'static, str>, Tree)>);

impl Tree {
    /// Text where the bytes are UTF-8, else the bytes.
    pub fn text_or_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(Cow::Owned(text.to_owned())),
            Err(_) => Self::Bytes(bytes.to_vec()),
        }
    }

    /// Text, with U+FFFD for what is not UTF-8.
    pub fn lossy(bytes: &[u8]) -> Self {
        Self::Text(Cow::Owned(crate::text::lossy(bytes).into_owned()))
    }

    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(value) => Value::str(value),
            Self::Bytes(value) => Value::Base64(value),
            Self::List(value) => Value::List(value),
            Self::Fields(value) => Value::object(value),
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    pub fn as_fields(&self) -> Option<&Fields> {
        if let Self::Fields(fields) = self { Some(fields) } else { None }
    }

    /// Bytes of heap it holds.
    pub fn heap(&self) -> usize {
        match self {
            Self::Text(Cow::Owned(text)) => text.capacity(),
            Self::Bytes(bytes) => bytes.capacity(),
            Self::List(list) => {
                list.capacity() * size_of::<Self>() + list.iter().map(Self::heap).sum::<usize>()
            }
            Self::Fields(fields) => fields.heap(),
            _ => 0,
        }
    }
}

impl Fields {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    /// Appends a field. A name from the wire may come twice: the later value counts, as in JSON.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Tree>) {
        match name.into() {
            name @ Cow::Borrowed(_) => self.0.push((name, value.into())),
            name @ Cow::Owned(_) => self.set(name, value),
        }
    }

    /// Appends where there is a value.
    pub fn push_some(&mut self, name: impl Into<Cow<'static, str>>, value: Option<impl Into<Tree>>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Tree>) -> Self {
        self.push(name, value);
        self
    }

    /// Appends all of the other's.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Replaces the value of a name, or appends it. Lists of names from the wire are capped, so looking through them is not
    /// what takes the time.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Tree>) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name, value.into())),
        }
    }

    pub fn field(&self, name: &str) -> Option<&Tree> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tree)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of heap it holds.
    pub fn heap(&self) -> usize {
        let names: usize = self
            .0
            .iter()
            .map(|(name, value)| {
                let name = if let Cow::Owned(name) = name { name.capacity() } else { 0 };
                name + value.heap()
            })
            .sum();
        self.0.capacity() * size_of::<(Cow<'static, str>, Tree)>() + names
    }
}

impl IntoIterator for Fields {
    type Item = (Cow<'static, str>, Tree);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Object for Fields {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.0.iter().for_each(|(name, value)| visit(name, value.value()));
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.0.iter().for_each(|(name, _)| visit(name));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.field(name).map(Tree::value)
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index != 0 {
                out.push(b',');
            }
            json::write_name(name, out);
            json::write_tree(value, out);
        }
        out.push(b'}');
    }
}

impl List for Vec<Tree> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(Tree::value)
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, value) in self.iter().enumerate() {
            if index != 0 {
                out.push(b',');
            }
            json::write_tree(value, out);
        }
        out.push(b']');
    }
}

impl Message for Fields {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.heap()
    }
}

/// Bytes as text in base 16.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

macro_rules! from {
    ($($type:ty, $value:ident => $tree:expr;)+) => {
        $(impl From<$type> for Tree {
            fn from($value: $type) -> Self {
                $tree
            }
        })+
    };
}

from! {
    bool, value => Self::Bool(value);
    u8, value => Self::Int(value.into());
    i8, value => Self::Int(value.into());
    u16, value => Self::Int(value.into());
    i16, value => Self::Int(value.into());
    u32, value => Self::Int(value.into());
    i32, value => Self::Int(value.into());
    i64, value => Self::Int(value);
    // Above 2^63 a JSON number is no longer exact anyway.
    u64, value => i64::try_from(value).map_or(Self::Float(value as f64), Self::Int);
    usize, value => Self::from(value as u64);
    f64, value => Self::Float(value);
    &'static str, value => Self::Text(Cow::Borrowed(value));
    String, value => Self::Text(Cow::Owned(value));
    Cow<'static, str>, value => Self::Text(value);
    Vec<Tree>, value => Self::List(value);
    Fields, value => Self::Fields(value);
}

impl<T: Into<Self>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Tree {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_reads_as_the_json_it_stands_for() {
        let inner = Fields::new().with("a", 1u8).with("b", ["x", "y"].into_iter().collect::<Tree>());
        let mut fields = Fields::new().with("inner", inner).with("none", None::<u8>);
        fields.push_some("absent", None::<u8>);
        fields.push_some("bytes", Some(Tree::text_or_bytes(&[0xff])));
        fields.set("none", 2.5);
        let mut out = Vec::new();
        crate::json::write_object(&fields, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"inner":{"a":1,"b":["x","y"]},"none":2.5,"bytes":"/w=="}"#
        );
        assert!(fields.heap() > 0 && fields.memory() > fields.heap());
        assert_eq!(Tree::from(u64::MAX), Tree::Float(u64::MAX as f64));
        let twice = Fields::new().with("a".to_owned(), 1).with("b".to_owned(), 2).with("a".to_owned(), 3);
        assert_eq!((twice.len(), twice.field("a")), (2, Some(&Tree::Int(3))));
    }
}
