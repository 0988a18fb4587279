//! JSON that a script hands to a helper, as a tree of values that takes no more memory than it is worth.
//!
//! A tree lies outside of the script's heap, and takes up to a hundred times the bytes of its text (`[{"":0},{"":0}]`).

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The most bytes that one tree takes.
const TREE_BYTES: usize = 64 << 20;
/// Of a value, beside its text; lists are twice as large as what is in them while they grow.
const VALUE_BYTES: usize = 2 * size_of::<Value>();
/// Of an object with its table of names, and of each of its fields.
const OBJECT_BYTES: usize = 256;
const FIELD_BYTES: usize = 2 * (size_of::<String>() + size_of::<Value>() + 2 * size_of::<usize>());

/// A JSON value of bounded size.
#[derive(Debug)]
pub(super) struct Tree(pub(super) Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Grow(&Cell::new(TREE_BYTES)).deserialize(deserializer).map(Self)
    }
}

impl Tree {
    /// The fields of an object.
    pub(super) fn object(self) -> Option<Map<String, Value>> {
        match self.0 {
            Value::Object(fields) => Some(fields),
            _ => None,
        }
    }
}

/// Reads one value, with the bytes that are left for it and all that follow.
#[derive(Clone, Copy)]
struct Grow<'a>(&'a Cell<usize>);

impl Grow<'_> {
    fn spend<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(bytes).ok_or_else(|| {
            E::custom(format_args!("an object takes more than {} MiB of memory", TREE_BYTES >> 20))
        })?;
        self.0.set(left);
        Ok(())
    }

    fn leaf<E: Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.spend(VALUE_BYTES)?;
        Ok(value.into())
    }
}

impl<'de> DeserializeSeed<'de> for Grow<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Grow<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.leaf(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.leaf(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.leaf(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.leaf(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.leaf(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.spend(text.len())?;
        self.leaf(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        self.spend(VALUE_BYTES)?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        self.spend(OBJECT_BYTES)?;
        let mut fields = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            self.spend(FIELD_BYTES + name.len())?;
            fields.insert(name, object.next_value_seed(self)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_what_its_text_says() {
        let text = r#"{"b":[1,-2,0.5,null,true,"x\n",{}],"a":{"deep":[[["y"]]]},"":18446744073709551615}"#;
        let Tree(value) = serde_json::from_str(text).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(value.to_string(), text);
    }

    #[test]
    fn a_tree_that_takes_too_much_is_refused_and_a_long_text_is_not() {
        for small in [r#"{"":0},"#, "0,", "[],", r#""","#] {
            let text = format!("[{}0]", small.repeat(2_000_000));
            let error = serde_json::from_str::<Tree>(&text).unwrap_err().to_string();
            assert!(error.starts_with("an object takes more than 64 MiB of memory"), "{small} {error}");
        }
        let text = format!("{:?}", "x".repeat(TREE_BYTES / 2));
        assert!(serde_json::from_str::<Tree>(&text).is_ok());
    }
}
