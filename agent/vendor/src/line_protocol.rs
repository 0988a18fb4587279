//! InfluxDB's line protocol, one point a line: `measurement,tag=value field=value,field=value timestamp`.
//!
//! Its escapes are few, so some texts cannot be written: a line break ends the point, and a backslash in front of a
//! delimiter escapes it whatever it meant. Line breaks and tabs in names and tags become `\n`, `\r`, `\t` in two characters,
//! as InfluxData's own libraries have it; backslashes at the end of them are left out.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::Error;

/// What a backslash goes in front of in a measurement.
const MEASUREMENT: &[char] = &[',', ' '];
/// The same in the names of tags and fields, and in the values of tags.
const KEY: &[char] = &[',', '=', ' '];

/// Writes one point. Fields that are null are left out, lists and objects become their JSON as text; tags that are null or
/// empty are left out. Tags are sorted by name, which InfluxDB stores fastest.
pub(crate) fn point(
    measurement: &str,
    tags: &Map<String, Value>,
    fields: &Map<String, Value>,
    nanoseconds: i64,
) -> Result<String, Error> {
    let mut line = String::with_capacity(64 + 32 * (tags.len() + fields.len()));
    name(&mut line, measurement, MEASUREMENT);
    // A line that begins with it is a comment.
    if line.starts_with('#') {
        line.insert(0, '\\');
    }
    if line.is_empty() {
        return Err(Error::argument("a measurement in InfluxDB needs a name"));
    }

    let mut sorted: Vec<(&str, String)> =
        tags.iter().map(|(key, value)| (key.as_str(), text(value))).collect();
    sorted.sort_unstable();
    for (key, value) in sorted {
        let start = line.len();
        line.push(',');
        pair(&mut line, start, key, |line| name(line, &value, KEY));
    }

    line.push(' ');
    let first = line.len();
    for (key, value) in fields {
        let start = line.len();
        if start > first {
            line.push(',');
        }
        pair(&mut line, start, key, |line| field(line, value));
    }
    if line.len() == first {
        return Err(Error::argument("a point in InfluxDB needs a field that is not null"));
    }
    // Writing to a string cannot fail.
    let _ = write!(line, " {nanoseconds}");
    Ok(line)
}

/// Writes `key=value`; takes the line back to `start` where one of them came out empty.
fn pair(line: &mut String, start: usize, key: &str, value: impl FnOnce(&mut String)) {
    let before = line.len();
    name(line, key, KEY);
    let named = line.len() > before;
    line.push('=');
    let before = line.len();
    value(line);
    if !named || line.len() == before {
        line.truncate(start);
    }
}

fn name(line: &mut String, text: &str, escaped: &[char]) {
    for c in text.trim_end_matches('\\').chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c => {
                if escaped.contains(&c) {
                    line.push('\\');
                }
                line.push(c);
            }
        }
    }
}

fn field(line: &mut String, value: &Value) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => Ok(()),
        Value::Bool(value) => write!(line, "{value}"),
        Value::Number(number) if number.is_i64() => write!(line, "{number}i"),
        Value::Number(number) if number.is_u64() => write!(line, "{number}u"),
        Value::Number(number) => write!(line, "{number}"),
        Value::String(text) => return quoted(line, text),
        Value::Array(_) | Value::Object(_) => return quoted(line, &value.to_string()),
    };
}

fn quoted(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            line.push('\\');
        }
        line.push(c);
    }
    line.push('"');
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(measurement: &str, tags: Value, fields: Value) -> Result<String, String> {
        let (Value::Object(tags), Value::Object(fields)) = (tags, fields) else { panic!("not objects") };
        point(measurement, &tags, &fields, 7).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_field_has_its_form() {
        for (value, expected) in [
            (json!(1), "1i"),
            (json!(-9223372036854775808_i64), "-9223372036854775808i"),
            (json!(18446744073709551615_u64), "18446744073709551615u"),
            (json!(1.5), "1.5"),
            (json!(3.0), "3.0"),
            (json!(1e300), "1e+300"),
            (json!(true), "true"),
            (json!(false), "false"),
            (json!("text"), "\"text\""),
            (json!(""), "\"\""),
            (json!("a \"b\" \\ c,d=e"), r#""a \"b\" \\ c,d=e""#),
            (json!("two\nlines"), "\"two\nlines\""),
            (json!(r"ends\"), r#""ends\\""#),
            (json!([1, "x"]), r#""[1,\"x\"]""#),
            (json!({"a": null}), r#""{\"a\":null}""#),
        ] {
            assert_eq!(line("m", json!({}), json!({"f": value})).unwrap(), format!("m f={expected} 7"));
        }
    }

    #[test]
    fn names_and_tags_are_escaped() {
        for (measurement, tags, fields, expected) in [
            ("Example Measurement", json!({}), json!({"f": 1}), r"Example\ Measurement f=1i 7"),
            ("a,b=c", json!({}), json!({"f": 1}), r"a\,b=c f=1i 7"),
            ("#a", json!({}), json!({"f": 1}), r"\#a f=1i 7"),
            ("m", json!({"a b": "c,d", "e=f": "g=h"}), json!({"f": 1}), r"m,a\ b=c\,d,e\=f=g\=h f=1i 7"),
            ("m", json!({"z": "1", "a": "2"}), json!({"f": 1}), "m,a=2,z=1 f=1i 7"),
            ("m", json!({"t": "two\nlines\r\t"}), json!({"f": 1}), r"m,t=two\nlines\r\t f=1i 7"),
            ("m", json!({"t": r"c:\dir\"}), json!({"f": 1}), r"m,t=c:\dir f=1i 7"),
            ("m", json!({"t": r"a\,b"}), json!({"f": 1}), r"m,t=a\\,b f=1i 7"),
            ("m", json!({"n": 5, "b": true}), json!({"f": 1}), "m,b=true,n=5 f=1i 7"),
            ("m", json!({"t": "", "u": null, "": "x"}), json!({"f": 1}), "m f=1i 7"),
            ("m", json!({"ключ": "значение"}), json!({"поле": 1}), "m,ключ=значение поле=1i 7"),
            ("m", json!({}), json!({"a b": 1, "c,d": 2, "e=f": 3}), r"m a\ b=1i,c\,d=2i,e\=f=3i 7"),
            ("m", json!({}), json!({"a": null, "b": 1, "": 2, "c": 3}), "m b=1i,c=3i 7"),
        ] {
            assert_eq!(line(measurement, tags, fields).unwrap(), expected);
        }
    }

    #[test]
    fn a_point_needs_a_name_and_a_field() {
        assert!(line("", json!({}), json!({"f": 1})).unwrap_err().contains("needs a name"));
        assert!(line("m", json!({}), json!({})).unwrap_err().contains("needs a field"));
        assert!(line("m", json!({}), json!({"f": null})).unwrap_err().contains("needs a field"));
    }
}
