//! What is wrong with a script, found in its text without running it.
//!
//! [`check`] finds what a JavaScript engine accepts and what then fails, or never happens, in production: functions
//! that look like hooks and are none, members that a helper object does not have, calls with too few arguments, globals
//! of Node and of browsers. What exists is a table, the [`Surface`]. Syntax errors are the engine's to report.
//!
//! The text is parsed by tree-sitter, on a thread with a stack that is sized for it, and the tree is walked without
//! recursion, so that no nesting overflows a stack.

#![forbid(unsafe_code)]

mod collect;
mod documented;
mod facts;
mod foreign;
mod hooks;
mod members;
mod position;
mod render;
mod scope;
mod suggest;
mod surface;
mod syntax;
mod title;
mod walk;

pub use collect::MAX_FINDINGS;
pub use render::{MAX_RENDERED_WIDTH, render};
pub use surface::{Hook, Member, Namespace, Surface};
pub use syntax::{MAX_SOURCE_BYTES, PARSE_BUDGET};
pub use title::{MAX_TITLE_CHARS, title};
pub use walk::MAX_DEPTH;

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Throws when it is reached, or never runs at all.
    Error,
    /// Runs, but hardly as meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing found, at one place of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// From 1. Lines end as in ECMAScript: at LF, CR, CRLF, U+2028, U+2029.
    pub line: usize,
    /// From 1, in UTF-16 code units, as engines count in stack traces.
    pub column: usize,
    /// The kind, for filters: `unknown-hook`, `hook-parameters`, `hook-not-called`, `unknown-member`, `not-callable`,
    /// `frozen-helper`, `too-few-arguments`, `too-many-arguments`, `foreign-global`, `absent-helper`, `module-syntax`, `unknown-env`,
    /// `not-understood`, `not-checked`, `more-findings`.
    pub code: &'static str,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// What to write or use instead.
    pub suggestion: Option<String>,
}

/// What differs from check to check.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The keys that `env` will have. With `None` nothing is said about keys.
    pub env: Option<&'a [String]>,
}

/// Checks one script, a classic script in sloppy mode, against what it will find at run time.
///
/// Findings are in the order of the source. At most [`MAX_FINDINGS`] are given, and then a last one, `more-findings`, that
/// counts the rest. A text beyond [`MAX_SOURCE_BYTES`], or one that takes more than [`PARSE_BUDGET`] to parse, gives a
/// single `not-checked`. Where the text has syntax that is not understood, the rest is checked all the same, and a
/// note `not-understood` says where.
#[must_use]
pub fn check(source: &str, surface: &Surface, options: &Options<'_>) -> Vec<Finding> {
    let mut findings = collect::Findings::new(source);
    match syntax::parse(source) {
        Ok(tree) => {
            let facts = walk::walk(&tree, source, |name| {
                surface.namespace(name).is_some()
                    || surface.is_absent(name)
                    || foreign::instead_of(name).is_some()
            });
            hooks::check(&facts, surface, &mut findings);
            members::check(&facts, surface, options, &mut findings);
            foreign::check(&facts, surface, options, &mut findings);
            syntax::note(&facts, &mut findings);
        }
        Err(reason) => findings.push(Severity::Warning, "not-checked", 0, || (reason.to_string(), None)),
    }
    findings.into_sorted()
}
