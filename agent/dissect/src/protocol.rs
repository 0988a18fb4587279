//! What an item says of its protocol.

use crate::value::{List, Object, Value};

/// Constant facts of one protocol version, the item's `protocol` object.
#[derive(Debug, PartialEq)]
pub struct Protocol {
    /// Family name that filters use; HTTP/1, HTTP/2, gRPC and GraphQL share `http`.
    pub name: &'static str,
    pub version: &'static str,
    /// Short label, the one that tells members of a family apart.
    pub abbr: &'static str,
    pub long_name: &'static str,
    /// The filter macro that selects exactly this protocol.
    pub macro_name: &'static str,
    pub background_color: &'static str,
    pub foreground_color: &'static str,
    pub font_size: u8,
    pub reference_link: &'static str,
    pub ports: &'static [&'static str],
    pub layer4: &'static str,
    /// Order among dissectors; lower is asked first.
    pub priority: u8,
}

impl Object for Protocol {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in NAMES {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "name" => Value::str(self.name),
            "version" => Value::str(self.version),
            "abbr" => Value::str(self.abbr),
            "longName" => Value::str(self.long_name),
            "macro" => Value::str(self.macro_name),
            "backgroundColor" => Value::str(self.background_color),
            "foregroundColor" => Value::str(self.foreground_color),
            "fontSize" => Value::Int(self.font_size.into()),
            "referenceLink" => Value::str(self.reference_link),
            "ports" => Value::List(&self.ports as &dyn List),
            "layer3" => Value::str("ip"),
            "layer4" => Value::str(self.layer4),
            "priority" => Value::Int(self.priority.into()),
            _ => return None,
        })
    }
}

const NAMES: [&str; 13] = [
    "name",
    "version",
    "abbr",
    "longName",
    "macro",
    "backgroundColor",
    "foregroundColor",
    "fontSize",
    "referenceLink",
    "ports",
    "layer3",
    "layer4",
    "priority",
];
