//! From packets to protocol items.
//!
//! One direction: [`decode`] peels a frame down to its transport payload, the flow table finds the conversation,
//! TCP reassembly puts the bytes in order, a [`Dissector`] turns them into messages and pairs those into [`Item`]s.
//! Pure: no I/O, no threads, no clock but packet time. Every buffer has a cap in [`Limits`] and a counter in
//! [`Counters`].
#![forbid(unsafe_code)]

mod address;
mod alignment;
pub mod amqp;
pub mod amqp1;
pub mod cassandra;
mod clock;
pub mod counters;
pub mod decode;
pub mod der;
pub mod diameter;
pub mod dissector;
pub mod dns;
pub mod dtls;
pub mod engine;
pub mod exchange;
mod few;
mod flow;
pub mod frame;
pub mod graphql;
pub mod grpc;
mod http;
pub mod http1;
pub mod http2;
pub mod icmp;
pub mod item;
pub mod json;
pub mod kafka;
pub mod ldap;
pub mod limits;
mod line;
pub mod memcached;
pub mod mongodb;
pub mod mqtt;
pub mod mysql;
pub mod nats;
mod on_demand;
pub mod pair;
pub mod peers;
mod pieces;
pub mod postgresql;
pub mod protobuf;
pub mod protocol;
pub mod quic;
pub mod radius;
pub mod read;
pub mod redis;
pub mod registry;
mod remember;
mod room;
pub mod sctp;
pub mod smtp;
pub mod socks;
mod stream;
mod tcp;
pub mod text;
pub mod tls;
pub mod tree;
pub mod unpack;
pub mod value;
pub mod websocket;

pub use counters::Counters;
pub use dissector::{
    Context, DatagramDissector, Direction, Dissector, End, Over, Probe, Registration, Successor,
};
pub use engine::{Engine, Options, PacketNote};
pub use exchange::{Half, Kind};
pub use frame::{Frames, Framing};
pub use item::{Draft, Endpoint, Gap, Item, ItemError, Origin, StreamName};
pub use limits::Limits;
pub use protocol::Protocol;
pub use read::{ParseError, Reader};
pub use tree::{Fields, Tree};
pub use value::{List, Object, ObjectRef, Value};
