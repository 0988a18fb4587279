//! From tokens to the tree, by precedence climbing.

mod expr;
mod helper;
mod path;

use std::sync::Arc;

use crate::ast::{Binding, Expr, Macro, Path};
use crate::caps::{MAX_DEPTH, MAX_NODES};
use crate::error::{Error, ErrorKind};
use crate::lex::{self, Spanned, Symbol, Token};

/// Where a bare word may be found to be a macro.
pub(crate) trait Lookup {
    /// `depth` is that of the place where the macro stands.
    fn find(&mut self, name: &str, depth: usize) -> Result<Option<Arc<Macro>>, ErrorKind>;
}

/// A tree, with what it takes.
pub(crate) struct Parsed {
    pub(crate) expr: Expr,
    /// The deepest level, from the `depth` given.
    pub(crate) depth: usize,
    pub(crate) nodes: usize,
}

pub(crate) fn parse(text: &str, macros: &mut dyn Lookup, depth: usize) -> Result<Parsed, Error> {
    let mut parser = Parser::new(text, macros)?;
    (parser.depth, parser.deepest) = (depth, depth);
    let expr = if parser.peek() == &Token::End { Expr::All(Vec::new()) } else { parser.expr(Binding::Or)? };
    if parser.peek() != &Token::End {
        return Err(parser.unexpected("an operator, \"and\", \"or\" or the end of the query"));
    }
    Ok(Parsed { expr, depth: parser.deepest, nodes: parser.nodes })
}

/// A path by itself, as `redact` takes it: any names, no macros; may begin with brackets or a wildcard.
pub(crate) fn parse_path(text: &str) -> Result<Path, Error> {
    let mut macros = NoMacros;
    let mut parser = Parser::new(text, &mut macros)?;
    let path = parser.whole_path()?;
    if parser.peek() != &Token::End {
        return Err(parser.unexpected("a further step or the end of the path"));
    }
    Ok(path)
}

struct NoMacros;

impl Lookup for NoMacros {
    fn find(&mut self, _: &str, _: usize) -> Result<Option<Arc<Macro>>, ErrorKind> {
        Ok(None)
    }
}

pub(crate) struct Parser<'t, 'm> {
    text: &'t str,
    tokens: Vec<Spanned>,
    at: usize,
    macros: &'m mut dyn Lookup,
    depth: usize,
    deepest: usize,
    nodes: usize,
    regexes: usize,
}

impl<'t, 'm> Parser<'t, 'm> {
    fn new(text: &'t str, macros: &'m mut dyn Lookup) -> Result<Self, Error> {
        let tokens = lex::lex(text)?;
        Ok(Self { text, tokens, at: 0, macros, depth: 0, deepest: 0, nodes: 0, regexes: 0 })
    }

    fn spanned(&self, ahead: usize) -> &Spanned {
        // The last token is the end, and is never passed.
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Token {
        &self.spanned(0).token
    }

    fn slice(&self, token: &Spanned) -> &'t str {
        &self.text[token.start..token.end]
    }

    /// The word that comes next, keyword or not.
    fn word(&self) -> Option<&'t str> {
        let next = self.spanned(0);
        (next.token == Token::Word).then(|| self.slice(next))
    }

    fn symbol(&self, ahead: usize) -> Option<Symbol> {
        match self.spanned(ahead).token {
            Token::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn take_symbol(&mut self, symbol: Symbol) -> bool {
        let there = self.symbol(0) == Some(symbol);
        if there {
            self.advance();
        }
        there
    }

    fn expect(&mut self, symbol: Symbol, expected: &'static str) -> Result<(), Error> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// An error at the next token.
    fn error(&self, kind: ErrorKind) -> Error {
        Error::at(self.text, self.spanned(0).start, kind)
    }

    fn found(&self) -> String {
        const LONGEST: usize = 40;
        let next = self.spanned(0);
        if next.token == Token::End {
            return "end of the query".to_owned();
        }
        let text = self.slice(next);
        // A literal comes with its quotes; anything else gets some.
        match next.token {
            Token::Text(_) | Token::Regex if text.len() <= LONGEST => text.to_owned(),
            Token::Text(_) => "string".to_owned(),
            Token::Regex => "regular expression".to_owned(),
            _ => format!("\"{}\"", text.chars().take(LONGEST).collect::<String>()),
        }
    }

    fn unexpected(&self, expected: &'static str) -> Error {
        self.error(ErrorKind::Unexpected { found: self.found(), expected })
    }

    fn hint(&self, hint: impl Into<String>) -> Error {
        self.error(ErrorKind::Hint { found: self.found(), hint: hint.into() })
    }

    fn deepen(&mut self) -> Result<(), Error> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > MAX_DEPTH { Err(self.error(ErrorKind::Depth)) } else { Ok(()) }
    }

    /// Parses one level further down.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.deepen()?;
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn count(&mut self, nodes: usize) -> Result<(), Error> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(self.error(ErrorKind::Nodes)) } else { Ok(()) }
    }
}
