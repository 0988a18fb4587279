//! The shape of an item as its readers see it: scripts, the filter language and the JSON output all ask the same way.
//!
//! Nothing is built until it is asked for. A protocol's message keeps its bytes and answers for a field; only what is
//! read is decoded.

use std::borrow::Cow;

use crate::json;

/// A JSON-like value borrowed from an item.
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Cow<'a, str>),
    /// Bytes whose JSON form is a base64 string.
    Base64(&'a [u8]),
    List(&'a dyn List),
    Object(ObjectRef<'a>),
}

/// An object that lives in the item, or one made for this question.
pub enum ObjectRef<'a> {
    Borrowed(&'a dyn Object),
    Owned(Box<dyn Object + 'a>),
}

impl<'a> std::ops::Deref for ObjectRef<'a> {
    type Target = dyn Object + 'a;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Borrowed(object) => *object,
            Self::Owned(object) => object.as_ref(),
        }
    }
}

/// Named fields in a fixed order.
///
/// A field that does not apply (a request without a body has no `postData`) is not listed, rather than null.
pub trait Object: Send + Sync {
    /// Calls `visit` with each field in the order of the JSON form.
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>));

    /// The names of all fields, in the order of [`Object::each`]; must not compute the values.
    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.each(&mut |name, _| visit(name));
    }

    /// One field, without computing the others.
    fn get(&self, name: &str) -> Option<Value<'_>>;

    /// Appends the JSON form. What is printed often may do it faster than field by field, to the same text.
    fn write_json(&self, out: &mut Vec<u8>) {
        json::write_fields(|visit| self.each(visit), out);
    }
}

/// A field of a `T`: its name and how it is read; none where it does not apply.
pub(crate) type Field<T> = (&'static str, for<'a> fn(&'a T) -> Option<Value<'a>>);

/// An [`Object`]'s fields in the order of its JSON form, where their names are always the same: going through all compares no
/// names.
pub(crate) struct Table<T: 'static>(pub(crate) &'static [Field<T>]);

impl<T> Table<T> {
    pub(crate) fn each<'a>(&self, object: &'a T, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, read) in self.0 {
            if let Some(value) = read(object) {
                visit(name, value);
            }
        }
    }

    pub(crate) fn get<'a>(&self, object: &'a T, name: &str) -> Option<Value<'a>> {
        let (_, read) = self.0.iter().find(|(known, _)| *known == name)?;
        read(object)
    }
}

pub trait List: Send + Sync {
    fn len(&self) -> usize;

    fn at(&self, index: usize) -> Option<Value<'_>>;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the JSON form, as [`Object::write_json`] does.
    fn write_json(&self, out: &mut Vec<u8>) {
        json::write_elements((0..self.len()).map(|index| self.at(index).unwrap_or(Value::Null)), out);
    }
}

impl<'a> Value<'a> {
    pub fn str(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }

    pub fn text(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }

    pub fn object(object: &'a dyn Object) -> Self {
        Self::Object(ObjectRef::Borrowed(object))
    }

    /// A count as a JSON number. Counts stay far below 2^63.
    pub fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl List for &'static [&'static str] {
    fn len(&self) -> usize {
        <[_]>::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|text| Value::str(text))
    }
}

impl List for Vec<String> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|text| Value::str(text))
    }
}
