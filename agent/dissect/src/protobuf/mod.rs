//! Protocol Buffers messages (the encoding of protobuf.dev/programming-guides/encoding), with or without a schema.

mod decode;
mod schema;
mod wire;

pub(crate) use decode::{Caps, decode};
pub(crate) use schema::Typed;
pub use schema::{Schema, SchemaError};
