//! The reader and the writer from outside, on files built byte by byte and on captures of others.

mod build;
mod captures;
mod damaged;
mod formats;
