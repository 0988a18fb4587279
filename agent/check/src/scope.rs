//! Which names a script declares where.

use std::collections::HashSet;

/// Scopes inside each other. Deeper ones are taken together, and nothing is said about names used there.
const MAX_SCOPES_DEEP: usize = 200;

/// A scope, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId(usize);

#[derive(Debug)]
struct Scope<'s> {
    parent: Option<ScopeId>,
    /// The nearest scope that `var` declares in: a function's or the script's.
    function: ScopeId,
    depth: usize,
    names: HashSet<&'s str>,
    /// Names may come from anywhere, as inside of `with`.
    opaque: bool,
}

/// All scopes of a script; the first is the script's own.
#[derive(Debug)]
pub(crate) struct Scopes<'s>(Vec<Scope<'s>>);

impl<'s> Scopes<'s> {
    pub(crate) const SCRIPT: ScopeId = ScopeId(0);

    pub(crate) fn new() -> Self {
        let script =
            Scope { parent: None, function: Self::SCRIPT, depth: 0, names: HashSet::new(), opaque: false };
        Self(vec![script])
    }

    pub(crate) fn open(&mut self, parent: ScopeId, is_function: bool, opaque: bool) -> ScopeId {
        let id = ScopeId(self.0.len());
        let outer = &mut self.0[parent.0];
        if outer.depth == MAX_SCOPES_DEEP {
            outer.opaque = true;
            return parent;
        }
        let function = if is_function { id } else { outer.function };
        let depth = outer.depth + 1;
        self.0.push(Scope { parent: Some(parent), function, depth, names: HashSet::new(), opaque });
        id
    }

    pub(crate) fn function(&self, scope: ScopeId) -> ScopeId {
        self.0[scope.0].function
    }

    pub(crate) fn declare(&mut self, scope: ScopeId, name: &'s str) {
        self.0[scope.0].names.insert(name);
    }

    /// An assignment to a name that nothing declares makes a global variable.
    pub(crate) fn assign(&mut self, scope: ScopeId, name: &'s str) {
        if !self.is_declared(scope, name) {
            self.declare(Self::SCRIPT, name);
        }
    }

    /// Whether a name used in a scope is, or may be, the script's own.
    pub(crate) fn is_declared(&self, scope: ScopeId, name: &str) -> bool {
        std::iter::successors(Some(&self.0[scope.0]), |scope| scope.parent.map(|parent| &self.0[parent.0]))
            .any(|scope| scope.opaque || scope.names.contains(name))
    }
}
