//! The two sides of an item.
//!
//! `type`, `command`, `key`, `value` and `keyword` are the documented five; they are made when read. What is beside them
//! tells the same without loss.

use std::borrow::Cow;
use std::fmt::Write;

use super::commands;
use super::resp::Parsed;
use crate::item::Message;
use crate::value::{List, Object, Value};
use crate::{Fields, Tree};

/// A command, or what a server sends unasked.
#[derive(Debug, Default)]
pub(super) struct Command {
    marker: u8,
    name: Cow<'static, str>,
    args: Vec<Tree>,
    /// Arguments as announced, without the name; more than there are where some were left out.
    count: u64,
    attributes: Option<Tree>,
    truncated: bool,
}

#[derive(Debug)]
pub(super) struct Reply {
    marker: u8,
    result: Tree,
    error: Option<Fields>,
    attributes: Option<Tree>,
    count: u64,
    truncated: bool,
}

impl Command {
    /// `None` for what is no list of strings.
    pub(super) fn new(parsed: Parsed) -> Option<Self> {
        let Tree::List(mut args) = parsed.tree else { return None };
        let mut name = match args.first_mut()? {
            Tree::Text(name) => std::mem::take(name).into_owned(),
            other => text(other).into_owned(),
        };
        name.make_ascii_uppercase();
        commands::redact(&name, &mut args);
        args.remove(0);
        let (marker, attributes) = (parsed.marker, parsed.attributes);
        let count = parsed.count.saturating_sub(1);
        Some(Self { marker, name: name.into(), args, count, attributes, truncated: parsed.truncated })
    }

    /// A command of another client, as a monitor is shown it.
    pub(super) fn monitored(parsed: Parsed) -> Self {
        let line = match &parsed.tree {
            Tree::Text(_) => parsed.tree,
            other => text(other).into_owned().into(),
        };
        let args = vec!["".into(), line];
        let (marker, truncated) = (parsed.marker, parsed.truncated);
        Self { marker, name: "MONITOR".into(), args, count: 2, attributes: None, truncated }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn argument(&self, at: usize) -> Cow<'_, str> {
        self.args.get(at).map_or(Cow::Borrowed(""), text)
    }

    fn value(&self) -> Cow<'_, str> {
        match self.args.get(1..) {
            None | Some([]) => Cow::Borrowed(""),
            Some([one]) => text(one),
            Some(more) => {
                let mut out = String::new();
                write_list(more.iter(), &mut out);
                out.into()
            }
        }
    }

    fn keyword(&self) -> Cow<'_, str> {
        let word = if commands::is_container(&self.name) { self.argument(0) } else { Cow::Borrowed("") };
        if word.bytes().any(|byte| byte.is_ascii_lowercase()) {
            word.to_ascii_uppercase().into()
        } else {
            word
        }
    }
}

impl Reply {
    pub(super) fn new(parsed: Parsed) -> Self {
        let (marker, result) = (parsed.marker, parsed.tree);
        let is_error = matches!(marker, b'-' | b'!');
        let error = is_error.then(|| classify(&text(&result)));
        let attributes = parsed.attributes;
        Self { marker, result, error, attributes, count: parsed.count, truncated: parsed.truncated }
    }

    /// A value that is no error, and of which nothing is left out.
    pub(super) const fn of(marker: u8, result: Tree) -> Self {
        Self { marker, result, error: None, attributes: None, count: 0, truncated: false }
    }

    fn value(&self) -> Cow<'_, str> {
        let Some(error) = &self.error else { return text(&self.result) };
        let field = |name| error.field(name).map_or(Cow::Borrowed(""), text);
        let mut out = format!("{}: {}", field("class"), field("message"));
        if let Some(slot) = error.field("slot").and_then(Tree::as_int) {
            let (host, port) = (field("host"), field("port"));
            let _ = write!(out, " host: {host} port: {port} slot: {slot}");
        }
        out.into()
    }
}

/// What kind of error it is, and for those of a cluster where to go.
fn classify(message: &str) -> Fields {
    let code = message.split(' ').next().unwrap_or_default();
    let class = match code {
        "MOVED" => "MovedDataError",
        "ASK" => "AskDataError",
        "CLUSTERDOWN" => "ClusterError",
        "BUSY" => "BusyError",
        "NOSCRIPT" => "NoScriptError",
        _ => "DataError",
    };
    let mut fields = Fields::with_capacity(6).with("class", class);
    if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        fields.push("code", code.to_owned());
    }
    fields.push("message", message.to_owned());
    if matches!(code, "MOVED" | "ASK") {
        let mut words = message.split(' ').skip(1);
        let slot = words.next().and_then(|slot| slot.parse::<u16>().ok());
        let target = words.next().and_then(|target| target.rsplit_once(':'));
        if let (Some(slot), Some((host, port))) = (slot, target) {
            fields.push("host", host.to_owned());
            fields.push_some("port", port.parse::<u16>().ok());
            fields.push("slot", slot);
        }
    }
    fields
}

/// Types of replies that have an `error`.
pub(super) const ERRORS: [&str; 2] = ["Error", "Bulk Error"];

