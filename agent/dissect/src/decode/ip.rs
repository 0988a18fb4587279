//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::view::be16;
use super::{DecodeError, Decoded, Decoder, Fragment, FragmentKey, Payload, View};

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
    pub(super) const DESTINATION_OPTIONS: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

impl Decoder {
    /// IP of either version, told apart by the first nibble.
    pub(super) fn ip<'p>(&mut self, view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        match view.data.first().ok_or(DecodeError::Short("IP"))? >> 4 {
            4 => self.ipv4(view),
            6 => self.ipv6(view),
            _ => Err(DecodeError::Contradiction("IP")),
        }
    }

    pub(super) fn ipv4<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        let whole = view;
        let header = view.take::<20>("IPv4")?;
        let header_length = usize::from(header[0] & 0x0f) * 4;
        if header[0] >> 4 != 4 || header_length < 20 {
            return Err(DecodeError::Contradiction("IPv4"));
        }
        let total_length = usize::from(be16(&[header[2], header[3]]));
        view = whole;
        // 0 is a packet before segmentation offload, too large for the field.
        if total_length != 0 {
            if total_length < header_length {
                return Err(DecodeError::Contradiction("IPv4"));
            }
            self.overstated |= !view.limit(total_length);
        }
        view.skip(header_length, "IPv4")?;

        let [a, b, c, d, e, f, g, h] = *header.last_chunk::<8>().ok_or(DecodeError::Short("IPv4"))?;
        let source = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
        let destination = IpAddr::V4(Ipv4Addr::new(e, f, g, h));
        let protocol = header[9];
        let fragmentation = be16(&[header[6], header[7]]);
        if fragmentation & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0 {
            let id = u32::from(be16(&[header[4], header[5]]));
            let key = FragmentKey { source, destination, id, protocol };
            let offset = usize::from(fragmentation & FRAGMENT_OFFSET) * 8;
            return Ok(self.fragment(key, protocol, offset, fragmentation & MORE_FRAGMENTS != 0, view));
        }
        self.ip_payload(source, destination, protocol, view)
    }

    pub(super) fn ipv6<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        let header = view.take::<40>("IPv6")?;
        if header[0] >> 4 != 6 {
            return Err(DecodeError::Contradiction("IPv6"));
        }
        let payload_length = usize::from(be16(&[header[4], header[5]]));
        // 0 is a jumbogram (RFC 2675) or a packet before segmentation offload.
        if payload_length != 0 {
            self.overstated |= !view.limit(payload_length);
        }
        let address = |at: usize| -> Result<IpAddr, DecodeError> {
            let octets = header.get(at..).and_then(|rest| rest.first_chunk::<16>());
            Ok(IpAddr::V6(Ipv6Addr::from(*octets.ok_or(DecodeError::Short("IPv6"))?)))
        };
        self.ip_payload(address(8)?, address(24)?, header[6], view)
    }

    /// Goes on by IP protocol number, through extension headers and tunnels.
    pub(super) fn ip_payload<'p>(
        &mut self,
        source: IpAddr,
        destination: IpAddr,
        mut protocol: u8,
        mut view: View<'p>,
    ) -> Result<Decoded<'p>, DecodeError> {
        loop {
            let payload = match protocol {
                protocol::TCP => Payload::Tcp(self.tcp(view)?),
                protocol::UDP => return self.udp(source, destination, view),
                protocol::ICMP | protocol::ICMPV6 => Payload::Icmp,
                protocol::IPV4 => {
                    self.descend()?;
                    return self.ipv4(view);
                }
                protocol::IPV6 => {
                    self.descend()?;
                    return self.ipv6(view);
                }
                protocol::GRE => return self.gre(view),
                protocol::HOP_BY_HOP
                | protocol::ROUTING
                | protocol::DESTINATION_OPTIONS
                | protocol::MOBILITY
                | protocol::HIP
                | protocol::SHIM6 => {
                    // Length in units of 8 octets, not counting the first; RFC 8200 section 4.
                    protocol = self.extension(&mut view, |length| (length + 1) * 8)?;
                    continue;
                }
                protocol::AUTHENTICATION => {
                    // Length in units of 4 octets, minus 2; RFC 4302 section 2.2.
                    protocol = self.extension(&mut view, |length| (length + 2) * 4)?;
                    continue;
                }
                protocol::FRAGMENT => {
                    self.descend()?;
                    let header = view.take::<8>("IPv6 fragment")?;
                    let [next, _, high, low, id @ ..] = *header;
                    let (offset, more) = (be16(&[high, low & !7]), low & 1 == 1);
                    if offset != 0 || more {
                        let id = u32::from_be_bytes(id);
                        // RFC 8200 section 4.5: the protocol is not part of the identity.
                        let key = FragmentKey { source, destination, id, protocol: protocol::FRAGMENT };
                        return Ok(self.fragment(key, next, usize::from(offset), more, view));
                    }
                    protocol = next;
                    continue;
                }
                unknown => return Err(DecodeError::UnknownTransport(unknown)),
            };
            return Ok(Decoded { source, destination, payload, overstated: self.overstated });
        }
    }

    /// Skips an extension header and returns the number of the next.
    fn extension(&mut self, view: &mut View<'_>, length_of: fn(usize) -> usize) -> Result<u8, DecodeError> {
        self.descend()?;
        let &[next, length, ..] = view.data else { return Err(DecodeError::Short("IPv6 extension")) };
        view.skip(length_of(usize::from(length)), "IPv6 extension")?;
        Ok(next)
    }

    fn fragment<'p>(
        &self,
        key: FragmentKey,
        protocol: u8,
        offset: usize,
        more: bool,
        view: View<'p>,
    ) -> Decoded<'p> {
        let cut = view.missing != 0;
        let fragment =
            Fragment { key, protocol, offset, more, data: view.data, cut, depth_left: self.depth_left };
        Decoded {
            source: key.source,
            destination: key.destination,
            payload: Payload::Fragment(fragment),
            overstated: self.overstated,
        }
    }
}
