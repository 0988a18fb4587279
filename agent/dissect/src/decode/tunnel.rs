//! Packets inside packets: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, RFC 2890).

use super::{DecodeError, Decoded, Decoder, View};

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

impl Decoder {
    /// What a datagram to this port carries, where it is a tunnel. Any application may use these ports: what does not
    /// decode as a tunnel is an ordinary datagram.
    pub(super) fn udp_tunnel<'p>(
        &mut self,
        port: u16,
        view: View<'p>,
    ) -> Option<Result<Decoded<'p>, DecodeError>> {
        let (depth_left, overstated) = (self.depth_left, self.overstated);
        let inner = match port {
            GENEVE_PORT => self.geneve(view),
            _ if VXLAN_PORTS.contains(&port) => self.vxlan(view),
            _ => return None,
        };
        match inner {
            Ok(_) | Err(DecodeError::TooDeep) => Some(inner),
            Err(_) => {
                (self.depth_left, self.overstated) = (depth_left, overstated);
                None
            }
        }
    }

    fn vxlan<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        self.descend()?;
        let header = view.take::<8>("VXLAN")?;
        if header[0] & VXLAN_IDENTIFIER == 0 {
            return Err(DecodeError::Contradiction("VXLAN"));
        }
        self.ethernet(view)
    }

    fn geneve<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        self.descend()?;
        let header = view.take::<8>("Geneve")?;
        if header[0] >> 6 != 0 {
            return Err(DecodeError::Contradiction("Geneve"));
        }
        view.skip(usize::from(header[0] & 0x3f) * 4, "Geneve options")?;
        self.ether_type(u16::from_be_bytes([header[2], header[3]]), view)
    }

    pub(super) fn gre<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        self.descend()?;
        let header = view.take::<4>("GRE")?;
        // Version 1 is PPTP's; source routing was withdrawn by RFC 2784.
        if header[1] & 0x07 != 0 || header[0] & GRE_ROUTING != 0 {
            return Err(DecodeError::Contradiction("GRE"));
        }
        let optional_words = (header[0] & (GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE)).count_ones() as usize;
        view.skip(optional_words * 4, "GRE")?;
        self.ether_type(u16::from_be_bytes([header[2], header[3]]), view)
    }
}
