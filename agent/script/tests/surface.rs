//! What scripts find is what is written down: the type definitions, the table of the checker, and the list in
//! `surface.txt`.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::*;
use remora_check::{Member, Namespace, Surface};

/// Functions with the number of their parameters, by their paths: `vendor.s3.put`. An object is there with `None`.
type Members = BTreeMap<String, Option<usize>>;

/// Language globals that begin with a small letter.
const LANGUAGE: &str = "decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN \
                        parseFloat parseInt undefined unescape";

/// What a script finds.
fn found() -> Members {
    let code = format!(
        "(function () {{
             const language = '{LANGUAGE}'.split(' ');
             function list(path, value) {{
                 console.log(path + (typeof value === 'function' ? '/' + value.length : ''));
                 if (typeof value !== 'object') return;
                 for (const name of Object.getOwnPropertyNames(value)) list(path + '.' + name, value[name]);
             }}
             for (const name of Object.getOwnPropertyNames(globalThis)) {{
                 if (/^[^A-Z]/.test(name) && !language.includes(name)) list(name, globalThis[name]);
             }}
         }})()"
    );
    let lines = start(&code).lines();
    lines.iter().map(|line| parse(line)).collect()
}

fn parse(line: &str) -> (String, Option<usize>) {
    match line.split_once('/') {
        Some((path, count)) => (path.to_owned(), Some(count.parse().unwrap())),
        None => (line.to_owned(), None),
    }
}

#[test]
fn scripts_find_what_the_list_says() {
    let found: Vec<String> = found()
        .into_iter()
        .map(|(path, count)| count.map_or(path.clone(), |count| format!("{path}/{count}")))
        .collect();
    let listed: Vec<&str> =
        include_str!("surface.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(found, listed, "\n{}", found.join("\n"));
}

#[test]
fn helpers_are_objects_and_functions_alone() {
    let code = "const odd = [];
         function look(path, value) {
             if (typeof value === 'function') { if (Object.keys(value).length > 0) odd.push(path); return }
             if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) { odd.push(path); return }
             for (const name of Reflect.ownKeys(value)) look(path + '.' + String(name), value[name]);
         }
         for (const name of ['console', 'test', 'vendor', 'pcap', 'file', 'jobs', 'kfl', 'chatgpt', 'env', 'utils', 'prometheus', 'wrapper'])
             look(name, globalThis[name]);
         console.log('odd:', odd.join());";
    assert_eq!(start(code).lines(), ["odd: "]);
}

/// The members of the type definitions, whose form their header states: one declaration a line.
#[derive(Default)]
struct Definitions {
    interfaces: BTreeMap<String, Vec<(String, Kind)>>,
    globals: Vec<(String, String)>,
}

enum Kind {
    Function(usize),
    /// An object of this type.
    Object(String),
}

impl Definitions {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/remora.d.ts");
        let text = std::fs::read_to_string(path).unwrap();
        let mut definitions = Self::default();
        let mut current = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("interface ") {
                let name = rest.split([' ', '<']).next().unwrap().to_owned();
                definitions.interfaces.insert(name.clone(), Vec::new());
                current = Some(name);
            } else if line == "}" {
                current = None;
            } else if let Some(rest) = line.strip_prefix("declare var ") {
                let (name, kind) = rest.trim_end_matches(';').split_once(": ").unwrap();
                definitions.globals.push((name.to_owned(), kind.to_owned()));
            } else if let (Some(current), Some(member)) = (&current, member(line)) {
                definitions.interfaces.get_mut(current).unwrap().push(member);
            }
        }
        definitions
    }

    fn members(&self) -> Members {
        let mut members = Members::new();
        for (name, kind) in &self.globals {
            self.add(name, kind, &mut members);
        }
        members
    }

    fn add(&self, path: &str, kind: &str, members: &mut Members) {
        members.insert(path.to_owned(), None);
        for (name, kind) in self.interfaces.get(kind).unwrap_or_else(|| panic!("no interface {kind}")) {
            let path = format!("{path}.{name}");
            match kind {
                Kind::Function(count) => drop(members.insert(path, Some(*count))),
                Kind::Object(kind) => self.add(&path, kind, members),
            }
        }
    }
}

