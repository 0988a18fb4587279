//! `redact` inside payloads: the pieces of the text that hold the values are exchanged, everything else stays as it is.

use std::cmp::Reverse;
use std::ops::{ControlFlow, Range};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Format, Opened, Part, json, open, visits_for, xml};
use crate::ast::Step;
use crate::eval::Budget;
use crate::value::Kind;

/// What stands in the place of a redacted value.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// A piece of the text and what takes its place.
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// The text with the values replaced, and their number; nothing where the path leads nowhere. A text above a cap is
/// replaced whole.
pub(crate) fn redact_text(
    text: &str,
    format: Format,
    steps: &[Step],
    budget: &Budget,
) -> Option<(String, usize)> {
    let kind = Kind::Str(text);
    match format {
        Format::Json => {
            let opened = open(kind, budget, json::read);
            edited(
                opened,
                steps,
                |text, range, editor| {
                    editor.collect(&json::Json::new(text, range.clone()), steps);
                },
                budget,
            )
        }
        Format::Xml => {
            let opened = open(kind, budget, xml::read);
            edited(
                opened,
                steps,
                |_, document, editor| editor.collect(&xml::Xml::root(document), steps),
                budget,
            )
        }
    }
}

fn edited<T>(
    opened: Opened<'_, T>,
    steps: &[Step],
    collect: impl FnOnce(&str, &T, &mut Editor<'_>),
    budget: &Budget,
) -> Option<(String, usize)> {
    let (text, base64, value) = match opened {
        Opened::No => return None,
        Opened::TooLarge => {
            budget.exceed();
            return Some((REDACTED.to_owned(), 1));
        }
        Opened::Yes { text, base64, value } => (text, base64, value),
    };
    let (changed, count) = if steps.is_empty() {
        (REDACTED.to_owned(), 1)
    } else {
        let mut editor = Editor { edits: Vec::new(), count: 0, budget };
        collect(&text, &value, &mut editor);
        if editor.edits.is_empty() {
            return None;
        }
        (spliced(&text, editor.edits), editor.count)
    };
    Some((if base64 { STANDARD.encode(changed) } else { changed }, count))
}

struct Editor<'b> {
    edits: Vec<Edit>,
    count: usize,
    budget: &'b Budget,
}

impl Editor<'_> {
    fn collect<P: Part>(&mut self, part: &P, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else { return self.replace(part, REDACTED, 1) };
        if !self.budget.spend(1 + visits_for(part.size())) {
            return self.replace(part, REDACTED, 1);
        }
        match step {
            Step::Field(wanted) => self.parts(part, |editor, name, _, inner| {
                if name == Some(wanted) {
                    editor.collect(inner, rest);
                }
            }),
            Step::Index(wanted) => self.parts(part, |editor, name, at, inner| {
                if name.is_none() && at == *wanted {
                    editor.collect(inner, rest);
                }
            }),
            Step::Each => self.parts(part, |editor, _, _, inner| editor.collect(inner, rest)),
            Step::Descend(wanted) => self.parts(part, |editor, name, _, inner| {
                if name == Some(wanted) {
                    editor.collect(inner, rest);
                }
                let budget = editor.budget;
                if budget.deeper(|| editor.collect(inner, steps)).is_none() {
                    editor.replace(inner, REDACTED, 1);
                }
            }),
            Step::Json => self.inner_text(part, Format::Json, rest),
            Step::Xml => self.inner_text(part, Format::Xml, rest),
        }
    }

    fn parts<P: Part>(&mut self, part: &P, mut visit: impl FnMut(&mut Self, Option<&str>, usize, &P)) {
        let mut at = 0;
        part.parts(&mut |name, inner| {
            visit(self, name, at, inner);
            at += 1;
            ControlFlow::Continue(())
        });
    }

    fn inner_text<P: Part>(&mut self, part: &P, format: Format, steps: &[Step]) {
        let Kind::Str(text) = part.kind() else { return };
        if let Some((changed, count)) = redact_text(text, format, steps, self.budget) {
            self.replace(part, &changed, count);
        }
    }

    fn replace<P: Part>(&mut self, part: &P, text: &str, count: usize) {
        let before = self.edits.len();
        part.replace(text, &mut self.edits);
        // An empty element has nothing to replace.
        if self.edits.len() > before {
            self.count += count;
        }
    }
}

/// Of edits inside each other the outermost counts; of two of one piece, the first.
fn spliced(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.range.start, Reverse(edit.range.end)));
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in &edits {
        if edit.range.start < at {
            continue;
        }
        result.push_str(text.get(at..edit.range.start).unwrap_or_default());
        result.push_str(&edit.text);
        at = edit.range.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}
