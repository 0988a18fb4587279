//! Operators and what stands between them.

use super::Parser;
use crate::ast::{Comparison, Expr, Literal, Operator, Pattern};
use crate::caps::{MAX_REGEX_BYTES, MAX_REGEX_CACHE_BYTES, MAX_REGEXES};
use crate::error::{Error, ErrorKind};
use crate::lex::{Symbol, Token};
use crate::scalar::{self, Number};

impl Parser<'_, '_> {
    pub(super) fn or(&mut self) -> Result<Expr, Error> {
        self.chain(Symbol::Or, "or", Self::and, Expr::Any)
    }

    fn and(&mut self) -> Result<Expr, Error> {
        self.chain(Symbol::And, "and", Self::not, Expr::All)
    }

    fn chain(
        &mut self,
        symbol: Symbol,
        word: &str,
        part: fn(&mut Self) -> Result<Expr, Error>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, Error> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.symbol(0) == Some(symbol) || self.word() == Some(word) {
            self.advance();
            self.count(1)?;
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn not(&mut self) -> Result<Expr, Error> {
        if self.word() != Some("not") {
            return self.equality();
        }
        self.advance();
        self.count(1)?;
        Ok(Expr::Not(Box::new(self.nested(Self::not)?)))
    }

    fn equality(&mut self) -> Result<Expr, Error> {
        self.comparisons(Self::relation, |symbol| match symbol {
            Symbol::Equal => Some(Operator::Equal),
            Symbol::NotEqual => Some(Operator::NotEqual),
            _ => None,
        })
    }

    fn relation(&mut self) -> Result<Expr, Error> {
        self.comparisons(Self::unary, |symbol| match symbol {
            Symbol::Less => Some(Operator::Less),
            Symbol::LessOrEqual => Some(Operator::LessOrEqual),
            Symbol::Greater => Some(Operator::Greater),
            Symbol::GreaterOrEqual => Some(Operator::GreaterOrEqual),
            _ => None,
        })
    }

    /// A chain of comparisons, whose tree grows to the left.
    fn comparisons(
        &mut self,
        operand: fn(&mut Self) -> Result<Expr, Error>,
        operator: fn(Symbol) -> Option<Operator>,
    ) -> Result<Expr, Error> {
        let depth = self.depth;
        let mut left = operand(self)?;
        while let Some(operator) = self.symbol(0).and_then(operator) {
            self.deepen()?;
            self.count(1)?;
            let place = self.spanned(0).start;
            self.advance();
            let right = operand(self)?;
            let regexes = [&left, &right].iter().filter(|side| matches!(side, Expr::Regex(_))).count();
            if regexes > usize::from(operator.is_equality()) {
                return Err(Error::at(self.text, place, ErrorKind::RegexPlace));
            }
            left = Expr::Compare(Box::new(Comparison { operator, left, right }));
        }
        self.depth = depth;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Error> {
        let place = self.spanned(0).start;
        if self.take_symbol(Symbol::Not) {
            self.count(1)?;
            let expr = self.nested(Self::unary)?;
            self.no_regex(&expr, place)?;
            return Ok(Expr::Not(Box::new(expr)));
        }
        if !self.take_symbol(Symbol::Minus) {
            return self.primary();
        }
        if self.peek() == &Token::Number {
            return self.number(true).map(Expr::Literal);
        }
        self.count(1)?;
        let expr = self.nested(Self::unary)?;
        self.no_regex(&expr, place)?;
        Ok(match expr {
            Expr::Literal(Literal::Int(value)) => Expr::Literal(literal(Number::Int(value).negated())),
            Expr::Literal(Literal::Float(value)) => Expr::Literal(Literal::Float(-value)),
            other => Expr::Negate(Box::new(other)),
        })
    }

    fn no_regex(&self, expr: &Expr, place: usize) -> Result<(), Error> {
        match expr {
            Expr::Regex(_) => Err(Error::at(self.text, place, ErrorKind::RegexPlace)),
            _ => Ok(()),
        }
    }

    fn primary(&mut self) -> Result<Expr, Error> {
        const EXPECTED: &str = "a field, a value, a helper or \"(\"";
        self.count(1)?;
        match self.peek() {
            Token::Number => self.number(false).map(Expr::Literal),
            Token::Text(text) => {
                let literal = Literal::Text(text.as_str().into());
                self.advance();
                Ok(Expr::Literal(literal))
            }
            Token::Regex => self.regex(),
            Token::Symbol(Symbol::Open) => {
                self.advance();
                let expr = self.nested(Self::or)?;
                self.expect(Symbol::Close, "\")\", \"and\", \"or\" or an operator")?;
                Ok(expr)
            }
            Token::Word => match self.word().unwrap_or_default() {
                "true" => Ok(self.keyword(Literal::Bool(true))),
                "false" => Ok(self.keyword(Literal::Bool(false))),
                "nil" => Ok(self.keyword(Literal::Nil)),
                "and" | "or" | "not" => Err(self.unexpected(EXPECTED)),
                _ => self.call(),
            },
            Token::Symbol(Symbol::DotDot) => self.call(),
            Token::Symbol(Symbol::Star) => Err(self.hint("a wildcard follows a field, as in a.*")),
            _ => Err(self.unexpected(EXPECTED)),
        }
    }

    fn keyword(&mut self, literal: Literal) -> Expr {
        self.advance();
        Expr::Literal(literal)
    }

    /// A number token, which is next.
    pub(super) fn number(&mut self, negative: bool) -> Result<Literal, Error> {
        let text = self.slice(self.spanned(0));
        let digits: String = text.chars().filter(|&digit| digit != '_').collect();
        let signed = if negative { format!("-{digits}") } else { digits };
        let number = scalar::parse(&signed).ok_or_else(|| self.error(ErrorKind::Number(text.to_owned())))?;
        self.advance();
        Ok(literal(number))
    }

    fn regex(&mut self) -> Result<Expr, Error> {
        let equality = |symbol| matches!(symbol, Some(Symbol::Equal | Symbol::NotEqual));
        let before = self.at.checked_sub(1).map(|at| &self.tokens[at].token);
        let after_equality = matches!(before, Some(Token::Symbol(symbol)) if equality(Some(*symbol)));
        if !after_equality && !equality(self.symbol(1)) {
            return Err(self.error(ErrorKind::RegexPlace));
        }
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            return Err(self.error(ErrorKind::Regexes));
        }
        let token = self.slice(self.spanned(0));
        let text = token.strip_prefix("r\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        let program = regex::RegexBuilder::new(text)
            .size_limit(MAX_REGEX_BYTES)
            .dfa_size_limit(MAX_REGEX_CACHE_BYTES)
            .build()
            .map_err(|error| self.error(regex_error(&error)))?;
        self.advance();
        Ok(Expr::Regex(Pattern { text: text.into(), program }))
    }
}

fn literal(number: Number) -> Literal {
    match number {
        Number::Int(value) => Literal::Int(value),
        Number::Float(value) => Literal::Float(value),
    }
}

/// The last line of the message says what is wrong; those before point into the pattern.
fn regex_error(error: &regex::Error) -> ErrorKind {
    match error {
        regex::Error::CompiledTooBig(_) => ErrorKind::RegexSize,
        other => {
            let message = other.to_string();
            let last = message.lines().last().unwrap_or_default();
            ErrorKind::Regex(last.strip_prefix("error: ").unwrap_or(last).to_owned())
        }
    }
}