/// A function or an object of further members, as a line declares it.
fn member(line: &str) -> Option<(String, Kind)> {
    let line =
        line.strip_prefix("  ").filter(|line| line.ends_with(';') && !line.starts_with(['/', ' ', '*']))?;
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    if let Some(rest) = line.strip_prefix("readonly ") {
        let (name, kind) = rest.trim_end_matches(';').split_once(": ")?;
        return is_name(name).then(|| (name.to_owned(), Kind::Object(kind.to_owned())));
    }
    let (name, rest) = line.split_once('(')?;
    let name = name.split('<').next()?.trim_end_matches('?');
    is_name(name).then(|| (name.to_owned(), Kind::Function(arguments(rest))))
}

/// Counts the arguments up to the parenthesis that ends them, a rest argument not included, as `length` does.
fn arguments(text: &str) -> usize {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for letter in text.replace("=>", "").chars() {
        match letter {
            ')' if depth == 0 => break,
            '(' | '<' | '[' | '{' => depth += 1,
            ')' | '>' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(letter),
        }
    }
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty() && !part.starts_with("...")).count()
}

#[test]
fn arguments_are_counted_as_the_engine_does() {
    for (text, count) in [
        ("): void", 0),
        ("...values: unknown[]): void;", 0),
        ("a: string, b?: { c: 1, d: 2 }, ...rest: A): void;", 2),
        ("tag: string, task: (...values: A) => unknown, limit?: number): void;", 3),
    ] {
        assert_eq!(arguments(text), count, "{text}");
    }
}

#[test]
fn the_type_definitions_declare_what_scripts_find() {
    let mut expected = found();
    // Understands one argument more, of its old order.
    assert_eq!(expected.insert("vendor.slack".into(), Some(4)), Some(Some(5)));
    assert_eq!(Definitions::read().members(), expected);
}

#[test]
fn the_type_definitions_declare_the_hooks_with_what_they_are_given() {
    let definitions = Definitions::read();
    let declared: Vec<_> = definitions.interfaces["Hooks"]
        .iter()
        .map(|(name, kind)| match kind {
            Kind::Function(count) => (name.as_str(), *count),
            Kind::Object(_) => panic!("{name}"),
        })
        .collect();
    let surface = Surface::documented();
    let called: Vec<_> =
        surface.hooks().iter().filter(|hook| hook.called).map(|hook| (hook.name, hook.parameters)).collect();
    assert_eq!(declared, called);
    for (name, parameters) in called {
        let running = start(&format!(
            "function {name}() {{ console.log(arguments.length) }}
             jobs.schedule('good', '@hourly', () => {{}});
             jobs.schedule('bad', '@hourly', () => {{ throw 1 }});
             if ('{name}'.includes('Job')) jobs.runAll()"
        ));
        let packet = remora_script::PacketInfo {
            timestamp: Default::default(),
            capture_length: 0,
            length: 0,
            truncated: false,
            fragmented: false,
        };
        let item = items::http(0, "/", 200);
        running.host.deliver(vec![remora_script::Event::Packet(packet)]).wait();
        running.items([item.clone()]);
        if name == "onItemQueried" {
            running.query(&[item], "");
        } else if name == "onPacketCaptured" {
            // It gets one object.
            assert_eq!(running.lines().last().unwrap(), "1");
        }
        running.wait_for(&parameters.to_string());
    }
}

#[test]
fn the_checker_knows_what_scripts_find() {
    let surface = Surface::documented();
    let mut known = Members::new();
    for (name, namespace) in surface.namespaces() {
        add(name, namespace, &found(), &mut known);
    }
    assert_eq!(known, found());
}

/// Adds the members of a namespace; a function with the length that was found, if its bounds allow it.
fn add(path: &str, namespace: &Namespace, found: &Members, known: &mut Members) {
    known.insert(path.to_owned(), None);
    for (name, member) in namespace.members() {
        let path = format!("{path}.{name}");
        match member {
            Member::Namespace(namespace) => add(&path, namespace, found, known),
            Member::Value => drop(known.insert(path, None)),
            Member::Function { min, max } => {
                let length = found.get(&path).copied().flatten();
                let fits =
                    |length: &usize| max.is_none_or(|max| max >= *length) && (max.is_none() || min <= length);
                let count = length.filter(fits).unwrap_or(usize::MAX);
                known.insert(path, Some(count));
            }
        }
    }
}
