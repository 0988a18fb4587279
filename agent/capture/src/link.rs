//! What a packet of an interface begins with.

use remora_packet::LinkType;

/// The link type of an interface by its `ARPHRD_` number; `None` where its packets are no IP in any form known here.
///
/// What counts is where the kernel's packet data begins at the TC hooks, which for tunnels and PPP is the inner IP header.
/// <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/include/uapi/linux/if_arp.h?h=v6.1.192#n30>
pub(crate) fn link_type(arphrd: u16) -> Option<LinkType> {
    const ETHER: u16 = 1;
    const PPP: u16 = 512;
    const RAWIP: u16 = 519;
    const TUNNEL: u16 = 768;
    const TUNNEL6: u16 = 769;
    const LOOPBACK: u16 = 772;
    const SIT: u16 = 776;
    const IPGRE: u16 = 778;
    const IP6GRE: u16 = 823;
    /// tun, WireGuard.
    const NONE: u16 = 0xfffe;
    match arphrd {
        ETHER | LOOPBACK => Some(LinkType::ETHERNET),
        NONE | RAWIP | PPP | TUNNEL | TUNNEL6 | SIT | IPGRE | IP6GRE => Some(LinkType::RAW),
        _ => None,
    }
}

/// Where the IP header begins; `None` where the frame carries no IP.
pub(crate) fn network_header(link: LinkType, frame: &[u8]) -> Option<usize> {
    const IPV4: [u8; 2] = [0x08, 0x00];
    const IPV6: [u8; 2] = [0x86, 0xdd];
    const VLAN: [u8; 2] = [0x81, 0x00];
    const PROVIDER_VLAN: [u8; 2] = [0x88, 0xa8];
    if link != LinkType::ETHERNET {
        return (!frame.is_empty()).then_some(0);
    }
    let mut at = 12;
    loop {
        let ether_type = *frame.get(at..)?.first_chunk()?;
        match ether_type {
            IPV4 | IPV6 => return Some(at + 2),
            VLAN | PROVIDER_VLAN => at += 4,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_without_a_link_header_is_raw_ip() {
        assert_eq!(link_type(1), Some(LinkType::ETHERNET));
        assert_eq!(link_type(772), Some(LinkType::ETHERNET));
        assert_eq!(link_type(0xfffe), Some(LinkType::RAW));
        assert_eq!(link_type(280), None, "CAN");
    }

    #[test]
    fn tags_stand_before_the_network_header() {
        let mut frame = vec![0; 12];
        frame.extend([0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x86, 0xdd, 0x60]);
        assert_eq!(network_header(LinkType::ETHERNET, &frame), Some(22));
        assert_eq!(network_header(LinkType::ETHERNET, &frame[..20]), None);
        frame[20] = 0x08;
        frame[21] = 0x06;
        assert_eq!(network_header(LinkType::ETHERNET, &frame), None, "ARP");
        assert_eq!(network_header(LinkType::RAW, &[0x45]), Some(0));
    }
}
