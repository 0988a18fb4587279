//! Trees as text.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{Binding, Comparison, Expr, Literal, Operator, Path, Pattern, Step, Test, Time};
use crate::lex::is_word;

/// An expression that binds looser than its place asks for is put in parentheses.
fn binding(expr: &Expr) -> Binding {
    match expr {
        Expr::Any(_) => Binding::Or,
        Expr::All(_) => Binding::And,
        Expr::Compare(comparison) if comparison.operator.is_equality() => Binding::Equality,
        Expr::Compare(_) => Binding::Relation,
        Expr::Not(inner) if binding(inner) < Binding::Unary => Binding::Not,
        _ => Binding::Unary,
    }
}

struct Place<'e>(&'e Expr, Binding);

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if binding(self.0) >= self.1 { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => list(f, " and ", parts, |f, part| write!(f, "{}", Place(part, Binding::Not))),
            Self::Any(parts) => list(f, " or ", parts, |f, part| write!(f, "{}", Place(part, Binding::And))),
            // Takes no parentheses that the text parsed may not have had, so that the tree stays under the cap of levels.
            Self::Not(expr) if binding(expr) < Binding::Unary => {
                write!(f, "not {}", Place(expr, Binding::Not))
            }
            Self::Not(expr) => write!(f, "!{}", Place(expr, Binding::Unary)),
            Self::Negate(expr) => write!(f, "-{}", Place(expr, Binding::Unary)),
            Self::Compare(comparison) => write!(f, "{comparison}"),
            Self::Path(path) => write!(f, "{path}"),
            Self::Literal(literal) => write!(f, "{literal}"),
            Self::Regex(Pattern { text, .. }) => write!(f, "r\"{text}\""),
            Self::Test(test) => write!(f, "{test}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Limit(count) => write!(f, "limit({count})"),
            Self::Record(name) => write!(f, "record({})", Quoted(name)),
            Self::Redact(paths) => {
                f.write_str("redact(")?;
                list(f, ", ", paths, |f, path| write!(f, "{}", Quoted(&path.to_string())))?;
                f.write_char(')')
            }
            Self::Macro(expansion) => f.write_str(&expansion.name),
        }
    }
}

fn list<T>(
    f: &mut Formatter<'_>,
    between: &str,
    parts: &[T],
    print: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    parts.iter().enumerate().try_for_each(|(index, part)| {
        if index > 0 {
            f.write_str(between)?;
        }
        print(f, part)
    })
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (left, right) = if self.operator.is_equality() {
            (Binding::Equality, Binding::Relation)
        } else {
            (Binding::Relation, Binding::Unary)
        };
        write!(f, "{} {} {}", Place(&self.left, left), self.operator, Place(&self.right, right))
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            // With a point or an exponent, so that it stays a float.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Field(name) if !is_word(name) => write!(f, "[{}]", Quoted(name))?,
                Step::Field(name) if index == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(at) => write!(f, "[{at}]")?,
                Step::Each if index == 0 => f.write_str("[*]")?,
                Step::Each => f.write_str(".*")?,
                Step::Descend(name) if is_word(name) => write!(f, "..{name}")?,
                Step::Descend(name) => write!(f, "..[{}]", Quoted(name))?,
                Step::Json => f.write_str(".json()")?,
                Step::Xml => f.write_str(".xml()")?,
            }
        }
        Ok(())
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}({})", self.path, self.kind.name(), self.argument)
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now()"),
            Self::FromNow { unit, count } => write!(f, "{}({count})", unit.name()),
            Self::Date { text, .. } => write!(f, "datetime({})", Quoted(text)),
        }
    }
}

/// A string literal.
struct Quoted<'t>(&'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}
