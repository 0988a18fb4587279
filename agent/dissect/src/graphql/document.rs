//! What a document asks for: its operations and their top-level fields (GraphQL specification, October 2021, section 2).

use super::lexer::{Lexer, NotGraphQl, Token};

/// Operations, fragments, and top-level fields of each, that are told of one document. The rest is still in its text.
const TOLD: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OperationType {
    Query,
    Mutation,
    Subscription,
}

impl OperationType {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "query" => Self::Query,
            "mutation" => Self::Mutation,
            "subscription" => Self::Subscription,
            _ => return None,
        })
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Operation<'a> {
    pub(super) kind: OperationType,
    pub(super) name: Option<&'a str>,
    roots: Roots<'a>,
}

/// The top level of a selection set; inline fragments belong to the level they stand in.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Roots<'a> {
    listed: Vec<Root<'a>>,
    cut: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Root<'a> {
    Field(&'a str),
    Spread(&'a str),
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Document<'a> {
    pub(super) operations: Vec<Operation<'a>>,
    fragments: Vec<(&'a str, Roots<'a>)>,
    /// It ends early, or goes wrong somewhere behind its first field.
    pub(super) broken: bool,
    cut: bool,
}

impl<'a> Document<'a> {
    /// `None` where the text is no GraphQL at all.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parser = Parser { lexer: Lexer::new(text), ahead: None, document: Self::default() };
        let whole = parser.document().is_ok();
        let mut document = parser.document;
        document.broken = !whole;
        // What has an operation with a field is GraphQL, though the server will refuse it.
        let asks = |operation: &Operation<'_>| !operation.roots.listed.is_empty();
        document.operations.iter().any(asks).then_some(document)
    }

    /// The operation that is run: the one named, else the only one.
    pub(super) fn chosen(&self, name: Option<&str>) -> Option<&Operation<'a>> {
        match (name, self.operations.as_slice()) {
            (Some(name), operations) if !name.is_empty() => {
                operations.iter().find(|operation| operation.name == Some(name))
            }
            (_, [only]) => Some(only),
            _ => None,
        }
    }

    /// The names of the fields an operation asks for at its top level, and whether that is not all of them.
    pub(super) fn fields(&self, operation: &Operation<'a>) -> (Vec<&'a str>, bool) {
        let mut names = Vec::new();
        let mut cut = self.cut || operation.roots.cut;
        let mut seen: Vec<&str> = Vec::new();
        let mut open: Vec<std::slice::Iter<'_, Root<'a>>> = vec![operation.roots.listed.iter()];
        while let Some(level) = open.last_mut() {
            match level.next() {
                None => {
                    open.pop();
                }
                Some(_) if names.len() >= TOLD => return (names, true),
                Some(Root::Field(name)) => names.push(*name),
                Some(Root::Spread(name)) => {
                    let fragment = self.fragments.iter().find(|(known, _)| known == name);
                    if let Some((name, roots)) = fragment.filter(|(name, _)| !seen.contains(name)) {
                        seen.push(name);
                        cut |= roots.cut;
                        open.push(roots.listed.iter());
                    }
                }
            }
        }
        (names, cut)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Option<Token<'a>>,
    document: Document<'a>,
}

