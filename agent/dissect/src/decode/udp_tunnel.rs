//! Packets inside datagrams: VXLAN (RFC 7348) and its Generic Protocol Extension
//! (<https://datatracker.ietf.org/doc/html/draft-ietf-nvo3-vxlan-gpe-13>), Geneve (RFC 8926), GRE in UDP (RFC 8086), GTP-U (3GPP TS 29.281), LISP
//! (RFC 9300), Teredo (RFC 4380).

use super::{DecodeError, Decoder, Header, Layer};

/// VXLAN's own port, and the one Linux took before that was assigned: still the kernel's default, and so Flannel's.
/// <https://docs.kernel.org/networking/vxlan.html>
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
const VXLAN_GPE_PORT: u16 = 4790;
const GENEVE_PORT: u16 = 6081;
const GRE_PORT: u16 = 4754;
const GTP_PORT: u16 = 2152;
const LISP_PORT: u16 = 4341;
/// Of servers only: what they send has it as its source.
const TEREDO_PORT: u16 = 3544;

/// The one flag of a VXLAN header that must be set: the network identifier is valid.
const VXLAN_IDENTIFIER: u8 = 0x08;
/// Of the extension: the last octet of the first word says what follows.
const VXLAN_PROTOCOL: u8 = 0x04;
const VXLAN_IPV4: u8 = 1;
const VXLAN_IPV6: u8 = 2;
const VXLAN_ETHERNET: u8 = 3;

/// Version 1 of GTP, not GTP': TS 29.281 section 5.1.
const GTP_VERSION: u8 = 0x30;
const GTP_VERSION_MASK: u8 = 0xf0;
/// There is a next extension header, a sequence number, an N-PDU number: with any of these there is room for all.
const GTP_EXTENSION: u8 = 0x04;
const GTP_OPTIONAL: u8 = 0x07;
/// The message type that carries a user's packet.
const GTP_PACKET: u8 = 0xff;

const TEREDO_ORIGIN: [u8; 2] = [0, 0];
const TEREDO_AUTHENTICATION: [u8; 2] = [0, 1];

impl Decoder<'_> {
    /// What a datagram between these ports carries where one is a tunnel's.
    pub(super) fn udp_tunnel(&mut self, source: u16, destination: u16) -> Result<Option<Layer>, DecodeError> {
        let tunnel = match destination {
            GENEVE_PORT => Self::geneve,
            GRE_PORT => Self::gre,
            GTP_PORT => Self::gtp,
            LISP_PORT => Self::lisp,
            VXLAN_GPE_PORT => Self::vxlan_gpe,
            _ if VXLAN_PORTS.contains(&destination) => Self::vxlan,
            _ if [source, destination].contains(&TEREDO_PORT) => Self::teredo,
            _ => return Ok(None),
        };
        tunnel(self).map(Some)
    }

    fn vxlan(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let header = self.view.take::<8>(Header::Vxlan)?;
        if header[0] & VXLAN_IDENTIFIER == 0 {
            return Err(DecodeError::Contradiction(Header::Vxlan));
        }
        Ok(Layer::Ethernet)
    }

    fn vxlan_gpe(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let [flags, _, _, protocol, ..] = *self.view.take::<8>(Header::Vxlan)?;
        if flags & VXLAN_IDENTIFIER == 0 {
            return Err(DecodeError::Contradiction(Header::Vxlan));
        }
        match protocol {
            _ if flags & VXLAN_PROTOCOL == 0 => Ok(Layer::Ethernet),
            VXLAN_IPV4 => Ok(Layer::Ipv4),
            VXLAN_IPV6 => Ok(Layer::Ipv6),
            VXLAN_ETHERNET => Ok(Layer::Ethernet),
            _ => Err(DecodeError::Contradiction(Header::Vxlan)),
        }
    }

    fn geneve(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let header = self.view.take::<8>(Header::Geneve)?;
        if header[0] >> 6 != 0 {
            return Err(DecodeError::Contradiction(Header::Geneve));
        }
        self.view.skip(usize::from(header[0] & 0x3f) * 4, Header::Geneve)?;
        Ok(Layer::EtherType(u16::from_be_bytes([header[2], header[3]])))
    }

    fn gtp(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let [flags, kind, high, low, ..] = *self.view.take::<8>(Header::Gtp)?;
        if flags & GTP_VERSION_MASK != GTP_VERSION || kind != GTP_PACKET {
            return Err(DecodeError::Contradiction(Header::Gtp));
        }
        self.overstated |= !self.view.limit(usize::from(u16::from_be_bytes([high, low])));
        if flags & GTP_OPTIONAL != 0 {
            let mut next = self.view.take::<4>(Header::Gtp)?[3];
            while flags & GTP_EXTENSION != 0 && next != 0 {
                // Its length is in units of four octets, and its last octet says what comes next.
                let length = usize::from(*self.view.data.first().ok_or(DecodeError::Short(Header::Gtp))?) * 4;
                let extension = self.view.data.get(..length).ok_or(DecodeError::Short(Header::Gtp))?;
                next = *extension.last().ok_or(DecodeError::Contradiction(Header::Gtp))?;
                self.view.skip(length, Header::Gtp)?;
            }
        }
        Ok(Layer::Ip)
    }

    fn lisp(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        self.view.skip(8, Header::Lisp)?;
        Ok(Layer::Ip)
    }

    /// RFC 4380 section 5.1.1.
    fn teredo(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        if self.view.data.starts_with(&TEREDO_AUTHENTICATION) {
            let header = self.view.take::<4>(Header::Teredo)?;
            // Behind the client's name and the authentication are a nonce and whether it is a confirmation.
            let length = usize::from(header[2]) + usize::from(header[3]) + 9;
            self.view.skip(length, Header::Teredo)?;
        }
        if self.view.data.starts_with(&TEREDO_ORIGIN) {
            self.view.skip(8, Header::Teredo)?;
        }
        Ok(Layer::Ipv6)
    }
}
