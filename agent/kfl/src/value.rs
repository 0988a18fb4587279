//! What a query asks of the thing it is evaluated on.

use std::ops::ControlFlow;

/// Called with a part of a value, which may live on the caller's stack.
pub type Visit<'v> = dyn FnMut(&dyn Value) + 'v;
/// Called with each part of a value and, in an object, its name.
pub type VisitEach<'v> = dyn FnMut(Option<&str>, &dyn Value) -> ControlFlow<()> + 'v;

/// A JSON-like value that is asked for its parts.
///
/// Parts are handed to a function instead of being returned, so that an implementation can make them when asked, on its
/// stack: a query over scalar fields then allocates nothing.
pub trait Value {
    /// What it is; for a scalar also its content.
    fn kind(&self) -> Kind<'_>;

    /// Calls `visit` with the field of that name, at most once; says whether there is one. Only objects have fields.
    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool;

    /// Calls `visit` with the element at `index`, from 0, at most once; says whether there is one. Only lists have elements.
    fn index(&self, index: usize, visit: &mut Visit<'_>) -> bool;

    /// Calls `visit` with each field or element in order, until it breaks. An implementation that cannot stop may go on
    /// calling; what is visited after a break is not looked at.
    fn each(&self, visit: &mut VisitEach<'_>);

    /// What one pass over the parts costs, apart from the visits themselves, in visits; see [`crate::caps::MAX_VISITS`].
    fn cost(&self) -> u32 {
        0
    }
}

/// What a [`Value`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a str),
    /// Bytes whose text form is their base64.
    Base64(&'a [u8]),
    List,
    Object,
}

impl Value for serde_json::Value {
    fn kind(&self) -> Kind<'_> {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(value) => Kind::Bool(*value),
            // Above i64 the nearest float: such numbers are compared with 53 bits.
            Self::Number(number) => match number.as_i64() {
                Some(value) => Kind::Int(value),
                None => Kind::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Self::String(text) => Kind::Str(text),
            Self::Array(_) => Kind::List,
            Self::Object(_) => Kind::Object,
        }
    }

    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool {
        let Self::Object(members) = self else { return false };
        members.get(name).map(|value| visit(value)).is_some()
    }

    fn index(&self, index: usize, visit: &mut Visit<'_>) -> bool {
        let Self::Array(elements) = self else { return false };
        elements.get(index).map(|value| visit(value)).is_some()
    }

    fn each(&self, visit: &mut VisitEach<'_>) {
        let _ = match self {
            Self::Object(members) => members.iter().try_for_each(|(name, value)| visit(Some(name), value)),
            Self::Array(elements) => elements.iter().try_for_each(|value| visit(None, value)),
            _ => return,
        };
    }
}

/// A scalar that is not part of the item: a literal, or what an expression came to.
pub(crate) struct Scalar<'a>(pub(crate) Kind<'a>);

impl Value for Scalar<'_> {
    fn kind(&self) -> Kind<'_> {
        self.0
    }

    fn field(&self, _: &str, _: &mut Visit<'_>) -> bool {
        false
    }

    fn index(&self, _: usize, _: &mut Visit<'_>) -> bool {
        false
    }

    fn each(&self, _: &mut VisitEach<'_>) {}
}
