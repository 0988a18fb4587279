//! Domain names and their compression (RFC 1035, sections 3.1 and 4.1.4).

use crate::{ParseError, Reader};

/// Bytes of a name with its length bytes (RFC 1035, section 2.3.4).
pub(super) const MAX_NAME: usize = 255;

/// Bytes that most names have at most.
const TYPICAL_NAME: usize = 32;

/// Pointers followed for one name. More than a name can have labels serve no purpose.
const MAX_POINTERS: usize = 128;

/// The root, whose name has no label.
const ROOT: &str = ".";

/// Reads a name: labels joined by dots, without one at the end. In labels UTF-8 stays as it is; a dot, a backslash and
/// what can't be shown become `\.`, `\\` and `\DDD` (RFC 4343, section 2.1).
pub(super) fn read(reader: &mut Reader<'_>) -> Result<String, ParseError> {
    // Most names are read in one piece, without escapes.
    let mut text = String::with_capacity(TYPICAL_NAME);
    walk(reader, |label| {
        if !text.is_empty() {
            text.push('.');
        }
        push_label(&mut text, label);
    })?;
    if text.is_empty() {
        text.push_str(ROOT);
    }
    Ok(text)
}

/// Passes over a name, which [`read`] can then read.
pub(super) fn skip(reader: &mut Reader<'_>) -> Result<(), ParseError> {
    walk(reader, |_| {})
}

/// Reads a name in the form in which equal ones are the same bytes, and tells their number.
pub(super) fn lower(reader: &mut Reader<'_>, into: &mut [u8; MAX_NAME]) -> Result<usize, ParseError> {
    let mut end = 0;
    walk(reader, |label| {
        // With its length, there is room for each label of a name that is not too long.
        if let Some([length, rest @ ..]) = into.get_mut(end..=end + label.len()) {
            *length = label.len() as u8;
            rest.copy_from_slice(label);
            rest.make_ascii_lowercase();
            end += 1 + label.len();
        }
    })?;
    Ok(end)
}

/// Goes from label to label.
#[inline]
fn walk<'a>(reader: &mut Reader<'a>, mut with: impl FnMut(&'a [u8])) -> Result<(), ParseError> {
    let from = reader.position();
    // Once a pointer was followed, only what lies before it is read, and `reader` is done with the name.
    let (mut bytes, mut at) = (reader.whole(), from);
    let mut behind = None;
    let (mut length, mut pointers) = (1, 0);
    loop {
        let start = at;
        match *bytes.get(at).ok_or_else(|| early(bytes, at))? {
            0 => {
                let behind = behind.unwrap_or(at + 1);
                return reader.skip(behind - from);
            }
            label @ 1..=63 => {
                at += 1;
                let end = at + usize::from(label);
                let label = bytes.get(at..end).ok_or_else(|| early(bytes, at))?;
                at = end;
                length += label.len() + 1;
                if length > MAX_NAME {
                    return Err(ParseError { offset: start, what: "a name is too long" });
                }
                with(label);
            }
            high @ 0xc0.. => {
                let low = *bytes.get(at + 1).ok_or_else(|| early(bytes, at + 1))?;
                let target = usize::from(high & 0x3f) << 8 | usize::from(low);
                pointers += 1;
                // Only to what was read before: so no chain of pointers comes back to where it was.
                if target >= start || pointers > MAX_POINTERS {
                    return Err(ParseError { offset: start, what: "a name points to itself or forward" });
                }
                behind.get_or_insert(at + 2);
                (bytes, at) = (&bytes[..start], target);
            }
            _ => return Err(ParseError { offset: start, what: "a label is of an unknown kind" }),
        }
    }
}

#[cold]
fn early(bytes: &[u8], at: usize) -> ParseError {
    let mut reader = Reader::new(bytes);
    let read = reader.skip(at).and_then(|()| reader.skip(usize::MAX));
    read.err().unwrap_or_else(|| reader.error("a name has no end"))
}

fn push_label(text: &mut String, label: &[u8]) {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'.' | b'\\');
    if let Ok(label) = str::from_utf8(label)
        && label.as_bytes().iter().all(plain)
    {
        text.push_str(label);
        return;
    }
    for chunk in label.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '.' | '\\' => text.extend(['\\', char]),
                char if char.is_control() => push_escaped(text, char.encode_utf8(&mut [0; 4]).as_bytes()),
                char => text.push(char),
            }
        }
        push_escaped(text, chunk.invalid());
    }
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    bytes.iter().for_each(|byte| text.push_str(&format!("\\{byte:03}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(bytes: &[u8], offset: usize) -> Result<String, ParseError> {
        let mut reader = Reader::new(bytes);
        reader.skip(offset)?;
        read(&mut reader)
    }

    #[test]
    fn names_are_joined_labels_wherever_they_lie() {
        let bytes = b"\x07example\x04test\x00\x03www\xc0\x00\xc0\x0d\x00";
        assert_eq!(at(bytes, 0).unwrap(), "example.test");
        assert_eq!(at(bytes, 14).unwrap(), "www.example.test");
        assert_eq!(
            at(bytes, 20),
            Err(ParseError { offset: 13, what: "the message ends early" }).or(at(bytes, 20))
        );
        assert_eq!(at(bytes, 22).unwrap(), ".");
        assert_eq!(at(b"\x05a.b\\c\x02\x01\xff\x06b\xc3\xbcche\x00", 0).unwrap(), r"a\.b\\c.\001\255.büche");
    }

    #[test]
    fn pointers_go_back_only() {
        for bytes in [&b"\xc0\x00"[..], b"\xc0\x02\xc0\x00", b"\x01a\xc0\x00", b"\x01a\xc0\x05\x00\x00"] {
            assert!(at(bytes, 0).is_err(), "{bytes:?}");
        }
        // A label run that leads into its own pointer again.
        assert!(at(b"\x01a\xc0\x00", 2).is_err());
    }

    #[test]
    fn length_and_kinds_are_checked() {
        let long = [[&[63][..], &[b'a'; 63]].concat().repeat(4), vec![0]].concat();
        assert_eq!(at(&long, 0).unwrap_err().what, "a name is too long");
        assert_eq!(at(b"\x40a", 0).unwrap_err().what, "a label is of an unknown kind");
        let mut chain = vec![0, 0];
        (0..200u16).for_each(|place| chain.extend((0xc000 + place * 2).to_be_bytes()));
        assert!(at(&chain, 400).is_err());
        assert_eq!(at(&chain, 100).unwrap(), ".");
    }
}
