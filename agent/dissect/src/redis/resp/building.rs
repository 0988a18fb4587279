//! A value on its way: the aggregates that are open, and what is kept of their entries under the caps.

use super::super::message;
use crate::{Fields, Limits, Tree};

/// Values deeper than this are not RESP that anyone sends.
const DEEPEST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Building {
    /// The innermost is the last.
    stack: Vec<Open>,
    /// Bytes of heap that the value holds, more or less.
    pub(super) kept: usize,
    built: Built,
}

/// What is told of a value beside the value.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) marker: u8,
    pub(super) count: u64,
    pub(super) attributes: Option<Tree>,
    pub(super) truncated: bool,
}

/// An aggregate whose entries are coming.
#[derive(Debug)]
struct Open {
    marker: u8,
    /// Entries to come; `None` until a line says that there are no more.
    left: Option<u64>,
    /// Entries so far.
    seen: u64,
    entries: Vec<Tree>,
    /// For the entry that comes next.
    attributes: Option<Tree>,
}

impl Building {
    /// No aggregate is open: what comes is the value itself.
    pub(super) const fn is_outermost(&self) -> bool {
        self.stack.is_empty()
    }

    /// Pieces of a string are coming.
    pub(super) fn is_streamed_string(&self) -> bool {
        self.stack.last().is_some_and(|open| open.marker == b';')
    }

    /// A line will say that what is open has no more entries.
    pub(super) fn is_endless(&self) -> bool {
        self.stack.last().is_some_and(|open| open.left.is_none())
    }

    pub(super) const fn memory(&self) -> usize {
        self.kept + self.stack.capacity() * size_of::<Open>()
    }

    /// Some of it is left out.
    pub(super) const fn truncate(&mut self) {
        self.built.truncated = true;
    }

    /// A value of a type begins.
    pub(super) const fn mark(&mut self, marker: u8) {
        if self.is_outermost() {
            self.built.marker = marker;
        }
    }

    /// How many entries were announced, where it is the value itself that has them.
    pub(super) const fn announce(&mut self, count: u64) {
        if self.is_outermost() {
            self.built.count = count;
        }
    }

    pub(super) fn open(&mut self, marker: u8, left: Option<u64>) -> Result<(), &'static str> {
        if self.stack.len() >= DEEPEST {
            return Err("values are nested too deeply");
        }
        self.stack.push(Open { marker, left, seen: 0, entries: Vec::new(), attributes: None });
        Ok(())
    }

    /// A value is whole: the message, or an entry of what is open. Gives the message once it is whole.
    pub(super) fn add(&mut self, mut value: Tree, limits: &Limits) -> Option<Tree> {
        let depth = self.stack.len();
        let Some(open) = self.stack.last_mut() else { return Some(value) };
        if let Some(attributes) = open.attributes.take() {
            value = Fields::new().with("attributes", attributes).with("value", value).into();
        }
        open.seen += 1;
        let fits = open.entries.len() < limits.list_entries && self.kept < limits.message_bytes;
        if fits && depth <= limits.nesting {
            self.kept += size_of::<Tree>();
            open.entries.push(value);
        } else {
            self.built.truncated = true;
        }
        if let Some(left) = &mut open.left {
            *left = left.saturating_sub(1);
        }
        if open.left == Some(0) { self.close(limits) } else { None }
    }

    /// The innermost aggregate is whole. Gives the message once that is.
    pub(super) fn close(&mut self, limits: &Limits) -> Option<Tree> {
        let open = self.stack.pop()?;
        let marker = open.marker;
        if self.stack.is_empty() && marker != b'|' && open.left.is_none() {
            self.built.count = open.seen / if marker == b'%' { 2 } else { 1 };
        }
        let value = open.into_tree();
        if marker != b'|' {
            return self.add(value, limits);
        }
        match self.stack.last_mut() {
            Some(open) => open.attributes = Some(value),
            None => self.built.attributes = Some(value),
        }
        None
    }

    /// Closes all that is open: what there is of the message, `last` the value that came last.
    pub(super) fn abandon(&mut self, mut last: Option<Tree>, limits: &Limits) -> Tree {
        while let Some(mut open) = self.stack.pop() {
            open.entries.extend(last.take().filter(|_| self.stack.len() < limits.nesting));
            last = Some(open.into_tree());
        }
        self.truncate();
        last.unwrap_or_default()
    }

    /// The message was given; what comes next is another.
    pub(super) fn finish(&mut self) -> Built {
        // The memory of the stack is good for the next value.
        self.stack.clear();
        self.kept = 0;
        std::mem::take(&mut self.built)
    }
}

impl Open {
    fn into_tree(self) -> Tree {
        match self.marker {
            b'%' | b'|' => {
                let mut fields = Fields::with_capacity(self.entries.len() / 2);
                let mut entries = self.entries.into_iter();
                while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
                    let key = match key {
                        Tree::Text(text) => text,
                        other => message::text(&other).into_owned().into(),
                    };
                    fields.push(key, value);
                }
                fields.into()
            }
            b';' => {
                let mut whole = String::new();
                for piece in &self.entries {
                    whole.push_str(&message::text(piece));
                }
                whole.into()
            }
            _ => Tree::List(self.entries),
        }
    }
}

/// What stands for a value of which only the beginning was kept.
pub(super) fn shortened(data: Tree, size: u64, missing: u64) -> Tree {
    let mut fields = Fields::new().with("data", data).with("size", size).with("truncated", true);
    fields.push_some("missing", (missing > 0).then_some(missing));
    fields.into()
}
