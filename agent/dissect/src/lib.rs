//! From packets to protocol items.
//!
//! One direction: [`decode`] peels a frame down to its transport payload, the flow table finds the conversation,
//! TCP reassembly puts the bytes in order, a [`Dissector`] turns them into messages and pairs those into [`Item`]s.
//! Pure: no I/O, no threads, no clock but packet time. Every buffer has a cap in [`Limits`] and a counter in
//! [`Counters`].
#![forbid(unsafe_code)]

mod clock;
pub mod counters;
pub mod decode;
pub mod dissector;
pub mod engine;
mod flow;
pub mod http1;
pub mod item;
pub mod json;
pub mod limits;
pub mod protocol;
pub mod registry;
mod stream;
mod tcp;
pub mod value;

pub use counters::Counters;
pub use dissector::{Context, Direction, Dissector, End, Probe, Registration};
pub use engine::{Engine, PacketNote};
pub use item::{Draft, Endpoint, Gap, Item, ItemError, Origin, StreamName};
pub use limits::Limits;
pub use protocol::Protocol;
pub use value::{List, Object, ObjectRef, Value};
