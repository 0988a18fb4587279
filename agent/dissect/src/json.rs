//! JSON text of a [`Value`], appended to a byte buffer that callers reuse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::tree::Tree;
use crate::value::{List, Object, Value};

pub fn write_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => write_bool(*value, out),
        Value::Int(number) => write_int(*number, out),
        Value::Float(number) => write_float(*number, out),
        Value::Str(text) => write_str(text, out),
        Value::Base64(bytes) => write_base64(bytes, out),
        Value::List(list) => write_list(*list, out),
        Value::Object(object) => write_object(&**object, out),
    }
}

pub fn write_object(object: &dyn Object, out: &mut Vec<u8>) {
    object.write_json(out);
}

/// An object out of what `each` visits.
pub(crate) fn write_fields<'a>(each: impl FnOnce(&mut dyn FnMut(&'a str, Value<'a>)), out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    each(&mut |name, value| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_name(name, out);
        write_value(&value, out);
    });
    out.push(b'}');
}

pub fn write_list(list: &dyn List, out: &mut Vec<u8>) {
    list.write_json(out);
}

/// A list out of its elements.
pub(crate) fn write_elements<'a>(elements: impl Iterator<Item = Value<'a>>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, value) in elements.enumerate() {
        if index != 0 {
            out.push(b',');
        }
        write_value(&value, out);
    }
    out.push(b']');
}

/// An owned value, which need not be borrowed first.
pub(crate) fn write_tree(tree: &Tree, out: &mut Vec<u8>) {
    match tree {
        Tree::Null => out.extend_from_slice(b"null"),
        Tree::Bool(value) => write_bool(*value, out),
        Tree::Int(number) => write_int(*number, out),
        Tree::Float(number) => write_float(*number, out),
        Tree::Text(text) => write_str(text, out),
        Tree::Bytes(bytes) => write_base64(bytes, out),
        Tree::List(list) => list.write_json(out),
        Tree::Fields(fields) => fields.write_json(out),
    }
}

pub(crate) fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Whole numbers print without a fraction; what JSON has no form for is null, as `JSON.stringify` does.
pub(crate) fn write_float(number: f64, out: &mut Vec<u8>) {
    use std::io::Write as _;
    if let Some(millionths) = millionths(number) {
        write_millionths(millionths, out);
    } else if number.is_finite() {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{number}");
    } else {
        out.extend_from_slice(b"null");
    }
}

const MILLION: u64 = 1_000_000;

/// A number that is a whole count of millionths with at most 15 digits, as milliseconds are that were nanoseconds. Two
/// decimals that short are never the same `f64`, so it is also the shortest that reads as this number: what is to be printed.
fn millionths(number: f64) -> Option<u64> {
    const BEYOND: f64 = 1e15;
    let scaled = (number * MILLION as f64).round();
    let exact = number.is_sign_positive() && scaled < BEYOND && scaled / MILLION as f64 == number;
    exact.then_some(scaled as u64)
}

fn write_millionths(millionths: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(millionths / MILLION).as_bytes());
    let mut fraction = millionths % MILLION;
    if fraction == 0 {
        return;
    }
    let mut text = *b".000000";
    for digit in text[1..].iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let end = text.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(&text[..end]);
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}

const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether one of eight bytes is escaped. The highest bit of a byte comes to be set where it is below 0x20, or 0 after taking
/// the characters from it; a carry from such a byte may set that of the next, never without one.
const fn any_escaped(bytes: [u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const fn below(word: u64, bound: u8) -> u64 {
        word.wrapping_sub(ONES * bound as u64) & !word
    }
    let word = u64::from_le_bytes(bytes);
    let found =
        below(word, 0x20) | below(word ^ (ONES * b'"' as u64), 1) | below(word ^ (ONES * b'\\' as u64), 1);
    found & (ONES << 7) != 0
}

/// How many bytes there are before the first that is escaped. Whole blocks are looked at at once, which compilers make
/// vector instructions of.
fn plain_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let is_plain = |block: &[u8; BLOCK]| !block.iter().fold(false, |any, &byte| any | is_escaped(byte));
    let start = blocks.iter().take_while(|block| is_plain(block)).count() * BLOCK;
    let (words, _) = bytes[start..].as_chunks();
    let start = start + words.iter().take_while(|word| !any_escaped(**word)).count() * size_of::<u64>();
    let rest = &bytes[start..];
    start + rest.iter().position(|&byte| is_escaped(byte)).unwrap_or(rest.len())
}

/// Whether a text is its own JSON form but for the quotes.
pub(crate) fn is_plain(text: &str) -> bool {
    plain_run(text.as_bytes()) == text.len()
}

/// Text up to this long, which names and most values are, is looked at and copied in one go.
const SHORT: usize = 32;

