//! A reader of the text format, written from its description and not from the writer.

use std::collections::BTreeMap;

#[derive(Default, PartialEq, Debug)]
pub(crate) struct Family {
    pub(crate) help: Option<String>,
    pub(crate) kind: String,
    /// Values by labels; as text, so that NaN equals NaN.
    pub(crate) series: BTreeMap<BTreeMap<String, String>, String>,
}

/// Panics where the text is not in the format, or has a series twice or away from its family.
pub(crate) fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    assert!(text.is_empty() || text.ends_with('\n'));
    for line in text.split_terminator('\n') {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let [keyword, name, rest] = std::array::from_fn(|_| words.next().expect("three words"));
            if current != name {
                assert!(!families.contains_key(name), "{name} comes twice");
                current = name.to_owned();
            }
            let family = families.entry(current.clone()).or_default();
            assert!(family.series.is_empty() && family.kind.is_empty(), "{line} comes late");
            match keyword {
                "HELP" => family.help = Some(unescape(rest, false)),
                "TYPE" => family.kind = rest.to_owned(),
                _ => panic!("{line}"),
            }
            continue;
        }
        let family = families.get_mut(&current).expect("a head");
        let rest = line.strip_prefix(current.as_str()).expect("the family's name");
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (BTreeMap::new(), rest),
        };
        let value: f64 = rest.strip_prefix(' ').expect("a space").parse().expect("a number");
        assert!(family.series.insert(labels, value.to_string()).is_none(), "{line} comes twice");
    }
    families
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, value) = rest.split_once("=\"").expect("a label");
        let mut escaped = false;
        let end = value
            .find(|character| {
                let end = character == '"' && !escaped;
                escaped = character == '\\' && !escaped;
                end
            })
            .expect("an end of the value");
        let twice = labels.insert(name.to_owned(), unescape(&value[..end], true));
        assert!(twice.is_none(), "{name} comes twice");
        rest = &value[end + 1..];
        match rest.as_bytes().first() {
            Some(b',') => rest = &rest[1..],
            Some(b'}') => return (labels, &rest[1..]),
            _ => panic!("{rest}"),
        }
    }
}

fn unescape(text: &str, quotes: bool) -> String {
    let mut characters = text.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => panic!("\\{other:?}"),
            },
            other => other,
        });
    }
    plain
}
