//! Requests: recognised by what they ask, shown as `graphql`.

use std::borrow::Cow;

use memchr::memmem;

use super::document::Document;
use super::{Caps, json};
use crate::http::query;
use crate::tree::{Fields, Tree};

/// A request as HTTP of any version has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a [u8],
    /// With its query.
    pub(crate) target: &'a [u8],
    pub(crate) content_type: &'a [u8],
    /// Without its codings.
    pub(crate) body: &'a [u8],
}

/// What of its response speaks for or against GraphQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: &'a [u8],
}

/// Where a request has its GraphQL.
enum Place<'a> {
    /// A JSON object, or an array of them.
    Json(&'a [u8]),
    /// `application/graphql`: the document itself.
    Document(&'a [u8]),
    /// The target's query string.
    Query(&'a [u8]),
}

impl<'a> Asked<'a> {
    /// Decided by a few comparisons for all that can't be GraphQL.
    fn place(&self) -> Option<Place<'a>> {
        match self.method {
            b"POST" => {
                let essence = essence(self.content_type);
                if is_json(essence) && (has(self.body, b"\"query\"") || has(self.body, b"\"persistedQuery\""))
                {
                    Some(Place::Json(self.body))
                } else if essence.eq_ignore_ascii_case(b"application/graphql") {
                    Some(Place::Document(self.body))
                } else {
                    None
                }
            }
            b"GET" => {
                let query = query::query(self.target);
                (has(query, b"query=") || has(query, b"persistedQuery")).then_some(Place::Query(query))
            }
            _ => None,
        }
    }
}

fn has(text: &[u8], word: &[u8]) -> bool {
    memmem::find(text, word).is_some()
}

/// A media type without its parameters.
fn essence(content_type: &[u8]) -> &[u8] {
    content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii()
}

/// `application/json`, `application/graphql+json`, `application/graphql-response+json`.
pub(crate) fn is_json(content_type: &[u8]) -> bool {
    let essence = essence(content_type);
    essence.eq_ignore_ascii_case(b"application/json")
        || essence.len() > 5 && essence[essence.len() - 5..].eq_ignore_ascii_case(b"+json")
}

/// Whether a body of this type may hold GraphQL, so that it is worth decoding.
pub(crate) fn may_be(content_type: &[u8]) -> bool {
    is_json(content_type) || essence(content_type).eq_ignore_ascii_case(b"application/graphql")
}

/// Whether a request is GraphQL. A document alone, without JSON around it, is one only where the server does not refuse it
/// in another way than GraphQL servers do.
pub(crate) fn recognise(asked: &Asked<'_>, answered: Option<Answered<'_>>) -> bool {
    match asked.place() {
        None => false,
        Some(Place::Json(body)) => {
            let first = json::elements(body).next();
            Operation::of_json(first.unwrap_or(body)).is_some_and(|operation| operation.is_graphql())
        }
        Some(Place::Document(body)) => {
            let refused =
                answered.is_some_and(|answered| answered.status >= 400 && !is_json(answered.content_type));
            !refused && str::from_utf8(body).is_ok_and(|text| Document::parse(text).is_some())
        }
        Some(Place::Query(query)) => Operation::of_pairs(query).is_graphql(),
    }
}

/// The `graphql` of a request that was recognised; a list for a batch.
pub(crate) fn request(asked: &Asked<'_>, caps: Caps) -> Tree {
    let shown = |operation: Option<Operation<'_>>| {
        operation.map_or(Tree::Null, |operation| operation.shown(caps).into())
    };
    match asked.place() {
        None => Tree::Null,
        Some(Place::Json(body)) if body.trim_ascii_start().starts_with(b"[") => json::elements(body)
            .take(caps.entries)
            .map(|element| shown(Operation::of_json(element)))
            .collect(),
        Some(Place::Json(body)) => shown(Operation::of_json(body)),
        Some(Place::Document(body)) => {
            let query = Some(crate::text::lossy(body).into_owned());
            shown(Some(Operation { query, ..Operation::default() }))
        }
        Some(Place::Query(query)) => shown(Some(Operation::of_pairs(query))),
    }
}

/// What a request asks to run.
#[derive(Debug, Default)]
pub(super) struct Operation<'a> {
    query: Option<String>,
    name: Option<String>,
    variables: Option<Cow<'a, [u8]>>,
    extensions: Option<Cow<'a, [u8]>>,
}

impl<'a> Operation<'a> {
    pub(super) fn of_json(text: &'a [u8]) -> Option<Self> {
        let mut operation = Self::default();
        let mut members = json::members(text).peekable();
        members.peek()?;
        for (name, value) in members {
            match name {
                b"query" => operation.query = json::string(value),
                b"operationName" => operation.name = json::string(value),
                b"variables" if value != b"null" => operation.variables = Some(value.into()),
                b"extensions" if value != b"null" => operation.extensions = Some(value.into()),
                _ => {}
            }
        }
        Some(operation)
    }

    fn of_pairs(query: &[u8]) -> Self {
        let mut operation = Self::default();
        for (name, value) in query::pairs(query) {
            let value = value.into_owned();
            match &*name {
                "query" => operation.query = Some(value),
                "operationName" => operation.name = Some(value),
                "variables" => operation.variables = Some(value.into_bytes().into()),
                "extensions" => operation.extensions = Some(value.into_bytes().into()),
                _ => {}
            }
        }
        operation
    }

