//! The type definitions of items, `scripts/remora.d.ts` and `scripts/remora-protocols.d.ts`, read as their headers state
//! their form, and JSON held against them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Type {
    Any,
    Text,
    Number,
    Boolean,
    Literal(Value),
    List(Box<Type>),
    Union(Vec<Type>),
    /// With members that are more exact.
    Exact(Box<Type>, Vec<(String, Type)>),
    Named(String),
}

pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) optional: bool,
    pub(crate) is: Type,
}

/// Members under any name that ends so.
struct Open {
    ending: String,
    is: Type,
}

#[derive(Default)]
pub(crate) struct Interface {
    parents: Vec<String>,
    pub(crate) members: Vec<Member>,
    open: Vec<Open>,
}

#[derive(Default)]
pub(crate) struct Declarations {
    pub(crate) interfaces: BTreeMap<String, Interface>,
    pub(crate) aliases: BTreeMap<String, Type>,
}

impl Interface {
    /// Of its own members.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Type> {
        self.members.iter().map(|member| &member.is).chain(self.open.iter().map(|open| &open.is))
    }
}

impl Type {
    /// Visits it and what it is put together of.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(entry) => entry.each(visit),
            Self::Exact(whole, members) => {
                whole.each(visit);
                members.iter().for_each(|(_, is)| is.each(visit));
            }
            Self::Union(all) => all.iter().for_each(|one| one.each(visit)),
            _ => {}
        }
    }
}

/// What scripts may take for granted of HTTP's requests is missing all the same where one could not be read: that has nothing
/// but `data`.
pub(crate) const OF_HTTP: &str = "HttpRequest";

/// Where an interface's member was found in an item.
pub(crate) type Seen = BTreeSet<(String, String)>;

/// A file of type definitions.
pub(crate) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

