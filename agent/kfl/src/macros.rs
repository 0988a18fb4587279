//! Names that stand for expressions: `http` for `protocol.abbr == "HTTP"`.
//!
//! A macro is replaced in the tree, not in the text: it is a whole word, cannot change what stands around it, and an error's
//! column is that of the text as written.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::ast::{Comparison, Expr, Literal, Macro, Operator, Path, Step};
use crate::caps::{MAX_CUSTOM_MACROS, MAX_MACRO_CHAIN};
use crate::error::{ErrorKind, MacroError};
use crate::lex::is_word;
use crate::parse::{self, Lookup};

/// Macro, field of `protocol`, what it must be. The HTTP family has one name, so its members differ in `abbr`.
pub const BUILT_IN: [(&str, &str, &str); 29] = [
    ("http", "abbr", "HTTP"),
    ("http2", "abbr", "HTTP/2"),
    ("grpc", "abbr", "gRPC"),
    ("gql", "abbr", "GQL"),
    ("dns", "abbr", "DNS"),
    ("amqp", "name", "amqp"),
    ("kafka", "name", "kafka"),
    ("redis", "name", "redis"),
    ("mqtt", "name", "mqtt"),
    ("memcached", "name", "memcached"),
    ("nats", "name", "nats"),
    ("tcp", "name", "tcp"),
    ("udp", "name", "udp"),
    ("icmp", "name", "icmp"),
    ("sctp", "name", "sctp"),
    ("ws", "name", "ws"),
    ("ldap", "name", "ldap"),
    ("radius", "name", "radius"),
    ("diameter", "name", "diameter"),
    ("tlsx", "name", "tlsx"),
    ("dtls", "name", "dtls"),
    ("quic", "name", "quic"),
    ("smtp", "name", "smtp"),
    ("socks", "name", "socks"),
    ("syscall", "name", "syscall"),
    ("mongodb", "name", "mongodb"),
    ("mysql", "name", "mysql"),
    ("postgresql", "name", "postgresql"),
    ("cassandra", "name", "cassandra"),
];

const KEYWORDS: [&str; 6] = ["and", "or", "not", "true", "false", "nil"];

type Table = HashMap<Box<str>, Arc<Macro>>;

static BUILT_IN_TABLE: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let entries = BUILT_IN.into_iter().map(|(name, field, text)| {
        let steps = ["protocol", field].map(|field| Step::Field(field.into()));
        let left = Expr::Path(Path { steps: steps.into() });
        let right = Expr::Literal(Literal::Text(text.into()));
        let expr = Expr::Compare(Box::new(Comparison { operator: Operator::Equal, left, right }));
        (name.into(), Arc::new(Macro { name: name.into(), expr, depth: 1, nodes: 3 }))
    });
    Arc::new(entries.collect())
});

/// The macros that a query may use. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Macros(Arc<Table>);

impl Default for Macros {
    /// The built-in ones.
    fn default() -> Self {
        Self(Arc::clone(&BUILT_IN_TABLE))
    }
}

impl Macros {
    /// The built-in ones, and those given as names with texts. A custom macro wins over a built-in one of its name, also
    /// inside other macros; macros may use each other.
    pub fn with_custom<N, T>(custom: impl IntoIterator<Item = (N, T)>) -> Result<Self, MacroError>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let texts: HashMap<String, String> = custom
            .into_iter()
            .take(MAX_CUSTOM_MACROS + 1)
            .map(|(name, text)| (name.into(), text.into()))
            .collect();
        if texts.len() > MAX_CUSTOM_MACROS {
            return Err(MacroError::Count);
        }
        let mut names: Vec<&String> = texts.keys().collect();
        // A fixed order, so that of several errors always the same one is told.
        names.sort();
        if let Some(name) = names.iter().find(|name| !is_word(name) || KEYWORDS.contains(&name.as_str())) {
            return Err(MacroError::Name(name.to_string()));
        }
        let mut resolver = Resolver { texts: &texts, done: Table::clone(&BUILT_IN_TABLE), open: Vec::new() };
        resolver.done.retain(|name, _| !texts.contains_key(&**name));
        for name in names {
            resolver.resolve(name, 0).map_err(|failure| match failure {
                Failure::Macro(error) => error,
                Failure::Use(kind) => {
                    MacroError::Text { name: name.clone(), error: crate::Error { line: 1, column: 1, kind } }
                }
            })?;
        }
        Ok(Self(Arc::new(resolver.done)))
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    pub fn get(&self, name: &str) -> Option<&Expr> {
        self.0.get(name).map(|found| &found.expr)
    }
}

/// Finds macros that are ready.
pub(crate) struct Ready<'m>(pub(crate) &'m Macros);

impl Lookup for Ready<'_> {
    fn find(&mut self, name: &str, _: usize) -> Result<Option<Arc<Macro>>, ErrorKind> {
        Ok(self.0.0.get(name).cloned())
    }
}

/// Parses custom macros, each before those that use it.
struct Resolver<'t> {
    texts: &'t HashMap<String, String>,
    done: Table,
    /// Those being parsed, each used by the one before it.
    open: Vec<String>,
}

enum Failure {
    /// Of the macro that is asked for: its use is the error.
    Use(ErrorKind),
    /// Further inside.
    Macro(MacroError),
}

impl Resolver<'_> {
    fn resolve(&mut self, name: &str, depth: usize) -> Result<Option<Arc<Macro>>, Failure> {
        if let Some(found) = self.done.get(name) {
            return Ok(Some(Arc::clone(found)));
        }
        let Some(text) = self.texts.get(name) else { return Ok(None) };
        if self.open.iter().any(|open| open == name) {
            return Err(Failure::Use(ErrorKind::MacroCycle(name.to_owned())));
        }
        if self.open.len() == MAX_MACRO_CHAIN {
            return Err(Failure::Use(ErrorKind::MacroChain));
        }
        self.open.push(name.to_owned());
        let mut inside = Inside { resolver: self, failed: None };
        let parsed = parse::parse(text, &mut inside, depth + 1);
        let failed = inside.failed.take();
        self.open.pop();
        let parsed = parsed.map_err(|error| {
            Failure::Macro(failed.unwrap_or_else(|| MacroError::Text { name: name.to_owned(), error }))
        })?;
        let expansion = Arc::new(Macro {
            name: name.into(),
            expr: parsed.expr,
            depth: parsed.depth - depth,
            nodes: parsed.nodes,
        });
        self.done.insert(name.into(), Arc::clone(&expansion));
        Ok(Some(expansion))
    }
}

struct Inside<'r, 't> {
    resolver: &'r mut Resolver<'t>,
    /// The error of a macro further inside, which counts instead of the one that the parser makes of it.
    failed: Option<MacroError>,
}

impl Lookup for Inside<'_, '_> {
    fn find(&mut self, name: &str, depth: usize) -> Result<Option<Arc<Macro>>, ErrorKind> {
        self.resolver.resolve(name, depth).map_err(|failure| match failure {
            Failure::Use(kind) => kind,
            Failure::Macro(error) => {
                self.failed = Some(error);
                ErrorKind::MacroChain
            }
        })
    }
}
