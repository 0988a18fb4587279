//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use super::view::be16;
use super::{DecodeError, Decoder, Ends, Fragment, FragmentKey, Header, Layer, Position};

/// Protocol numbers, <https://www.iana.org/assignments/protocol-numbers>.
mod protocol {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ICMP: u8 = 1;
    pub(super) const IPV4: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const IPV6: u8 = 41;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const GRE: u8 = 47;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const ICMPV6: u8 = 58;
    pub(super) const SCTP: u8 = 132;
    pub(super) const DESTINATION_OPTIONS: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

impl Layer {
    /// A transport straight away, without a look at what else could be.
    #[inline]
    const fn behind_ip(protocol: u8) -> Self {
        match protocol {
            protocol::TCP => Self::Tcp,
            protocol::UDP => Self::Udp,
            protocol::ICMP | protocol::ICMPV6 => Self::Icmp,
            protocol::SCTP => Self::Sctp,
            other => Self::Protocol(other),
        }
    }
}

impl<'p> Decoder<'p> {
    pub(super) fn ip(&mut self) -> Result<Layer, DecodeError> {
        match self.view.data.first().ok_or(DecodeError::Short(Header::Ip))? >> 4 {
            4 => Ok(Layer::Ipv4),
            6 => Ok(Layer::Ipv6),
            _ => Err(DecodeError::Contradiction(Header::Ip)),
        }
    }

    // Where it is called the decoder stays in registers.
    #[inline(always)]
    pub(super) fn ipv4(&mut self) -> Result<Layer, DecodeError> {
        let mut view = self.view;
        let header = view.data.first_chunk::<20>().ok_or(DecodeError::Short(Header::Ipv4))?;
        let header_length = usize::from(header[0] & 0x0f) * 4;
        if header[0] >> 4 != 4 || header_length < 20 {
            return Err(DecodeError::Contradiction(Header::Ipv4));
        }
        let total_length = usize::from(be16(&[header[2], header[3]]));
        // 0 is a packet before segmentation offload, too large for the field.
        if total_length != 0 {
            if total_length < header_length {
                return Err(DecodeError::Contradiction(Header::Ipv4));
            }
            self.overstated |= !view.limit(total_length);
        }
        view.skip(header_length, Header::Ipv4)?;
        self.view = view;

        self.ends = Ends::Ipv4(header.last_chunk().ok_or(DecodeError::Short(Header::Ipv4))?);
        let protocol = header[9];
        let fragmentation = be16(&[header[6], header[7]]);
        if fragmentation & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0 {
            self.position = Position {
                id: be16(&[header[4], header[5]]).into(),
                offset: (fragmentation & FRAGMENT_OFFSET) * 8,
                more: fragmentation & MORE_FRAGMENTS != 0,
                protocol,
                identity: protocol,
            };
            return Ok(Layer::Fragment);
        }
        Ok(Layer::behind_ip(protocol))
    }

    pub(super) fn ipv6(&mut self) -> Result<Layer, DecodeError> {
        let header = self.view.take::<40>(Header::Ipv6)?;
        let (first, next) = (header[0], header[6]);
        if first >> 4 != 6 {
            return Err(DecodeError::Contradiction(Header::Ipv6));
        }
        let payload_length = usize::from(be16(&[header[4], header[5]]));
        // 0 is a jumbogram (RFC 2675) or a packet before segmentation offload.
        if payload_length != 0 {
            self.overstated |= !self.view.limit(payload_length);
        }
        self.ends = Ends::Ipv6(header.last_chunk().ok_or(DecodeError::Short(Header::Ipv6))?);
        Ok(Layer::behind_ip(next))
    }

    pub(super) fn protocol(&mut self, protocol: u8) -> Result<Layer, DecodeError> {
        Ok(match protocol {
            protocol::TCP | protocol::UDP | protocol::ICMP | protocol::ICMPV6 | protocol::SCTP => {
                Layer::behind_ip(protocol)
            }
            protocol::IPV4 => {
                self.descend()?;
                Layer::Ipv4
            }
            protocol::IPV6 => {
                self.descend()?;
                Layer::Ipv6
            }
            protocol::GRE => self.gre()?,
            protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::DESTINATION_OPTIONS
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6 => {
                // Length in units of 8 octets, not counting the first; RFC 8200 section 4.
                self.extension(|length| (length + 1) * 8)?
            }
            protocol::AUTHENTICATION => {
                // Length in units of 4 octets, minus 2; RFC 4302 section 2.2.
                self.extension(|length| (length + 2) * 4)?
            }
            protocol::FRAGMENT => {
                self.descend()?;
                let [next, _, high, low, id @ ..] = *self.view.take::<8>(Header::Ipv6Fragment)?;
                let (offset, more) = (be16(&[high, low & !7]), low & 1 == 1);
                if offset == 0 && !more {
                    Layer::Protocol(next)
                } else {
                    // RFC 8200 section 4.5: the protocol is not part of the identity.
                    let identity = protocol::FRAGMENT;
                    self.position =
                        Position { id: u32::from_be_bytes(id), offset, more, protocol: next, identity };
                    Layer::Fragment
                }
            }
            unknown => return Err(DecodeError::UnknownTransport(unknown)),
        })
    }

    /// Skips an extension header.
    fn extension(&mut self, length_of: fn(usize) -> usize) -> Result<Layer, DecodeError> {
        self.descend()?;
        let &[next, length, ..] = self.view.data else {
            return Err(DecodeError::Short(Header::Ipv6Extension));
        };
        self.view.skip(length_of(usize::from(length)), Header::Ipv6Extension)?;
        Ok(Layer::Protocol(next))
    }

    pub(super) fn fragment(&self) -> Fragment<'p> {
        let Self { view, depth_left, position, .. } = *self;
        let (source, destination) = self.ends.addresses();
        let Position { id, offset, more, protocol, identity } = position;
        let key = FragmentKey { source, destination, id, protocol: identity };
        let (offset, cut) = (offset.into(), view.missing != 0);
        Fragment { key, protocol, offset, more, data: view.data, cut, depth_left }
    }
}
