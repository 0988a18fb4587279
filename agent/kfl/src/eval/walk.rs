//! From the item along a path to values.

use std::ops::ControlFlow;

use super::{Evaluation, kind_of};
use crate::ast::{Expr, Path, Step};
use crate::payload::{self, Format};
use crate::scalar::{self, Number};
use crate::value::{Kind, Scalar, Value, Visit, VisitEach};

type Found<'f> = dyn FnMut(&dyn Value) -> ControlFlow<()> + 'f;

impl<'q> Evaluation<'q, '_> {
    /// Calls `found` with each value that the path leads to, until it breaks.
    pub(super) fn walk(&self, path: &Path, found: &mut Found<'_>) -> ControlFlow<()> {
        self.walk_from(self.item, &path.steps, found)
    }

    fn walk_from(&self, value: &dyn Value, steps: &[Step], found: &mut Found<'_>) -> ControlFlow<()> {
        let Some((step, rest)) = steps.split_first() else { return found(value) };
        let mut flow = ControlFlow::Continue(());
        match step {
            Step::Field(name) => {
                value.field(name, &mut |part| flow = self.walk_from(part, rest, found));
            }
            Step::Index(index) => {
                value.index(*index, &mut |part| flow = self.walk_from(part, rest, found));
            }
            Step::Each => {
                self.each(value, &mut |_, part| {
                    flow = self.walk_from(part, rest, found);
                    flow
                });
            }
            Step::Descend(name) => flow = self.descend(value, name, rest, found),
            Step::Json => payload::with(Format::Json, value.kind(), &self.budget, &mut |inner| {
                flow = self.walk_from(inner, rest, found);
            }),
            Step::Xml => payload::with(Format::Xml, value.kind(), &self.budget, &mut |inner| {
                flow = self.walk_from(inner, rest, found);
            }),
        }
        flow
    }

    /// The parts, as long as the budget lasts; not those after a break, whatever the implementation does. Says whether
    /// the budget lasted.
    pub(super) fn each(&self, value: &dyn Value, visit: &mut VisitEach<'_>) -> bool {
        let mut lasted = self.budget.spend(value.cost());
        if !lasted {
            return false;
        }
        let mut flow = ControlFlow::Continue(());
        value.each(&mut |name, part| {
            if flow.is_continue() {
                lasted = self.budget.spend(1);
                flow = if lasted { visit(name, part) } else { ControlFlow::Break(()) };
            }
            flow
        });
        lasted
    }

    /// The field of that name of the value and of all in it, the outer before the inner.
    fn descend(
        &self,
        value: &dyn Value,
        name: &str,
        rest: &[Step],
        found: &mut Found<'_>,
    ) -> ControlFlow<()> {
        let kind = value.kind();
        let mut flow = ControlFlow::Continue(());
        if kind == Kind::Object {
            value.field(name, &mut |part| flow = self.walk_from(part, rest, found));
        }
        if flow.is_continue() && matches!(kind, Kind::Object | Kind::List) {
            self.budget.deeper(|| {
                self.each(value, &mut |_, part| {
                    flow = self.descend(part, name, rest, found);
                    flow
                });
            });
        }
        flow
    }

    /// Whether a scalar that the path leads to, or one in a list there, passes the test.
    pub(super) fn any_of(&self, path: &Path, test: &mut dyn FnMut(Kind<'_>) -> bool) -> bool {
        let mut passed = false;
        let _ = self.walk(path, &mut |value| {
            passed = self.any_scalar(value, test);
            if passed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        passed
    }

    /// Whether the value, or in a list any element of it, passes the test.
    pub(super) fn any_scalar(&self, value: &dyn Value, test: &mut dyn FnMut(Kind<'_>) -> bool) -> bool {
        let kind = value.kind();
        if kind != Kind::List {
            return test(kind);
        }
        let mut passed = false;
        self.budget.deeper(|| {
            self.each(value, &mut |_, element| {
                passed = self.any_scalar(element, test);
                if passed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        });
        passed
    }

    /// Calls `visit` with the value of an expression, unless it is missing. Many values are one list.
    pub(super) fn with(&self, expr: &'q Expr, visit: &mut Visit<'_>) {
        match expr {
            Expr::Path(path) if path.is_many() => self.with_many(path, visit),
            Expr::Path(path) => {
                let _ = self.walk(path, &mut |value| {
                    visit(value);
                    ControlFlow::Break(())
                });
            }
            Expr::Literal(literal) => visit(&Scalar(kind_of(literal))),
            Expr::Time(time) => visit(&Scalar(Kind::Int(time.millis(self.now)))),
            Expr::Negate(inner) => self.with(inner, &mut |value| visit(&Negated(value))),
            Expr::Macro(expansion) => self.with(&expansion.expr, visit),
            _ => visit(&Scalar(Kind::Bool(self.holds(expr)))),
        }
    }

    fn with_many(&self, path: &Path, visit: &mut Visit<'_>) {
        let mut count = 0;
        let _ = self.walk(path, &mut |_| {
            count += 1;
            if count > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match count {
            0 => {}
            1 => {
                let _ = self.walk(path, &mut |value| {
                    visit(value);
                    ControlFlow::Break(())
                });
            }
            _ => visit(&Many { evaluation: self, path }),
        }
    }
}

/// The values of a path as one list, which is walked anew for each question.
struct Many<'a, 'q, 'v> {
    evaluation: &'a Evaluation<'q, 'v>,
    path: &'a Path,
}

impl Value for Many<'_, '_, '_> {
    fn kind(&self) -> Kind<'_> {
        Kind::List
    }

    fn field(&self, _: &str, _: &mut Visit<'_>) -> bool {
        false
    }

    fn index(&self, index: usize, visit: &mut Visit<'_>) -> bool {
        let mut left = index;
        let flow = self.evaluation.walk(self.path, &mut |value| match left.checked_sub(1) {
            Some(fewer) => {
                left = fewer;
                ControlFlow::Continue(())
            }
            None => {
                visit(value);
                ControlFlow::Break(())
            }
        });
        flow.is_break()
    }

    fn each(&self, visit: &mut VisitEach<'_>) {
        let _ = self.evaluation.walk(self.path, &mut |value| visit(None, value));
    }
}

/// A value behind a minus sign: its number negated, a list element by element.
struct Negated<'a>(&'a dyn Value);

impl Value for Negated<'_> {
    fn kind(&self) -> Kind<'_> {
        let kind = self.0.kind();
        match scalar::number(kind).map(Number::negated) {
            Some(Number::Int(value)) => Kind::Int(value),
            Some(Number::Float(value)) => Kind::Float(value),
            None => kind,
        }
    }

    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool {
        self.0.field(name, visit)
    }

    fn index(&self, index: usize, visit: &mut Visit<'_>) -> bool {
        self.0.index(index, &mut |element| visit(&Negated(element)))
    }

    fn each(&self, visit: &mut VisitEach<'_>) {
        self.0.each(&mut |name, element| visit(name, &Negated(element)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::truthy;
    use super::*;

    #[test]
    fn a_negated_list_is_true_as_the_list_is() {
        let list = serde_json::json!([1, -2]);
        let negated = Negated(&list);
        assert!(truthy(&negated));
        let mut numbers = Vec::new();
        negated.each(&mut |_, element| {
            numbers.push(format!("{:?}", element.kind()));
            ControlFlow::Continue(())
        });
        assert_eq!(numbers, ["Int(-1)", "Int(2)"]);
    }
}
