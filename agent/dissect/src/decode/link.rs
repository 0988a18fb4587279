//! Link layers, and what stands between them and IP: VLAN tags, MPLS labels, PPPoE.

use remora_packet::LinkType;

use super::{DecodeError, Decoded, Decoder, View};

/// EtherTypes, <https://www.iana.org/assignments/ieee-802-numbers>.
mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    /// IEEE 802.1Q.
    pub(super) const VLAN: u16 = 0x8100;
    /// IEEE 802.1ad, the outer tag of QinQ.
    pub(super) const SERVICE_VLAN: u16 = 0x88a8;
    /// Outer tags of QinQ before it was standardised.
    pub(super) const OLD_QINQ: [u16; 2] = [0x9100, 0x9200];
    pub(super) const MPLS: u16 = 0x8847;
    pub(super) const MPLS_MULTICAST: u16 = 0x8848;
    pub(super) const PPPOE_SESSION: u16 = 0x8864;
    /// Transparent Ethernet bridging, the frame inside GRE (RFC 1701) and Geneve (RFC 8926).
    pub(super) const ETHERNET: u16 = 0x6558;
}

/// PPP protocol numbers, RFC 1332 section 2 and RFC 5072 section 3.
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

/// `AF_INET`, the same on all systems.
const FAMILY_IPV4: u32 = 2;
/// `AF_INET6` on Linux, NetBSD and OpenBSD, FreeBSD, macOS; <https://www.tcpdump.org/linktypes.html>.
const FAMILIES_IPV6: [u32; 4] = [10, 24, 28, 30];

impl Decoder {
    pub(super) fn link<'p>(
        &mut self,
        link: LinkType,
        mut view: View<'p>,
    ) -> Result<Decoded<'p>, DecodeError> {
        match link {
            LinkType::ETHERNET => self.ethernet(view),
            LinkType::LINUX_SLL => {
                let header = view.take::<16>("Linux cooked")?;
                self.ether_type(u16::from_be_bytes([header[14], header[15]]), view)
            }
            LinkType::LINUX_SLL2 => {
                let header = view.take::<20>("Linux cooked v2")?;
                self.ether_type(u16::from_be_bytes([header[0], header[1]]), view)
            }
            LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => self.ip(view),
            LinkType::IPV4 => self.ipv4(view),
            LinkType::IPV6 => self.ipv6(view),
            LinkType::NULL | LinkType::LOOP => {
                let header = *view.take::<4>("BSD loopback")?;
                // NULL is in the byte order of the capturing host, which the file does not tell; families are small.
                let family = u32::from_be_bytes(header).min(u32::from_le_bytes(header));
                match family {
                    FAMILY_IPV4 => self.ipv4(view),
                    _ if FAMILIES_IPV6.contains(&family) => self.ipv6(view),
                    _ => Err(DecodeError::UnknownLink(link.0)),
                }
            }
            _ => Err(DecodeError::UnknownLink(link.0)),
        }
    }

    pub(super) fn ethernet<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        let header = view.take::<14>("Ethernet")?;
        self.ether_type(u16::from_be_bytes([header[12], header[13]]), view)
    }

    /// Goes on by EtherType, through any number of VLAN tags.
    pub(super) fn ether_type<'p>(
        &mut self,
        mut ether_type: u16,
        mut view: View<'p>,
    ) -> Result<Decoded<'p>, DecodeError> {
        loop {
            return match ether_type {
                ether_type::IPV4 => self.ipv4(view),
                ether_type::IPV6 => self.ipv6(view),
                ether_type::VLAN | ether_type::SERVICE_VLAN => {
                    ether_type = self.vlan(&mut view)?;
                    continue;
                }
                _ if ether_type::OLD_QINQ.contains(&ether_type) => {
                    ether_type = self.vlan(&mut view)?;
                    continue;
                }
                ether_type::MPLS | ether_type::MPLS_MULTICAST => self.mpls(view),
                ether_type::PPPOE_SESSION => self.pppoe(view),
                ether_type::ETHERNET => {
                    self.descend()?;
                    self.ethernet(view)
                }
                unknown => Err(DecodeError::UnknownEtherType(unknown)),
            };
        }
    }

    /// Takes one tag off and returns the EtherType behind it.
    fn vlan(&mut self, view: &mut View<'_>) -> Result<u16, DecodeError> {
        self.descend()?;
        let tag = view.take::<4>("VLAN")?;
        Ok(u16::from_be_bytes([tag[2], tag[3]]))
    }

    /// RFC 3032. Labels do not say what they carry: it is told by the first nibble (RFC 4928 section 3), where 0 is
    /// the control word of an Ethernet pseudowire (RFC 4448 section 4.6).
    fn mpls<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        loop {
            self.descend()?;
            let label = view.take::<4>("MPLS")?;
            if label[2] & 1 == 1 {
                break;
            }
        }
        match view.data.first().map(|byte| byte >> 4) {
            Some(0) => {
                view.skip(4, "pseudowire control word")?;
                self.ethernet(view)
            }
            _ => self.ip(view),
        }
    }

    /// RFC 2516 section 4.
    fn pppoe<'p>(&mut self, mut view: View<'p>) -> Result<Decoded<'p>, DecodeError> {
        self.descend()?;
        let header = view.take::<6>("PPPoE")?;
        self.overstated |= !view.limit(usize::from(u16::from_be_bytes([header[4], header[5]])));
        match u16::from_be_bytes(*view.take::<2>("PPP")?) {
            PPP_IPV4 => self.ipv4(view),
            PPP_IPV6 => self.ipv6(view),
            unknown => Err(DecodeError::UnknownEtherType(unknown)),
        }
    }
}
