//! Text forms and numbers of scalars, and their comparison.

use std::cmp::Ordering;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::value::Kind;

/// The longest text of a float without exponent: a sign, `0.`, 323 zeros and 17 digits.
const FLOAT_TEXT: usize = 352;

/// A number's digits, on the stack.
struct Digits {
    bytes: [u8; FLOAT_TEXT],
    length: usize,
}

impl Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

fn with_digits<R>(number: impl std::fmt::Display, use_text: impl FnOnce(&str) -> R) -> R {
    let mut digits = Digits { bytes: [0; FLOAT_TEXT], length: 0 };
    // The space suffices for every number; one that did not fit would be cut.
    let _ = write!(digits, "{number}");
    use_text(std::str::from_utf8(&digits.bytes[..digits.length]).unwrap_or_default())
}

/// Hands the text form of a scalar on: numbers in decimal without exponent, `true`, `false`, `null`. Lists and objects
/// have none.
pub(crate) fn with_text<R>(kind: Kind<'_>, use_text: impl FnOnce(&str) -> R) -> Option<R> {
    Some(match kind {
        Kind::Null => use_text("null"),
        Kind::Bool(true) => use_text("true"),
        Kind::Bool(false) => use_text("false"),
        Kind::Int(number) => with_digits(number, use_text),
        Kind::Float(number) => with_digits(number, use_text),
        Kind::Str(text) => use_text(text),
        Kind::Base64(bytes) => use_text(&STANDARD.encode(bytes)),
        Kind::List | Kind::Object => return None,
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Int(value) => value.checked_neg().map_or(Self::Float(-(value as f64)), Self::Int),
            Self::Float(value) => Self::Float(-value),
        }
    }

    /// Exact, also between an integer and a float; nothing for NaN.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Int(left), Self::Float(right)) => compare_mixed(left, right),
            (Self::Float(left), Self::Int(right)) => compare_mixed(right, left).map(Ordering::reverse),
        }
    }
}

fn compare_mixed(int: i64, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        None
    } else if float >= BEYOND {
        Some(Ordering::Less)
    } else if float < -BEYOND {
        Some(Ordering::Greater)
    } else {
        // Inside the range the whole part of a float is an exact integer.
        let whole = float.trunc() as i64;
        Some(int.cmp(&whole).then(0.0.partial_cmp(&float.fract())?))
    }
}

/// The number that `<` and its like see: of a text its value where it is a number, otherwise 0; booleans 1 and 0, null 0.
pub(crate) fn number(kind: Kind<'_>) -> Option<Number> {
    Some(match kind {
        Kind::Int(value) => Number::Int(value),
        Kind::Float(value) => Number::Float(value),
        Kind::Bool(value) => Number::Int(value.into()),
        Kind::Null | Kind::Base64(_) => Number::Int(0),
        Kind::Str(text) => parse(text).unwrap_or(Number::Int(0)),
        Kind::List | Kind::Object => return None,
    })
}

/// A decimal number; no `inf`, `nan` or hexadecimal.
pub(crate) fn parse(text: &str) -> Option<Number> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    if let Ok(value) = text.parse() {
        return Some(Number::Int(value));
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Float)
}

/// Two numbers compare as numbers, all else by text form; what has no text form equals nothing.
pub(crate) fn equal(left: Kind<'_>, right: Kind<'_>) -> bool {
    match (left, right) {
        (Kind::Str(left), Kind::Str(right)) => left == right,
        (Kind::Base64(left), Kind::Base64(right)) => left == right,
        (Kind::Int(left), Kind::Int(right)) => left == right,
        (Kind::Int(_) | Kind::Float(_), Kind::Int(_) | Kind::Float(_)) => {
            number(left).zip(number(right)).and_then(|(left, right)| left.compare(right))
                == Some(Ordering::Equal)
        }
        _ => with_text(left, |left| with_text(right, |right| left == right)).flatten().unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_compare_exactly() {
        let int = |value| Kind::Int(value);
        let float = |value| Kind::Float(value);
        assert!(equal(int(1_234_567), int(1_234_567)) && equal(int(3), float(3.0)));
        assert!(!equal(int(9_007_199_254_740_993), float(9_007_199_254_740_992.0)));
        assert!(!equal(int(i64::MAX), float(9_223_372_036_854_775_808.0)));
        assert!(equal(int(i64::MIN), float(-9_223_372_036_854_775_808.0)));
        assert!(!equal(float(f64::NAN), float(f64::NAN)));
        for (left, right, expected) in [
            (3, 3.5, Ordering::Less),
            (-3, -3.5, Ordering::Greater),
            (4, 3.5, Ordering::Greater),
            (0, -0.0, Ordering::Equal),
            (0, 1e300, Ordering::Less),
            (0, -1e300, Ordering::Greater),
        ] {
            assert_eq!(Number::Int(left).compare(Number::Float(right)), Some(expected), "{left} {right}");
            assert_eq!(Number::Float(right).compare(Number::Int(left)), Some(expected.reverse()));
        }
    }

    #[test]
    fn scalars_have_text_forms() {
        for (kind, expected) in [
            (Kind::Null, "null"),
            (Kind::Bool(true), "true"),
            (Kind::Int(i64::MIN), "-9223372036854775808"),
            (Kind::Float(2.0), "2"),
            (Kind::Float(0.1), "0.1"),
            (Kind::Base64(b"hello"), "aGVsbG8="),
        ] {
            assert_eq!(with_text(kind, str::to_owned).as_deref(), Some(expected));
        }
        for extreme in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -5e-324, 1.797_693_134_862_315_7e308] {
            let text = with_text(Kind::Float(extreme), str::to_owned).unwrap();
            assert_eq!(text.parse::<f64>(), Ok(extreme), "{text}");
        }
        assert_eq!(with_text(Kind::List, str::len), None);
    }

    #[test]
    fn only_decimal_texts_are_numbers() {
        assert_eq!(parse("-7"), Some(Number::Int(-7)));
        assert_eq!(parse("1.5e1"), Some(Number::Float(15.0)));
        for text in ["", "abc", "inf", "NaN", "0x10", "1e999", "1 ", "e", "-"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
