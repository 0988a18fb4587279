//! What an item says of its protocol.

use crate::value::{Object, Table, Value};

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

const FIELDS: Table<Protocol> = Table(&[
    ("name", |protocol| Some(Value::str(protocol.name))),
    ("version", |protocol| Some(Value::str(protocol.version))),
    ("abbr", |protocol| Some(Value::str(protocol.abbr))),
    ("longName", |protocol| Some(Value::str(protocol.long_name))),
    ("macro", |protocol| Some(Value::str(protocol.macro_name))),
    ("backgroundColor", |protocol| Some(Value::str(protocol.background_color))),
    ("foregroundColor", |protocol| Some(Value::str(protocol.foreground_color))),
    ("fontSize", |protocol| Some(Value::Int(protocol.font_size.into()))),
    ("referenceLink", |protocol| Some(Value::str(protocol.reference_link))),
    ("ports", |protocol| Some(Value::List(&protocol.ports))),
    ("layer3", |_| Some(Value::str("ip"))),
    ("layer4", |protocol| Some(Value::str(protocol.layer4))),
    ("priority", |protocol| Some(Value::Int(protocol.priority.into()))),
]);

impl Object for Protocol {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        FIELDS.each(self, visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        FIELDS.get(self, name)
    }
}
