//! From text to tokens.

use crate::caps::MAX_QUERY_BYTES;
use crate::error::{Error, ErrorKind};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// Also keywords: after a dot they are names.
    Word,
    Number,
    /// With its escapes interpreted.
    Text(String),
    /// Between the quotes of `r"…"`, as is.
    Regex,
    Symbol(Symbol),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Symbol {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Not,
    Minus,
    Star,
    Dot,
    DotDot,
    Comma,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
}

/// Longer ones before their beginnings.
const SYMBOLS: [(&str, Symbol); 18] = [
    ("&&", Symbol::And),
    ("||", Symbol::Or),
    ("==", Symbol::Equal),
    ("!=", Symbol::NotEqual),
    ("<=", Symbol::LessOrEqual),
    (">=", Symbol::GreaterOrEqual),
    ("..", Symbol::DotDot),
    ("<", Symbol::Less),
    (">", Symbol::Greater),
    ("!", Symbol::Not),
    ("-", Symbol::Minus),
    ("*", Symbol::Star),
    (".", Symbol::Dot),
    (",", Symbol::Comma),
    ("(", Symbol::Open),
    (")", Symbol::Close),
    ("[", Symbol::OpenBracket),
    ("]", Symbol::CloseBracket),
];

#[derive(Debug, Clone)]
pub(crate) struct Spanned {
    pub(crate) token: Token,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

pub(crate) fn is_word_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

pub(crate) fn is_word_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether a name can stand in a path without brackets.
pub(crate) fn is_word(name: &str) -> bool {
    name.starts_with(is_word_start) && name.chars().all(is_word_part)
}

/// The tokens, the last of them [`Token::End`].
pub(crate) fn lex(text: &str) -> Result<Vec<Spanned>, Error> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(Error::at(text, 0, ErrorKind::Length));
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let start = lexer.at;
        let token = lexer.token()?;
        let last = token == Token::End;
        tokens.push(Spanned { token, start, end: lexer.at });
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn error(&self, offset: usize, kind: ErrorKind) -> Error {
        Error::at(self.text, offset, kind)
    }

    /// Passes what `part` accepts.
    fn pass(&mut self, part: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|character| !part(character)).unwrap_or(rest.len());
    }

    fn skip_blank(&mut self) -> Result<(), Error> {
        loop {
            self.pass(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.pass(|character| character != '\n');
            } else if let Some(comment) = self.rest().strip_prefix("/*") {
                let end = comment.find("*/");
                let end = end.ok_or_else(|| self.error(self.at, ErrorKind::NotClosed("comment")))?;
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, Error> {
        let rest = self.rest();
        let mut characters = rest.chars();
        let Some(first) = characters.next() else { return Ok(Token::End) };
        let second = characters.next();
        if first == 'r' && second == Some('"') {
            return self.regex();
        }
        if is_word_start(first) {
            self.pass(is_word_part);
            return Ok(Token::Word);
        }
        if first.is_ascii_digit() || first == '.' && second.is_some_and(|digit| digit.is_ascii_digit()) {
            return self.number();
        }
        if matches!(first, '"' | '\'' | '`') {
            return self.string(first);
        }
        match SYMBOLS.iter().find(|(spelling, _)| rest.starts_with(spelling)) {
            Some((spelling, symbol)) => {
                self.at += spelling.len();
                Ok(Token::Symbol(*symbol))
            }
            None => Err(self.error(self.at, unknown(first))),
        }
    }

    fn number(&mut self) -> Result<Token, Error> {
        let start = self.at;
        let digits = |character: char| character.is_ascii_digit() || character == '_';
        self.pass(digits);
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|digit| digit.is_ascii_digit()) {
            self.at += 1;
            self.pass(digits);
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(|digit: char| digit.is_ascii_digit()) {
                self.at += 1 + exponent.len() - unsigned.len();
                self.pass(digits);
            }
        }
        if self.rest().starts_with(is_word_part) {
            self.pass(is_word_part);
            return Err(self.error(start, ErrorKind::Number(self.text[start..self.at].to_owned())));
        }
        Ok(Token::Number)
    }

    /// A backslash takes the next character with it, whatever that is.
    fn regex(&mut self) -> Result<Token, Error> {
        let start = self.at;
        self.at += 2;
        loop {
            match self.next() {
                Some('"') => return Ok(Token::Regex),
                Some('\\') if self.next().is_some_and(|escaped| escaped != '\n') => {}
                None | Some('\n' | '\\') => {
                    return Err(self.error(start, ErrorKind::NotClosed("regular expression")));
                }
                Some(_) => {}
            }
        }
    }

    fn string(&mut self, quote: char) -> Result<Token, Error> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.next() {
                Some(end) if end == quote => return Ok(Token::Text(text)),
                Some('\\') if quote != '`' => {
                    let escaped = self.escape();
                    let unknown = || ErrorKind::Escape(self.text[at..self.at].to_owned());
                    text.push(escaped.ok_or_else(|| self.error(at, unknown()))?);
                }
                Some('\n') if quote != '`' => {
                    return Err(self.error(start, ErrorKind::NotClosed("string")));
                }
                None => return Err(self.error(start, ErrorKind::NotClosed("string"))),
                Some(other) => text.push(other),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            same @ ('"' | '\'' | '`' | '\\' | '/') => same,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'a' => '\u{7}',
            'v' => '\u{b}',
            'x' => return self.hexadecimal(2),
            'u' => return self.hexadecimal(4),
            'U' => return self.hexadecimal(8),
            _ => return None,
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let text = self.rest().get(..digits).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += digits;
        char::from_u32(u32::from_str_radix(text, 16).ok()?)
    }
}

fn unknown(character: char) -> ErrorKind {
    let hint = match character {
        '=' => "equality is written ==",
        '&' => "write \"and\" or \"&&\"",
        '|' => "write \"or\" or \"||\"",
        '+' | '/' | '%' => "there is no arithmetic",
        _ => {
            let found = format!("{:?}", character.to_string());
            return ErrorKind::Unexpected { found, expected: "a value, an operator or the end of the query" };
        }
    };
    ErrorKind::Hint { found: format!("{:?}", character.to_string()), hint: hint.to_owned() }
}
