//! The kinds of value a setting can have.

use std::collections::BTreeMap;
use std::fmt;

use remora_jobs::Tz;
use serde_json::Value;

/// A value that a config file or `--set` can give.
pub(crate) trait Setting: Sized {
    /// What an error says was expected.
    const EXPECTED: &'static str;

    /// `None` where the value is not of this kind.
    fn read(value: &Value) -> Option<Self>;

    /// As the listing of settings prints a default.
    fn show(&self) -> String;
}

/// A size in bytes; also given as a quantity with a binary suffix (`64Ki`, `500Mi`, `2Gi`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bytes(pub(crate) usize);

const SUFFIXES: [(&str, u32); 3] = [("Gi", 30), ("Mi", 20), ("Ki", 10)];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (suffix, shift) in SUFFIXES {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{suffix}", self.0 >> shift);
            }
        }
        self.0.fmt(f)
    }
}

impl Setting for Bytes {
    const EXPECTED: &'static str = "a size in bytes, such as 65535, 64Ki or 500Mi";

    fn read(value: &Value) -> Option<Self> {
        if let Some(bytes) = usize::read(value) {
            return Some(Self(bytes));
        }
        let text = value.as_str()?;
        SUFFIXES.iter().find_map(|(suffix, shift)| {
            let number: usize = text.strip_suffix(suffix)?.trim_end().parse().ok()?;
            number.checked_mul(1 << shift).map(Self)
        })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_number {
    ($($kind:ty),+) => {
        $(impl Setting for $kind {
            const EXPECTED: &'static str = "a whole number";

            fn read(value: &Value) -> Option<Self> {
                value.as_u64().and_then(|number| Self::try_from(number).ok())
            }

            fn show(&self) -> String {
                self.to_string()
            }
        })+
    };
}

whole_number!(u8, u32, u64, usize);

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Scalars are taken as their text, so that an unquoted number is a fine value.
impl Setting for String {
    const EXPECTED: &'static str = "a text";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null => Some(Self::new()),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

/// A time zone by its name in the IANA database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Zone(pub(crate) Tz);

impl Setting for Zone {
    const EXPECTED: &'static str = "the name of a time zone, such as Europe/Berlin";

    fn read(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok().map(Self)
    }

    fn show(&self) -> String {
        self.0.name().to_owned()
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &'static str = "a list of texts";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Array(values) => values.iter().map(String::read).collect(),
            Value::Null => Some(Self::new()),
            Value::Object(_) => None,
            single => String::read(single).map(|text| vec![text]),
        }
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Setting for BTreeMap<String, String> {
    const EXPECTED: &'static str = "a map of texts";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Object(map) => {
                map.iter().map(|(key, value)| Some((key.clone(), String::read(value)?))).collect()
            }
            Value::Null => Some(Self::new()),
            _ => None,
        }
    }

    fn show(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_take_numbers_and_binary_suffixes() {
        assert_eq!(Bytes::read(&json!(65535)), Some(Bytes(65535)));
        assert_eq!(Bytes::read(&json!("500Mi")), Some(Bytes(500 << 20)));
        assert_eq!(Bytes::read(&json!("1Gi")), Some(Bytes(1 << 30)));
        for wrong in [json!(-1), json!("12MB"), json!("Mi"), json!("99999999999999999999Gi"), json!([1])] {
            assert_eq!(Bytes::read(&wrong), None, "{wrong}");
        }
        assert_eq!(Bytes(256 << 20).to_string(), "256Mi");
        assert_eq!(Bytes(65535).to_string(), "65535");
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        assert_eq!(Vec::<String>::read(&json!("a")), Some(vec!["a".to_owned()]));
        assert_eq!(Vec::<String>::read(&json!(["a", 1])), Some(vec!["a".to_owned(), "1".to_owned()]));
    }
}
