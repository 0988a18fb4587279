//! Search filters as text (RFC 4515).

use super::names;
use crate::der::{Element, tag};
use crate::read::ParseError;

pub(super) struct Writer {
    text: String,
    cap: usize,
    /// Something was left out.
    pub truncated: bool,
}

/// Whether a filter can be written without an error and to its innermost part.
pub(super) fn is_right(filter: Element<'_>, nesting: usize) -> Result<bool, ParseError> {
    if nesting == 0 {
        return Ok(false);
    }
    let mut parts = filter.elements();
    match filter.tag {
        0xa0..=0xa2 => {
            for part in parts {
                if !is_right(part?, nesting - 1)? {
                    return Ok(false);
                }
            }
        }
        0xa3 | 0xa5 | 0xa6 | 0xa8 => {
            parts.expect(tag::OCTET_STRING)?;
            parts.expect(tag::OCTET_STRING)?;
        }
        0xa4 => {
            parts.expect(tag::OCTET_STRING)?;
            for part in parts.expect(tag::SEQUENCE)?.elements() {
                part?;
            }
        }
        0x87 => {}
        _ => return Ok(false),
    }
    Ok(true)
}

impl Writer {
    /// Writes a filter whose text is at most about `cap` bytes, nested at most `nesting` deep.
    pub(super) fn write(
        filter: Element<'_>,
        cap: usize,
        nesting: usize,
    ) -> (String, bool, Result<(), ParseError>) {
        let mut writer = Self { text: String::new(), cap, truncated: false };
        let result = writer.filter(filter, nesting);
        (writer.text, writer.truncated, result)
    }

    fn filter(&mut self, filter: Element<'_>, nesting: usize) -> Result<(), ParseError> {
        if nesting == 0 || self.text.len() >= self.cap {
            self.truncated = true;
            self.text.push_str("(...)");
            return Ok(());
        }
        self.text.push('(');
        match filter.tag {
            0xa0..=0xa2 => {
                self.text.push(char::from(b"&|!"[usize::from(filter.tag & 3)]));
                for part in filter.elements() {
                    if self.text.len() >= self.cap {
                        self.truncated = true;
                        break;
                    }
                    self.filter(part?, nesting - 1)?;
                }
            }
            0xa3 => self.assertion(filter, "=")?,
            0xa4 => self.substrings(filter)?,
            0xa5 => self.assertion(filter, ">=")?,
            0xa6 => self.assertion(filter, "<=")?,
            0x87 => {
                self.name(filter.content);
                self.text.push_str("=*");
            }
            0xa8 => self.assertion(filter, "~=")?,
            0xa9 => self.extensible(filter)?,
            _ => return Err(filter.error("a filter of a kind that is not known")),
        }
        self.text.push(')');
        Ok(())
    }

    fn assertion(&mut self, filter: Element<'_>, operator: &str) -> Result<(), ParseError> {
        let mut parts = filter.elements();
        let attribute = parts.expect(tag::OCTET_STRING)?.content;
        let value = parts.expect(tag::OCTET_STRING)?.content;
        self.name(attribute);
        self.text.push_str(operator);
        if names::is_secret(attribute) {
            self.text.push_str("***")
        } else {
            self.value(value)
        }
        Ok(())
    }

    fn substrings(&mut self, filter: Element<'_>) -> Result<(), ParseError> {
        let mut parts = filter.elements();
        self.name(parts.expect(tag::OCTET_STRING)?.content);
        self.text.push('=');
        let mut ends_open = true;
        for (number, part) in parts.expect(tag::SEQUENCE)?.elements().enumerate() {
            let part = part?;
            // An initial part is not preceded by a star, a final one not followed.
            if part.tag != 0x80 && (number == 0 || !self.text.ends_with('*')) {
                self.text.push('*');
            }
            self.value(part.content);
            ends_open = part.tag != 0x82;
            if ends_open {
                self.text.push('*');
            }
        }
        if ends_open && !self.text.ends_with('*') {
            self.text.push('*');
        }
        Ok(())
    }

