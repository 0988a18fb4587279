//! The parts of a request target, and the `name=value` lists that query strings and form bodies are made of.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::text_map::TextMap;

/// The path inside a request target as sent (RFC 9112, section 3.2): all of it in authority and asterisk form, empty
/// where an absolute form has none.
pub(crate) fn path(target: &[u8]) -> Range<usize> {
    let start = match target {
        [b'/' | b'*', ..] => 0,
        _ => match memmem::find(target, b"://").filter(|&end| is_scheme(&target[..end])) {
            Some(end) => {
                let authority =
                    target[end + 3..].iter().take_while(|byte| !matches!(byte, b'/' | b'?' | b'#'));
                end + 3 + authority.count()
            }
            None => 0,
        },
    };
    start..start + memchr2(b'?', b'#', &target[start..]).unwrap_or(target.len() - start)
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// What lies between the slashes of a path.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.strip_prefix('/').unwrap_or(path).split('/').map(str::to_owned).collect()
}

/// The query inside a request target, without its question mark.
pub(crate) fn query(target: &[u8]) -> &[u8] {
    let target = memchr(b'#', target).map_or(target, |fragment| &target[..fragment]);
    memchr(b'?', target).map_or(&[], |mark| &target[mark + 1..])
}

/// The pairs of an `application/x-www-form-urlencoded` text, decoded.
pub(crate) fn pairs(text: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = memchr(b'=', pair).map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        (decode(name), decode(value))
    })
}

/// A query string as the `queryString` map: a repeated name becomes a list.
pub(crate) fn query_map(query: &[u8]) -> TextMap<'_> {
    let mut map = TextMap::default();
    pairs(query).for_each(|(name, value)| map.collect(name, value));
    map
}

/// Decodes `%xx`, and `+` as a space. A percent sign that no two hex digits follow stands for itself.
fn decode(text: &[u8]) -> Cow<'_, str> {
    if memchr2(b'%', b'+', text).is_none() {
        return crate::text::lossy(text);
    }
    let hex = |at: usize| text.get(at).and_then(|&byte| (byte as char).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (hex(at), hex(at + 1)) {
                (Some(high), Some(low)) => {
                    at += 2;
                    (high << 4 | low) as u8
                }
                _ => b'%',
            },
            _ => byte,
        });
    }
    Cow::Owned(
        String::from_utf8(bytes).unwrap_or_else(|error| crate::text::lossy(error.as_bytes()).into_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_every_form_of_target() {
        for (target, expected, rest) in [
            ("/a/b?x=1", "/a/b", "x=1"),
            ("/a%20b", "/a%20b", ""),
            ("/a#f?no", "/a", ""),
            ("/?", "/", ""),
            ("*", "*", ""),
            ("http://h.test:80/p/q?r=s#f", "/p/q", "r=s"),
            ("http://h.test", "", ""),
            ("http://h.test?x", "", "x"),
            ("h.test:443", "h.test:443", ""),
            ("/redirect?to=http://h.test/", "/redirect", "to=http://h.test/"),
            ("//double", "//double", ""),
            ("", "", ""),
        ] {
            let bytes = target.as_bytes();
            assert_eq!(&target[path(bytes)], expected, "{target}");
            assert_eq!(query(bytes), rest.as_bytes(), "{target}");
        }
    }

    #[test]
    fn pairs_are_decoded() {
        let decoded: Vec<_> =
            pairs(b"a=1&&b=two+words&c=%20x&d&e=%E2%9C%93&f=%zz%4&=g&h=a=b&i=%ff").collect();
        let expected = [
            ("a", "1"),
            ("b", "two words"),
            ("c", " x"),
            ("d", ""),
            ("e", "✓"),
            ("f", "%zz%4"),
            ("", "g"),
            ("h", "a=b"),
            ("i", "\u{fffd}"),
        ];
        assert_eq!(decoded.len(), expected.len());
        for ((name, value), expected) in decoded.iter().zip(expected) {
            assert_eq!((name.as_ref(), value.as_ref()), expected);
        }
    }
}