impl Declarations {
    pub(crate) fn read() -> Self {
        let mut all = Self::default();
        for name in ["remora.d.ts", "remora-protocols.d.ts"] {
            // Helpers are functions, which are another test's.
            all.add(&text(name), name == "remora.d.ts").unwrap_or_else(|why| panic!("{name}: {why}"));
        }
        all
    }

    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let mut all = Self::default();
        all.add(text, false).map(|()| all)
    }

    /// Takes in a file; `helpers` may be among what it declares.
    fn add(&mut self, text: &str, helpers: bool) -> Result<(), String> {
        let (mut current, mut explained) = (None::<(String, Interface)>, false);
        for (number, line) in text.lines().enumerate() {
            let fail = |what: &str| Err(format!("line {}: {what}: {line}", number + 1));
            if let Some(rest) = line.strip_prefix("interface ") {
                let Some(head) = rest.strip_suffix(" {") else { return fail("no beginning of an interface") };
                let (name, parents) = head.split_once(" extends ").unwrap_or((head, ""));
                let parents =
                    parents.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
                if !explained {
                    return fail("no comment above it");
                }
                current = Some((name.to_owned(), Interface { parents, ..Interface::default() }));
            } else if line == "}" {
                let Some((name, interface)) = current.take() else { return fail("nothing to end") };
                if self.interfaces.insert(name, interface).is_some() {
                    return fail("the interface that ends here is declared twice");
                }
            } else if let Some(rest) = line.strip_prefix("type ") {
                let Some((name, is)) = rest.trim_end_matches(';').split_once(" = ") else {
                    return fail("no alias");
                };
                self.aliases.insert(name.to_owned(), parse(is)?);
            } else if let Some((_, interface)) = &mut current {
                let line = line.trim_start();
                if line.starts_with("/**") || line.starts_with('*') {
                    explained = true;
                    continue;
                }
                let function = line.split(':').next().is_some_and(|name| name.contains('('));
                if helpers && (function || line.starts_with("readonly ")) {
                    continue;
                }
                let Some((name, is)) = member(line) else { return fail("no member") };
                let is = parse(is)?;
                if let Some(names) = name.strip_prefix('[') {
                    let Some(ending) = ending(names) else { return fail("no names") };
                    interface.open.push(Open { ending: ending.to_owned(), is });
                } else if explained {
                    let optional = name.ends_with('?');
                    let name = name.trim_end_matches('?').to_owned();
                    interface.members.push(Member { name, optional, is });
                } else {
                    return fail("no comment above it");
                }
            }
            explained = line.trim_start().starts_with("/**") || line.trim_start().starts_with('*');
        }
        Ok(())
    }

    /// An interface's own and inherited members, the own ones first.
    pub(crate) fn members(&self, name: &str) -> Vec<(&str, &Member)> {
        let mut all: Vec<(&str, &Member)> = Vec::new();
        for (name, interface) in self.line(name) {
            for member in &interface.members {
                if all.iter().all(|(_, known)| known.name != member.name) {
                    all.push((name, member));
                }
            }
        }
        all
    }

    /// An interface and those it extends.
    pub(crate) fn line(&self, name: &str) -> Vec<(&str, &Interface)> {
        let (name, interface) =
            self.interfaces.get_key_value(name).unwrap_or_else(|| panic!("{name} is not declared"));
        let mut line = vec![(name.as_str(), interface)];
        interface.parents.iter().for_each(|parent| line.extend(self.line(parent)));
        line
    }

    /// Adds all interfaces that a type leads to.
    pub(crate) fn reach(&self, is: &Type, interfaces: &mut BTreeSet<String>) {
        is.each(&mut |is| {
            let Type::Named(name) = is else { return };
            if let Some(is) = self.aliases.get(name) {
                return self.reach(is, interfaces);
            }
            for (name, interface) in self.line(name) {
                if interfaces.insert(name.to_owned()) {
                    interface.types().for_each(|is| self.reach(is, interfaces));
                }
            }
        });
    }

    /// What is wrong with a value, as `place: what`. Members that are there are noted in `seen`.
    pub(crate) fn check(&self, value: &Value, is: &Type, place: &str, seen: &mut Seen) -> Result<(), String> {
        let fits = match is {
            Type::Any => true,
            Type::Text => value.is_string(),
            Type::Number => value.is_number(),
            Type::Boolean => value.is_boolean(),
            Type::Literal(literal) => value == literal,
            Type::List(entry) => {
                let Value::Array(list) = value else { return Err(format!("{place}: no list, but {value}")) };
                return list
                    .iter()
                    .try_for_each(|value| self.check(value, entry, &format!("{place}[]"), seen));
            }
            Type::Union(all) => {
                let mut why = None;
                for is in all {
                    match self.check(value, is, place, seen) {
                        Ok(()) => return Ok(()),
                        // What is wrong inside of a value of the right kind tells more than that it is of no other.
                        Err(error) if is_deeper(&error, place) => why = Some(error),
                        Err(_) => {}
                    }
                }
                return Err(why.unwrap_or_else(|| format!("{place}: {value} is none of {all:?}")));
            }
            Type::Exact(whole, members) => {
                self.check(value, whole, place, seen)?;
                let mut members = members.iter();
                return members.try_for_each(|(name, is)| {
                    self.check(&value[name.as_str()], is, &format!("{place}.{name}"), seen)
                });
            }
            Type::Named(name) => {
                return match (self.aliases.get(name), value) {
                    (Some(is), _) => self.check(value, is, place, seen),
                    (None, Value::Object(fields)) => self.check_fields(fields, name, place, seen),
                    _ => Err(format!("{place}: no {name}, but {value}")),
                };
            }
        };
        if fits { Ok(()) } else { Err(format!("{place}: no {is:?}, but {value}")) }
    }

    fn check_fields(
        &self,
        fields: &Map<String, Value>,
        name: &str,
        place: &str,
        seen: &mut Seen,
    ) -> Result<(), String> {
        let line = self.line(name);
        let members = self.members(name);
        for (field, value) in fields {
            let place = format!("{place}.{field}");
            if let Some((owner, member)) = members.iter().find(|(_, member)| member.name == *field) {
                self.check(value, &member.is, &place, seen)?;
                seen.insert(((*owner).to_owned(), field.clone()));
                continue;
            }
            let mut open = line.iter().flat_map(|(_, interface)| &interface.open);
            match open.find(|open| field.ends_with(&open.ending)) {
                Some(open) => self.check(value, &open.is, &place, seen)?,
                None => return Err(format!("{place}: {name} does not declare it")),
            }
        }
        if fields.keys().eq(["data"]) && line.iter().any(|(name, _)| *name == OF_HTTP) {
            return Ok(());
        }
        match members.iter().find(|(_, member)| !member.optional && !fields.contains_key(&member.name)) {
            Some((_, member)) => Err(format!("{place}: {name} has {}, which is not there", member.name)),
            None => Ok(()),
        }
    }
}

