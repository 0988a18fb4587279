//! Packets inside packets: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, RFC 2890).

use super::{DecodeError, Decoder, Header, Layer};

/// VXLAN's own port, and the one Linux took before that was assigned: still the kernel's default, and so Flannel's.
/// <https://docs.kernel.org/networking/vxlan.html>
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
const GENEVE_PORT: u16 = 6081;

/// The one flag of a VXLAN header that must be set: the network identifier is valid.
const VXLAN_IDENTIFIER: u8 = 0x08;

const GRE_CHECKSUM: u8 = 0x80;
const GRE_ROUTING: u8 = 0x40;
const GRE_KEY: u8 = 0x20;
const GRE_SEQUENCE: u8 = 0x10;

impl Decoder<'_> {
    /// What a datagram to this port carries where the port is a tunnel's.
    pub(super) fn udp_tunnel(&mut self, port: u16) -> Result<Option<Layer>, DecodeError> {
        Ok(match port {
            GENEVE_PORT => Some(self.geneve()?),
            _ if VXLAN_PORTS.contains(&port) => Some(self.vxlan()?),
            _ => None,
        })
    }

    fn vxlan(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let header = self.view.take::<8>(Header::Vxlan)?;
        if header[0] & VXLAN_IDENTIFIER == 0 {
            return Err(DecodeError::Contradiction(Header::Vxlan));
        }
        Ok(Layer::Ethernet)
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

    pub(super) fn gre(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let header = self.view.take::<4>(Header::Gre)?;
        // Version 1 is PPTP's; source routing was withdrawn by RFC 2784.
        if header[1] & 0x07 != 0 || header[0] & GRE_ROUTING != 0 {
            return Err(DecodeError::Contradiction(Header::Gre));
        }
        let optional_words = (header[0] & (GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE)).count_ones() as usize;
        self.view.skip(optional_words * 4, Header::Gre)?;
        Ok(Layer::EtherType(u16::from_be_bytes([header[2], header[3]])))
    }
}