pub(super) const fn type_name(marker: u8) -> &'static str {
    match marker {
        b'+' => "Simple String",
        b'$' | b';' => "Bulk String",
        b'*' => "Array",
        b':' => "Integer",
        b'-' => "Error",
        b'_' => "Null",
        b'#' => "Boolean",
        b',' => "Double",
        b'(' => "Big Number",
        b'!' => "Bulk Error",
        b'=' => "Verbatim String",
        b'%' => "Map",
        b'~' => "Set",
        b'>' => "Push",
        0 => "Inline",
        _ => "N/A",
    }
}

/// A value as the text that filters compare with.
pub(super) fn text(tree: &Tree) -> Cow<'_, str> {
    match tree {
        Tree::Text(text) => Cow::Borrowed(text),
        Tree::Bytes(bytes) => crate::text::lossy(bytes),
        Tree::Null => Cow::Borrowed(""),
        Tree::Fields(fields) if fields.field("truncated").is_some() => {
            fields.field("data").map_or(Cow::Borrowed(""), text)
        }
        other => {
            let mut out = String::new();
            write_text(other, &mut out);
            out.into()
        }
    }
}

fn write_text(tree: &Tree, out: &mut String) {
    let _ = match tree {
        Tree::Bool(value) => write!(out, "{value}"),
        Tree::Int(value) => write!(out, "{value}"),
        Tree::Float(value) => write!(out, "{value}"),
        Tree::List(list) => {
            write_list(list.iter(), out);
            Ok(())
        }
        Tree::Fields(fields) if fields.field("truncated").is_none() => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                let _ = write!(out, "{}{name}: ", if at == 0 { "" } else { ", " });
                write_text(value, out);
            }
            out.push('}');
            Ok(())
        }
        other => out.write_str(&text(other)),
    };
}

fn write_list<'a>(list: impl Iterator<Item = &'a Tree>, out: &mut String) {
    out.push('[');
    for (at, value) in list.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_text(value, out);
    }
    out.push(']');
}

const COMMAND_FIELDS: [&str; 9] =
    ["type", "command", "key", "value", "keyword", "args", "argCount", "attributes", "truncated"];

impl Object for Command {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in COMMAND_FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        COMMAND_FIELDS.into_iter().filter(|name| self.has(name)).for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        if !self.has(name) {
            return None;
        }
        Some(match name {
            "type" => Value::str(type_name(self.marker)),
            "command" => Value::str(&self.name),
            "key" => Value::Str(self.argument(0)),
            "value" => Value::Str(self.value()),
            "keyword" => Value::Str(self.keyword()),
            "args" => Value::List(&self.args as &dyn List),
            "argCount" => Value::count(self.count),
            "attributes" => self.attributes.as_ref()?.value(),
            "truncated" => Value::Bool(true),
            _ => return None,
        })
    }
}

impl Command {
    fn has(&self, name: &str) -> bool {
        match name {
            "argCount" => self.count != self.args.len() as u64,
            "attributes" => self.attributes.is_some(),
            "truncated" => self.truncated,
            _ => true,
        }
    }
}

const REPLY_FIELDS: [&str; 10] =
    ["type", "command", "key", "value", "keyword", "result", "count", "error", "attributes", "truncated"];

impl Object for Reply {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in REPLY_FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        REPLY_FIELDS.into_iter().filter(|name| self.has(name)).for_each(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        if !self.has(name) {
            return None;
        }
        Some(match name {
            "type" => Value::str(type_name(self.marker)),
            "command" | "key" => Value::str(""),
            "value" => Value::Str(self.value()),
            "keyword" => match (self.marker, &self.result) {
                (b'+', Tree::Text(text)) if !text.contains(' ') => Value::text(text.to_ascii_uppercase()),
                _ => Value::str(""),
            },
            "result" => self.result.value(),
            "count" => Value::count(self.count),
            "error" => Value::object(self.error.as_ref()?),
            "attributes" => self.attributes.as_ref()?.value(),
            "truncated" => Value::Bool(true),
            _ => return None,
        })
    }
}

impl Reply {
    fn has(&self, name: &str) -> bool {
        match name {
            "result" => self.error.is_none(),
            "count" => match &self.result {
                Tree::List(list) => list.len() as u64 != self.count,
                Tree::Fields(fields) => self.marker == b'%' && fields.len() as u64 != self.count,
                _ => false,
            },
            "error" => self.error.is_some(),
            "attributes" => self.attributes.is_some(),
            "truncated" => self.truncated,
            _ => true,
        }
    }
}

impl Message for Command {
    fn memory(&self) -> usize {
        let args: usize = self.args.iter().map(Tree::heap).sum();
        let attributes = self.attributes.as_ref().map_or(0, Tree::heap);
        size_of::<Self>() + self.name.len() + self.args.capacity() * size_of::<Tree>() + args + attributes
    }
}

impl Message for Reply {
    fn memory(&self) -> usize {
        let error = self.error.as_ref().map_or(0, Fields::heap);
        size_of::<Self>() + self.result.heap() + error + self.attributes.as_ref().map_or(0, Tree::heap)
    }
}