    fn persisted(&self) -> Option<String> {
        let persisted = json::member(self.extensions.as_deref()?, "persistedQuery")?;
        json::string(json::member(persisted, "sha256Hash")?)
    }

    fn is_graphql(&self) -> bool {
        match &self.query {
            Some(query) if !query.is_empty() => Document::parse(query).is_some(),
            _ => self.persisted().is_some(),
        }
    }

    pub(super) fn shown(&self, caps: Caps) -> Fields {
        let mut fields = Fields::with_capacity(8);
        let mut cut = false;
        let document = self.query.as_deref().and_then(Document::parse);
        let chosen = document.as_ref().and_then(|document| document.chosen(self.name.as_deref()));
        let named = chosen.and_then(|operation| operation.name.map(str::to_owned));
        let name = self.name.clone().filter(|name| !name.is_empty()).or(named);
        fields.push("operationName", name.map(|name| json::shorten(name, caps, &mut cut)));
        fields.push_some("operationType", chosen.map(|operation| operation.kind.as_str()));
        if let Some(query) = &self.query {
            fields.push("query", json::shorten(query.clone(), caps, &mut cut));
        }
        fields.push_some("persistedQuery", self.persisted());
        if let Some(variables) = &self.variables {
            fields.push("variables", json::shown(variables, caps, &mut cut));
        }
        if let (Some(document), Some(operation)) = (&document, chosen) {
            let (names, more) = document.fields(operation);
            cut |= more;
            fields.push("fields", names.into_iter().map(str::to_owned).collect::<Tree>());
        }
        if document.as_ref().is_some_and(|document| document.broken)
            || document.is_none() && self.query.is_some()
        {
            fields.push("syntaxError", true);
        }
        if let Some(document) = document.filter(|document| document.operations.len() > 1) {
            let named = document.operations.iter().filter_map(|operation| operation.name);
            fields.push("operations", named.map(str::to_owned).collect::<Tree>());
        }
        if cut {
            fields.push("truncated", true);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn post<'a>(content_type: &'a str, body: &'a str) -> Asked<'a> {
        Asked {
            method: b"POST",
            target: b"/graphql",
            content_type: content_type.as_bytes(),
            body: body.as_bytes(),
        }
    }

    fn get(target: &str) -> Asked<'_> {
        Asked { method: b"GET", target: target.as_bytes(), content_type: b"", body: b"" }
    }

    #[test]
    fn graphql_is_told_from_other_json() {
        let json = "application/json; charset=utf-8";
        for asked in [
            post(json, r#"{"query":"{ hello }"}"#),
            post("application/graphql-response+json", r#"{"variables":{"query":1},"query":"mutation{a}"}"#),
            post(json, r#"[{"query":"query Q { a }"},{"query":"{b}"}]"#),
            post(json, r#"{"query":"{ hello "}"#),
            post(json, r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}"#),
            post("application/graphql", "{ hello }"),
            get("/graphql?query=%7Bhello%7D"),
            get("/g?extensions=%7B%22persistedQuery%22:%7B%22sha256Hash%22:%22ab%22%7D%7D"),
        ] {
            assert!(recognise(&asked, None), "{asked:?}");
        }
        for asked in [
            post(json, r#"{"not":"graphql"}"#),
            post(json, r#"{"query":{"match_all":{}}}"#),
            post(json, r#"{"query":"SELECT 1"}"#),
            post(json, r#"{"query":"up{job=\"a\"}"}"#),
            post(json, r#"{"a":{"query":"{ hello }"}}"#),
            post(json, r#"{"query":null}"#),
            post(json, r#"["query"]"#),
            post("text/plain", r#"{"query":"{ hello }"}"#),
            post("application/graphql", "hello"),
            get("/search?query=hello+world"),
            get("/graphql"),
            Asked { method: b"PUT", ..post(json, r#"{"query":"{ hello }"}"#) },
        ] {
            assert!(!recognise(&asked, None), "{asked:?}");
        }
        let refusal = Answered { status: 400, content_type: b"text/plain" };
        assert!(!recognise(&post("application/graphql", "{ hello }"), Some(refusal)));
        let answer = Answered { status: 400, content_type: b"application/json" };
        assert!(recognise(&post("application/graphql", "{ hello }"), Some(answer)));
    }

    #[test]
    fn what_is_shown_of_a_batch() {
        let asked = post(
            "application/json",
            r#"[{"query":"query A { a } query B { b }","operationName":"B","variables":{"x":[1]}},{"query":"{ c "},7]"#,
        );
        let mut out = Vec::new();
        crate::json::write_value(&request(&asked, Caps::of(&Limits::default())).value(), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"[{"operationName":"B","operationType":"query","query":"query A { a } query B { b }","variables":{"x":[1]},"fields":["b"],"operations":["A","B"]},"#,
                r#"{"operationName":null,"operationType":"query","query":"{ c ","fields":["c"],"syntaxError":true},null]"#,
            )
        );
    }
}
