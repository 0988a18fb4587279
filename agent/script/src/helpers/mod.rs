//! The native side of the helpers: one file per namespace, one extension for all.

mod console;
mod test;

pub(crate) use console::op_console;
pub(crate) use test::{Judge, op_verdict};
