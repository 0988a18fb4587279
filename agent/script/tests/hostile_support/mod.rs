//! What the tests of hostile scripts need besides.

pub(crate) mod expect;
pub(crate) mod web;
