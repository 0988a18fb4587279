//! KFL, the language that filters items: `http and response.status == 500`.
//!
//! A [`Query`] is compiled once per text and evaluated on anything that implements [`Value`]: an item as it was dissected, or
//! JSON. Nothing is built for the evaluation of scalar fields. The language is described in `docs/kfl.md`.
//!
//! ```
//! use remora_kfl::{Macros, Query};
//!
//! let macros = Macros::with_custom([("https", "tls and (http or http2)")])?;
//! let query = Query::compile("https and response.status >= 500", &macros)?;
//! let item = serde_json::json!({
//!     "protocol": { "name": "http", "abbr": "HTTP" }, "tls": true, "response": { "status": 503 },
//! });
//! assert!(query.matches(&item, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod ast;
mod cache;
pub mod caps;
mod datetime;
mod error;
mod eval;
mod lex;
mod macros;
mod parse;
mod payload;
mod print;
mod query;
mod redact;
mod scalar;
mod value;

pub use cache::QueryCache;
pub use error::{Error, ErrorKind, MacroError};
pub use macros::{BUILT_IN, Macros};
pub use query::{Outcome, Query};
pub use redact::Redacted;
pub use value::{Kind, Value, Visit, VisitEach};
