//! Operators and what stands between them.

use super::Parser;
use crate::ast::{Binding, Comparison, Expr, Literal, Operator, Pattern};
use crate::caps::{MAX_REGEX_BYTES, MAX_REGEX_CACHE_BYTES, MAX_REGEXES};
use crate::error::{Error, ErrorKind};
use crate::lex::{Symbol, Token};
use crate::scalar::{self, Number};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Infix {
    Or,
    And,
    Compare(Operator),
}

impl Infix {
    fn binding(self) -> Binding {
        match self {
            Self::Or => Binding::Or,
            Self::And => Binding::And,
            Self::Compare(operator) if operator.is_equality() => Binding::Equality,
            Self::Compare(_) => Binding::Relation,
        }
    }
}

impl Parser<'_, '_> {
    /// The operators that bind at least as tightly as `least`. One function for all of them, so that a level of
    /// parentheses takes few frames of the stack.
    pub(super) fn expr(&mut self, least: Binding) -> Result<Expr, Error> {
        let depth = self.depth;
        let mut left = if self.word() == Some("not") && least <= Binding::Not {
            self.advance();
            self.count(1)?;
            Expr::Not(Box::new(self.nested(|parser| parser.expr(Binding::Not))?))
        } else {
            self.unary()?
        };
        while let Some(operator) = self.operator().filter(|operator| operator.binding() >= least) {
            left = match operator {
                Infix::Or => {
                    self.depth = depth;
                    self.chain(left, Infix::Or, Binding::And).map(Expr::Any)?
                }
                Infix::And => {
                    self.depth = depth;
                    self.chain(left, Infix::And, Binding::Not).map(Expr::All)?
                }
                Infix::Compare(operator) => self.comparison(left, operator)?,
            };
        }
        self.depth = depth;
        Ok(left)
    }

    fn operator(&self) -> Option<Infix> {
        match self.symbol(0) {
            Some(Symbol::And) => Some(Infix::And),
            Some(Symbol::Or) => Some(Infix::Or),
            Some(Symbol::Equal) => Some(Infix::Compare(Operator::Equal)),
            Some(Symbol::NotEqual) => Some(Infix::Compare(Operator::NotEqual)),
            Some(Symbol::Less) => Some(Infix::Compare(Operator::Less)),
            Some(Symbol::LessOrEqual) => Some(Infix::Compare(Operator::LessOrEqual)),
            Some(Symbol::Greater) => Some(Infix::Compare(Operator::Greater)),
            Some(Symbol::GreaterOrEqual) => Some(Infix::Compare(Operator::GreaterOrEqual)),
            Some(_) => None,
            None => match self.word() {
                Some("and") => Some(Infix::And),
                Some("or") => Some(Infix::Or),
                _ => None,
            },
        }
    }

    /// All parts that one operator joins.
    fn chain(&mut self, first: Expr, operator: Infix, part: Binding) -> Result<Vec<Expr>, Error> {
        let mut parts = vec![first];
        while self.operator() == Some(operator) {
            self.advance();
            self.count(1)?;
            parts.push(self.expr(part)?);
        }
        Ok(parts)
    }

    /// A chain of comparisons makes a tree that grows to the left, a level with each.
    fn comparison(&mut self, left: Expr, operator: Operator) -> Result<Expr, Error> {
        self.deepen()?;
        self.count(1)?;
        let place = self.spanned(0).start;
        self.advance();
        let right = if operator.is_equality() { self.expr(Binding::Relation)? } else { self.unary()? };
        let regexes = [&left, &right].iter().filter(|side| matches!(side, Expr::Regex(_))).count();
        if regexes > usize::from(operator.is_equality()) {
            return Err(Error::at(self.text, place, ErrorKind::RegexPlace));
        }
        Ok(Expr::Compare(Box::new(Comparison { operator, left, right })))
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
                let expr = self.nested(|parser| parser.expr(Binding::Or))?;
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
