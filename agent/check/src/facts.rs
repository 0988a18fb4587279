//! What the rules are told about a script.

use std::collections::HashSet;

use tree_sitter::Node;

use crate::scope::{ScopeId, Scopes};

/// What a script's text says.
pub(crate) struct Facts<'t, 's> {
    pub(crate) scopes: Scopes<'s>,
    /// Every identifier and member name that is read somewhere.
    pub(crate) mentioned: HashSet<&'s str>,
    pub(crate) definitions: Vec<Definition<'t, 's>>,
    pub(crate) uses: Vec<Use<'t, 's>>,
    /// Where an `import` or `export` is.
    pub(crate) module_syntax: Vec<usize>,
    /// The first place without a node, or with nodes too deep.
    pub(crate) not_understood: Option<usize>,
}

/// A name given to something at the top level, by a declaration or an assignment.
pub(crate) struct Definition<'t, 's> {
    pub(crate) name: &'s str,
    pub(crate) at: usize,
    pub(crate) value: Defined<'t>,
}

pub(crate) enum Defined<'t> {
    /// A function with its node.
    Function(Node<'t>),
    /// May be a function.
    Expression,
}

/// A use of one of the names asked for, with the members taken from it.
pub(crate) struct Use<'t, 's> {
    pub(crate) root: &'s str,
    pub(crate) at: usize,
    pub(crate) scope: ScopeId,
    /// Member names and where they are.
    pub(crate) path: Vec<(&'s str, usize)>,
    pub(crate) how: How<'t>,
}

/// What is done with the last member of a path.
#[derive(Clone, Copy)]
pub(crate) enum How<'t> {
    /// Called or constructed, with the node of its arguments.
    Call(Option<Node<'t>>),
    Read,
    /// Assigned to, or deleted.
    Write,
    /// Asked for with `typeof`, which never throws.
    Typeof,
}
