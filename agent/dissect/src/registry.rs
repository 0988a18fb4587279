//! The protocols the agent knows.

use crate::{Registration, diameter, dns, http1, icmp, radius, sctp};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[
    http1::REGISTRATION,
    dns::MULTICAST,
    dns::LINK_LOCAL,
    dns::DATAGRAMS,
    dns::STREAM,
    // Whoever has IP's own number for it.
    icmp::REGISTRATION,
    sctp::REGISTRATION,
    radius::REGISTRATION,
    diameter::REGISTRATION,
];
use crate::{Registration, http1, quic, tls};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[http1::REGISTRATION, tls::REGISTRATION, quic::REGISTRATION];
use crate::{Registration, amqp, amqp1, http1, mqtt};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] =
    &[http1::REGISTRATION, amqp::REGISTRATION, amqp1::REGISTRATION, mqtt::REGISTRATION];
use crate::{Registration, http1, kafka};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[http1::REGISTRATION, kafka::REGISTRATION];
use crate::{Registration, http1, memcached, redis};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[http1::REGISTRATION, redis::REGISTRATION, memcached::REGISTRATION];
use crate::{Registration, http1, mysql, postgresql};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[http1::REGISTRATION, postgresql::REGISTRATION, mysql::REGISTRATION];
