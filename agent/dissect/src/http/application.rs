//! What speaks over HTTP: an exchange may be a call of gRPC or an operation of GraphQL, and shows what it is as such.

use std::sync::OnceLock;

use super::stored::{Stored, owned};
use crate::grpc::{Call, Part};
use crate::tree::Tree;
use crate::value::Value;
use crate::{Limits, graphql, grpc};

/// What an exchange is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Http,
    Grpc,
    GraphQl,
}

/// What a message is besides HTTP.
#[derive(Debug, Default)]
pub(crate) enum Application {
    #[default]
    None,
    Grpc(Part),
    GraphQl(Box<GraphQl>),
}

/// What a message of a GraphQL exchange says as such, made when it is read.
#[derive(Debug)]
pub(crate) struct GraphQl {
    caps: graphql::Caps,
    decoded: OnceLock<Tree>,
}

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) stored: &'a Stored,
    pub(crate) method: &'a [u8],
    /// With its query.
    pub(crate) target: &'a [u8],
}

impl<'a> Asked<'a> {
    fn as_graphql(self) -> graphql::Asked<'a> {
        let content_type = content_type(self.stored);
        let body = if graphql::may_be(content_type) { self.stored.content() } else { &[] };
        graphql::Asked { method: self.method, target: self.target, content_type, body }
    }

    fn may_be_graphql(self) -> bool {
        match self.method {
            b"POST" => true,
            b"GET" => memchr::memchr(b'?', self.target).is_some(),
            _ => false,
        }
    }
}

/// As sent; empty where there is none.
fn content_type(stored: &Stored) -> &[u8] {
    stored.fields().all(b"content-type").next().unwrap_or_default()
}

/// Finds out what an exchange is, and what its request and its response get to show. A response comes with its status.
pub(crate) fn recognise(
    request: Option<Asked<'_>>,
    response: Option<(&Stored, u16)>,
    limits: &Limits,
) -> (Family, [Application; 2]) {
    let of_response = response.map(|(stored, _)| stored);
    let path = request.and_then(|request| std::str::from_utf8(request.target).ok());
    let of_request = request.map(|request| (request.stored, path));
    if let Some(parts) = grpc::recognise(of_request, of_response, limits.protobuf_schema.as_ref()) {
        return (Family::Grpc, parts.map(|part| part.map_or(Application::None, Application::Grpc)));
    }
    let Some(request) = request.filter(|request| request.may_be_graphql()) else {
        return (Family::Http, Default::default());
    };
    let answered =
        response.map(|(stored, status)| graphql::Answered { status, content_type: content_type(stored) });
    if !graphql::recognise(&request.as_graphql(), answered) {
        return (Family::Http, Default::default());
    }
    let part = || Application::GraphQl(GraphQl::new(limits));
    let of_response = match of_response {
        Some(stored) if graphql::is_json(content_type(stored)) => part(),
        _ => Application::None,
    };
    (Family::GraphQl, [part(), of_response])
}

impl Application {
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::Grpc(_) => name == "grpc",
            Self::GraphQl(_) => name == "graphql",
        }
    }

    /// What it adds to a request: `graphql` or `grpc`.
    pub(crate) fn of_request<'a>(&'a self, name: &str, asked: Asked<'a>) -> Option<Value<'a>> {
        match self {
            Self::Grpc(part) if name == "grpc" => {
                let path = crate::text::lossy(asked.target);
                Some(owned(Call::request(asked.stored, path, part)))
            }
            Self::GraphQl(graphql) if name == "graphql" => {
                let decode = || graphql::request(&asked.as_graphql(), graphql.caps);
                Some(graphql.decoded.get_or_init(decode).value())
            }
            _ => None,
        }
    }

    /// What it adds to a response.
    pub(crate) fn of_response<'a>(&'a self, name: &str, stored: &'a Stored) -> Option<Value<'a>> {
        match self {
            Self::Grpc(part) if name == "grpc" => Some(owned(Call::response(stored, part))),
            Self::GraphQl(graphql) if name == "graphql" => {
                let decode = || graphql::response(stored.content(), graphql.caps);
                Some(graphql.decoded.get_or_init(decode).value())
            }
            _ => None,
        }
    }

    /// Bytes of heap held.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::GraphQl(graphql) => size_of::<GraphQl>() + graphql.decoded.get().map_or(0, Tree::heap),
            Self::None | Self::Grpc(_) => 0,
        }
    }
}

impl GraphQl {
    fn new(limits: &Limits) -> Box<Self> {
        Box::new(Self { caps: graphql::Caps::of(limits), decoded: OnceLock::new() })
    }
}
