//! Members of helper objects, and their arguments.

use std::collections::HashSet;

use tree_sitter::Node;

use crate::collect::Findings;
use crate::facts::{Facts, How, Use};
use crate::hooks::shortened;
use crate::scope::Scopes;
use crate::suggest::nearest;
use crate::surface::{Member, Namespace, Surface};
use crate::{Options, Severity};

/// What every object inherits from `Object.prototype`.
const INHERITED: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

pub(crate) fn check(
    facts: &Facts<'_, '_>,
    surface: &Surface,
    options: &Options<'_>,
    findings: &mut Findings<'_>,
) {
    // A member that the script asks for before it calls it may well be missing.
    let tested: HashSet<Vec<&str>> = facts
        .uses
        .iter()
        .filter(|used| matches!(used.how, How::Read | How::Typeof))
        .map(|used| names(used).collect())
        .collect();
    for used in &facts.uses {
        if facts.scopes.is_declared(used.scope, used.root) {
            continue;
        }
        let (root, path) = match (used.root, used.path.split_first()) {
            ("globalThis", Some((&(root, _), _))) if facts.scopes.is_declared(Scopes::SCRIPT, root) => {
                continue;
            }
            ("globalThis", Some((&(root, _), path))) => (root, path),
            (root, _) => (root, &used.path[..]),
        };
        let Some(namespace) = surface.namespace(root) else { continue };
        let is_tested = tested.contains(&names(used).collect::<Vec<_>>());
        Check { surface, options, used, is_tested, findings }.path(root, namespace, path);
    }
}

fn names<'u>(used: &'u Use<'_, '_>) -> impl Iterator<Item = &'u str> {
    std::iter::once(used.root).chain(used.path.iter().map(|(name, _)| *name))
}

struct Check<'c, 't, 's, 'f> {
    surface: &'c Surface,
    options: &'c Options<'c>,
    used: &'c Use<'t, 's>,
    is_tested: bool,
    findings: &'c mut Findings<'f>,
}

impl Check<'_, '_, '_, '_> {
    fn path(&mut self, root: &str, mut namespace: &Namespace, path: &[(&str, usize)]) {
        let mut parent = root.to_owned();
        for (depth, &(name, at)) in path.iter().enumerate() {
            let is_last = depth + 1 == path.len();
            match namespace.member(name) {
                Some(_) if is_last && matches!(self.used.how, How::Write) => return self.frozen(&parent, at),
                Some(Member::Namespace(inner)) => {
                    parent = format!("{parent}.{name}");
                    namespace = inner;
                }
                Some(Member::Function { min, max }) if is_last => {
                    return self.arguments(&format!("{parent}.{name}"), at, *min, *max);
                }
                Some(Member::Function { .. } | Member::Value) => return,
                None if INHERITED.contains(&name) => return,
                None if namespace.is_open() => return self.key(&parent, name, at),
                None if is_last && matches!(self.used.how, How::Write) => return self.frozen(&parent, at),
                None => return self.missing(&parent, namespace, name, at, is_last),
            }
        }
        if matches!(self.used.how, How::Call(_)) && !namespace.is_open() {
            let at = path.last().map_or(self.used.at, |(_, at)| *at);
            self.findings.push(Severity::Error, "not-callable", at, || {
                let members: Vec<_> = namespace.names().map(|name| format!("{parent}.{name}")).collect();
                (
                    format!("{parent} is an object, not a function"),
                    Some(format!("it has {}", members.join(", "))),
                )
            });
        }
    }

    fn frozen(&mut self, parent: &str, at: usize) {
        self.findings.push(Severity::Warning, "frozen-helper", at, || {
            (format!("{parent} cannot be changed: helper objects are frozen"), None)
        });
    }

    fn missing(&mut self, parent: &str, namespace: &Namespace, name: &str, at: usize, is_last: bool) {
        let severity = match self.used.how {
            How::Typeof if is_last => return,
            How::Call(_) if !self.is_tested => Severity::Error,
            _ if !is_last => Severity::Error,
            _ => Severity::Warning,
        };
        let surface = self.surface;
        self.findings.push(severity, "unknown-member", at, || {
            let meant = namespace.meant_by(name).or_else(|| nearest(name, namespace.names()));
            let suggestion = match meant {
                Some(meant) => Some(format!("did you mean {parent}.{meant}?")),
                None => match elsewhere(surface, name) {
                    Some(path) => Some(format!("did you mean {path}?")),
                    None => {
                        let members: Vec<_> = namespace.names().collect();
                        (!members.is_empty()).then(|| format!("{parent} has {}", members.join(", ")))
                    }
                },
            };
            (format!("{parent} has no member {}", shortened(name)), suggestion)
        });
    }

    fn key(&mut self, parent: &str, name: &str, at: usize) {
        let Some(keys) = self.options.env else { return };
        if parent != "env" || matches!(self.used.how, How::Typeof) || keys.iter().any(|key| key == name) {
            return;
        }
        self.findings.push(Severity::Note, "unknown-env", at, || {
            let suggestion = nearest(name, keys.iter().map(String::as_str))
                .map(|meant| format!("did you mean {parent}.{meant}?"));
            (format!("{parent}.{} is not set", shortened(name)), suggestion)
        });
    }

    fn arguments(&mut self, function: &str, at: usize, min: usize, max: Option<usize>) {
        let How::Call(Some(arguments)) = self.used.how else { return };
        let Some(count) = count(arguments) else { return };
        let wanted = || match max {
            Some(max) if max == min => min.to_string(),
            Some(max) => format!("{min} to {max}"),
            None => format!("at least {min}"),
        };
        if count < min {
            self.findings.push(Severity::Error, "too-few-arguments", at, || {
                (format!("{function} needs {}, and is called with {count}", arguments_text(&wanted())), None)
            });
        } else if max.is_some_and(|max| count > max) {
            self.findings.push(Severity::Warning, "too-many-arguments", at, || {
                (format!("{function} takes {}, and is called with {count}", arguments_text(&wanted())), None)
            });
        }
    }
}

fn arguments_text(wanted: &str) -> String {
    match wanted {
        "0" => "no arguments".to_owned(),
        "1" | "at least 1" => format!("{wanted} argument"),
        _ => format!("{wanted} arguments"),
    }
}

/// How many arguments a call has; `None` where the text does not say.
fn count(arguments: Node<'_>) -> Option<usize> {
    if arguments.kind() != "arguments" || arguments.has_error() {
        return None;
    }
    let mut cursor = arguments.walk();
    let mut count = 0;
    for argument in arguments.named_children(&mut cursor) {
        match argument.kind() {
            "comment" | "html_comment" => {}
            "spread_element" => return None,
            _ => count += 1,
        }
    }
    Some(count)
}

/// The one place where another helper object has a member of that name.
fn elsewhere(surface: &Surface, name: &str) -> Option<String> {
    fn search(namespace: &Namespace, path: &str, name: &str, found: &mut Vec<String>) {
        for (member, value) in namespace.members() {
            let path = format!("{path}.{member}");
            if *member == name {
                found.push(path.clone());
            }
            if let Member::Namespace(inner) = value {
                search(inner, &path, name, found);
            }
        }
    }
    let mut found = Vec::new();
    for (root, namespace) in surface.namespaces() {
        search(namespace, root, name, &mut found);
    }
    if found.len() == 1 { found.pop() } else { None }
}
