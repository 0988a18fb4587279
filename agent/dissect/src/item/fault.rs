//! What is wrong with an item, or not there of it.

use crate::dissector::End;
use crate::value::{Object, Table, Value};

/// What went wrong with an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemError {
    pub kind: ErrorKind,
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Bytes that the dissector could not make sense of, or that are missing.
    Dissection,
    /// The connection failed: refused, reset, timed out.
    Connection,
    /// No answer within the time limit.
    Timeout,
    /// A request without response, or the reverse.
    PairNotFound,
}

impl ErrorKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dissection => "dissection",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::PairNotFound => "pair-not-found",
        }
    }
}

/// Bytes known to be missing from each side of an item.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Gap {
    pub request: u64,
    pub response: u64,
}

impl Gap {
    pub const fn is_none(self) -> bool {
        self.request == 0 && self.response == 0
    }
}

/// Why one half of an exchange is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absence {
    Ended(End),
    /// Bytes went missing, or made no sense, where it could have been, so that it can't be told from others.
    Lost,
    /// More requests wait for their response than the cap allows.
    TooMany,
    /// It came before the capture began.
    BeforeCapture,
    /// It did not come in the time a datagram is waited for.
    Late,
}

impl Absence {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended(End::Fin) => "the connection was closed",
            Self::Ended(End::Reset) => "the connection was reset",
            Self::Ended(End::Evicted) => "the stream was let go",
            Self::Ended(End::Input) => "the capture ended",
            Self::Lost => "bytes are missing or unreadable",
            Self::TooMany => "too many requests wait",
            Self::BeforeCapture => "it came before the capture",
            Self::Late => "it did not come in time",
        }
    }
}

const ERROR: Table<ItemError> = Table(&[
    ("type", |error| Some(Value::str(error.kind.as_str()))),
    ("msg", |error| Some(Value::str(&error.message))),
]);

impl Object for ItemError {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        ERROR.each(self, visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        ERROR.get(self, name)
    }
}

const GAP: Table<Gap> = Table(&[
    ("request", |gap| Some(Value::count(gap.request))),
    ("response", |gap| Some(Value::count(gap.response))),
]);

impl Object for Gap {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        GAP.each(self, visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        GAP.get(self, name)
    }
}