/// What a line declares: a name, or names in brackets, and a type.
fn member(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_suffix(';')?;
    let colon = if line.starts_with('[') { line.find("]: ")? + 1 } else { line.find(": ")? };
    Some((&line[..colon], &line[colon + 2..]))
}

/// How all names end of `name: string]` or ``name: `${string}End`]``.
fn ending(names: &str) -> Option<&str> {
    match names.strip_suffix(']')?.split_once(": ")?.1 {
        "string" => Some(""),
        pattern => pattern.strip_prefix("`${string}")?.strip_suffix('`'),
    }
}

fn is_deeper(error: &str, place: &str) -> bool {
    error
        .strip_prefix(place)
        .is_some_and(|rest| rest.starts_with(['.', '[']) || rest.contains("which is not there"))
}

/// A type: names, literals, lists, unions, and what is more exact.
fn parse(text: &str) -> Result<Type, String> {
    let (is, rest) = union(text)?;
    if rest.is_empty() { Ok(is) } else { Err(format!("a type goes on: {rest}")) }
}

fn union(text: &str) -> Result<(Type, &str), String> {
    let (mut is, mut rest) = listed(text)?;
    while let Some(more) = rest.strip_prefix(" | ") {
        let (next, after) = listed(more)?;
        is = match is {
            Type::Union(mut all) => {
                all.push(next);
                Type::Union(all)
            }
            first => Type::Union(vec![first, next]),
        };
        rest = after;
    }
    Ok((is, rest))
}

fn listed(text: &str) -> Result<(Type, &str), String> {
    let text = text.strip_prefix("readonly ").unwrap_or(text);
    let (mut is, mut rest) = if let Some(inner) = text.strip_prefix('(') {
        let (is, rest) = union(inner)?;
        (is, rest.strip_prefix(')').ok_or_else(|| format!("no end of a parenthesis: {text}"))?)
    } else if let Some(inner) = text.strip_prefix('"') {
        let (literal, rest) = inner.split_once('"').ok_or_else(|| format!("no end of a text: {text}"))?;
        (Type::Literal(literal.into()), rest)
    } else {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let is = match name {
            "" => return Err(format!("no type: {text}")),
            "any" => Type::Any,
            "string" => Type::Text,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            "null" => Type::Literal(Value::Null),
            "true" => Type::Literal(true.into()),
            "false" => Type::Literal(false.into()),
            name => Type::Named(name.to_owned()),
        };
        (is, rest)
    };
    while let Some(after) = rest.strip_prefix("[]") {
        (is, rest) = (Type::List(Box::new(is)), after);
    }
    if let Some(after) = rest.strip_prefix(" & {}") {
        // A string that editors do not merge with the literals beside it.
        rest = after;
    } else if let Some(after) = rest.strip_prefix(" & { ") {
        let (members, after) = after.split_once(" }").ok_or_else(|| format!("no end of members: {text}"))?;
        let one = |member: &str| match member.split_once(": ") {
            Some((name, is)) => Ok((name.to_owned(), parse(is)?)),
            None => Err(format!("no member: {member}")),
        };
        let members = members.split("; ").map(one).collect::<Result<_, _>>()?;
        (is, rest) = (Type::Exact(Box::new(is), members), after);
    }
    Ok((is, rest))
}
