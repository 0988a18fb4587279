//! What an evaluation asks of the heap: nothing, where it compares scalars.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

#[path = "../../dissect/tests/support/heap.rs"]
mod heap;

use remora_kfl::{Kind, Macros, Query, Value, Visit, VisitEach};
use serde_json::json;

fn allocations(query: &str, item: &dyn Value) -> u64 {
    let query = Query::compile(query, &Macros::default()).unwrap();
    assert_ne!(heap::calls(), 0, "the counter counts");
    let before = heap::calls();
    assert!(query.matches(item, 0));
    heap::calls() - before
}

const QUERIES: [&str; 4] = [
    "http and response.status == 500",
    "http and response.status == 500 and request.path.startsWith(\"/api\")",
    "request.path == \"/api/v1\" and response.status > 499.5 and response.status == \"500\" and !dns",
    "..status == 500 and request.*.contains(\"pi\") and timestamp < minutes(1)",
];

#[test]
fn json_is_filtered_without_the_heap() {
    let item = json!({
        "protocol": { "name": "http", "abbr": "HTTP" }, "timestamp": 1,
        "request": { "path": "/api/v1", "method": "GET" }, "response": { "status": 500 },
    });
    for query in QUERIES {
        assert_eq!(allocations(query, &item), 0, "{query}");
    }
}

/// An item that keeps bytes and makes its parts when asked, as those of the dissectors do.
struct Lazy(&'static [u8]);

enum Part<'a> {
    Object(&'a Lazy, u8),
    Text(&'a str),
    Int(i64),
}

const NAMES: [(u8, &str); 7] = [
    (0, "protocol"),
    (0, "request"),
    (0, "response"),
    (1, "abbr"),
    (2, "path"),
    (2, "method"),
    (3, "status"),
];

impl Lazy {
    /// The fields of the item (0), its protocol (1), request (2) and response (3).
    fn get(&self, of: u8, name: &str) -> Option<Part<'_>> {
        let words: &mut dyn Iterator<Item = &[u8]> = &mut self.0.split(|&byte| byte == b' ');
        let mut text = |at| words.nth(at).and_then(|word| std::str::from_utf8(word).ok());
        Some(match (of, name) {
            (0, "protocol") => Part::Object(self, 1),
            (0, "request") => Part::Object(self, 2),
            (0, "response") => Part::Object(self, 3),
            (0, "timestamp") => Part::Int(1),
            (1, "abbr") => Part::Text("HTTP"),
            (2, "path") => Part::Text(text(0)?),
            (2, "method") => Part::Text("GET"),
            (3, "status") => Part::Int(text(1)?.parse().ok()?),
            _ => return None,
        })
    }
}

impl Value for Part<'_> {
    fn kind(&self) -> Kind<'_> {
        match self {
            Self::Object(..) => Kind::Object,
            Self::Text(text) => Kind::Str(text),
            Self::Int(number) => Kind::Int(*number),
        }
    }

    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool {
        let Self::Object(item, of) = self else { return false };
        item.get(*of, name).map(|part| visit(&part)).is_some()
    }

    fn index(&self, _: usize, _: &mut Visit<'_>) -> bool {
        false
    }

    /// Cannot stop, so it goes on after a break.
    fn each(&self, visit: &mut VisitEach<'_>) {
        let Self::Object(item, of) = self else { return };
        for (_, name) in NAMES.iter().filter(|(parent, _)| parent == of) {
            if let Some(part) = item.get(*of, name) {
                let _ = visit(Some(name), &part);
            }
        }
    }
}

#[test]
fn an_item_that_makes_its_parts_is_filtered_without_the_heap() {
    let lazy = Lazy(b"/api/v1 500");
    let item = Part::Object(&lazy, 0);
    for query in QUERIES {
        assert_eq!(allocations(query, &item), 0, "{query}");
    }
    let other = Part::Object(&Lazy(b"/web 200"), 0);
    for query in QUERIES {
        assert!(!Query::compile(query, &Macros::default()).unwrap().matches(&other, 0), "{query}");
    }
}

#[test]
fn a_regular_expression_allocates_for_its_first_search_only() {
    let item = json!({ "path": "/api/v1/users" });
    let query = Query::compile(r#"path == r"^/api/v\d+/[a-z]+$""#, &Macros::default()).unwrap();
    assert!(query.matches(&item, 0));
    let before = heap::calls();
    assert!(query.matches(&item, 0));
    assert_eq!(heap::calls() - before, 0);
}
