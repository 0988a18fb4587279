//! DNS (RFC 1034, RFC 1035) over UDP and TCP, with EDNS (RFC 6891), multicast DNS (RFC 6762) and LLMNR (RFC 4795).

mod codes;
mod content;
mod datagram;
mod edns;
mod header;
mod key;
mod message;
mod name;
mod rdata;
mod record;
mod secure;
mod stream;
mod transfer;

use std::any::Any;

use crate::item::{Filter, Message, Summary, Transport};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration};
use header::Header;
use message::Dns;

pub static PROTOCOL: Protocol = PROTOCOL_FACTS;

pub static TCP_PROTOCOL: Protocol = Protocol { layer4: "tcp", ..PROTOCOL_FACTS };

pub static MULTICAST_PROTOCOL: Protocol = Protocol {
    long_name: "Multicast DNS",
    reference_link: "https://datatracker.ietf.org/doc/html/rfc6762",
    ..PROTOCOL_FACTS
};

pub static LINK_LOCAL_PROTOCOL: Protocol = Protocol {
    long_name: "Link-Local Multicast Name Resolution",
    reference_link: "https://datatracker.ietf.org/doc/html/rfc4795",
    ..PROTOCOL_FACTS
};

const PROTOCOL_FACTS: Protocol = Protocol {
    name: "dns",
    version: "0",
    abbr: "DNS",
    long_name: "Domain Name System",
    macro_name: "dns",
    background_color: "#606060",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml",
    ports: &[],
    layer4: "udp",
    priority: 4,
};

pub const DATAGRAMS: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe: probe_datagram,
        create: |_| Box::new(datagram::Unicast::new()),
    },
};

pub const STREAM: Registration = Registration {
    protocol: &TCP_PROTOCOL,
    over: Over::Stream { probe: stream::probe, create: |_| Box::new(stream::Connection::new()) },
};

/// Told from plain DNS by its port, so to be asked before it; so is [`LINK_LOCAL`].
pub const MULTICAST: Registration = Registration {
    protocol: &MULTICAST_PROTOCOL,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe: |_, port, bytes| probe_known_port(port == MULTICAST_PORT, bytes),
        create: |_| Box::new(datagram::OneWay::new(&MULTICAST_PROTOCOL, true)),
    },
};

pub const LINK_LOCAL: Registration = Registration {
    protocol: &LINK_LOCAL_PROTOCOL,
    over: Over::Datagrams {
        transport: Transport::Udp,
        probe: |_, port, bytes| probe_known_port(port == LINK_LOCAL_PORT, bytes),
        create: |_| Box::new(datagram::OneWay::new(&LINK_LOCAL_PROTOCOL, false)),
    },
};

const PORT: u16 = 53;
const MULTICAST_PORT: u16 = 5353;
const LINK_LOCAL_PORT: u16 = 5355;
/// NetBIOS names look like DNS and are not (RFC 1002).
const NETBIOS_PORT: u16 = 137;

const fn kind(protocol: &'static Protocol) -> Kind {
    Kind { protocol, summarize }
}

fn probe_known_port(is_it: bool, bytes: &[u8]) -> Probe {
    if is_it
        && Header::parse(bytes)
            .is_some_and(|header| header.is_plausible(bytes.len()) && header.has_known_operation())
    {
        Probe::Certain
    } else {
        Probe::No
    }
}

/// On the port a header that makes sense is enough; elsewhere the whole message has to.
fn probe_datagram(_: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let Some(header) = Header::parse(bytes).filter(|header| header.is_plausible(bytes.len())) else {
        return Probe::No;
    };
    match server_port {
        PORT if header.has_known_operation() || message::is_whole_and_ordinary(bytes) => Probe::Certain,
        NETBIOS_PORT => Probe::No,
        _ if header.is_strict() && message::is_whole_and_ordinary(bytes) => Probe::Likely,
        _ => Probe::No,
    }
}

/// Of what is no message there is only its bytes.
fn message(side: &Option<Box<dyn Message>>) -> Option<&Dns> {
    let side: &dyn Any = side.as_deref()?;
    side.downcast_ref()
}

/// The operation, the name asked for (or told of, where nothing is asked), and the response code.
fn summarize(item: &Item) -> Summary<'_> {
    // Of what is no message there is only its bytes.
    let (request, response) = (message(&item.draft.request), message(&item.draft.response));
    let mut summary = Summary::default();
    if let Some(operation) = request.and_then(Dns::operation) {
        summary.method = operation;
        summary.method_filter = Filter::Field("request.opCode");
    }
    type Name = fn(&Dns) -> Option<String>;
    let names: [(_, Name, &'static str); 4] = [
        (request, Dns::asked_name, "request.questions[0].name"),
        (request, Dns::answered_name, "request.answers[0].name"),
        (response, Dns::asked_name, "response.questions[0].name"),
        (response, Dns::answered_name, "response.answers[0].name"),
    ];
    for (side, name, field) in names {
        if let Some(name) = side.and_then(name) {
            summary.summary = name.into();
            summary.summary_filter = Filter::Field(field);
            break;
        }
    }
    if let Some(code) = response.and_then(Dns::response_code) {
        summary.status = code.into();
        summary.status_filter = Filter::Field("response.rcode");
    }
    summary
}
