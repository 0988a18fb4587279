//! The protocols the agent knows.

use crate::{Registration, http1, mongodb};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[http1::REGISTRATION, mongodb::REGISTRATION];
