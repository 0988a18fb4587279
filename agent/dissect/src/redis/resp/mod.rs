//! RESP2 and RESP3 values (<https://redis.io/docs/latest/develop/reference/protocol-spec/>), read as their bytes come:
//! nothing is scanned twice, and of a value of any size no more is kept than the caps allow.
//!
//! A value is a [line], a string behind a line ([bulk]), or a line and the values that it counts ([building]). The
//! [parser] knows which of them comes next.

mod building;
mod bulk;
mod inline;
mod line;
mod parser;
mod scalar;

use remora_packet::Timestamp;

use crate::Tree;

pub(super) use parser::Parser;
pub(super) use scalar::{integer, length};

/// Of a line that holds a length, a number or a boolean.
const SHORT_LINE: usize = 64;

/// A whole value, or as much of it as there is.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The type byte; 0 for an inline command.
    pub(super) marker: u8,
    pub(super) tree: Tree,
    pub(super) attributes: Option<Tree>,
    /// Entries of the outermost aggregate as announced, kept or not.
    pub(super) count: u64,
    /// Some of it was left out to stay under a cap.
    pub(super) truncated: bool,
    /// The message is not all there.
    pub(super) cut: bool,
    pub(super) time: Timestamp,
    pub(super) size: u64,
    pub(super) missing: u64,
}

/// What came of some bytes.
#[derive(Debug)]
pub(super) enum Step {
    /// All were used, and a value is unfinished or none has begun.
    More,
    /// So many were used.
    Value(Parsed, usize),
    /// Not RESP, from this byte on, or from a line or string on that began so many bytes before.
    Invalid(&'static str, usize, u64),
}
