//! Paths, and what may follow them.

use super::Parser;
use crate::ast::{Binding, Expr, Path, Step, Test, TestKind};
use crate::caps::MAX_STEPS;
use crate::error::{Error, ErrorKind};
use crate::lex::{Symbol, Token};

impl Parser<'_, '_> {
    /// A word or `..`: a macro, a helper, or a path with or without a test at its end.
    pub(super) fn call(&mut self) -> Result<Expr, Error> {
        let mut steps = Vec::new();
        if let Some(name) = self.word() {
            let follows = self.symbol(1);
            if follows == Some(Symbol::Open) {
                return self.helper(name);
            }
            let alone = !matches!(follows, Some(Symbol::Dot | Symbol::DotDot | Symbol::OpenBracket));
            if alone && let Some(expr) = self.bare(name)? {
                return Ok(expr);
            }
            self.advance();
            steps.push(Step::Field(name.into()));
        }
        while let Some(step) = self.step()? {
            match step {
                Found::Step(step) => self.push(&mut steps, step)?,
                Found::Test(kind) => {
                    let path = Path { steps: steps.into() };
                    return self.test(kind, path);
                }
            }
        }
        if self.symbol(0) == Some(Symbol::Minus) && self.touches() {
            let hint = "there is no arithmetic; a name with \"-\" is written in brackets, as in a[\"x-y\"]";
            return Err(self.hint(hint));
        }
        Ok(Expr::Path(Path { steps: steps.into() }))
    }

    /// A word with nothing behind it that has a meaning of its own.
    fn bare(&mut self, name: &str) -> Result<Option<Expr>, Error> {
        let depth = self.depth;
        let found = self.macros.find(name, depth).map_err(|kind| self.error(kind))?;
        if let Some(expansion) = found {
            self.deepest = self.deepest.max(depth + expansion.depth);
            if self.deepest > crate::caps::MAX_DEPTH {
                return Err(self.error(ErrorKind::Depth));
            }
            self.count(expansion.nodes)?;
            self.advance();
            return Ok(Some(Expr::Macro(expansion)));
        }
        if name == "now" {
            self.advance();
            return Ok(Some(Expr::Time(crate::ast::Time::Now)));
        }
        Ok(None)
    }

    /// Whether the next token follows the last one without a space.
    fn touches(&self) -> bool {
        self.at.checked_sub(1).is_some_and(|last| self.tokens[last].end == self.spanned(0).start)
    }

    fn push(&mut self, steps: &mut Vec<Step>, step: Step) -> Result<(), Error> {
        if steps.len() == MAX_STEPS {
            return Err(self.error(ErrorKind::Steps));
        }
        steps.push(step);
        Ok(())
    }

    pub(super) fn whole_path(&mut self) -> Result<Path, Error> {
        let mut steps = Vec::new();
        if let Some(name) = self.word() {
            self.advance();
            steps.push(Step::Field(name.into()));
        } else if self.take_symbol(Symbol::Star) {
            steps.push(Step::Each);
        } else if !matches!(self.symbol(0), Some(Symbol::DotDot | Symbol::OpenBracket)) {
            return Err(self.unexpected("a path"));
        }
        while let Some(step) = self.step()? {
            match step {
                Found::Step(step) => self.push(&mut steps, step)?,
                Found::Test(_) => return Err(self.unexpected("a path without a test")),
            }
        }
        Ok(Path { steps: steps.into() })
    }

    /// The next step, where there is one. Of a test the name is taken, its argument is next.
    fn step(&mut self) -> Result<Option<Found>, Error> {
        let step = match self.symbol(0) {
            Some(Symbol::Dot) => {
                self.advance();
                return self.dotted().map(Some);
            }
            Some(Symbol::DotDot) => {
                self.advance();
                Step::Descend(self.descended()?)
            }
            Some(Symbol::OpenBracket) => {
                self.advance();
                let step = self.bracketed()?;
                self.expect(Symbol::CloseBracket, "\"]\"")?;
                step
            }
            _ => {
                // `a.0` is a word and the number `.0`.
                let next = self.spanned(0);
                if next.token == Token::Number && self.slice(next).starts_with('.') && self.touches() {
                    return Err(self.hint("an element is written in brackets, as in a[0]"));
                }
                return Ok(None);
            }
        };
        Ok(Some(Found::Step(step)))
    }

    /// Behind a dot.
    fn dotted(&mut self) -> Result<Found, Error> {
        if self.take_symbol(Symbol::Star) {
            return Ok(Found::Step(Step::Each));
        }
        let Some(name) = self.word() else { return Err(self.unexpected("a field's name")) };
        if self.symbol(1) != Some(Symbol::Open) {
            self.advance();
            return Ok(Found::Step(Step::Field(name.into())));
        }
        let step = match name {
            "startsWith" => return Ok(self.named(TestKind::StartsWith)),
            "endsWith" => return Ok(self.named(TestKind::EndsWith)),
            "contains" => return Ok(self.named(TestKind::Contains)),
            "json" => Step::Json,
            "xml" => Step::Xml,
            _ => return Err(self.unknown_helper(name, true)),
        };
        self.advance();
        self.advance();
        let helper = if step == Step::Json { "json" } else { "xml" };
        if !self.take_symbol(Symbol::Close) {
            return Err(self.error(ErrorKind::Arguments { helper, expected: "no argument" }));
        }
        Ok(Found::Step(step))
    }

    fn named(&mut self, kind: TestKind) -> Found {
        self.advance();
        Found::Test(kind)
    }

    fn descended(&mut self) -> Result<Box<str>, Error> {
        if let Some(name) = self.word() {
            self.advance();
            return Ok(name.into());
        }
        self.expect(Symbol::OpenBracket, "a field's name")?;
        let name = match self.peek() {
            Token::Text(name) => name.as_str().into(),
            _ => return Err(self.unexpected("a name in quotes")),
        };
        self.advance();
        self.expect(Symbol::CloseBracket, "\"]\"")?;
        Ok(name)
    }

    fn bracketed(&mut self) -> Result<Step, Error> {
        let step = match self.peek() {
            Token::Text(name) => Step::Field(name.as_str().into()),
            Token::Symbol(Symbol::Star) => Step::Each,
            Token::Number => match self.slice(self.spanned(0)).parse() {
                Ok(index) => Step::Index(index),
                Err(_) => return Err(self.unexpected("an index from 0")),
            },
            Token::Word => return Err(self.hint("a name in brackets is in quotes, as in a[\"x\"]")),
            _ => return Err(self.unexpected("an index from 0, a name in quotes or \"*\"")),
        };
        self.advance();
        Ok(step)
    }

    fn test(&mut self, kind: TestKind, path: Path) -> Result<Expr, Error> {
        let arguments = ErrorKind::Arguments { helper: kind.name(), expected: "one argument" };
        self.expect(Symbol::Open, "\"(\"")?;
        if self.symbol(0) == Some(Symbol::Close) {
            return Err(self.error(arguments));
        }
        let argument = self.nested(|parser| parser.expr(Binding::Or))?;
        if self.symbol(0) == Some(Symbol::Comma) {
            return Err(self.error(arguments));
        }
        self.expect(Symbol::Close, "\")\"")?;
        if path.steps.is_empty() {
            return Err(self.error(arguments));
        }
        if matches!(self.symbol(0), Some(Symbol::Dot | Symbol::DotDot | Symbol::OpenBracket)) {
            return Err(self.hint(format!("{}(…) is true or false and has no fields", kind.name())));
        }
        Ok(Expr::Test(Box::new(Test { kind, path, argument })))
    }
}

enum Found {
    Step(Step),
    Test(TestKind),
}
