//! The protocols the agent knows.

use crate::{Registration, http1, http2, websocket};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[http1::REGISTRATION, http2::REGISTRATION, websocket::REGISTRATION];