type Done = Result<(), NotGraphQl>;

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Result<Option<Token<'a>>, NotGraphQl> {
        if self.ahead.is_none() {
            self.ahead = self.lexer.next()?;
        }
        Ok(self.ahead)
    }

    fn next(&mut self) -> Result<Option<Token<'a>>, NotGraphQl> {
        let token = self.peek()?;
        self.ahead = None;
        Ok(token)
    }

    fn name(&mut self) -> Result<&'a str, NotGraphQl> {
        match self.next()? {
            Some(Token::Name(name)) => Ok(name),
            _ => Err(NotGraphQl),
        }
    }

    fn document(&mut self) -> Done {
        while let Some(token) = self.peek()? {
            match token {
                Token::Mark(b'{') => self.operation(OperationType::Query, None)?,
                // A description.
                Token::Literal => self.ahead = None,
                Token::Name("fragment") => self.fragment()?,
                Token::Name(word) => {
                    let kind = OperationType::of(word).ok_or(NotGraphQl)?;
                    self.ahead = None;
                    let name = match self.peek()? {
                        Some(Token::Name(name)) => {
                            self.ahead = None;
                            Some(name)
                        }
                        _ => None,
                    };
                    if self.peek()? == Some(Token::Mark(b'(')) {
                        self.brackets()?;
                    }
                    self.directives()?;
                    self.operation(kind, name)?;
                }
                _ => return Err(NotGraphQl),
            }
        }
        Ok(())
    }

    fn operation(&mut self, kind: OperationType, name: Option<&'a str>) -> Done {
        let mut roots = Roots::default();
        let done = self.selections(&mut roots);
        match self.document.operations.len() < TOLD {
            true => self.document.operations.push(Operation { kind, name, roots }),
            false => self.document.cut = true,
        }
        done
    }

    fn fragment(&mut self) -> Done {
        self.ahead = None;
        let name = self.name()?;
        if self.name()? != "on" {
            return Err(NotGraphQl);
        }
        self.name()?;
        self.directives()?;
        let mut roots = Roots::default();
        let done = self.selections(&mut roots);
        match self.document.fragments.len() < TOLD {
            true => self.document.fragments.push((name, roots)),
            false => self.document.cut = true,
        }
        done
    }

    fn directives(&mut self) -> Done {
        while self.peek()? == Some(Token::Mark(b'@')) {
            self.ahead = None;
            self.name()?;
            if self.peek()? == Some(Token::Mark(b'(')) {
                self.brackets()?;
            }
        }
        Ok(())
    }

    /// Arguments or variable definitions: all up to the bracket that closes the one at hand.
    fn brackets(&mut self) -> Done {
        let mut depth = 0usize;
        loop {
            match self.next()?.ok_or(NotGraphQl)? {
                Token::Mark(b'(' | b'[' | b'{') => depth += 1,
                Token::Mark(b')' | b']' | b'}') => depth -= 1,
                Token::Spread => return Err(NotGraphQl),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A selection set with all that is in it. Levels are counted, not recursed into.
    fn selections(&mut self, roots: &mut Roots<'a>) -> Done {
        if self.next()? != Some(Token::Mark(b'{')) {
            return Err(NotGraphQl);
        }
        // For each open level whether its fields are of the top level, and whether it has any.
        let mut open = vec![(true, false)];
        while let Some(&(top, filled)) = open.last() {
            let token = self.next()?.ok_or(NotGraphQl)?;
            if token == Token::Mark(b'}') {
                if !filled {
                    return Err(NotGraphQl);
                }
                open.pop();
                continue;
            }
            if let Some(level) = open.last_mut() {
                level.1 = true;
            }
            let nested = match token {
                Token::Spread => self.spread(top, roots)?,
                Token::Name(name) => self.field(name, top, roots)?,
                _ => return Err(NotGraphQl),
            };
            if let Some(top) = nested {
                self.ahead = None;
                open.push((top, false));
            }
        }
        Ok(())
    }

    /// Behind `...`; whether a selection set follows, and at which level.
    fn spread(&mut self, top: bool, roots: &mut Roots<'a>) -> Result<Option<bool>, NotGraphQl> {
        match self.peek()? {
            Some(Token::Name("on")) => {
                self.ahead = None;
                self.name()?;
            }
            Some(Token::Name(name)) => {
                self.ahead = None;
                if top {
                    roots.push(Root::Spread(name));
                }
                self.directives()?;
                return Ok(None);
            }
            _ => {}
        }
        self.directives()?;
        match self.peek()? {
            Some(Token::Mark(b'{')) => Ok(Some(top)),
            _ => Err(NotGraphQl),
        }
    }

    /// Behind a field's name or alias; whether a selection set follows.
    fn field(&mut self, name: &'a str, top: bool, roots: &mut Roots<'a>) -> Result<Option<bool>, NotGraphQl> {
        let name = match self.peek() {
            Ok(Some(Token::Mark(b':'))) => {
                self.ahead = None;
                self.name()?
            }
            _ => name,
        };
        if top {
            roots.push(Root::Field(name));
        }
        if self.peek()? == Some(Token::Mark(b'(')) {
            self.brackets()?;
        }
        self.directives()?;
        Ok((self.peek()? == Some(Token::Mark(b'{'))).then_some(false))
    }
}

impl<'a> Roots<'a> {
    fn push(&mut self, root: Root<'a>) {
        match self.listed.len() < TOLD {
            true => self.listed.push(root),
            false => self.cut = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, name: Option<&str>) -> String {
        let Some(document) = Document::parse(text) else { return "no".to_owned() };
        let Some(operation) = document.chosen(name) else { return "none chosen".to_owned() };
        let broken = if document.broken { " broken" } else { "" };
        let name = operation.name.unwrap_or("-");
        format!("{} {name} {}{broken}", operation.kind.as_str(), document.fields(operation).0.join(","))
    }

    #[test]
    fn operations_and_their_top_level_fields() {
        for (text, name, expected) in [
            ("{ hello }", None, "query - hello"),
            ("query Q($a: In! = {x: [1]}) @d(a: 1) { a: x(in: $a) @e { y { z } } w }", None, "query Q x,w"),
            ("query A { a } query B { b c }", Some("B"), "query B b,c"),
            ("query A { a } query B { b c }", None, "none chosen"),
            ("mutation { add(s: \"}\") { id } }", Some(""), "mutation - add"),
            (
                "subscription S { ... on Query { t } ... @include(if: true) { u } }",
                None,
                "subscription S t,u",
            ),
            ("query { ...F v } fragment F on Q { f ...G } fragment G on Q { g ...F }", None, "query - f,g,v"),
            (
                "query IntrospectionQuery { __schema { types { name } } }",
                None,
                "query IntrospectionQuery __schema",
            ),
            ("{ query mutation on fragment }", None, "query - query,mutation,on,fragment"),
            ("{ hello ", None, "query - hello broken"),
            ("{ hello } }", None, "query - hello broken"),
            ("\"what it is for\" query D { d }", None, "query D d"),
        ] {
            assert_eq!(told(text, name), expected, "{text}");
        }
        for text in [
            "",
            "hello",
            "SELECT * FROM t",
            "up{job=\"x\"}",
            "{}",
            "{ 1 }",
            "{\"a\": 1}",
            "query",
            "type T { a: Int }",
            "fragment F on Q { f }",
            "query Q( { a }",
        ] {
            assert_eq!(told(text, None), "no", "{text}");
        }
    }

    #[test]
    fn depth_and_number_are_no_danger() {
        let deep = "{a".repeat(100_000);
        assert!(Document::parse(&deep).is_some_and(|document| document.broken));
        assert!(Document::parse(&format!("{{a({}", "[".repeat(100_000))).is_some());
        let many = format!("{{{}}}", " f".repeat(10_000));
        let document = Document::parse(&many).expect("it is GraphQL");
        let (fields, cut) = document.fields(&document.operations[0]);
        assert_eq!((fields.len(), cut), (TOLD, true));
        let fragments: String =
            (0..TOLD).map(|n| format!("fragment F{n} on Q {{ ...F{} x }} ", n + 1)).collect();
        let document = format!("{{ ...F0 }} {fragments}");
        let document = Document::parse(&document).expect("it is GraphQL");
        assert_eq!(document.fields(&document.operations[0]).0.len(), TOLD);
    }
}
