//! From a link-layer frame to the transport payload, without copying or allocating.
//!
//! Every length on the wire is a claim: it is checked against what is there. Checksums are not verified, because
//! captures on a host with offloading see packets before the network card filled them in.

mod gre;
mod ip;
mod link;
mod serial;
mod transport;
mod udp_tunnel;
mod view;

pub mod fragments;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use remora_packet::Packet;

use crate::Limits;
pub use fragments::{Fragment, FragmentKey};
pub use transport::{Datagram, Flags, Segment};
use view::View;

/// Why a packet is not followed further.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the {0} header ends early")]
    Short(Header),
    #[error("the {0} header contradicts itself")]
    Contradiction(Header),
    #[error("link type {0} is not decoded")]
    UnknownLink(u32),
    #[error("EtherType {0:#06x} is not decoded")]
    UnknownEtherType(u16),
    #[error("IP protocol {0} is not decoded")]
    UnknownTransport(u8),
    #[error("headers nest deeper than the cap")]
    TooDeep,
}

/// The headers a packet can break at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    Ethernet,
    LinuxCooked,
    LinuxCookedV2,
    BsdLoopback,
    CiscoHdlc,
    FrameRelay,
    Infiniband,
    Pktap,
    Vlan,
    Mpls,
    Pseudowire,
    Pppoe,
    Ppp,
    Ip,
    Ipv4,
    Ipv6,
    Ipv6Extension,
    Ipv6Fragment,
    Tcp,
    Udp,
    Sctp,
    Vxlan,
    Geneve,
    Gre,
    Erspan,
    Gtp,
    Lisp,
    Teredo,
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::LinuxCooked => "Linux cooked",
            Self::LinuxCookedV2 => "Linux cooked v2",
            Self::BsdLoopback => "BSD loopback",
            Self::CiscoHdlc => "Cisco HDLC",
            Self::FrameRelay => "Frame Relay",
            Self::Infiniband => "IP over InfiniBand",
            Self::Pktap => "PKTAP",
            Self::Vlan => "VLAN",
            Self::Mpls => "MPLS",
            Self::Pseudowire => "pseudowire",
            Self::Pppoe => "PPPoE",
            Self::Ppp => "PPP",
            Self::Ip => "IP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Ipv6Extension => "IPv6 extension",
            Self::Ipv6Fragment => "IPv6 fragment",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "Geneve",
            Self::Gre => "GRE",
            Self::Erspan => "ERSPAN",
            Self::Gtp => "GTP",
            Self::Lisp => "LISP",
            Self::Teredo => "Teredo",
        })
    }
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
    /// ICMP or ICMPv6, as the addresses are; the ports are 0 and the payload begins with the type.
    Icmp(Datagram<'p>),
    /// The payload begins with the common header.
    Sctp(Datagram<'p>),
    /// A piece of a datagram; see [`fragments`].
    Fragment(Fragment<'p>),
}

/// Peels a frame down to its innermost transport payload, through tags and tunnels.
pub fn decode<'p>(packet: &Packet<'p>, limits: &Limits) -> Result<Decoded<'p>, DecodeError> {
    let missing = (packet.length as usize).saturating_sub(packet.data.len());
    let mut decoder = Decoder::new(View { data: packet.data, missing }, limits.decode_depth);
    let layer = decoder.link(packet.link)?;
    decoder.peel(layer)
}

/// Goes on with the payload of a datagram put together from fragments.
pub fn decode_datagram(datagram: &fragments::Whole) -> Result<Decoded<'_>, DecodeError> {
    let fragments::Whole { key, protocol, payload, depth_left } = datagram;
    let decoder = Decoder::new(View { data: payload, missing: 0 }, *depth_left);
    Decoder { ends: Ends::Known(key), ..decoder }.peel(Layer::Protocol(*protocol))
}

