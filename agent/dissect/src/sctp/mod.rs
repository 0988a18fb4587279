//! SCTP (RFC 9260): the packets of associations, chunk by chunk, and the Diameter that they carry.

mod association;
mod carried;
mod chunk;
mod names;
mod packet;

use std::any::Any;

use crate::item::{Filter, Summary, Transport};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration};
use packet::Packet;

pub static PROTOCOL: Protocol = Protocol {
    name: "sctp",
    version: "1",
    abbr: "SCTP",
    long_name: "Stream Control Transmission Protocol",
    macro_name: "sctp",
    background_color: "#2f6f5f",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc9260",
    ports: &[],
    layer4: "sctp",
    priority: 5,
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Datagrams {
        transport: Transport::Sctp,
        probe,
        create: |_| Box::new(association::Association::new()),
    },
};

/// IP says what it is; that a chunk follows the header is all that is asked.
fn probe(_: Direction, _: u16, bytes: &[u8]) -> Probe {
    if packet::has_chunk(bytes) { Probe::Certain } else { Probe::No }
}

/// The first chunk's type, and all of them.
fn summarize(item: &Item) -> Summary<'_> {
    let (side, fields) = match (&item.draft.request, &item.draft.response) {
        (Some(request), _) => (request, ["request.chunkType", "request.chunkTypes"]),
        (None, Some(response)) => (response, ["response.chunkType", "response.chunkTypes"]),
        (None, None) => return Summary::default(),
    };
    let side: &dyn Any = side.as_ref();
    let packet = side.downcast_ref::<Packet>().filter(|packet| packet.has_header());
    let Some(packet) = packet else { return Summary::default() };
    let (kind, [kind_field, kinds_field]) = (packet.first_kind(), fields);
    Summary {
        method_filter: if kind.is_some() { Filter::Field(kind_field) } else { Filter::None },
        method: kind.unwrap_or_default(),
        summary: packet.kinds(),
        summary_filter: Filter::Field(kinds_field),
        status: 0,
        status_filter: Filter::None,
    }
}
