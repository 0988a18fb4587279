//! The row that lists show of an item, and how its columns are filtered by.

use std::borrow::Cow;

use super::print;
use crate::value::{Object, Value};

/// The row that lists and logs show of an item.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Summary<'a> {
    /// What was asked: a verb, a command, a message type.
    pub method: Cow<'a, str>,
    pub method_filter: Filter<'a>,
    /// What it was about: a path, a key, a name.
    pub summary: Cow<'a, str>,
    pub summary_filter: Filter<'a>,
    /// The code answered; 0 where the protocol has none or calls success so, 1 for an error whose code is a text.
    pub status: i64,
    pub status_filter: Filter<'a>,
}

/// How the filter language selects the items that have the same in a column of their row.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Filter<'a> {
    #[default]
    None,
    /// A field that equals what the column shows: `request.path`.
    Field(&'static str),
    /// A whole query.
    Query(Cow<'a, str>),
}

impl Summary<'_> {
    /// `request.method == "GET"`; empty where nothing selects it.
    pub fn method_query(&self) -> String {
        self.method_filter.text_query(&self.method)
    }

    pub fn summary_query(&self) -> String {
        self.summary_filter.text_query(&self.summary)
    }

    pub fn status_query(&self) -> String {
        match &self.status_filter {
            Filter::None => String::new(),
            Filter::Field(field) => [field, " == ", itoa::Buffer::new().format(self.status)].concat(),
            Filter::Query(query) => query.to_string(),
        }
    }
}

impl Filter<'_> {
    pub(super) fn text_query(&self, text: &str) -> String {
        match self {
            Self::None => String::new(),
            Self::Field(field) => {
                let mut query = Vec::with_capacity(field.len() + text.len() + 6);
                query.extend_from_slice(field.as_bytes());
                query.extend_from_slice(b" == ");
                crate::json::write_str(text, &mut query);
                String::from_utf8(query).unwrap_or_default()
            }
            Self::Query(query) => query.to_string(),
        }
    }
}

/// As the item's `base` object.
impl Object for Summary<'_> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("method", Value::str(&self.method));
        visit("methodQuery", Value::text(self.method_query()));
        visit("summary", Value::str(&self.summary));
        visit("summaryQuery", Value::text(self.summary_query()));
        visit("status", Value::Int(self.status));
        visit("statusQuery", Value::text(self.status_query()));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "method" => Value::str(&self.method),
            "methodQuery" => Value::text(self.method_query()),
            "summary" => Value::str(&self.summary),
            "summaryQuery" => Value::text(self.summary_query()),
            "status" => Value::Int(self.status),
            "statusQuery" => Value::text(self.status_query()),
            _ => return None,
        })
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        print::summary(self, out);
    }
}
