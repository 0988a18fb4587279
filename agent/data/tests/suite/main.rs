#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;
mod files;
mod layout;
mod limits;
mod merge;
mod snapshot;
mod streams;
mod streams_room;