/// Copies text of at most [`SHORT`] bytes to a place of its length, and says whether all of it is plain.
fn copy_plain(text: &[u8], place: &mut [u8]) -> bool {
    /// Two arrays that overlap cover any length from theirs to twice that.
    fn ends<const N: usize>(text: &[u8], place: &mut [u8]) -> Option<([u8; N], [u8; N])> {
        let (head, tail) = (*text.first_chunk()?, *text.last_chunk()?);
        *place.first_chunk_mut()? = head;
        *place.last_chunk_mut()? = tail;
        Some((head, tail))
    }
    if let Some((head, tail)) = ends::<16>(text, place) {
        let any = |bytes: [u8; 16]| bytes.into_iter().fold(false, |any, byte| any | is_escaped(byte));
        return !(any(head) | any(tail));
    }
    if let Some((head, tail)) = ends::<8>(text, place) {
        return !(any_escaped(head) | any_escaped(tail));
    }
    if let Some(([a, b, c, d], [e, f, g, h])) = ends::<4>(text, place) {
        return !any_escaped([a, b, c, d, e, f, g, h]);
    }
    let mut word = [b' '; 8];
    for ((byte, place), copy) in text.iter().zip(place).zip(&mut word) {
        (*place, *copy) = (*byte, *byte);
    }
    !any_escaped(word)
}

/// RFC 8259 section 7.
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    let (start, end) = (out.len(), out.len() + 1 + text.len());
    if text.len() <= SHORT {
        out.extend_from_slice(&[b'"'; SHORT + 2]);
        let plain = copy_plain(text.as_bytes(), &mut out[start + 1..end]);
        out.truncate(if plain { end + 1 } else { start });
        if plain {
            return;
        }
    }
    write_escaped(text, out);
}

/// A field's name, and what is between it and its value.
pub(crate) fn write_name(name: &str, out: &mut Vec<u8>) {
    let (start, end) = (out.len(), out.len() + 1 + name.len());
    if name.len() <= SHORT {
        out.extend_from_slice(&[b'"'; SHORT + 3]);
        let plain = copy_plain(name.as_bytes(), &mut out[start + 1..end]);
        out[end + 1] = b':';
        out.truncate(if plain { end + 2 } else { start });
        if plain {
            return;
        }
    }
    write_escaped(name, out);
    out.push(b':');
}

/// Runs without a character to escape are copied whole.
fn write_escaped(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let run = plain_run(rest);
        out.extend_from_slice(&rest[..run]);
        let Some(&byte) = rest.get(run) else { break };
        rest = &rest[run + 1..];
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(value: Value<'_>) -> String {
        let mut out = Vec::new();
        write_value(&value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_escaped_and_whole_floats_stay_whole() {
        assert_eq!(text_of(Value::str("a\"b\\c\n\u{1}é✓")), r#""a\"b\\c\n\u0001é✓""#);
        let long = "é 0123456789 ".repeat(9);
        assert_eq!(text_of(Value::text(format!("{long}\"{long}"))), format!("\"{long}\\\"{long}\""));
        assert_eq!(text_of(Value::Float(23.0)), "23");
        assert_eq!(text_of(Value::Float(0.125)), "0.125");
        assert_eq!(text_of(Value::Float(f64::NAN)), "null");
    }

    #[test]
    fn short_text_and_names_are_as_long_ones() {
        struct One(String);
        impl Object for One {
            fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
                visit(&self.0, Value::str(&self.0));
            }
            fn get(&self, _: &str) -> Option<Value<'_>> {
                None
            }
        }
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for length in 0..=SHORT + 8 {
            let plain = &alphabet[..length];
            assert_eq!(text_of(Value::str(plain)), format!("\"{plain}\""));
            assert_eq!(
                text_of(Value::object(&One(plain.to_owned()))),
                format!("{{\"{plain}\":\"{plain}\"}}")
            );
            for place in 0..length {
                for (special, escaped) in [("\"", "\\\""), ("\\", "\\\\"), ("\u{1f}", "\\u001f")] {
                    let text = format!("{}{special}{}", &plain[..place], &plain[place + 1..]);
                    let expected = format!("\"{}{escaped}{}\"", &plain[..place], &plain[place + 1..]);
                    assert_eq!(text_of(Value::str(&text)), expected);
                    assert_eq!(text_of(Value::object(&One(text))), format!("{{{expected}:{expected}}}"));
                }
            }
        }
    }

    #[test]
    fn floats_print_as_the_standard_library_prints_them() {
        let mut numbers = vec![
            0.0,
            -0.0,
            -1.5,
            1e15,
            1e9,
            999_999_999.999_999,
            1e-7,
            0.1 + 0.2,
            1e300,
            5e-324,
            123_456_789.0,
        ];
        let mut seed = 7u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.extend([(seed >> 20) as f64 / 1e6, (seed >> 40) as f64 / 1e6, f64::from_bits(seed)]);
            numbers.extend([(seed >> 50) as f64 / 1e3, (seed >> 13) as f64 / 1e6, (seed >> 44) as f64 / 1e7]);
        }
        for number in numbers.into_iter().filter(|number| number.is_finite()) {
            assert_eq!(text_of(Value::Float(number)), number.to_string());
        }
    }

    #[test]
    fn what_is_escaped_is_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut word = *b"a\xff 0~\x7f!]";
                word[place] = byte;
                assert_eq!(any_escaped(word), is_escaped(byte), "{word:?}");
            }
        }
    }

    #[test]
    fn bytes_become_base64() {
        assert_eq!(text_of(Value::Base64(b"")), r#""""#);
        assert_eq!(text_of(Value::Base64(b"hello")), r#""aGVsbG8=""#);
    }
}
