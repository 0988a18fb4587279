//! The tree of a query. [`std::fmt::Display`] prints a text that parses to the same tree, unless escapes and spaces make it
//! longer than [`crate::caps::MAX_QUERY_BYTES`].

use std::sync::Arc;

/// What is true or false of an item, or has a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `a and b and c`; without any part the empty query, which is true.
    All(Vec<Self>),
    /// `a or b or c`.
    Any(Vec<Self>),
    /// `!a`, `not a`.
    Not(Box<Self>),
    /// `-a`.
    Negate(Box<Self>),
    Compare(Box<Comparison>),
    Path(Path),
    Literal(Literal),
    /// Only on one side of `==` or `!=`.
    Regex(Pattern),
    /// `a.startsWith("x")` and its like.
    Test(Box<Test>),
    Time(Time),
    /// `limit(n)`.
    Limit(u64),
    /// `record("name")`.
    Record(Box<str>),
    /// `redact("path", …)`.
    Redact(Box<[Path]>),
    Macro(Arc<Macro>),
}

/// How tightly an operator binds, the loosest first.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Binding {
    Or,
    And,
    Not,
    Equality,
    Relation,
    Unary,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub operator: Operator,
    pub left: Expr,
    pub right: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// `==` and `!=`, which bind looser than the others.
    pub(crate) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Nil,
    Bool(bool),
    Int(i64),
    /// Finite.
    Float(f64),
    Text(Box<str>),
}

/// A way from the item to values in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub steps: Box<[Step]>,
}

impl Path {
    /// Whether it may lead to more than one value.
    pub fn is_many(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Each | Step::Descend(_)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name`, `["name"]`.
    Field(Box<str>),
    /// `[0]`.
    Index(usize),
    /// `.*`, `[*]`: every field or element.
    Each,
    /// `..name`: the field at any depth.
    Descend(Box<str>),
    /// `.json()`: what the text holds as JSON.
    Json,
    /// `.xml()`.
    Xml,
}

/// A regular expression; equal to another by its text.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub text: Box<str>,
    pub(crate) program: regex::Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    pub kind: TestKind,
    pub path: Path,
    pub argument: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestKind {
    StartsWith,
    EndsWith,
    Contains,
}

impl TestKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
        }
    }
}

/// A moment, in milliseconds since the Unix epoch once the time is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Time {
    /// `now`, `now()`.
    Now,
    /// `minutes(-5)`: so many units from now, an integer or a float.
    FromNow { unit: Unit, count: Literal },
    /// `datetime("10/19/2021, 6:29:02.593 PM")`.
    Date { text: Box<str>, millis: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    /// 30 days.
    Months,
    /// 365 days.
    Years,
}

impl Unit {
    pub(crate) const ALL: [Self; 7] =
        [Self::Seconds, Self::Minutes, Self::Hours, Self::Days, Self::Weeks, Self::Months, Self::Years];

    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Weeks => "weeks",
            Self::Months => "months",
            Self::Years => "years",
        }
    }

    pub fn millis(self) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        match self {
            Self::Seconds => 1000,
            Self::Minutes => 60 * 1000,
            Self::Hours => 60 * 60 * 1000,
            Self::Days => DAY,
            Self::Weeks => 7 * DAY,
            Self::Months => 30 * DAY,
            Self::Years => 365 * DAY,
        }
    }
}

impl Time {
    /// Beyond the range of the type, its end.
    pub fn millis(&self, now: i64) -> i64 {
        match self {
            Self::Now => now,
            Self::FromNow { unit, count: Literal::Int(count) } => {
                now.saturating_add(count.saturating_mul(unit.millis()))
            }
            // The conversion saturates.
            Self::FromNow { unit, count: Literal::Float(count) } => {
                now.saturating_add((count * unit.millis() as f64).round() as i64)
            }
            Self::FromNow { .. } => now,
            Self::Date { millis, .. } => *millis,
        }
    }
}

/// A name that stands for an expression.
#[derive(Debug, PartialEq)]
pub struct Macro {
    pub name: Box<str>,
    pub expr: Expr,
    /// Levels and parts of the expression with the macros in it, for the caps.
    pub(crate) depth: usize,
    pub(crate) nodes: usize,
}
