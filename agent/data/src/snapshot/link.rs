//! The IP packet in a frame, for captures of several link types.

use remora_packet::{LinkType, Packet};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and what was used before 802.1ad.
const VLAN_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// The same packet as raw IP; `None` where the frame holds none, or a part of its header only.
pub(super) fn raw<'a>(packet: &Packet<'a>) -> Option<Packet<'a>> {
    let header = match packet.link {
        LinkType::ETHERNET => after_ethertype(packet.data, 12)?,
        LinkType::LINUX_SLL => after_ethertype(packet.data, 14)?,
        // The protocol comes first; what it is of comes after 20 bytes.
        LinkType::LINUX_SLL2 => match ethertype(packet.data, 0)? {
            IPV4 | IPV6 => 20,
            tag if VLAN_TAGS.contains(&tag) => after_ethertype(packet.data, 22)?,
            _ => return None,
        },
        // Which families are IP the version tells; their numbers differ from system to system.
        LinkType::NULL | LinkType::LOOP => 4,
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => 0,
        _ => return None,
    };
    let data = packet.data.get(header..)?;
    let is_ip = matches!(data.first()? >> 4, 4 | 6);
    let length = packet.length.saturating_sub(header as u32).max(data.len() as u32);
    is_ip.then_some(Packet { link: LinkType::RAW, length, data, ..*packet })
}

fn ethertype(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*data.get(at..)?.first_chunk()?))
}

/// Where the IP header begins that an EtherType at `at` announces, VLAN tags passed over.
fn after_ethertype(data: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match ethertype(data, at)? {
            IPV4 | IPV6 => return Some(at + 2),
            tag if VLAN_TAGS.contains(&tag) => at += 4,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use remora_packet::Timestamp;

    use super::*;

    const IP: [u8; 3] = [0x45, 1, 2];

    fn strip(link: LinkType, header: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
        let data = [header, rest].concat();
        let length = data.len() as u32 + 100;
        let packet = Packet { timestamp: Timestamp::default(), link, interface: 0, length, data: &data };
        raw(&packet).map(|packet| {
            assert_eq!((packet.link, packet.length as usize), (LinkType::RAW, packet.data.len() + 100));
            packet.data.to_vec()
        })
    }

    #[test]
    fn every_known_link_header_is_taken_off() {
        let ethernet = [0; 12];
        let cases: [(LinkType, &[u8]); 10] = [
            (LinkType::ETHERNET, &[&ethernet[..], &[8, 0]].concat()),
            (LinkType::ETHERNET, &[&ethernet[..], &[0x81, 0, 0, 7, 0x86, 0xdd]].concat()),
            (LinkType::ETHERNET, &[&ethernet[..], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0]].concat()),
            (LinkType::LINUX_SLL, &[&[0; 14][..], &[8, 0]].concat()),
            (LinkType::LINUX_SLL2, &[&[8, 0][..], &[0; 18]].concat()),
            (LinkType::LINUX_SLL2, &[&[0x81, 0][..], &[0; 18], &[0, 7, 8, 0]].concat()),
            (LinkType::NULL, &[2, 0, 0, 0]),
            (LinkType::LOOP, &[0, 0, 0, 2]),
            (LinkType::RAW_BSD, &[]),
            (LinkType::IPV4, &[]),
        ];
        for (link, header) in cases {
            assert_eq!(strip(link, header, &IP).as_deref(), Some(&IP[..]), "{link:?} {header:?}");
        }
    }

    #[test]
    fn what_holds_no_ip_packet_is_none() {
        assert_eq!(strip(LinkType::ETHERNET, &[0; 12], &[8, 6, 0x45]), None, "ARP");
        assert_eq!(strip(LinkType::ETHERNET, &[0; 12], &[8, 0]), None, "cut behind the header");
        assert_eq!(strip(LinkType::ETHERNET, &[0; 12], &[0x81, 0, 0]), None, "cut in a tag");
        assert_eq!(strip(LinkType::NULL, &[30, 0, 0, 0], &[0x15]), None, "no version of IP");
        assert_eq!(strip(LinkType(147), &[], &IP), None, "a link type nobody knows");
        assert_eq!(strip(LinkType::RAW, &[], &[]), None);
    }
}
