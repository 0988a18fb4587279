//! A protocol's part of a packet, as tshark prints it.

use super::Place;

/// What tshark says of one message, or of one packet where a protocol's messages share a layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) from: Place,
    pub(super) to: Place,
    /// In the order they are printed.
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Field {
    /// How deep it is in the layer; 0 is directly below it.
    pub(super) depth: usize,
    pub(super) name: String,
    /// The bare value.
    pub(super) show: String,
    /// The line of the tree: `Class: Connection (10)`.
    pub(super) line: String,
}

impl Layer {
    /// The first value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.field(name).map(|field| field.show.as_str())
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.show.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// As a number, whether it is printed in decimal or in hexadecimal.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(number)
    }

    /// What tshark calls the value: `Connection` of `Class: Connection (10)`.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let line = &self.field(name)?.line;
        let (_, value) = line.split_once(": ")?;
        Some(value.rsplit_once(" (").map_or(value, |(label, _)| label))
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether it went to the side with the lower port, which is the server's where the messages do not tell.
    pub(super) fn to_server(&self) -> bool {
        self.to.1 <= self.from.1
    }
}

pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
impl Layer {
    /// A layer with these fields directly below it, sent from port 40000 to port 1.
    pub(super) fn of(name: &str, fields: &[(&str, &str)]) -> Self {
        let host = std::net::IpAddr::from([192, 0, 2, 1]);
        let fields = fields.iter().map(|(name, show)| Field {
            depth: 0,
            name: (*name).to_owned(),
            show: (*show).to_owned(),
            line: (*show).to_owned(),
        });
        Self { name: name.to_owned(), from: (host, 40_000), to: (host, 1), fields: fields.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_printed() {
        let mut layer = Layer::of("amqp", &[("amqp.class", "10"), ("amqp.id", "0x0000ff"), ("amqp.id", "7")]);
        layer.fields[0].line = "Class: Connection (10)".to_owned();
        assert_eq!(layer.label("amqp.class"), Some("Connection"));
        assert_eq!(layer.number("amqp.id"), Some(255));
        assert_eq!(layer.all("amqp.id").count(), 2);
        assert_eq!(layer.label("amqp.id"), None);
        assert!(layer.to_server() && !layer.has("amqp.type"));
    }
}
