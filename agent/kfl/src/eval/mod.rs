//! Evaluation: three-valued inside (true, false, missing), and true or false in the end.

mod compare;
mod walk;

use std::cell::{Cell, RefCell};

use crate::ast::{Expr, Literal, Path, Test, TestKind};
use crate::caps::{MAX_VALUE_DEPTH, MAX_VISITS};
use crate::scalar;
use crate::value::{Kind, Scalar, Value};

/// What may still be looked at.
pub(crate) struct Budget {
    visits: Cell<u32>,
    depth: Cell<u32>,
    exceeded: Cell<bool>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { visits: Cell::new(MAX_VISITS), depth: Cell::new(MAX_VALUE_DEPTH), exceeded: Cell::new(false) }
    }
}

impl Budget {
    /// Says whether so many visits are left, and takes them. Once they were not, only the cheaper may go on.
    pub(crate) fn spend(&self, visits: u32) -> bool {
        self.take(&self.visits, visits)
    }

    /// Calls `inside` one level further down in the value, unless that is too deep.
    pub(crate) fn deeper<R>(&self, inside: impl FnOnce() -> R) -> Option<R> {
        if !self.enter() {
            return None;
        }
        let result = inside();
        self.leave();
        Some(result)
    }

    /// Says whether one level further down is not too deep; then [`Self::leave`] belongs at its end.
    pub(crate) fn enter(&self) -> bool {
        self.take(&self.depth, 1)
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get() + 1);
    }

    fn take(&self, cell: &Cell<u32>, count: u32) -> bool {
        let left = cell.get().checked_sub(count);
        match left {
            Some(left) => cell.set(left),
            None => self.exceeded.set(true),
        }
        left.is_some()
    }

    pub(crate) fn exceed(&self) {
        self.exceeded.set(true);
    }

    /// Whether anything was refused.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }
}

/// One evaluation of a query on an item.
pub(crate) struct Evaluation<'q, 'v> {
    item: &'v dyn Value,
    now: i64,
    pub(crate) budget: Budget,
    /// The paths of each `redact` that was reached.
    pub(crate) redactions: RefCell<Vec<&'q [Path]>>,
}

impl<'q, 'v> Evaluation<'q, 'v> {
    pub(crate) fn new(item: &'v dyn Value, now: i64) -> Self {
        Self { item, now, budget: Budget::default(), redactions: RefCell::default() }
    }

    /// Whether an expression is true; what is missing is not.
    pub(crate) fn holds(&self, expr: &'q Expr) -> bool {
        match expr {
            Expr::All(parts) => parts.iter().all(|part| self.holds(part)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Expr::Not(inner) => !self.holds(inner),
            Expr::Macro(expansion) => self.holds(&expansion.expr),
            Expr::Compare(comparison) => self.compare(comparison).unwrap_or(false),
            Expr::Path(path) => self.path_holds(path),
            Expr::Literal(literal) => truthy(&Scalar(kind_of(literal))),
            Expr::Test(test) => self.test(test),
            Expr::Record(name) => {
                let mut same = false;
                self.item.field("record", &mut |record| same = record.kind() == Kind::Str(name));
                same
            }
            Expr::Redact(paths) => {
                self.redactions.borrow_mut().push(paths);
                true
            }
            Expr::Limit(_) => true,
            Expr::Time(_) | Expr::Negate(_) => {
                let mut holds = false;
                self.with(expr, &mut |value| holds = truthy(value));
                holds
            }
            // Stands only in comparisons, which look at it themselves.
            Expr::Regex(_) => false,
        }
    }

    /// Many values are a list; only one is that one.
    fn path_holds(&self, path: &Path) -> bool {
        let (mut count, mut first) = (0, false);
        let _ = self.walk(path, &mut |value| {
            count += 1;
            if count == 1 {
                first = truthy(value);
            }
            if count == 1 && !first {
                std::ops::ControlFlow::Continue(())
            } else {
                std::ops::ControlFlow::Break(())
            }
        });
        first || count > 1
    }

    fn test(&self, test: &'q Test) -> bool {
        let mut holds = false;
        self.with(&test.argument, &mut |argument| {
            self.any_scalar(argument, &mut |argument| {
                let tested = scalar::with_text(argument, |argument| {
                    self.any_of(&test.path, &mut |value| {
                        scalar::with_text(value, |text| match test.kind {
                            TestKind::StartsWith => text.starts_with(argument),
                            TestKind::EndsWith => text.ends_with(argument),
                            TestKind::Contains => text.contains(argument),
                        })
                        .unwrap_or(false)
                    })
                });
                holds = tested.unwrap_or(false);
                holds
            });
        });
        holds
    }
}

pub(crate) fn kind_of(literal: &Literal) -> Kind<'_> {
    match literal {
        Literal::Nil => Kind::Null,
        Literal::Bool(value) => Kind::Bool(*value),
        Literal::Int(value) => Kind::Int(*value),
        Literal::Float(value) => Kind::Float(*value),
        Literal::Text(text) => Kind::Str(text),
    }
}

fn truthy(value: &dyn Value) -> bool {
    match value.kind() {
        Kind::Null => false,
        Kind::Bool(value) => value,
        Kind::Int(value) => value > 0,
        Kind::Float(value) => value > 0.0,
        Kind::Str(text) => !text.is_empty(),
        Kind::Base64(bytes) => !bytes.is_empty(),
        Kind::List => value.index(0, &mut |_| ()),
        Kind::Object => true,
    }
}
