//! Header fields of a kept head, read only when somebody asks.

use std::borrow::Cow;
use std::sync::OnceLock;

use memchr::memchr;

use super::text_map::TextMap;
use crate::value::{Object, Value};

/// How header fields are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// As HTTP/1 sends them: a start line, then a line each.
    Lines,
    /// As [`push_pair`] writes them: out of a compressed header block.
    Pairs,
}

/// The fields of a head in their order, as (name, raw value). Lines that are no fields are left out.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    /// What comes after `rest`.
    then: &'a [u8],
    form: Form,
}

impl<'a> Fields<'a> {
    /// `lines` are header lines without the start line: a trailer section, or the part headers of a multipart body.
    pub(crate) fn of_lines(lines: &'a [u8]) -> Self {
        Self { rest: lines, then: &[], form: Form::Lines }
    }

    pub(crate) fn of_head(head: &'a [u8]) -> Self {
        Self::of_lines(memchr(b'\n', head).map_or(&[], |end| &head[end + 1..]))
    }

    /// `pairs` and `more` are what [`push_pair`] wrote.
    pub(crate) fn of_pairs(pairs: &'a [u8], more: &'a [u8]) -> Self {
        Self { rest: pairs, then: more, form: Form::Pairs }
    }

    /// All values of the field `name`, which is in lower case.
    pub(crate) fn all(self, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.form == Form::Pairs {
            return self.next_pair();
        }
        loop {
            let mut end = memchr(b'\n', self.rest)?;
            // Obsolete line folding (RFC 9112, section 5.2): a line that begins with a blank continues the one before.
            while matches!(self.rest.get(end + 1), Some(b' ' | b'\t')) {
                match memchr(b'\n', &self.rest[end + 1..]) {
                    Some(more) => end += 1 + more,
                    None => break,
                }
            }
            let line = &self.rest[..end];
            self.rest = &self.rest[end + 1..];
            if let Some(colon) = memchr(b':', line).filter(|_| !line[0].is_ascii_whitespace()) {
                return Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()));
            }
        }
    }
}

impl<'a> Fields<'a> {
    fn next_pair(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        if self.rest.is_empty() {
            self.rest = std::mem::take(&mut self.then);
        }
        let (name, rest) = split_length(self.rest)?;
        let (value, rest) = split_length(rest)?;
        self.rest = rest;
        Some((name, value))
    }
}

fn split_length(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// Appends a field to a head of [`Form::Pairs`]: each text with its length before it, since they may hold any byte.
pub(crate) fn push_pair(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for text in [name, value] {
        // A header block is far shorter than 4 GiB.
        head.extend_from_slice(&(text.len() as u32).to_le_bytes());
        head.extend_from_slice(text);
    }
}

/// `tchar` of RFC 9110, section 5.6.2.
pub(crate) const fn is_token(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*'
        | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// A field value as text. Folds become one space; what is not UTF-8 becomes the replacement character.
pub(crate) fn text(value: &[u8]) -> Cow<'_, str> {
    if memchr(b'\n', value).is_none() {
        return crate::text::lossy(value);
    }
    let mut unfolded = String::with_capacity(value.len());
    for (index, line) in value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).enumerate() {
        if index != 0 {
            unfolded.push(' ');
        }
        unfolded.push_str(&crate::text::lossy(line));
    }
    Cow::Owned(unfolded)
}

/// The canonical form of a field name: upper case at the start and after a hyphen, lower case else. A name that is not
/// a token stays as it is. The rule is that of Go's `textproto.CanonicalMIMEHeaderKey`.
pub(crate) fn canonical(name: &[u8]) -> Cow<'_, str> {
    let is_canonical = |at: usize, byte: u8| byte == canonical_byte(name, at);
    if !name.iter().all(|&byte| is_token(byte))
        || name.iter().enumerate().all(|(at, &byte)| is_canonical(at, byte))
    {
        return crate::text::lossy(name);
    }
    Cow::Owned((0..name.len()).map(|at| char::from(canonical_byte(name, at))).collect())
}

fn canonical_byte(name: &[u8], at: usize) -> u8 {
    if at == 0 || name[at - 1] == b'-' {
        name[at].to_ascii_uppercase()
    } else {
        name[at].to_ascii_lowercase()
    }
}

/// The `headers` map of a message. Asking for one field reads only that; listing builds the whole table.
pub(crate) struct Headers<'m> {
    fields: Fields<'m>,
    table: OnceLock<TextMap<'m>>,
}

