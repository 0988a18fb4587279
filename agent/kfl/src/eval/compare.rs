//! Comparisons, of scalars, of lists with scalars, and of lists.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use super::Evaluation;
use crate::ast::{Comparison, Expr, Operator};
use crate::scalar;
use crate::value::{Kind, Value};

impl<'q> Evaluation<'q, '_> {
    /// Nothing where a side is missing.
    pub(super) fn compare(&self, comparison: &'q Comparison) -> Option<bool> {
        let Comparison { operator, left, right } = comparison;
        if let Expr::Regex(pattern) = right {
            return self.search(*operator, left, &pattern.program);
        }
        if let Expr::Regex(pattern) = left {
            return self.search(*operator, right, &pattern.program);
        }
        let mut result = None;
        let mut compare = |left: &dyn Value, right: &dyn Value| {
            result = Some(match operator {
                Operator::Equal => self.equal(left, right),
                Operator::NotEqual => !self.equal(left, right),
                relation => self.related(*relation, left, right),
            });
        };
        // A path keeps its steps on the stack while the other side is evaluated, so that must not be a further comparison.
        if is_path(right) && !is_path(left) {
            self.with(left, &mut |left| self.with(right, &mut |right| compare(left, right)));
        } else {
            self.with(right, &mut |right| self.with(left, &mut |left| compare(left, right)));
        }
        result
    }

    fn search(&self, operator: Operator, expr: &'q Expr, program: &regex::Regex) -> Option<bool> {
        let mut result = None;
        self.with(expr, &mut |value| {
            let matched = self.any_scalar(value, &mut |kind| {
                scalar::with_text(kind, |text| program.is_match(text)).unwrap_or(false)
            });
            result = Some(matched == (operator == Operator::Equal));
        });
        result
    }

    /// Two lists or objects by content; a list equals a scalar if any element does.
    fn equal(&self, left: &dyn Value, right: &dyn Value) -> bool {
        match (left.kind(), right.kind()) {
            (Kind::List, Kind::List) | (Kind::Object, Kind::Object) => self.same(left, right),
            (Kind::List, _) => self.any_element(left, &mut |element| self.equal(element, right)),
            (_, Kind::List) => self.any_element(right, &mut |element| self.equal(left, element)),
            (left, right) => scalar::equal(left, right),
        }
    }

    fn any_element(&self, list: &dyn Value, test: &mut dyn FnMut(&dyn Value) -> bool) -> bool {
        let mut passed = false;
        self.budget.deeper(|| {
            self.each(list, &mut |_, element| {
                passed = test(element);
                if passed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        });
        passed
    }

    /// The same elements in the same order, the same fields in any order.
    fn same(&self, left: &dyn Value, right: &dyn Value) -> bool {
        let kind = left.kind();
        if kind != right.kind() && (is_tree(kind) || is_tree(right.kind())) {
            return false;
        }
        if !is_tree(kind) {
            return scalar::equal(kind, right.kind());
        }
        let same = self.budget.deeper(|| {
            let (mut same, mut count) = (true, 0);
            let lasted = self.each(left, &mut |name, part| {
                let mut equal = false;
                let compare = &mut |other: &dyn Value| equal = self.same(part, other);
                if self.budget.spend(right.cost()) {
                    match name {
                        Some(name) => right.field(name, compare),
                        None => right.index(count, compare),
                    };
                }
                same = equal;
                count += 1;
                if same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            let mut others = 0;
            same && lasted
                && self.each(right, &mut |_, _| {
                    others += 1;
                    if others > count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
                && others == count
        });
        same.unwrap_or(false)
    }

    /// Of a list and a scalar any element, of two lists all pairs.
    fn related(&self, operator: Operator, left: &dyn Value, right: &dyn Value) -> bool {
        match (left.kind(), right.kind()) {
            (Kind::List, Kind::List) => {
                let (mut pairs, mut all) = (false, true);
                let lasted = self.each(left, &mut |_, left| {
                    all &= self.each(right, &mut |_, right| {
                        pairs = true;
                        all = relation(operator, left.kind(), right.kind());
                        if all { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                    });
                    if all { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                lasted && pairs && all
            }
            (Kind::List, _) => self.any_element(left, &mut |element| self.related(operator, element, right)),
            (_, Kind::List) => self.any_element(right, &mut |element| self.related(operator, left, element)),
            (left, right) => relation(operator, left, right),
        }
    }
}

fn is_path(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Negate(inner) => is_path(inner),
        Expr::Macro(expansion) => is_path(&expansion.expr),
        _ => false,
    }
}

fn is_tree(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::List | Kind::Object)
}

fn relation(operator: Operator, left: Kind<'_>, right: Kind<'_>) -> bool {
    let numbers = scalar::number(left).zip(scalar::number(right));
    let Some(ordering) = numbers.and_then(|(left, right)| left.compare(right)) else { return false };
    match operator {
        Operator::Less => ordering == Ordering::Less,
        Operator::LessOrEqual => ordering != Ordering::Greater,
        Operator::Greater => ordering == Ordering::Greater,
        Operator::GreaterOrEqual => ordering != Ordering::Less,
        Operator::Equal | Operator::NotEqual => false,
    }
}
