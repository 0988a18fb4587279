//! One walk over a syntax tree, which notes what the rules need.

use std::collections::HashSet;

use tree_sitter::{Node, Tree};

use crate::facts::{Defined, Definition, Facts, How, Use};
use crate::scope::{ScopeId, Scopes};

/// Nodes inside each other; deeper ones are not looked at, and a note says so.
pub const MAX_DEPTH: usize = 5_000;

/// Members that are followed from a helper object: `jobs.scheduler.stop` has two.
const MAX_PATH: usize = 4;

/// What an identifier under a node is.
#[derive(Clone, Copy)]
enum Mode {
    Read,
    Declare(ScopeId),
    Assign,
}

struct Frame<'t> {
    node: Node<'t>,
    field: Option<&'static str>,
    /// Of its children.
    scope: ScopeId,
    mode: Mode,
}

/// `wanted` tells the names whose uses are noted.
pub(crate) fn walk<'t, 's>(tree: &'t Tree, source: &'s str, wanted: impl Fn(&str) -> bool) -> Facts<'t, 's> {
    let root = tree.root_node();
    let facts = Facts {
        scopes: Scopes::new(),
        mentioned: HashSet::new(),
        definitions: Vec::new(),
        uses: Vec::new(),
        module_syntax: Vec::new(),
        not_understood: None,
    };
    let frame = Frame { node: root, field: None, scope: Scopes::SCRIPT, mode: Mode::Read };
    let mut walker = Walker { source, wanted, facts, stack: vec![frame], assigned: Vec::new() };
    let mut cursor = root.walk();
    if root.is_error() {
        walker.not_understood(root);
    }
    // A frame per level; the cursor and the stack move together.
    loop {
        let deep = walker.stack.len() > MAX_DEPTH;
        if deep {
            walker.not_understood(cursor.node());
        }
        if !deep && cursor.goto_first_child() {
            walker.enter(cursor.node(), cursor.field_name());
            continue;
        }
        loop {
            walker.stack.pop();
            if walker.stack.is_empty() {
                return walker.finish();
            }
            if cursor.goto_next_sibling() {
                walker.enter(cursor.node(), cursor.field_name());
                break;
            }
            cursor.goto_parent();
        }
    }
}

struct Walker<'t, 's, W> {
    source: &'s str,
    wanted: W,
    facts: Facts<'t, 's>,
    stack: Vec<Frame<'t>>,
    /// Names assigned to, resolved when all declarations are known.
    assigned: Vec<(ScopeId, &'s str)>,
}

impl<'t, 's, W: Fn(&str) -> bool> Walker<'t, 's, W> {
    fn text(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    fn not_understood(&mut self, node: Node<'_>) {
        self.facts.not_understood.get_or_insert(node.start_byte());
    }

    fn finish(mut self) -> Facts<'t, 's> {
        for (scope, name) in self.assigned {
            self.facts.scopes.assign(scope, name);
        }
        self.facts
    }

    /// Takes in a child of the node on top of the stack.
    fn enter(&mut self, node: Node<'t>, field: Option<&'static str>) {
        let mode = self.mode(field);
        let outer = self.stack.last().map_or(Scopes::SCRIPT, |parent| parent.scope);
        if node.is_error() || node.is_missing() {
            self.not_understood(node);
        }
        match node.kind() {
            "identifier" | "shorthand_property_identifier" | "shorthand_property_identifier_pattern" => {
                self.stack.push(Frame { node, field, scope: outer, mode });
                self.identifier(node, outer, mode);
                return;
            }
            "property_identifier" if !self.is_name_of_assigned_global() => {
                self.facts.mentioned.insert(self.text(node));
            }
            "import_statement" | "export_statement" | "import" | "meta_property"
                if self.is_module_syntax(node) =>
            {
                self.facts.module_syntax.push(node.start_byte());
            }
            "variable_declarator" | "assignment_expression" => self.definition(node, outer),
            _ => {}
        }
        let scope = self.scope(node.kind(), outer);
        self.stack.push(Frame { node, field, scope, mode });
        if matches!(node.kind(), "function_declaration" | "generator_function_declaration")
            && self.facts.scopes.function(outer) == Scopes::SCRIPT
            && let Some(name) = node.child_by_field_name("name")
        {
            self.define(name, Defined::Function(node));
        }
    }

    /// `import` is the keyword of the statement, and a node of its own in `import()`.
    fn is_module_syntax(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "import" => self.stack.last().is_some_and(|parent| parent.node.kind() == "call_expression"),
            "meta_property" => self.text(node).starts_with("import"),
            _ => true,
        }
    }

