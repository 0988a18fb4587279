//! Link layers, and what stands between them and IP: VLAN tags, MPLS labels.

use remora_packet::LinkType;

use super::{DecodeError, Decoder, Header, Layer};

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

/// `AF_INET`, the same on all systems.
const FAMILY_IPV4: u32 = 2;
/// `AF_INET6` on Linux, NetBSD and OpenBSD, FreeBSD, macOS; <https://www.tcpdump.org/linktypes.html>.
const FAMILIES_IPV6: [u32; 4] = [10, 24, 28, 30];

impl Decoder<'_> {
    pub(super) fn link(&mut self, link: LinkType) -> Result<Layer, DecodeError> {
        Ok(match link {
            LinkType::ETHERNET => Layer::Ethernet,
            LinkType::LINUX_SLL => {
                let header = self.view.take::<16>(Header::LinuxCooked)?;
                Layer::EtherType(u16::from_be_bytes([header[14], header[15]]))
            }
            LinkType::LINUX_SLL2 => {
                let header = self.view.take::<20>(Header::LinuxCookedV2)?;
                Layer::EtherType(u16::from_be_bytes([header[0], header[1]]))
            }
            LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => Layer::Ip,
            LinkType::IPV4 => Layer::Ipv4,
            LinkType::IPV6 => Layer::Ipv6,
            LinkType::NULL | LinkType::LOOP => {
                let header = *self.view.take::<4>(Header::BsdLoopback)?;
                // NULL is in the byte order of the capturing host, which the file does not tell; families are small.
                let family = u32::from_be_bytes(header).min(u32::from_le_bytes(header));
                match family {
                    FAMILY_IPV4 => Layer::Ipv4,
                    _ if FAMILIES_IPV6.contains(&family) => Layer::Ipv6,
                    // Some devices have an EtherType there.
                    _ => match u16::from_be_bytes([header[2], header[3]]) {
                        ether_type @ (ether_type::IPV4 | ether_type::IPV6) => Layer::EtherType(ether_type),
                        _ => return Err(DecodeError::UnknownLink(link.0)),
                    },
                }
            }
            LinkType::PPP => self.ppp()?,
            LinkType::PPP_HDLC => self.ppp_or_cisco()?,
            LinkType::CISCO_HDLC => self.cisco_hdlc()?,
            LinkType::FRAME_RELAY => self.frame_relay()?,
            LinkType::IPOIB => {
                let header = self.view.take::<44>(Header::Infiniband)?;
                Layer::EtherType(u16::from_be_bytes([header[40], header[41]]))
            }
            LinkType::PKTAP => self.pktap()?,
            _ => return Err(DecodeError::UnknownLink(link.0)),
        })
    }

    pub(super) fn ethernet(&mut self) -> Result<Layer, DecodeError> {
        let header = self.view.take::<14>(Header::Ethernet)?;
        match u16::from_be_bytes([header[12], header[13]]) {
            // Nearly always: without another turn.
            ether_type::IPV4 => self.ipv4(),
            other => Ok(Layer::EtherType(other)),
        }
    }

    pub(super) fn ether_type(&mut self, ether_type: u16) -> Result<Layer, DecodeError> {
        Ok(match ether_type {
            ether_type::IPV4 => Layer::Ipv4,
            ether_type::IPV6 => Layer::Ipv6,
            ether_type::VLAN | ether_type::SERVICE_VLAN => self.vlan()?,
            _ if ether_type::OLD_QINQ.contains(&ether_type) => self.vlan()?,
            ether_type::MPLS | ether_type::MPLS_MULTICAST => self.mpls()?,
            ether_type::PPPOE_SESSION => self.pppoe()?,
            ether_type::ETHERNET => {
                self.descend()?;
                Layer::Ethernet
            }
            unknown => return Err(DecodeError::UnknownEtherType(unknown)),
        })
    }

    fn vlan(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let tag = self.view.take::<4>(Header::Vlan)?;
        Ok(Layer::EtherType(u16::from_be_bytes([tag[2], tag[3]])))
    }

    /// RFC 3032. Labels do not say what they carry: it is told by the first nibble (RFC 4928 section 3), where 0 is
    /// the control word of an Ethernet pseudowire (RFC 4448 section 4.6).
    fn mpls(&mut self) -> Result<Layer, DecodeError> {
        loop {
            self.descend()?;
            let label = self.view.take::<4>(Header::Mpls)?;
            if label[2] & 1 == 1 {
                break;
            }
        }
        match self.view.data.first().map(|byte| byte >> 4) {
            Some(0) => {
                self.view.skip(4, Header::Pseudowire)?;
                Ok(Layer::Ethernet)
            }
            _ => Ok(Layer::Ip),
        }
    }

    /// <https://github.com/apple-oss-distributions/xnu/blob/main/bsd/net/pktap.h>: its length, a type, the link type of what
    /// follows, and more.
    fn pktap(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let whole = self.view;
        let [length, _, link] = *self.view.take::<12>(Header::Pktap)?.as_chunks().0 else {
            return Err(DecodeError::Short(Header::Pktap));
        };
        // In the byte order of the capturing host, which the file does not tell; headers are short.
        let (big, little) = (u32::from_be_bytes(length), u32::from_le_bytes(length));
        let (length, link) = match little <= big {
            true => (little, u32::from_le_bytes(link)),
            false => (big, u32::from_be_bytes(link)),
        };
        if length < 12 {
            return Err(DecodeError::Contradiction(Header::Pktap));
        }
        self.view = whole;
        self.view.skip(length as usize, Header::Pktap)?;
        self.link(LinkType(link))
    }
}
