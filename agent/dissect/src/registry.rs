//! The protocols the agent knows.

use crate::{
    Registration, amqp, amqp1, cassandra, diameter, dns, dtls, http1, http2, icmp, kafka, ldap, memcached,
    mongodb, mqtt, mysql, nats, postgresql, quic, radius, redis, sctp, smtp, socks, tls, websocket,
};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] = &[
    http1::REGISTRATION,
    http2::REGISTRATION,
    tls::REGISTRATION,
    amqp::REGISTRATION,
    amqp1::REGISTRATION,
    mqtt::REGISTRATION,
    kafka::REGISTRATION,
    redis::REGISTRATION,
    nats::REGISTRATION,
    memcached::REGISTRATION,
    postgresql::REGISTRATION,
    mysql::REGISTRATION,
    mongodb::REGISTRATION,
    cassandra::REGISTRATION,
    ldap::REGISTRATION,
    smtp::REGISTRATION,
    websocket::REGISTRATION,
    diameter::REGISTRATION,
    dns::STREAM,
    dns::MULTICAST,
    dns::LINK_LOCAL,
    dns::DATAGRAMS,
    quic::REGISTRATION,
    dtls::REGISTRATION,
    ldap::DATAGRAMS,
    radius::REGISTRATION,
    icmp::REGISTRATION,
    sctp::REGISTRATION,
    // A greeting has three bytes: whoever else knows them has them.
    socks::REGISTRATION,
];