    /// The `x` of `globalThis.x = …`, which is on its way to be a definition.
    fn is_name_of_assigned_global(&self) -> bool {
        self.stack.last().is_some_and(|parent| {
            matches!(parent.mode, Mode::Assign) && self.global_member(parent.node).is_some()
        })
    }

    /// The scope that a node opens for its children, or the one it is in.
    fn scope(&mut self, kind: &str, outer: ScopeId) -> ScopeId {
        let (is_function, opaque) = match kind {
            "function_declaration"
            | "generator_function_declaration"
            | "function_expression"
            | "generator_function"
            | "arrow_function"
            | "method_definition"
            | "class_static_block" => (true, false),
            "statement_block" | "for_statement" | "for_in_statement" | "catch_clause" | "switch_body"
            | "class" | "class_declaration" => (false, false),
            "with_statement" => (false, true),
            _ => return outer,
        };
        self.facts.scopes.open(outer, is_function, opaque)
    }

    /// What an identifier is, as the child of the node on top of the stack.
    fn mode(&self, field: Option<&str>) -> Mode {
        let Some(parent) = self.stack.last() else { return Mode::Read };
        let grandparent = self.stack.len().checked_sub(2).and_then(|at| self.stack.get(at));
        let outside = grandparent.map_or(Scopes::SCRIPT, |frame| frame.scope);
        let scopes = &self.facts.scopes;
        match (parent.node.kind(), field) {
            ("variable_declarator", Some("name")) => {
                let is_var = grandparent.is_some_and(|frame| frame.node.kind() == "variable_declaration");
                Mode::Declare(if is_var { scopes.function(parent.scope) } else { parent.scope })
            }
            ("for_in_statement", Some("left")) => match parent.node.child_by_field_name("kind") {
                Some(kind) if self.text(kind) == "var" => Mode::Declare(scopes.function(parent.scope)),
                Some(_) => Mode::Declare(parent.scope),
                None => Mode::Assign,
            },
            ("function_declaration" | "generator_function_declaration", Some("name")) => {
                Mode::Declare(scopes.function(outside))
            }
            ("class_declaration", Some("name")) => Mode::Declare(outside),
            ("function_expression" | "generator_function" | "class", Some("name"))
            | ("arrow_function" | "catch_clause", Some("parameter"))
            | ("formal_parameters" | "import_clause" | "namespace_import" | "import_specifier", _) => {
                Mode::Declare(parent.scope)
            }
            ("assignment_expression", Some("left")) => Mode::Assign,
            ("object_pattern" | "array_pattern" | "rest_pattern", _)
            | ("pair_pattern", Some("value"))
            | ("assignment_pattern" | "object_assignment_pattern", Some("left")) => parent.mode,
            _ => Mode::Read,
        }
    }

    fn identifier(&mut self, node: Node<'t>, scope: ScopeId, mode: Mode) {
        let name = self.text(node);
        match mode {
            Mode::Declare(scope) => self.facts.scopes.declare(scope, name),
            Mode::Assign => self.assigned.push((scope, name)),
            Mode::Read => {
                self.facts.mentioned.insert(name);
                if name == "globalThis" || (self.wanted)(name) {
                    self.note_use(name, node.start_byte(), scope);
                }
            }
        }
    }

