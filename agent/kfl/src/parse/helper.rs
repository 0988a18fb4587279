//! Helpers that stand by themselves, and words that are none.

use super::Parser;
use crate::ast::{Expr, Literal, Time, Unit};
use crate::datetime;
use crate::error::{Error, ErrorKind};
use crate::lex::{Symbol, Token};

/// Those that begin an expression, and those that follow a path.
const FREE: [&str; 12] = [
    "now", "datetime", "seconds", "minutes", "hours", "days", "weeks", "months", "years", "limit", "record",
    "redact",
];
const FOLLOWING: [&str; 5] = ["startsWith", "endsWith", "contains", "json", "xml"];

impl Parser<'_, '_> {
    /// `name(…)`; the name is next.
    pub(super) fn helper(&mut self, name: &str) -> Result<Expr, Error> {
        if !FREE.contains(&name) {
            return Err(self.unknown_helper(name, false));
        }
        self.advance();
        self.advance();
        let expr = match name {
            "now" => self.only("now", "no argument", |_| Some(Expr::Time(Time::Now))),
            "datetime" => {
                let place = self.spanned(0).start;
                let text = self.only("datetime", "a date in quotes", Self::text)?;
                let millis = datetime::parse(&text)
                    .ok_or_else(|| Error::at(self.text, place, ErrorKind::Date(text.to_string())))?;
                Ok(Expr::Time(Time::Date { text, millis }))
            }
            "limit" => {
                const EXPECTED: &str = "a whole number from 0";
                let place = self.spanned(0).start;
                match self.only("limit", EXPECTED, Self::constant)? {
                    Literal::Int(count) if count >= 0 => Ok(Expr::Limit(count.unsigned_abs())),
                    _ => {
                        let kind = ErrorKind::Arguments { helper: "limit", expected: EXPECTED };
                        Err(Error::at(self.text, place, kind))
                    }
                }
            }
            "record" => self.only("record", "a name in quotes", |parser| parser.text().map(Expr::Record)),
            "redact" => self.redact(),
            _ => {
                let unit = Unit::ALL.into_iter().find(|unit| unit.name() == name);
                let unit = unit.ok_or_else(|| self.unknown_helper(name, false))?;
                let count = self.only(unit.name(), "a number", Self::constant)?;
                Ok(Expr::Time(Time::FromNow { unit, count }))
            }
        }?;
        if matches!(self.symbol(0), Some(Symbol::Dot | Symbol::DotDot | Symbol::OpenBracket)) {
            return Err(self.hint(format!("{name}(…) has no fields")));
        }
        Ok(expr)
    }

    fn arguments(&self, helper: &'static str, expected: &'static str) -> Error {
        self.error(ErrorKind::Arguments { helper, expected })
    }

    /// What `read` makes of the tokens up to the closing parenthesis.
    fn only<T>(
        &mut self,
        helper: &'static str,
        expected: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Error> {
        let read = read(self).ok_or_else(|| self.arguments(helper, expected))?;
        if self.take_symbol(Symbol::Close) { Ok(read) } else { Err(self.arguments(helper, expected)) }
    }

    fn text(&mut self) -> Option<Box<str>> {
        let Token::Text(text) = self.peek() else { return None };
        let text = text.as_str().into();
        self.advance();
        Some(text)
    }

    /// A number, with or without a sign.
    fn constant(&mut self) -> Option<Literal> {
        let negative = self.take_symbol(Symbol::Minus);
        if self.peek() == &Token::Number { self.number(negative).ok() } else { None }
    }

    fn redact(&mut self) -> Result<Expr, Error> {
        const EXPECTED: &str = "one path in quotes or more, as in redact(\"request.headers\")";
        let mut paths = Vec::new();
        loop {
            let place = self.spanned(0).start;
            let text = self.text().ok_or_else(|| self.arguments("redact", EXPECTED))?;
            let path = super::parse_path(&text).map_err(|error| {
                let message = error.kind.to_string();
                Error::at(self.text, place, ErrorKind::RedactPath { path: text.to_string(), message })
            })?;
            self.count(1)?;
            paths.push(path);
            if self.take_symbol(Symbol::Close) {
                return Ok(Expr::Redact(paths.into()));
            }
            if !self.take_symbol(Symbol::Comma) {
                return Err(self.arguments("redact", EXPECTED));
            }
        }
    }

    /// `name(` stands where a helper of that name does not exist: `after_path` says where it stands.
    pub(super) fn unknown_helper(&self, name: &str, after_path: bool) -> Error {
        let (fitting, others) =
            if after_path { (&FOLLOWING[..], &FREE[..]) } else { (&FREE[..], &FOLLOWING[..]) };
        let suggestion = if others.contains(&name) {
            Some(if after_path {
                format!("{name}(…) stands by itself, not behind a path")
            } else {
                format!("{name}(…) follows a path, as in request.path.{name}(…)")
            })
        } else if name == "matches" {
            Some("a regular expression is compared with, as in request.path == r\"…\"".to_owned())
        } else {
            closest(name, fitting)
                .or_else(|| closest(name, others))
                .map(|known| format!("do you mean {known}?"))
        };
        self.error(ErrorKind::UnknownHelper { name: name.to_owned(), suggestion })
    }
}

/// The known name that takes the fewest changes, where that is at most a third of it.
fn closest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    const LONGEST: usize = 20;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let distances = known.iter().map(|&known| (distance(&name, &known.to_lowercase()), known));
    distances.min().filter(|(distance, known)| distance * 3 <= known.len()).map(|(_, known)| known)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
