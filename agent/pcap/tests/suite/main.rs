//! The reader and the writer from outside, on files built byte by byte and on captures of others.
#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

mod build;
mod captures;
mod damaged;
mod formats;
