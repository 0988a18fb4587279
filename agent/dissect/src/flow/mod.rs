//! The flow table: which conversation a packet belongs to, and which conversations to let go first.

mod key;
mod list;
mod table;

pub(crate) use key::Key;
pub(crate) use table::{Shelf, Stream, Table};
