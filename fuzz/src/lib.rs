//! What the targets share: a way to read decisions and bytes out of the fuzzer's input, and conversations made of them.
#![forbid(unsafe_code)]

mod conversation;

use std::sync::Arc;

use remora_dissect::item::{Node, Origin};
use remora_dissect::{Object, Value, json};

pub use conversation::{datagrams, stream, stream_with};

/// The fuzzer's bytes, taken from the front. What is asked for beyond their end is zero, or empty, so that every input
/// means something.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub fn u16(&mut self) -> u16 {
        u16::from(self.u8()) << 8 | u16::from(self.u8())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    /// `count` bytes, or as many as are left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }
}

/// Where fuzzed items come from.
pub fn origin() -> Arc<Origin> {
    let node = Node { ip: "127.0.0.1".to_owned(), name: "fuzz".to_owned() };
    Arc::new(Origin { worker: "127.0.0.1:30001".to_owned(), node, backend: "fuzz", source: "fuzz" })
}

/// Panics unless the object, and all it contains, answers for each field alone as it does for all at once.
pub fn consistent(object: &dyn Object) {
    let mut seen = Vec::new();
    object.each(&mut |name, value| {
        let alone = object.get(name).unwrap_or_else(|| panic!("{name:?} is listed, but not found"));
        assert_eq!(text(&value), text(&alone), "{name:?}");
        seen.push(name.to_owned());
        descend(&value);
    });
    let mut names = Vec::new();
    object.names(&mut |name| names.push(name.to_owned()));
    assert_eq!(names, seen);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), seen.len(), "a field comes twice: {seen:?}");
    assert!(object.get("\u{1}no such field").is_none());
}

fn descend(value: &Value<'_>) {
    match value {
        Value::Object(object) => consistent(&**object),
        Value::List(list) => {
            for index in 0..list.len() {
                descend(&list.at(index).expect("an index below the length"));
            }
            assert!(list.at(list.len()).is_none());
        }
        _ => {}
    }
}

fn text(value: &Value<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    json::write_value(value, &mut text);
    text
}