    /// A use of the identifier on top of the stack.
    fn note_use(&mut self, root: &'s str, at: usize, scope: ScopeId) {
        let mut path = Vec::new();
        let mut top = self.stack.len() - 1;
        while top > 0 && path.len() < MAX_PATH && self.stack[top].field == Some("object") {
            let Some(member) = member_name(self.stack[top - 1].node) else { return };
            path.push((self.text(member), member.start_byte()));
            top -= 1;
        }
        let mode = self.stack[top].mode;
        let how = match top.checked_sub(1).map(|parent| (self.stack[parent].node, self.stack[top].field)) {
            Some((parent, _)) if parent.is_error() => return,
            _ if matches!(mode, Mode::Assign) => How::Write,
            Some((parent, Some("function"))) if parent.child_by_field_name("optional_chain").is_none() => {
                How::Call(parent.child_by_field_name("arguments"))
            }
            Some((parent, Some("constructor"))) => How::Call(parent.child_by_field_name("arguments")),
            Some((parent, Some("argument"))) if parent.kind() == "unary_expression" => {
                match parent.child_by_field_name("operator").map(|operator| operator.kind()) {
                    Some("typeof") => How::Typeof,
                    Some("delete") => How::Write,
                    _ => How::Read,
                }
            }
            Some((parent, _))
                if matches!(parent.kind(), "update_expression" | "augmented_assignment_expression")
                    && self.stack[top].field != Some("right") =>
            {
                How::Write
            }
            _ => How::Read,
        };
        self.facts.uses.push(Use { root, at, scope, path, how });
    }

    /// Notes what a declarator or an assignment defines at the top level.
    fn definition(&mut self, node: Node<'t>, scope: ScopeId) {
        if self.facts.scopes.function(scope) != Scopes::SCRIPT {
            return;
        }
        let (name, value) = match node.kind() {
            "variable_declarator" => (node.child_by_field_name("name"), node.child_by_field_name("value")),
            _ => (node.child_by_field_name("left"), node.child_by_field_name("right")),
        };
        let (Some(name), Some(value)) = (name, value) else { return };
        let is_lexical = node.kind() == "variable_declarator"
            && self.stack.last().is_some_and(|parent| parent.node.kind() == "lexical_declaration");
        if is_lexical && scope != Scopes::SCRIPT {
            return;
        }
        let name = if name.kind() == "identifier" { Some(name) } else { self.global_member(name) };
        let Some(name) = name else { return };
        match value.kind() {
            "function_expression" | "generator_function" | "arrow_function" => {
                self.define(name, Defined::Function(value));
            }
            "identifier"
            | "call_expression"
            | "member_expression"
            | "ternary_expression"
            | "parenthesized_expression"
            | "binary_expression" => self.define(name, Defined::Expression),
            // Certainly no function.
            _ => {}
        }
    }

    fn define(&mut self, name: Node<'t>, value: Defined<'t>) {
        let definition = Definition { name: self.text(name), at: name.start_byte(), value };
        self.facts.definitions.push(definition);
    }

    /// The `x` of `globalThis.x`, and of `this.x` at the top level.
    fn global_member(&self, node: Node<'t>) -> Option<Node<'t>> {
        let object = node.child_by_field_name("object")?;
        let is_global = match object.kind() {
            "this" => true,
            "identifier" => self.text(object) == "globalThis",
            _ => false,
        };
        if is_global { member_name(node) } else { None }
    }
}

/// The node of the name in `object.name`, and of the text in `object["name"]`.
fn member_name(node: Node<'_>) -> Option<Node<'_>> {
    match node.kind() {
        "member_expression" => {
            node.child_by_field_name("property").filter(|name| name.kind() == "property_identifier")
        }
        "subscript_expression" => {
            let index = node.child_by_field_name("index").filter(|index| index.kind() == "string")?;
            if index.named_child_count() != 1 {
                return None;
            }
            index.named_child(0).filter(|text| text.kind() == "string_fragment")
        }
        _ => None,
    }
}
