//! JSON text looked into without building it, and what is shown of it.

use memchr::memchr2;

use super::Caps;
use crate::tree::{Fields, Tree};

/// The members of the object that `text` begins with, as (name with escapes, text of the value). Ends where the object
/// does, or where it is no JSON.
pub(super) fn members(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = open(text, b'{');
    std::iter::from_fn(move || {
        let (name, after) = value(rest?)?;
        let name = name.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let (value, after) = value(after.trim_ascii_start().strip_prefix(b":")?)?;
        rest = after.trim_ascii_start().strip_prefix(b",");
        Some((name, value))
    })
}

/// The elements of the array that `text` begins with.
pub(super) fn elements(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = open(text, b'[');
    std::iter::from_fn(move || {
        let (value, after) = value(rest?)?;
        rest = after.trim_ascii_start().strip_prefix(b",");
        Some(value)
    })
}

pub(super) fn member<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    members(text).find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| value)
}

/// What a string says; `None` where the value is something else.
pub(super) fn string(value: &[u8]) -> Option<String> {
    if value.first() == Some(&b'"') { serde_json::from_slice(value).ok() } else { None }
}

fn open(text: &[u8], bracket: u8) -> Option<&[u8]> {
    match text.trim_ascii_start() {
        [first, rest @ ..] if *first == bracket => Some(rest),
        _ => None,
    }
}

/// The value that `text` begins with, and what follows it. Nothing inside it is checked.
fn value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let len = match text.first()? {
        b'"' => quoted(text)?,
        b'{' | b'[' => nested(text)?,
        b'}' | b']' | b',' | b':' => return None,
        _ => text
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
            .count(),
    };
    if len == 0 { None } else { Some(text.split_at(len)) }
}

/// Bytes of the string that `text` begins with, quotes included.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Bytes of the object or array that `text` begins with.
fn nested(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0usize);
    loop {
        at += text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
        match text[at] {
            b'"' => at += quoted(&text[at..])?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            _ => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
    }
}

/// A value as items show it. `cut` becomes true where a cap applied.
pub(super) fn shown(value: &[u8], caps: Caps, cut: &mut bool) -> Tree {
    match serde_json::from_slice(value) {
        Ok(value) => tree(value, caps, caps.nesting, cut),
        Err(_) => {
            *cut = true;
            Tree::Null
        }
    }
}

fn tree(value: serde_json::Value, caps: Caps, levels: usize, cut: &mut bool) -> Tree {
    match value {
        serde_json::Value::Null => Tree::Null,
        serde_json::Value::Bool(value) => value.into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().into(),
        },
        serde_json::Value::String(text) => shorten(text, caps, cut).into(),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) if levels == 0 => {
            *cut = true;
            Tree::Text(value.to_string().into())
        }
        serde_json::Value::Array(list) => {
            *cut |= list.len() > caps.entries;
            let list = list.into_iter().take(caps.entries);
            Tree::List(list.map(|value| tree(value, caps, levels - 1, cut)).collect())
        }
        serde_json::Value::Object(object) => {
            *cut |= object.len() > caps.entries;
            let mut fields = Fields::with_capacity(object.len().min(caps.entries));
            for (name, value) in object.into_iter().take(caps.entries) {
                fields.push(name, tree(value, caps, levels - 1, cut));
            }
            fields.into()
        }
    }
}

pub(super) fn shorten(mut text: String, caps: Caps, cut: &mut bool) -> String {
    if text.len() > caps.bytes {
        text.truncate(text.floor_char_boundary(caps.bytes));
        *cut = true;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_found_without_building_them() {
        let text = br#" {"a": "x\"}", "b" :{"c":[1,{"d":"]"}]},"e":-1.5e3, "f":null} trailing"#;
        let found: Vec<String> = members(text)
            .map(|(name, value)| {
                format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
            })
            .collect();
        assert_eq!(found, [r#"a="x\"}""#, r#"b={"c":[1,{"d":"]"}]}"#, "e=-1.5e3", "f=null"]);
        let found: Vec<&[u8]> = elements(b"[1, [2], \"3\"]").collect();
        assert_eq!(found, [&b"1"[..], b"[2]", b"\"3\""]);
        for (text, count) in [
            ("", 0),
            ("{", 0),
            ("{\"a\"", 0),
            ("{\"a\":", 0),
            ("{\"a\":1", 1),
            ("{\"a\":1,\"b\":\"open", 1),
            ("{1:2}", 0),
        ] {
            assert_eq!(members(text.as_bytes()).count(), count, "{text}");
        }
        assert_eq!(members(&b"[".repeat(100_000)).count(), 0);
        assert_eq!(elements(&b"[".repeat(100_000)).count(), 0);
    }

    #[test]
    fn what_is_shown_is_capped() {
        let caps = Caps { bytes: 4, entries: 2, nesting: 2 };
        let mut cut = false;
        let tree = shown(br#"{"a":"long text","b":[[1]],"c":1}"#, caps, &mut cut);
        let expected = Fields::new().with("a", "long").with("b", vec![Tree::Text("[1]".into())]);
        assert_eq!((tree, cut), (expected.into(), true));
    }
}
