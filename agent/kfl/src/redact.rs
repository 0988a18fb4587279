//! `redact` on an item in JSON.

use serde_json::Value;

use crate::ast::{Path, Step};
use crate::eval::Budget;
use crate::payload::{Format, REDACTED, redact_text};

/// Replaces what the paths lead to; returns how many values that were, and whether a cap was met. Beyond a cap all is
/// replaced: it is better to hide too much than to let something through.
pub(crate) fn redact<'p>(value: &mut Value, paths: impl Iterator<Item = &'p Path>) -> Redacted {
    let mut redacted = Redacted { values: 0, cut: false };
    for path in paths {
        let mut redactor = Redactor { budget: Budget::default(), count: 0 };
        redactor.apply(value, &path.steps);
        redacted.values += redactor.count;
        redacted.cut |= redactor.budget.exceeded();
    }
    redacted
}

/// What came of a redaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redacted {
    /// Values replaced by `[REDACTED]`.
    pub values: usize,
    /// A cap was met, and what lies beyond it is replaced whole.
    pub cut: bool,
}

struct Redactor {
    budget: Budget,
    count: usize,
}

impl Redactor {
    fn apply(&mut self, value: &mut Value, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else {
            return self.replace(value, REDACTED.to_owned(), 1);
        };
        if !self.budget.spend(1) {
            return self.replace(value, REDACTED.to_owned(), 1);
        }
        match (step, value) {
            (Step::Field(name), Value::Object(members)) => {
                if let Some(part) = members.get_mut(&**name) {
                    self.apply(part, rest);
                }
            }
            (Step::Index(index), Value::Array(elements)) => {
                if let Some(part) = elements.get_mut(*index) {
                    self.apply(part, rest);
                }
            }
            (Step::Each, Value::Object(members)) => {
                members.values_mut().for_each(|part| self.apply(part, rest))
            }
            (Step::Each, Value::Array(elements)) => {
                elements.iter_mut().for_each(|part| self.apply(part, rest))
            }
            (Step::Descend(name), value) => self.descend(value, name, steps, rest),
            (Step::Json, Value::String(text)) => self.text(text, Format::Json, rest),
            (Step::Xml, Value::String(text)) => self.text(text, Format::Xml, rest),
            _ => {}
        }
    }

    fn descend(&mut self, value: &mut Value, name: &str, steps: &[Step], rest: &[Step]) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(own, part)| {
                if own == name {
                    self.apply(part, rest);
                }
                self.deeper(part, steps);
            }),
            Value::Array(elements) => elements.iter_mut().for_each(|part| self.deeper(part, steps)),
            _ => {}
        }
    }

    fn deeper(&mut self, part: &mut Value, steps: &[Step]) {
        if !part.is_object() && !part.is_array() {
            return;
        }
        if self.budget.enter() {
            self.apply(part, steps);
            self.budget.leave();
        } else {
            self.replace(part, REDACTED.to_owned(), 1);
        }
    }

    fn text(&mut self, text: &mut String, format: Format, steps: &[Step]) {
        if let Some((changed, count)) = redact_text(text, format, steps, &self.budget) {
            *text = changed;
            self.count += count;
        }
    }

    fn replace(&mut self, value: &mut Value, text: String, count: usize) {
        *value = Value::String(text);
        self.count += count;
    }
}
