//! The protocols the agent knows.

use crate::Registration;

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[];