impl<'m> Headers<'m> {
    pub(crate) fn new(fields: Fields<'m>) -> Self {
        Self { fields, table: OnceLock::new() }
    }

    /// What stands between the values of a repeated field. HTTP/2 may split the cookies of one line into a field each
    /// (RFC 9113, section 8.2.3).
    fn separator(&self, name: &[u8]) -> &'static str {
        if self.fields.form == Form::Pairs && name.eq_ignore_ascii_case(b"cookie") { "; " } else { "," }
    }

    fn table(&self) -> &TextMap<'m> {
        self.table.get_or_init(|| {
            let mut table = TextMap::default();
            self.fields
                .clone()
                .for_each(|(name, value)| table.join(canonical(name), text(value), self.separator(name)));
            table
        })
    }
}

impl Object for Headers<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.table().each(visit);
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.table().names(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        // A name that is not UTF-8 is listed, and asked for, with replacement characters.
        let alike = |field: &[u8]| field.eq_ignore_ascii_case(name.as_bytes()) || !field.is_ascii();
        let mut values = self
            .fields
            .clone()
            .filter(|(field, _)| alike(field) && canonical(field) == name)
            .map(|(_, value)| text(value));
        let mut all = values.next()?;
        for value in values {
            let all = all.to_mut();
            all.push_str(self.separator(name.as_bytes()));
            all.push_str(&value);
        }
        Some(Value::Str(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_canonical_as_in_go() {
        for (name, expected) in [
            ("user-agent", "User-Agent"),
            ("X-FORWARDED-FOR", "X-Forwarded-For"),
            ("ETag", "Etag"),
            ("Host", "Host"),
            ("x--y", "X--Y"),
            ("1a-b", "1a-B"),
            ("odd name", "odd name"),
            ("", ""),
        ] {
            assert_eq!(canonical(name.as_bytes()), expected);
        }
    }

    #[test]
    fn folds_bare_line_feeds_and_lines_without_colon() {
        let head =
            b"GET / HTTP/1.1\r\n stray\r\nA: 1\nno field\r\nB : two \r\n\tthree\r\n \r\nC:\r\na:2\r\n\r\n";
        let fields: Vec<_> = Fields::of_head(head)
            .map(|(name, value)| (String::from_utf8_lossy(name), text(value).into_owned()))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(fields, ["A=1", "B=two three", "C=", "a=2"]);
    }

    #[test]
    fn pairs_hold_any_bytes() {
        let (mut head, mut trailers) = (Vec::new(), Vec::new());
        push_pair(&mut head, b":path", b"/a\r\nb: c");
        push_pair(&mut head, b"cookie", b"a=1");
        push_pair(&mut head, b"cookie", b"b=2");
        push_pair(&mut trailers, b"", b"");
        let fields = Fields::of_pairs(&head, &trailers);
        assert_eq!(fields.clone().count(), 4);
        assert_eq!(fields.clone().all(b":path").collect::<Vec<_>>(), [b"/a\r\nb: c"]);
        let headers = Headers::new(fields);
        let all = headers.table();
        for value in [headers.get("Cookie"), all.get("Cookie")] {
            assert!(matches!(value, Some(Value::Str(text)) if text == "a=1; b=2"));
        }
        // Cut anywhere, what is whole comes out.
        assert_eq!(Fields::of_pairs(&head[..head.len() - 1], &[]).count(), 2);
    }

    #[test]
    fn one_field_and_the_whole_table_say_the_same() {
        let head =
            b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nX-A: 1\r\nSet-Cookie: b=2\r\nx-a:3\r\nX-Empty:\r\n\xffz:9\r\n\r\n";
        let headers = Headers::new(Fields::of_head(head));
        let shown = |value: Option<Value<'_>>| match value {
            Some(Value::Str(text)) => text.into_owned(),
            _ => panic!("not a text"),
        };
        assert_eq!(shown(headers.get("Set-Cookie")), "a=1,b=2");
        assert!(headers.get("set-cookie").is_none() && headers.get("Missing").is_none());
        let mut all = Vec::new();
        headers.each(&mut |name, value| all.push((name.to_owned(), shown(Some(value)))));
        let expected = [("Set-Cookie", "a=1,b=2"), ("X-A", "1,3"), ("X-Empty", ""), ("\u{fffd}z", "9")];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (name, value) in all {
            assert_eq!(shown(headers.get(&name)), value);
        }
    }
}
