//! Functions that look like hooks and are none, and hooks that expect too much.

use tree_sitter::Node;

use crate::Severity;
use crate::collect::Findings;
use crate::facts::{Defined, Definition, Facts};
use crate::suggest::nearest;
use crate::surface::{Hook, Surface};

pub(crate) fn check(facts: &Facts<'_, '_>, surface: &Surface, findings: &mut Findings<'_>) {
    for definition in &facts.definitions {
        match surface.hooks().iter().find(|hook| hook.name == definition.name) {
            Some(hook) => check_hook(definition, hook, findings),
            // A function that the script itself uses is no hook that went wrong.
            None if facts.mentioned.contains(definition.name) => {}
            None => check_other(definition, surface, findings),
        }
    }
}

fn check_hook(definition: &Definition<'_, '_>, hook: &Hook, findings: &mut Findings<'_>) {
    let name = hook.name;
    if !hook.called {
        findings.push(Severity::Note, "hook-not-called", definition.at, || {
            (format!("{name} is not called by this version"), None)
        });
    }
    let Defined::Function(function) = definition.value else { return };
    if let Some((at, count)) = needed_beyond(function, hook.parameters) {
        findings.push(Severity::Warning, "hook-parameters", at, || {
            let given = hook.parameters;
            let arguments = if given == 1 { "argument" } else { "arguments" };
            let rest = if count - given == 1 { "the last is" } else { "the others are" };
            (
                format!(
                    "{name} is called with {given} {arguments}, and has {count} parameters: {rest} always undefined"
                ),
                None,
            )
        });
    }
}

fn check_other(definition: &Definition<'_, '_>, surface: &Surface, findings: &mut Findings<'_>) {
    let name = definition.name;
    if let Some(meant) = nearest(name, surface.hooks().iter().map(|hook| hook.name)) {
        findings.push(Severity::Error, "unknown-hook", definition.at, || {
            (format!("{name} is not a hook, and nothing calls it"), Some(format!("did you mean {meant}?")))
        });
        return;
    }
    let looks_like_a_hook =
        name.strip_prefix("on").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    if looks_like_a_hook && matches!(definition.value, Defined::Function(_)) {
        findings.push(Severity::Warning, "unknown-hook", definition.at, || {
            let hooks: Vec<_> =
                surface.hooks().iter().filter(|hook| hook.called).map(|hook| hook.name).collect();
            let suggestion = (!hooks.is_empty()).then(|| format!("the hooks are {}", hooks.join(", ")));
            (format!("{} is not a hook, and nothing calls it", shortened(name)), suggestion)
        });
    }
}

/// Where the first parameter is that gets no argument, and how many there are. One with a default, and a rest
/// parameter, can do without.
fn needed_beyond(function: Node<'_>, given: usize) -> Option<(usize, usize)> {
    if let Some(parameter) = function.child_by_field_name("parameter") {
        return (given == 0).then(|| (parameter.start_byte(), 1));
    }
    let parameters = function.child_by_field_name("parameters")?;
    if parameters.has_error() {
        return None;
    }
    let mut cursor = parameters.walk();
    let mut first = None;
    let mut count = 0;
    for parameter in parameters.named_children(&mut cursor) {
        if matches!(parameter.kind(), "comment" | "html_comment" | "rest_pattern" | "assignment_pattern") {
            continue;
        }
        if count == given {
            first = Some(parameter.start_byte());
        }
        count += 1;
    }
    first.map(|at| (at, count))
}

/// A name of the script's, fit for a message.
pub(crate) fn shortened(name: &str) -> String {
    const MAX_CHARS: usize = 60;
    match name.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
