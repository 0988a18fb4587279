//! Texts that hold JSON or XML, plain or as base64: looked into, and changed, where they stand.

mod edit;
mod json;
mod xml;

use std::borrow::Cow;
use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use edit::Edit;
pub(crate) use edit::{REDACTED, redact_text};

use crate::caps::{MAX_PAYLOAD_BYTES, PAYLOAD_BYTES_PER_VISIT};
use crate::eval::Budget;
use crate::value::{Kind, Value, Visit, VisitEach};

/// A part of a payload.
trait Part: Clone {
    fn kind(&self) -> Kind<'_>;

    /// Its fields or elements, until `visit` breaks.
    fn parts(&self, visit: &mut dyn FnMut(Option<&str>, &Self) -> ControlFlow<()>);

    /// Bytes that a pass over the parts reads.
    fn size(&self) -> usize;

    /// Puts a text in its place.
    fn replace(&self, text: &str, edits: &mut Vec<Edit>);
}

impl<P: Part> Value for P {
    fn kind(&self) -> Kind<'_> {
        Part::kind(self)
    }

    /// Of several fields with one name the last, as JSON parsers have it.
    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool {
        let mut last = None;
        self.parts(&mut |own, part| {
            if own == Some(name) {
                last = Some(part.clone());
            }
            ControlFlow::Continue(())
        });
        last.map(|part| visit(&part)).is_some()
    }

    fn index(&self, index: usize, visit: &mut Visit<'_>) -> bool {
        let (mut at, mut found) = (0, false);
        self.parts(&mut |name, part| {
            if name.is_some() {
                return ControlFlow::Break(());
            }
            found = at == index;
            if found {
                visit(part);
                return ControlFlow::Break(());
            }
            at += 1;
            ControlFlow::Continue(())
        });
        found
    }

    fn each(&self, visit: &mut VisitEach<'_>) {
        self.parts(&mut |name, part| visit(name, part));
    }

    fn cost(&self) -> u32 {
        visits_for(self.size())
    }
}

/// Payloads are far below 2^32 visits.
fn visits_for(bytes: usize) -> u32 {
    u32::try_from(bytes / PAYLOAD_BYTES_PER_VISIT).unwrap_or(u32::MAX)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
}

/// What came of reading a text as a format.
enum Opened<'a, T> {
    /// It is none.
    No,
    /// It is above a cap, or the budget is used up.
    TooLarge,
    Yes {
        text: Cow<'a, str>,
        base64: bool,
        value: T,
    },
}

/// A payload above a cap.
struct TooLarge;

/// Reads a payload as it is and, where that fails, what it is the base64 of.
fn open<'a, T>(
    kind: Kind<'a>,
    budget: &Budget,
    read: impl Fn(&str) -> Result<Option<T>, TooLarge>,
) -> Opened<'a, T> {
    let bytes = match kind {
        Kind::Str(text) => text.as_bytes(),
        Kind::Base64(bytes) => bytes,
        _ => return Opened::No,
    };
    if bytes.len() / 4 * 3 > MAX_PAYLOAD_BYTES || !budget.spend(1 + visits_for(bytes.len())) {
        return Opened::TooLarge;
    }
    let plain = match kind {
        Kind::Str(text) => Some(text),
        _ => std::str::from_utf8(bytes).ok(),
    };
    if let Some(text) = plain {
        match read(text) {
            Ok(Some(value)) => return Opened::Yes { text: Cow::Borrowed(text), base64: false, value },
            Ok(None) => {}
            Err(TooLarge) => return Opened::TooLarge,
        }
    }
    let decoded = STANDARD.decode(bytes.trim_ascii()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = decoded else { return Opened::No };
    match read(&text) {
        Ok(Some(value)) => Opened::Yes { text: Cow::Owned(text), base64: true, value },
        Ok(None) => Opened::No,
        Err(TooLarge) => Opened::TooLarge,
    }
}

/// Calls `visit` with what a text holds, if it holds that.
pub(crate) fn with(format: Format, kind: Kind<'_>, budget: &Budget, visit: &mut Visit<'_>) {
    let too_large = match format {
        Format::Json => match open(kind, budget, json::read) {
            Opened::Yes { text, value, .. } => {
                visit(&json::Json::new(&text, value));
                false
            }
            Opened::No => false,
            Opened::TooLarge => true,
        },
        Format::Xml => match open(kind, budget, xml::read) {
            Opened::Yes { value, .. } => {
                visit(&xml::Xml::root(&value));
                false
            }
            Opened::No => false,
            Opened::TooLarge => true,
        },
    };
    if too_large {
        budget.exceed();
    }
}