/// What a header says comes behind it. Fits a register, as it is handed from header to header.
#[derive(Clone, Copy)]
enum Layer {
    Ethernet,
    EtherType(u16),
    /// IP of either version, told apart by the first nibble.
    Ip,
    Ipv4,
    Ipv6,
    /// By IP protocol number.
    Protocol(u8),
    Tcp,
    Udp,
    Icmp,
    Sctp,
    Fragment,
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Default)]
struct Position {
    id: u32,
    offset: u16,
    more: bool,
    /// What the datagram carries.
    protocol: u8,
    /// The protocol as far as it is part of the datagram's identity.
    identity: u8,
}

/// Source and destination, where they lie in the innermost IP header so far.
#[derive(Clone, Copy)]
enum Ends<'p> {
    Ipv4(&'p [u8; 8]),
    Ipv6(&'p [u8; 32]),
    /// Those of a datagram put together from fragments.
    Known(&'p FragmentKey),
}

impl Ends<'_> {
    fn addresses(&self) -> (IpAddr, IpAddr) {
        match *self {
            Self::Ipv4(&[a, b, c, d, e, f, g, h]) => {
                (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), IpAddr::V4(Ipv4Addr::new(e, f, g, h)))
            }
            Self::Ipv6(octets) => {
                let bits = u128::from_be_bytes;
                let (source, destination) = octets.split_at(16);
                let [source, destination] = [source, destination].map(|half| half.try_into().map_or(0, bits));
                (IpAddr::V6(Ipv6Addr::from_bits(source)), IpAddr::V6(Ipv6Addr::from_bits(destination)))
            }
            Self::Known(key) => (key.source, key.destination),
        }
    }
}

/// A packet being peeled: what is left of it, and what the headers so far told.
#[derive(Clone, Copy)]
struct Decoder<'p> {
    view: View<'p>,
    ends: Ends<'p>,
    position: Position,
    depth_left: u8,
    overstated: bool,
}

impl<'p> Decoder<'p> {
    fn new(view: View<'p>, depth_left: u8) -> Self {
        let position = Position::default();
        Self { view, ends: Ends::Ipv4(&[0; 8]), position, depth_left, overstated: false }
    }

    /// Takes off header by header, as deep as `depth_left` allows.
    fn peel(mut self, mut layer: Layer) -> Result<Decoded<'p>, DecodeError> {
        loop {
            layer = match layer {
                Layer::Ethernet => self.ethernet()?,
                Layer::EtherType(ether_type) => self.ether_type(ether_type)?,
                Layer::Ip => self.ip()?,
                Layer::Ipv4 => self.ipv4()?,
                Layer::Ipv6 => self.ipv6()?,
                Layer::Protocol(protocol) => self.protocol(protocol)?,
                Layer::Tcp => {
                    let segment = self.tcp()?;
                    return Ok(self.done(Payload::Tcp(segment)));
                }
                Layer::Udp => {
                    let datagram = self.udp()?;
                    return self.datagram(datagram);
                }
                Layer::Icmp => {
                    let message = self.icmp();
                    return Ok(self.done(Payload::Icmp(message)));
                }
                Layer::Sctp => {
                    let packet = self.sctp()?;
                    return Ok(self.done(Payload::Sctp(packet)));
                }
                Layer::Fragment => return Ok(self.done(Payload::Fragment(self.fragment()))),
            }
        }
    }

    fn done(&self, payload: Payload<'p>) -> Decoded<'p> {
        let (source, destination) = self.ends.addresses();
        Decoded { source, destination, payload, overstated: self.overstated }
    }

    /// What is inside a datagram that is a tunnel's, else the datagram. Any application may use a tunnel's port: what
    /// does not decode as a tunnel is an ordinary datagram.
    fn datagram(self, datagram: Datagram<'p>) -> Result<Decoded<'p>, DecodeError> {
        let mut tunnel = self;
        let inner = match tunnel.udp_tunnel(datagram.source_port, datagram.destination_port) {
            Ok(None) => return Ok(self.done(Payload::Udp(datagram))),
            Ok(Some(layer)) => tunnel.peel(layer),
            Err(error) => Err(error),
        };
        match inner {
            Ok(_) | Err(DecodeError::TooDeep) => inner,
            Err(_) => Ok(self.done(Payload::Udp(datagram))),
        }
    }

    fn descend(&mut self) -> Result<(), DecodeError> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(DecodeError::TooDeep)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
