//! Why a text is no query.

use crate::caps::{
    MAX_CUSTOM_MACROS, MAX_DEPTH, MAX_MACRO_CHAIN, MAX_NODES, MAX_QUERY_BYTES, MAX_REGEX_BYTES, MAX_REGEXES,
    MAX_STEPS,
};

/// An error with its place in the text: prints as `line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {kind}")]
pub struct Error {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub kind: ErrorKind,
}

impl Error {
    pub(crate) fn at(text: &str, offset: usize, kind: ErrorKind) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        Self { line, column: before[line_start..].chars().count() + 1, kind }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// `found` is quoted text, or names the end.
    #[error("unexpected {found} (expected {expected})")]
    Unexpected { found: String, expected: &'static str },
    #[error("unexpected {found}: {hint}")]
    Hint { found: String, hint: String },
    #[error("the {0} is not closed")]
    NotClosed(&'static str),
    #[error(
        "unknown escape {0:?}: a backslash is written \\\\, and a regular expression r\"…\" takes it as is"
    )]
    Escape(String),
    #[error("{0:?} is no number: decimal integers and floats are")]
    Number(String),
    #[error("unknown helper {name:?}{}", suggestion.as_ref().map_or(String::new(), |text| format!(": {text}")))]
    UnknownHelper { name: String, suggestion: Option<String> },
    #[error("{helper} takes {expected}")]
    Arguments { helper: &'static str, expected: &'static str },
    #[error("a regular expression stands on one side of == or !=")]
    RegexPlace,
    #[error("the regular expression has an error: {0}")]
    Regex(String),
    #[error("the regular expression takes more than {MAX_REGEX_BYTES} bytes when compiled")]
    RegexSize,
    #[error("there are more than {MAX_REGEXES} regular expressions")]
    Regexes,
    #[error("{0:?} is no date of the form 10/19/2021, 6:29:02.593 PM")]
    Date(String),
    #[error("in the path {path:?}: {message}")]
    RedactPath { path: String, message: String },
    #[error("the query is longer than {MAX_QUERY_BYTES} bytes")]
    Length,
    #[error("the query is nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("the query has more than {MAX_NODES} parts")]
    Nodes,
    #[error("the path has more than {MAX_STEPS} steps")]
    Steps,
    #[error("the macro {0:?} uses itself")]
    MacroCycle(String),
    #[error("more than {MAX_MACRO_CHAIN} macros use each other in a chain")]
    MacroChain,
}

/// What is wrong with a custom macro.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MacroError {
    #[error("macro {0:?}: a macro's name is an identifier and no keyword")]
    Name(String),
    #[error("macro {name:?}: {error}")]
    Text { name: String, error: Error },
    #[error("there are more than {MAX_CUSTOM_MACROS} custom macros")]
    Count,
}
