//! The tokens of a GraphQL document (GraphQL specification, October 2021, section 2.1).

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    Name(&'a str),
    /// A number or a string: what it says is of no interest.
    Literal,
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Mark(u8),
    Spread,
}

/// Goes through a document. `None` at its end, `Err` where it is not GraphQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// No token can be made of what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotGraphQl;

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, NotGraphQl> {
        self.skip_ignored();
        let bytes = self.text.as_bytes();
        let Some(&first) = bytes.get(self.at) else { return Ok(None) };
        let token = match first {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                self.at += 1;
                Token::Mark(first)
            }
            b'.' if bytes[self.at..].starts_with(b"...") => {
                self.at += 3;
                Token::Spread
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                Token::Name(self.take(|byte| byte == b'_' || byte.is_ascii_alphanumeric()))
            }
            b'-' | b'0'..=b'9' => {
                self.take(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
                Token::Literal
            }
            b'"' => {
                self.string()?;
                Token::Literal
            }
            _ => return Err(NotGraphQl),
        };
        Ok(Some(token))
    }

    fn take(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let len = rest.bytes().take_while(|&byte| belongs(byte)).count();
        self.at += len;
        &rest[..len]
    }

    /// White space, commas, a byte order mark, comments.
    fn skip_ignored(&mut self) {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => self.at += 1,
                Some(b'#') => {
                    let rest = &bytes[self.at..];
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                Some(0xef) if self.text[self.at..].starts_with('\u{feff}') => self.at += 3,
                _ => return,
            }
        }
    }

    fn string(&mut self) -> Result<(), NotGraphQl> {
        let bytes = self.text.as_bytes();
        let rest = &bytes[self.at..];
        if rest.starts_with(b"\"\"\"") {
            let mut from = 3;
            loop {
                let end = from + memchr::memmem::find(&rest[from..], b"\"\"\"").ok_or(NotGraphQl)?;
                if rest[end - 1] != b'\\' {
                    self.at += end + 3;
                    return Ok(());
                }
                from = end + 3;
            }
        }
        let mut at = 1;
        loop {
            at += memchr::memchr3(b'"', b'\\', b'\n', rest.get(at..).unwrap_or(&[])).ok_or(NotGraphQl)?;
            match rest[at] {
                b'"' => break,
                b'\\' => at += 2,
                _ => return Err(NotGraphQl),
            }
        }
        self.at += at + 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_tokens() {
        let mut lexer = Lexer::new(
            "\u{feff}query Q($a: Int! = -1.5e3, $b: [ID]) # comment }\r\n{ f(s: \"a\\\"b}\", t: \"\"\"x \\\"\"\" \" }\"\"\") ...F @d _x1 }",
        );
        let mut shape = String::new();
        while let Ok(Some(token)) = lexer.next() {
            shape.push(match token {
                Token::Name(_) => 'n',
                Token::Literal => '0',
                Token::Mark(mark) => mark as char,
                Token::Spread => '.',
            });
        }
        assert_eq!(shape, "nn($n:n!=0$n:[n]){n(n:0n:0).n@nn}");
        assert_eq!(lexer.next(), Ok(None));
        for bad in ["\"open", "\"line\nend\"", "\"\"\"open", "%", "..", "é", "\"\\"] {
            assert_eq!(Lexer::new(bad).next(), Err(NotGraphQl), "{bad}");
        }
    }
}
