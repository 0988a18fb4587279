//! A compiled query.

use crate::ast::{Expr, Path};
use crate::error::Error;
use crate::eval::Evaluation;
use crate::macros::{Macros, Ready};
use crate::parse;
use crate::redact::{Redacted, redact};
use crate::value::Value;

/// A query, compiled once and evaluated on any number of items, from any thread.
#[derive(Debug, Clone)]
pub struct Query {
    expr: Expr,
    limit: Option<u64>,
}

impl Query {
    /// The empty text is a query that everything matches.
    pub fn compile(text: &str, macros: &Macros) -> Result<Self, Error> {
        let expr = parse::parse(text, &mut Ready(macros), 0)?.expr;
        let limit = limit(&expr);
        Ok(Self { expr, limit })
    }

    /// Whether the item matches.
    ///
    /// `now` is the time, in milliseconds since the Unix epoch, that `now()`, `minutes(-5)` and their like refer to. A
    /// caller that streams results passes the moment at which the stream was opened, for every item the same: then
    /// `timestamp >= now()` means live traffic only, and `timestamp > minutes(-5)` does not move.
    pub fn matches(&self, item: &dyn Value, now: i64) -> bool {
        Evaluation::new(item, now).holds(&self.expr)
    }

    /// Whether the item matches, and what is to be redacted in it.
    pub fn evaluate(&self, item: &dyn Value, now: i64) -> Outcome<'_> {
        let evaluation = Evaluation::new(item, now);
        let matched = evaluation.holds(&self.expr);
        Outcome { matched, cut: evaluation.budget.exceeded(), redactions: evaluation.redactions.into_inner() }
    }

    /// Evaluates the query on an item in JSON and replaces what it redacts by `[REDACTED]`.
    pub fn redact(&self, item: &mut serde_json::Value, now: i64) -> Redacted {
        self.evaluate(item, now).redact(item)
    }

    /// After how many results the stream ends: the first `limit(n)` in the text, wherever it stands.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// The tree. It prints as a text that compiles to the same tree with the same macros.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }
}

fn limit(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Limit(count) => Some(*count),
        Expr::All(parts) | Expr::Any(parts) => parts.iter().find_map(limit),
        Expr::Not(inner) | Expr::Negate(inner) => limit(inner),
        Expr::Compare(comparison) => limit(&comparison.left).or_else(|| limit(&comparison.right)),
        Expr::Test(test) => limit(&test.argument),
        Expr::Macro(expansion) => limit(&expansion.expr),
        Expr::Path(_)
        | Expr::Literal(_)
        | Expr::Regex(_)
        | Expr::Time(_)
        | Expr::Record(_)
        | Expr::Redact(_) => None,
    }
}

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<'q> {
    pub matched: bool,
    /// A cap was met, and what lies beyond it counted as missing.
    pub cut: bool,
    redactions: Vec<&'q [Path]>,
}

impl<'q> Outcome<'q> {
    /// The paths of every `redact` that the evaluation reached, in that order, whether or not the item matched.
    pub fn redactions(&self) -> impl Iterator<Item = &'q Path> {
        self.redactions.iter().copied().flatten()
    }

    /// Replaces what the redactions lead to by `[REDACTED]`.
    pub fn redact(&self, item: &mut serde_json::Value) -> Redacted {
        redact(item, self.redactions())
    }
}
