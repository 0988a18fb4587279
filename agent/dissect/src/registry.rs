//! The protocols the agent knows.

use crate::{Registration, amqp, amqp1, http1, mqtt};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] =
    &[http1::REGISTRATION, amqp::REGISTRATION, amqp1::REGISTRATION, mqtt::REGISTRATION];