    fn extensible(&mut self, filter: Element<'_>) -> Result<(), ParseError> {
        let mut parts = filter.elements();
        let rule = parts.optional(tag::context_primitive(1))?;
        let attribute = parts.optional(tag::context_primitive(2))?;
        let value = parts.expect(tag::context_primitive(3))?;
        let of_dn = match parts.optional(tag::context_primitive(4))? {
            Some(of_dn) => of_dn.boolean()?,
            None => false,
        };
        if let Some(attribute) = attribute {
            self.name(attribute.content);
        }
        if of_dn {
            self.text.push_str(":dn");
        }
        if let Some(rule) = rule {
            self.text.push(':');
            self.name(rule.content);
        }
        self.text.push_str(":=");
        self.value(value.content);
        Ok(())
    }

    fn name(&mut self, name: &[u8]) {
        self.value(name);
    }

    /// Escapes what the syntax uses, control characters and what is not UTF-8 (section 3).
    fn value(&mut self, value: &[u8]) {
        let room = self.cap.saturating_sub(self.text.len());
        let kept = &value[..value.len().min(room)];
        self.truncated |= kept.len() < value.len();
        for chunk in kept.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '(' | ')' | '*' | '\\' | '\0'..='\x1f' | '\x7f' => self.escape(char as u8),
                    _ => self.text.push(char),
                }
            }
            chunk.invalid().iter().for_each(|byte| self.escape(*byte));
        }
    }

    fn escape(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.text.push('\\');
        self.text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        self.text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Elements;

    fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        [&[tag, u8::try_from(content.len()).unwrap()][..], &content].concat()
    }

    fn text(bytes: &[u8]) -> String {
        let (text, truncated, result) = Writer::write(Elements::new(bytes).element().unwrap(), 1_000, 8);
        result.unwrap();
        assert!(!truncated);
        text
    }

    #[test]
    fn all_kinds_of_filters() {
        let of = |tag, value: &[u8]| element(tag, &[&element(4, &[b"cn"]), &element(4, &[value])]);
        assert_eq!(text(&of(0xa3, b"a*(\0\xff")), "(cn=a\\2a\\28\\00\\ff)");
        assert_eq!(text(&of(0xa5, b"1")), "(cn>=1)");
        assert_eq!(text(&of(0xa6, "ä".as_bytes())), "(cn<=ä)");
        assert_eq!(text(&of(0xa8, b"1")), "(cn~=1)");
        assert_eq!(text(&element(0x87, &[b"cn"])), "(cn=*)");
        let not = element(0xa2, &[&of(0xa3, b"1")]);
        assert_eq!(text(&element(0xa0, &[&not, &element(0xa1, &[])])), "(&(!(cn=1))(|))");
        let secret = element(0xa3, &[&element(4, &[b"userpassword"]), &element(4, &[b"x"])]);
        assert_eq!(text(&secret), "(userpassword=***)");
    }

    #[test]
    fn substrings_have_stars_where_the_value_is_open() {
        let of = |parts: &[&[u8]]| text(&element(0xa4, &[&element(4, &[b"cn"]), &element(0x30, parts)]));
        let (first, any, last) = (element(0x80, &[b"a"]), element(0x81, &[b"b"]), element(0x82, &[b"c"]));
        assert_eq!(of(&[&first]), "(cn=a*)");
        assert_eq!(of(&[&any]), "(cn=*b*)");
        assert_eq!(of(&[&last]), "(cn=*c)");
        assert_eq!(of(&[&first, &any, &any, &last]), "(cn=a*b*b*c)");
        assert_eq!(of(&[&first, &last]), "(cn=a*c)");
    }

    #[test]
    fn extensible_matches() {
        let rule = element(0x81, &[b"2.4.6"]);
        let (attribute, value) = (element(0x82, &[b"cn"]), element(0x83, &[b"x"]));
        assert_eq!(text(&element(0xa9, &[&rule, &attribute, &value, &[0x84, 1, 0xff]])), "(cn:dn:2.4.6:=x)");
        assert_eq!(text(&element(0xa9, &[&attribute, &value])), "(cn:=x)");
    }

    #[test]
    fn deep_filters_are_cut() {
        let mut bytes = element(0x87, &[b"cn"]);
        for _ in 0..20 {
            bytes = element(0xa2, &[&bytes]);
        }
        let (text, truncated, result) = Writer::write(Elements::new(&bytes).element().unwrap(), 1_000, 3);
        assert_eq!((text.as_str(), truncated, result), ("(!(!(!(...))))", true, Ok(())));
    }
}
