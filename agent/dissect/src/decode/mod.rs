//! From a link-layer frame to the transport payload, without copying or allocating.
//!
//! Every length on the wire is a claim: it is checked against what is there. Checksums are not verified, because
//! captures on a host with offloading see packets before the network card filled them in.

mod ip;
mod link;
mod transport;
mod tunnel;
mod view;

pub mod fragments;

use std::net::IpAddr;

use remora_packet::Packet;

use crate::Limits;
pub use fragments::{Fragment, FragmentKey};
pub use transport::{Datagram, Flags, Segment};
use view::View;

/// Why a packet is not followed further.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the {0} header ends early")]
    Short(&'static str),
    #[error("the {0} header contradicts itself")]
    Contradiction(&'static str),
    #[error("link type {0} is not decoded")]
    UnknownLink(u32),
    #[error("EtherType {0:#06x} is not decoded")]
    UnknownEtherType(u16),
    #[error("IP protocol {0} is not decoded")]
    UnknownTransport(u8),
    #[error("headers nest deeper than the cap")]
    TooDeep,
}

/// The innermost packet of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded<'p> {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub payload: Payload<'p>,
    /// An IP or UDP length claims more bytes than the wire carried. What is there was taken.
    pub overstated: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payload<'p> {
    Tcp(Segment<'p>),
    Udp(Datagram<'p>),
    /// ICMP or ICMPv6.
    Icmp,
    /// A piece of a datagram; see [`fragments`].
    Fragment(Fragment<'p>),
}

/// Peels a frame down to its innermost transport payload, through tags and tunnels.
pub fn decode<'p>(packet: &Packet<'p>, limits: &Limits) -> Result<Decoded<'p>, DecodeError> {
    let missing = (packet.length as usize).saturating_sub(packet.data.len());
    let mut decoder = Decoder { depth_left: limits.decode_depth, overstated: false };
    decoder.link(packet.link, View { data: packet.data, missing })
}

/// Goes on with the payload of a datagram put together from fragments.
pub fn decode_datagram(datagram: &fragments::Whole) -> Result<Decoded<'_>, DecodeError> {
    let fragments::Whole { key, protocol, ref payload, depth_left } = *datagram;
    let mut decoder = Decoder { depth_left, overstated: false };
    decoder.ip_payload(key.source, key.destination, protocol, View { data: payload, missing: 0 })
}

/// The state of peeling one packet. Its methods call each other header by header, as deep as `depth_left` allows.
struct Decoder {
    depth_left: u8,
    overstated: bool,
}

impl Decoder {
    fn descend(&mut self) -> Result<(), DecodeError> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(DecodeError::TooDeep)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
