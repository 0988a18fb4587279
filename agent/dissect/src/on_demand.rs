//! Messages whose fields are made when somebody asks for them.
//!
//! When such a message comes it is gone through once, without a tree: whether it is what it should be, and what pairing
//! and the list row need of it. Only a message that is whole and right, of which no cap takes anything away, and which is
//! no longer than one value may be, is kept as bytes; any other is decoded at once. So what is read later holds no
//! surprise, and bytes that are not shown are not kept.

use std::fmt;
use std::sync::OnceLock;

use crate::item::Message;
use crate::{Fields, Object, Value};

/// What is kept of a message.
pub(crate) trait Kept: fmt::Debug + Send + Sync {
    /// A field that can be told without the others.
    fn known(&self, name: &str) -> Known<'_>;

    /// Makes all fields, those that are [`Kept::known`] among them.
    fn decode(&self) -> Fields;

    /// Bytes of heap held.
    fn heap(&self) -> usize;
}

pub(crate) enum Known<'a> {
    Is(Value<'a>),
    /// The message has no such field.
    Absent,
    /// Decoding will show.
    Unknown,
}

/// A side of an item. Its fields are made once.
#[derive(Debug)]
pub(crate) struct OnDemand<M> {
    kept: M,
    fields: OnceLock<Fields>,
}

impl<M: Kept> OnDemand<M> {
    pub(crate) const fn new(kept: M) -> Self {
        Self { kept, fields: OnceLock::new() }
    }

    pub(crate) const fn kept(&self) -> &M {
        &self.kept
    }

    fn fields(&self) -> &Fields {
        self.fields.get_or_init(|| self.kept.decode())
    }
}

impl<M: Kept> Object for OnDemand<M> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.fields().each(visit);
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.fields().names(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match self.kept.known(name) {
            Known::Is(value) => Some(value),
            Known::Absent => None,
            Known::Unknown => self.fields().get(name),
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        self.fields().write_json(out);
    }
}

impl<M: Kept + 'static> Message for OnDemand<M> {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.kept.heap() + self.fields.get().map_or(0, Fields::heap)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counted(AtomicU32);

    impl Kept for Counted {
        fn known(&self, name: &str) -> Known<'_> {
            match name {
                "a" => Known::Is(Value::Int(1)),
                "c" => Known::Absent,
                _ => Known::Unknown,
            }
        }

        fn decode(&self) -> Fields {
            self.0.fetch_add(1, Ordering::Relaxed);
            Fields::with_capacity(2).with("a", 1).with("b", 2)
        }

        fn heap(&self) -> usize {
            7
        }
    }

    #[test]
    fn fields_are_made_once_and_not_for_what_is_known() {
        let message = OnDemand::new(Counted::default());
        let decoded = || message.kept.0.load(Ordering::Relaxed);
        let before = message.memory();
        assert!(matches!((message.get("a"), message.get("c")), (Some(Value::Int(1)), None)));
        assert_eq!(decoded(), 0);
        assert!(matches!((message.get("b"), message.get("d")), (Some(Value::Int(2)), None)));
        let mut out = Vec::new();
        crate::json::write_object(&message, &mut out);
        assert_eq!((out.as_slice(), decoded()), (&br#"{"a":1,"b":2}"#[..], 1));
        assert_eq!(before, size_of_val(&message) + 7);
        assert!(message.memory() > before);
    }
}
