//! JSON as a text with positions: no tree is built, a pass over an object or list reads its text.
//!
//! [`read`] checks the whole text once; the rest relies on it, though nothing but the answer would be wrong if it could not.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::{ControlFlow, Range};

use super::edit::Edit;
use super::{Part, TooLarge};
use crate::scalar::{self, Number};
use crate::value::Kind;

/// Where the value stands, if the text is JSON (RFC 8259).
pub(super) fn read(text: &str) -> Result<Option<Range<usize>>, TooLarge> {
    let valid = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let start = blank(text.as_bytes(), 0);
    Ok(valid.then(|| start..text.trim_end_matches([' ', '\t', '\n', '\r']).len()))
}

#[derive(Clone)]
pub(super) struct Json<'a> {
    source: &'a str,
    range: Range<usize>,
    /// Of a string, its content, once it was asked for.
    text: OnceCell<Cow<'a, str>>,
}

impl<'a> Json<'a> {
    pub(super) fn new(source: &'a str, range: Range<usize>) -> Self {
        Self { source, range, text: OnceCell::new() }
    }

    fn raw(&self) -> &'a str {
        self.source.get(self.range.clone()).unwrap_or_default()
    }
}

impl Part for Json<'_> {
    fn kind(&self) -> Kind<'_> {
        let raw = self.raw();
        match raw.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Str(self.text.get_or_init(|| {
                let inside = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
                unescaped(inside.unwrap_or_default())
            })),
            Some(b't') => Kind::Bool(true),
            Some(b'f') => Kind::Bool(false),
            Some(b'n') | None => Kind::Null,
            Some(_) => match scalar::parse(raw) {
                Some(Number::Int(value)) => Kind::Int(value),
                Some(Number::Float(value)) => Kind::Float(value),
                // Beyond the range of a float; it is no JSON to many.
                None => Kind::Null,
            },
        }
    }

    fn parts(&self, visit: &mut dyn FnMut(Option<&str>, &Self) -> ControlFlow<()>) {
        let bytes = self.source.as_bytes();
        let object = match bytes.get(self.range.start) {
            Some(b'{') => true,
            Some(b'[') => false,
            _ => return,
        };
        let end = self.range.end.saturating_sub(1);
        let mut at = blank(bytes, self.range.start + 1);
        while at < end {
            let mut name = None;
            if object {
                let name_end = string_end(bytes, at);
                let raw = self.source.get(at + 1..name_end.saturating_sub(1)).unwrap_or_default();
                name = Some(unescaped(raw));
                // Over the colon.
                at = blank(bytes, blank(bytes, name_end) + 1);
            }
            let value_end = value_end(bytes, at);
            if visit(name.as_deref(), &Self::new(self.source, at..value_end)).is_break() {
                return;
            }
            // Over the comma, or the closing bracket.
            at = blank(bytes, blank(bytes, value_end) + 1);
        }
    }

    fn size(&self) -> usize {
        self.range.len()
    }

    fn replace(&self, text: &str, edits: &mut Vec<Edit>) {
        let quoted = serde_json::Value::from(text).to_string();
        edits.push(Edit { range: self.range.clone(), text: quoted });
    }
}

/// The first position from `at` on that is no white space.
fn blank(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// Behind the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Behind the value that begins at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at),
        Some(b'{' | b'[') => {
            let mut open = 0_usize;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at = string_end(bytes, at);
                        continue;
                    }
                    b'{' | b'[' => open += 1,
                    b'}' | b']' => open -= 1,
                    _ => {}
                }
                at += 1;
                if open == 0 {
                    return at;
                }
            }
            bytes.len()
        }
        _ => {
            let rest = bytes.get(at..).unwrap_or_default();
            let end = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            at + rest.iter().take_while(end).count()
        }
    }
}

/// A string's content. Half of a surrogate pair becomes U+FFFD.
fn unescaped(raw: &str) -> Cow<'_, str> {
    let Some(first) = raw.find('\\') else { return Cow::Borrowed(raw) };
    let (plain, mut rest) = raw.split_at(first);
    let mut text = String::with_capacity(raw.len());
    text.push_str(plain);
    while let Some(escape) = rest.strip_prefix('\\') {
        let Some(kind) = escape.chars().next() else { break };
        rest = &escape[kind.len_utf8()..];
        text.push(match kind {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let (character, after) = unicode(rest);
                rest = after;
                character
            }
            same => same,
        });
        let next = rest.find('\\').unwrap_or(rest.len());
        text.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(text)
}

/// What follows `\u`, and the rest.
fn unicode(rest: &str) -> (char, &str) {
    let unit = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let after = rest.get(4..).unwrap_or_default();
    let Some(first) = unit(rest) else { return (char::REPLACEMENT_CHARACTER, after) };
    if (0xd800..0xdc00).contains(&first)
        && let Some(low) = after.strip_prefix("\\u")
        && let Some(second) = unit(low).filter(|second| (0xdc00..0xe000).contains(second))
    {
        let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        return (character.unwrap_or(char::REPLACEMENT_CHARACTER), low.get(4..).unwrap_or_default());
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), after)
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Tree;

    use super::*;

    /// The tree that the positions lead to.
    fn tree(part: &Json<'_>) -> Tree {
        match Part::kind(part) {
            Kind::Object => {
                let mut members = serde_json::Map::new();
                part.parts(&mut |name, part| {
                    members.insert(name.unwrap_or_default().to_owned(), tree(part));
                    ControlFlow::Continue(())
                });
                Tree::Object(members)
            }
            Kind::List => {
                let mut elements = Vec::new();
                part.parts(&mut |_, part| {
                    elements.push(tree(part));
                    ControlFlow::Continue(())
                });
                Tree::Array(elements)
            }
            Kind::Null => Tree::Null,
            Kind::Bool(value) => value.into(),
            Kind::Int(value) => value.into(),
            Kind::Float(value) => value.into(),
            Kind::Str(text) => text.into(),
            Kind::Base64(_) => unreachable!("JSON has no bytes"),
        }
    }

    #[test]
    fn positions_lead_to_what_a_parser_finds() {
        for text in [
            r#"{"a":1,"b":[true,false,null],"c":{"d":"e"}}"#,
            " \n{ \"a\" : [ ] , \"b\" : { } , \"c\" : [ { } , [ ] ] } \t",
            r#"["\"quoted\"","back\\slash","\u00e9\n\/","\ud83d\ude00","]}","{[,:"]"#,
            r#"{"\"":{"\\":"\\"},"":""}"#,
            "[0,-1,1.5,1e3,-2E-2,9223372036854775807]",
            "\"text\"",
            "12",
            "null",
            r#"{"a":1,"a":2}"#,
        ] {
            let Ok(Some(range)) = read(text) else { panic!("{text} is JSON") };
            assert_eq!(tree(&Json::new(text, range)), serde_json::from_str::<Tree>(text).unwrap(), "{text}");
        }
        for text in ["", " ", "{", "{a:1}", "[1,]", "01", "tru", "1 2", "\"\n\""] {
            assert!(matches!(read(text), Ok(None)), "{text}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        assert_eq!(unescaped(r"a\ud83dz"), "a\u{fffd}z");
        assert_eq!(unescaped(r"\ude00\ud83d\u0041"), "\u{fffd}\u{fffd}A");
    }
}
