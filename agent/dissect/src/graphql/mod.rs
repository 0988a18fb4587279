//! GraphQL over HTTP (the GraphQL-over-HTTP draft of the GraphQL Foundation) and over WebSocket.
//!
//! Nothing is built to tell whether a request is GraphQL: its JSON is searched for a `query`, and that is read as far as its
//! operations and their top-level fields. What an item shows is made when somebody asks.

mod document;
mod json;
mod lexer;
mod request;
mod response;
mod transport;

use crate::{Limits, Protocol, http1};

pub(crate) use request::{Answered, Asked, is_json, may_be, recognise, request};
pub(crate) use response::response;
pub(crate) use transport::{Meaning, Operations};

/// GraphQL in HTTP/1.0 requests, as old proxies send them.
pub static GRAPHQL_1_0: Protocol = Protocol { version: "1.0", ..GRAPHQL_1_1 };

pub static GRAPHQL_1_1: Protocol = Protocol {
    abbr: "GQL",
    long_name: "Hypertext Transfer Protocol -- HTTP/1.1 [ GraphQL over HTTP/1.1 ]",
    macro_name: "gql",
    background_color: "#e10098",
    reference_link: "https://graphql.org/learn/serving-over-http/",
    ..http1::HTTP_1_1
};

pub static GRAPHQL_2: Protocol = Protocol {
    version: "2.0",
    long_name: "Hypertext Transfer Protocol Version 2 (HTTP/2) [ GraphQL over HTTP/2 ]",
    ports: &["80", "443", "8080", "50051"],
    ..GRAPHQL_1_1
};

/// What an item shows at most; copied from the limits since items outlive the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Caps {
    bytes: usize,
    entries: usize,
    nesting: usize,
}

impl Caps {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self { bytes: limits.value_bytes, entries: limits.list_entries, nesting: limits.nesting }
    }
}
