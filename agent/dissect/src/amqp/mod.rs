//! AMQP 0-9-1 (the protocol of RabbitMQ; specification of 2008, with RabbitMQ's extensions).
//!
//! A message's method, header and body frames become one item; a method is paired with its answer, or with the
//! `channel.close` or `connection.close` that refuses it. AMQP 1.0 shares only the name: see [`crate::amqp1`].

mod connection;
mod content;
mod methods;
mod pairing;
mod summary;
mod values;
mod wire;

use crate::{Direction, Fields, Kind, Over, Probe, Protocol, Registration};

pub static AMQP_0_9_1: Protocol = Protocol {
    name: "amqp",
    version: "0-9-1",
    abbr: "AMQP",
    long_name: "Advanced Message Queuing Protocol 0-9-1",
    macro_name: "amqp",
    background_color: "#ff6600",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://www.rabbitmq.com/amqp-0-9-1-reference.html",
    ports: &["5671", "5672"],
    layer4: "tcp",
    priority: 1,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &AMQP_0_9_1,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &AMQP_0_9_1, summarize: summary::summarize };

/// Certain of a protocol header but for those of AMQP 1.0; frames of a connection that is joined later are likely.
fn probe(_direction: Direction, _server_port: u16, bytes: &[u8]) -> Probe {
    if bytes.first() == Some(&b'A') {
        let known = bytes.len().min(4);
        return match bytes {
            _ if bytes[..known] != b"AMQP"[..known] => Probe::No,
            [_, _, _, _, _, 1, 0, 0, ..] => Probe::No,
            [_, _, _, _, _, _, _, _, ..] => Probe::Certain,
            _ => Probe::Unsure,
        };
    }
    match wire::look(bytes) {
        None => Probe::No,
        Some(0) => Probe::Unsure,
        Some(_) if bytes.first() == Some(&wire::BODY) => Probe::No,
        Some(_) => Probe::Likely,
    }
}

/// `AMQP` and four numbers, which mean what they do in 0-9-1.
fn protocol_header(bytes: &[u8]) -> Fields {
    let mut fields = Fields::new().with("method", "protocol header");
    for (at, name) in ["protocolId", "versionMajor", "versionMinor", "revision"].into_iter().enumerate() {
        fields.push_some(name, bytes.get(4 + at).copied());
    }
    fields
}
