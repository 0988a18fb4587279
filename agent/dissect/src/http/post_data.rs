//! A request body as `postData`: form fields and the parts of a multipart body, read only when asked.

use std::borrow::Cow;
use std::sync::OnceLock;

use memchr::memmem;

use super::fields::{self, Fields};
use super::query;
use crate::value::{List, Object, ObjectRef, Value};

/// Form fields and multipart parts listed per body. The rest is still in the text.
const MAX_PARAMS: usize = 1_024;

pub(crate) struct PostData<'m> {
    mime_type: Cow<'m, str>,
    content: &'m [u8],
    /// The text is base64.
    binary: bool,
    params: OnceLock<Vec<Param<'m>>>,
}

/// A form field or a part of a multipart body.
struct Param<'m> {
    name: Cow<'m, str>,
    value: Cow<'m, str>,
    file_name: Cow<'m, str>,
    content_type: Cow<'m, str>,
}

impl<'m> PostData<'m> {
    /// `content` is the body without its content codings.
    pub(crate) fn new(mime_type: Cow<'m, str>, content: &'m [u8]) -> Self {
        Self { mime_type, content, binary: false, params: OnceLock::new() }
    }

    /// With its text in base64, as the scripting API has it for HTTP/2.
    #[must_use]
    pub(crate) fn in_base64(mut self) -> Self {
        self.binary = true;
        self
    }

    fn params(&self) -> &Vec<Param<'m>> {
        self.params.get_or_init(|| {
            let essence = self.mime_type.split(';').next().unwrap_or_default().trim();
            if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                query::pairs(self.content).take(MAX_PARAMS).map(Param::field).collect()
            } else if essence.eq_ignore_ascii_case("multipart/form-data") {
                parameter(&self.mime_type, "boundary")
                    .map_or_else(Vec::new, |boundary| parts(self.content, &boundary))
            } else {
                Vec::new()
            }
        })
    }
}

impl Object for PostData<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ["mimeType", "params", "text"] {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        ["mimeType", "params", "text"].into_iter().for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "mimeType" => Value::str(&self.mime_type),
            "params" => Value::List(self.params()),
            "text" if self.binary => Value::Base64(self.content),
            "text" => Value::Str(crate::text::lossy(self.content)),
            _ => return None,
        })
    }
}

impl<'m> Param<'m> {
    fn field((name, value): (Cow<'m, str>, Cow<'m, str>)) -> Self {
        Self { name, value, file_name: Cow::Borrowed(""), content_type: Cow::Borrowed("") }
    }

    /// A part: its header lines, an empty line, its value.
    fn part(part: &'m [u8]) -> Self {
        let (head, value) = match memmem::find(part, b"\r\n\r\n") {
            Some(end) => (&part[..end + 2], &part[end + 4..]),
            None => (&[][..], part),
        };
        let field = |name| Fields::of_lines(head).all(name).next().map(fields::text).unwrap_or_default();
        let disposition = field(b"content-disposition");
        let of_disposition = |name| parameter(&disposition, name).map(Cow::Owned).unwrap_or_default();
        Self {
            name: of_disposition("name"),
            value: crate::text::lossy(value),
            file_name: of_disposition("filename"),
            content_type: field(b"content-type"),
        }
    }
}

impl Object for Param<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("name", Value::str(&self.name));
        visit("value", Value::str(&self.value));
        visit("fileName", Value::str(&self.file_name));
        visit("contentType", Value::str(&self.content_type));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(Value::str(match name {
            "name" => &self.name,
            "value" => &self.value,
            "fileName" => &self.file_name,
            "contentType" => &self.content_type,
            _ => return None,
        }))
    }
}

impl List for Vec<Param<'_>> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|param| Value::Object(ObjectRef::Borrowed(param)))
    }
}

/// The parts of a multipart body (RFC 2046, section 5.1.1). A body that was cut ends its last part where it was cut.
fn parts<'m>(body: &'m [u8], boundary: &str) -> Vec<Param<'m>> {
    let delimiter = format!("--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut parts = Vec::new();
    let mut rest = match finder.find(body) {
        Some(first) => &body[first + delimiter.len()..],
        None => return parts,
    };
    while parts.len() < MAX_PARAMS && !rest.starts_with(b"--") {
        let Some(line_end) = memchr::memchr(b'\n', rest) else { break };
        let part = &rest[line_end + 1..];
        match finder.find(part) {
            Some(end) => {
                parts.push(Param::part(part[..end].strip_suffix(b"\r\n").unwrap_or(&part[..end])));
                rest = &part[end + delimiter.len()..];
            }
            None => {
                parts.push(Param::part(part));
                break;
            }
        }
    }
    parts
}

/// The value of a parameter such as `boundary` in a `type; name=value; name="value"` text.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted),
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), next)
            }
        };
        // A parameter without value before this one leaves its name in front of the key.
        if key.rsplit(';').next().unwrap_or(key).trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
}

/// A quoted string without its opening quote, and what follows it. Browsers escape only quotes, and not always by a
/// backslash, so that a backslash before anything else stands for itself (file names of old browsers hold them).
fn quoted_string(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            _ => value.push(char),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn params(mime_type: &str, body: &[u8]) -> String {
        let data = PostData::new(Cow::Borrowed(mime_type), body);
        let mut out = Vec::new();
        json::write_list(data.params(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn form_fields_are_decoded() {
        assert_eq!(
            params("application/x-www-form-urlencoded; charset=utf-8", b"a=1&b=two&c=%20x&a=2"),
            concat!(
                r#"[{"name":"a","value":"1","fileName":"","contentType":""},"#,
                r#"{"name":"b","value":"two","fileName":"","contentType":""},"#,
                r#"{"name":"c","value":" x","fileName":"","contentType":""},"#,
                r#"{"name":"a","value":"2","fileName":"","contentType":""}]"#,
            )
        );
        assert_eq!(params("application/json", b"a=1"), "[]");
        let many = "a&".repeat(MAX_PARAMS + 9);
        assert_eq!(
            params("application/x-www-form-urlencoded", many.as_bytes()).matches("name").count(),
            MAX_PARAMS
        );
    }

    #[test]
    fn multipart_parts_carry_file_name_and_type() {
        let body = b"preamble\r\n--x-y\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n--x-y\r\n\
            content-disposition: form-data; name=file; filename=\"a\\\"b;c.json\"\r\nContent-Type: application/json\r\n\
            \r\n{\"k\":1}\r\n\r\n--x-y--\r\nepilogue";
        let expected = concat!(
            r#"[{"name":"field","value":"value","fileName":"","contentType":""},"#,
            r#"{"name":"file","value":"{\"k\":1}\r\n","fileName":"a\"b;c.json","contentType":"application/json"}]"#,
        );
        assert_eq!(params("multipart/form-data; charset=x; boundary=\"x-y\"", body), expected);
        assert_eq!(params("Multipart/Form-Data; boundary=x-y", body), expected);
        assert_eq!(params("multipart/form-data", body), "[]");
        assert_eq!(params("multipart/form-data; boundary=other", body), "[]");
    }

    #[test]
    fn a_cut_multipart_body_keeps_its_last_part() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nfirst half";
        assert_eq!(
            params("multipart/form-data; boundary=b", body),
            r#"[{"name":"f","value":"first half","fileName":"","contentType":""}]"#
        );
        for end in 0..body.len() {
            params("multipart/form-data; boundary=b", &body[..end]);
        }
    }
}
