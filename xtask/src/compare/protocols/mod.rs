//! What makes two messages the same: for each protocol, a key out of tshark's fields and the same key out of an item.
//!
//! A key names a message among those of its conversation: by its number where the protocol has numbers, else by what it says.

mod databases;
mod http;
mod messaging;
mod network;
mod security;

use serde_json::Value;

use super::layer::Layer;

/// A row of the table.
pub(super) struct Mapping {
    /// As the reports call it.
    pub(super) protocol: &'static str,
    /// `protocol.name` of the items, and how `protocol.version` begins.
    items: (&'static str, &'static str),
    /// tshark's names.
    pub(super) layers: &'static [&'static str],
    /// The messages in one of these layers.
    pub(super) theirs: fn(&Layer) -> Vec<String>,
    /// The messages in an item.
    pub(super) ours: fn(&Exchange<'_>) -> Said,
}

impl Mapping {
    pub(super) fn is(&self, name: &str, version: &str) -> bool {
        self.items.0 == name && version.starts_with(self.items.1)
    }
}

pub(super) fn all() -> impl Iterator<Item = &'static Mapping> {
    [http::TABLE, databases::TABLE, messaging::TABLE, network::TABLE, security::TABLE].into_iter().flatten()
}

/// The direction of a message, seen from the item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// From `src` to `dst`, as the request.
    There,
    Back,
}

pub(super) type Said = Vec<(Way, String)>;

/// An item's JSON form.
pub(super) struct Exchange<'a>(pub(super) &'a Value);

impl<'a> Exchange<'a> {
    /// The text at a JSON pointer; empty where there is none.
    pub(super) fn text(&self, pointer: &str) -> &'a str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn side(&self, name: &str) -> Option<Side<'a>> {
        self.0.get(name).filter(|side| side.is_object()).map(Side)
    }

    /// A key of the request and one of the response, as far as they are there and have one.
    fn sides(
        &self,
        request: impl Fn(Side<'a>) -> Option<String>,
        response: impl Fn(Side<'a>) -> Option<String>,
    ) -> Said {
        let there = self.side("request").and_then(request).map(|key| (Way::There, key));
        let back = self.side("response").and_then(response).map(|key| (Way::Back, key));
        there.into_iter().chain(back).collect()
    }
}

/// A request or a response.
#[derive(Clone, Copy)]
struct Side<'a>(&'a Value);

impl<'a> Side<'a> {
    fn text(self, pointer: &str) -> Option<&'a str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }

    fn number(self, pointer: &str) -> Option<u64> {
        self.0.pointer(pointer).and_then(Value::as_u64)
    }

    fn flag(self, pointer: &str) -> bool {
        self.0.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
    }

    fn list(self, pointer: &str) -> &'a [Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn inner(self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|inner| inner.is_object()).map(Self)
    }
}

/// How much of a text is in a key.
const LONGEST: usize = 72;

/// A text as both sides print it: of the letters that tshark escapes in one place and prints in another, nothing.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('x') => drop((characters.next(), characters.next())),
                // Three octal digits.
                Some('0'..='7') => drop((characters.next(), characters.next())),
                _ => {}
            },
            '!'..='~' if plain.len() < LONGEST => plain.push(character),
            _ => {}
        }
    }
    plain
}

/// The name with this number, or the number.
fn named(names: &[(u64, &'static str)], number: u64) -> String {
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

/// Words with a space between.
fn key(words: &[&str]) -> String {
    words.iter().copied().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
fn item(request: Value, response: Value) -> Value {
    serde_json::json!({ "base": { "status": 0 }, "request": request, "response": response })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_however_they_are_escaped() {
        assert_eq!(plain("a\nb \"c\" é"), "ab\"c\"");
        assert_eq!(plain(r"a\nb \xc3\xa9\303\251c"), "abc");
        assert_eq!(plain(&"x".repeat(500)).len(), LONGEST);
    }

    #[test]
    fn every_layer_belongs_to_one_protocol() {
        let mut layers: Vec<_> = all().flat_map(|mapping| mapping.layers).collect();
        let count = layers.len();
        layers.sort();
        layers.dedup();
        assert_eq!(layers.len(), count);
    }

    #[test]
    fn halves_have_the_keys_they_have() {
        let item = item(serde_json::json!({ "a": 1 }), Value::Null);
        let number = |side: Side<'_>| side.number("/a").map(|number| number.to_string());
        assert_eq!(Exchange(&item).sides(number, number), [(Way::There, "1".to_owned())]);
    }
}
