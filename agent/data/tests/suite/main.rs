mod common;
mod files;
mod layout;
mod limits;
mod merge;
mod snapshot;
mod streams;
mod streams_room;
