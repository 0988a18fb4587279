//! What a script finds: hooks that are called, helper objects with their members.

use std::ops::{Bound, RangeBounds};

/// Everything a script can define for the host and use of it.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    hooks: Vec<Hook>,
    namespaces: Vec<(&'static str, Namespace)>,
    absent: Vec<&'static str>,
}

/// A function that the host calls by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    pub name: &'static str,
    /// Arguments the host passes.
    pub parameters: usize,
    /// False for a hook that scripts may define already, and that nothing calls yet.
    pub called: bool,
}

/// A helper object.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    members: Vec<(&'static str, Member)>,
    synonyms: Vec<(&'static str, &'static str)>,
    open: bool,
}

/// What a helper object holds under a name.
#[derive(Clone, Debug)]
pub enum Member {
    /// A function that needs `min` arguments and reads at most `max`; `None` for any number.
    Function {
        min: usize,
        max: Option<usize>,
    },
    /// Anything else. What is done with it is not checked.
    Value,
    Namespace(Namespace),
}

impl Surface {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn hook(mut self, name: &'static str, parameters: usize) -> Self {
        self.hooks.push(Hook { name, parameters, called: true });
        self
    }

    /// A hook that nothing calls yet.
    #[must_use]
    pub fn future_hook(mut self, name: &'static str, parameters: usize) -> Self {
        self.hooks.push(Hook { name, parameters, called: false });
        self
    }

    /// A global helper object.
    #[must_use]
    pub fn object(mut self, name: &'static str, namespace: Namespace) -> Self {
        self.namespaces.push((name, namespace));
        self
    }

    /// A global helper object of the documented API that this host does not have.
    #[must_use]
    pub fn absent_object(mut self, name: &'static str) -> Self {
        self.absent.push(name);
        self
    }

    #[must_use]
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|(known, _)| *known == name).map(|(_, namespace)| namespace)
    }

    #[must_use]
    pub fn is_absent(&self, name: &str) -> bool {
        self.absent.contains(&name)
    }

    #[must_use]
    pub fn namespaces(&self) -> &[(&'static str, Namespace)] {
        &self.namespaces
    }
}

impl Namespace {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An object that may have any member, as `env`.
    #[must_use]
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// A function and how many arguments it takes: `2..=4`, `3..` or `..`.
    #[must_use]
    pub fn function(mut self, name: &'static str, arguments: impl RangeBounds<usize>) -> Self {
        let min = match arguments.start_bound() {
            Bound::Included(&min) => min,
            Bound::Excluded(&below) => below.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let max = match arguments.end_bound() {
            Bound::Included(&max) => Some(max),
            Bound::Excluded(&above) => Some(above.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        self.members.push((name, Member::Function { min, max }));
        self
    }

    #[must_use]
    pub fn value(mut self, name: &'static str) -> Self {
        self.members.push((name, Member::Value));
        self
    }

    /// A helper object inside of this one.
    #[must_use]
    pub fn object(mut self, name: &'static str, namespace: Namespace) -> Self {
        self.members.push((name, Member::Namespace(namespace)));
        self
    }

    /// A name that people try, and the member they mean.
    #[must_use]
    pub fn synonym(mut self, tried: &'static str, meant: &'static str) -> Self {
        self.synonyms.push((tried, meant));
        self
    }

    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, member)| member)
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().map(|(name, _)| *name)
    }

    pub(crate) fn meant_by(&self, tried: &str) -> Option<&'static str> {
        self.synonyms.iter().find(|(known, _)| *known == tried).map(|(_, meant)| *meant)
    }

    /// What it holds, in the order of its making.
    #[must_use]
    pub fn members(&self) -> &[(&'static str, Member)] {
        &self.members
    }
}
