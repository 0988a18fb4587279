//! MQTT 3.1, 3.1.1 and 5.0 (OASIS standards of 2014 and 2019; for 3.1 IBM's specification of 2010).
//!
//! A message is one item with all its acknowledgements. Which version is spoken only the CONNECT says; where that was not
//! seen, packets that can be of one version only tell, and until then what depends on it is not read.

mod connection;
mod flights;
mod packet;
mod properties;
mod summary;
mod wire;

use crate::{Direction, Over, Probe, Protocol, Registration};

/// Of connections whose version is not known.
pub static MQTT: Protocol = Protocol {
    name: "mqtt",
    version: "",
    abbr: "MQTT",
    long_name: "Message Queuing Telemetry Transport",
    macro_name: "mqtt",
    background_color: "#660066",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html",
    ports: &["1883", "8883"],
    layer4: "tcp",
    priority: 5,
};

pub static MQTT_3_1: Protocol = Protocol {
    version: "3.1",
    reference_link: "https://public.dhe.ibm.com/software/dw/webservices/ws-mqtt/mqtt-v3r1.html",
    ..MQTT
};

pub static MQTT_3_1_1: Protocol = Protocol {
    version: "3.1.1",
    reference_link: "https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html",
    ..MQTT
};

pub static MQTT_5: Protocol = Protocol { version: "5.0", ..MQTT };

pub const REGISTRATION: Registration = Registration {
    protocol: &MQTT,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

/// Without a CONNECT only the port tells: two bytes may be a whole packet.
const PORT: u16 = 1883;

/// Certain of a CONNECT: its first bytes name the protocol.
fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    if bytes.first() == Some(&0x10) {
        let mut reader = crate::Reader::new(bytes);
        let names = [&b"\x00\x04MQTT"[..], b"\x00\x06MQIsdp"];
        return match wire::head(&mut reader) {
            Ok(head) if head.remaining >= 10 => {
                let rest = reader.rest();
                if names.iter().any(|name| rest.starts_with(name)) {
                    Probe::Certain
                } else if names.iter().any(|name| name.starts_with(rest)) {
                    Probe::Unsure
                } else {
                    Probe::No
                }
            }
            Err(_) if bytes.len() < 5 => Probe::Unsure,
            _ => Probe::No,
        };
    }
    match wire::look(direction, bytes) {
        Some(0) if server_port == PORT => Probe::Unsure,
        Some(_) if server_port == PORT => Probe::Likely,
        _ => Probe::No,
    }
}
