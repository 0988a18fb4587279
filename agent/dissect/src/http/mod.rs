//! What the versions of HTTP have in common (RFC 9110): messages kept as bytes, whose headers, cookies, query strings and
//! decoded bodies are made only when somebody reads them.

pub(crate) mod application;
pub(crate) mod content;
pub(crate) mod fields;
pub(crate) mod post_data;
pub(crate) mod query;
pub(crate) mod status;
pub(crate) mod stored;
pub(crate) mod text_map;
