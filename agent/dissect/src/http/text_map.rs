//! A map from names to texts, in order of first appearance: headers, cookies, query strings.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::value::{Object, Value};

/// Up to so many names are searched one by one; above it a hash table helps, so that a hostile message with many names
/// costs no more than its length.
const LINEAR: usize = 32;

#[derive(Default)]
pub(crate) struct TextMap<'m> {
    entries: Vec<(Cow<'m, str>, Texts<'m>)>,
    index: HashMap<String, usize>,
}

enum Texts<'m> {
    One(Cow<'m, str>),
    Many(Vec<String>),
}

impl Texts<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::One(text) => Value::str(text),
            Self::Many(texts) => Value::List(texts),
        }
    }
}

impl<'m> TextMap<'m> {
    /// Adds a text; several under one name become one with the separator between them.
    pub(crate) fn join(&mut self, name: Cow<'m, str>, text: Cow<'m, str>, separator: &str) {
        match self.position(&name) {
            Some(at) => {
                if let Texts::One(all) = &mut self.entries[at].1 {
                    let all = all.to_mut();
                    all.push_str(separator);
                    all.push_str(&text);
                }
            }
            None => self.insert(name, text),
        }
    }

    /// Adds a text; several under one name become a list.
    pub(crate) fn collect(&mut self, name: Cow<'m, str>, text: Cow<'m, str>) {
        match self.position(&name) {
            Some(at) => match &mut self.entries[at].1 {
                Texts::Many(all) => all.push(text.into_owned()),
                Texts::One(first) => {
                    let first = std::mem::take(first).into_owned();
                    self.entries[at].1 = Texts::Many(vec![first, text.into_owned()]);
                }
            },
            None => self.insert(name, text),
        }
    }

    fn insert(&mut self, name: Cow<'m, str>, text: Cow<'m, str>) {
        self.entries.push((name, Texts::One(text)));
        match self.entries.len() {
            ..LINEAR => {}
            LINEAR => {
                self.index =
                    self.entries.iter().enumerate().map(|(at, (name, _))| (name.to_string(), at)).collect();
            }
            len => {
                self.index.insert(self.entries[len - 1].0.to_string(), len - 1);
            }
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        if self.entries.len() < LINEAR {
            self.entries.iter().position(|(known, _)| known == name)
        } else {
            self.index.get(name).copied()
        }
    }
}

impl Object for TextMap<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.entries.iter().for_each(|(name, texts)| visit(name, texts.value()));
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.entries.iter().for_each(|(name, _)| visit(name));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.position(name).map(|at| self.entries[at].1.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_keep_order_and_repetitions() {
        let mut map = TextMap::default();
        for round in 0..3 {
            for number in 0..100 {
                map.collect(Cow::Owned(format!("n{number}")), Cow::Owned(format!("{round}")));
            }
        }
        map.join(Cow::Borrowed("joined"), Cow::Borrowed("a"), ",");
        map.join(Cow::Borrowed("joined"), Cow::Borrowed("b"), ",");
        let mut names = Vec::new();
        map.names(&mut |name| names.push(name.to_owned()));
        assert_eq!(names.len(), 101);
        assert_eq!(names[7], "n7");
        assert!(matches!(map.get("n99"), Some(Value::List(list)) if list.len() == 3));
        assert!(matches!(map.get("joined"), Some(Value::Str(text)) if text == "a,b"));
        assert!(map.get("n100").is_none());
    }
}
