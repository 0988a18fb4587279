//! A capture several times over, as if as many groups of hosts had had the same conversations one after the other.

use std::ops::Range;

use remora_packet::{LinkType, Timestamp};

use crate::OwnedPacket;

/// Between the end of a copy and the beginning of the next.
const PAUSE_NANOS: i64 = 1_000_000_000;

/// The packets `copies` times. Each copy is later than the one before and has other addresses: its number is mixed into both ends'
/// alike, and the checksums follow. Left as they are: the addresses of groups, and those inside tunnels, so that the copies of a
/// tunnel are all of the same hosts.
///
/// # Panics
///
/// With more than 65,536 copies, for which there are no addresses.
pub fn multiply(packets: &[OwnedPacket], copies: u32) -> Vec<OwnedPacket> {
    assert!(copies <= 1 << 16, "there are addresses for 65,536 copies");
    let times = packets.iter().map(|packet| packet.timestamp.nanos());
    let length = times.clone().max().zip(times.min()).map_or(0, |(last, first)| last - first) + PAUSE_NANOS;
    let mut all = Vec::with_capacity(packets.len() * copies as usize);
    for copy in 0..copies {
        let later = i64::from(copy) * length;
        for packet in packets {
            let mut packet = packet.clone();
            packet.timestamp = Timestamp::from_nanos(packet.timestamp.nanos() + later);
            if let Some(start) = network_header(&packet) {
                rewrite(&mut packet.data[start..], copy as u16);
            }
            all.push(packet);
        }
    }
    all
}

/// Where IP begins; none where it can't be told.
pub(crate) fn network_header(packet: &OwnedPacket) -> Option<usize> {
    let data = &packet.data;
    match packet.link {
        LinkType::ETHERNET => after_tags(data, 12),
        LinkType::LINUX_SLL => after_tags(data, 14),
        LinkType::LINUX_SLL2 => is_ip(word(data, 0)?).then_some(20),
        LinkType::NULL | LinkType::LOOP => Some(4),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Some(0)
        }
        _ => None,
    }
}

/// Goes over VLAN tags, from the first EtherType.
fn after_tags(data: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match word(data, at)? {
            0x8100 | 0x88a8 | 0x9100 => at += 4,
            kind => return is_ip(kind).then_some(at + 2),
        }
    }
}

fn is_ip(kind: u16) -> bool {
    matches!(kind, 0x0800 | 0x86dd)
}

pub(crate) fn word(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]))
}

/// Mixes `copy` into the addresses of an IP packet: for version 4 into the two bytes in the middle, for version 6 into the second
/// group. Twice the same gives the first again, so that no two addresses become one.
fn rewrite(data: &mut [u8], copy: u16) {
    let version = data.first().map_or(0, |first| first >> 4);
    let (addresses, mixed, header) = match version {
        4 if data.len() >= 20 => ([12, 16], 1, usize::from(data[0] & 0xf) * 4),
        6 if data.len() >= 40 => ([8, 24], 2, 40),
        _ => return,
    };
    let mut change = 0;
    for address in addresses {
        let group = if version == 4 { data[address] >= 0xe0 } else { data[address] == 0xff };
        if !group {
            // The words of a checksum begin at even places.
            let words = address..address + 4;
            let before = sum(data, words.clone());
            for (byte, mix) in data[address + mixed..].iter_mut().zip(copy.to_be_bytes()) {
                *byte ^= mix;
            }
            change += u32::from(!fold(before)) + sum(data, words);
        }
    }
    if version == 4 {
        correct(data, 10, change);
    }
    let protocol = data[if version == 4 { 9 } else { 6 }];
    let first_fragment = version == 6 || word(data, 6).is_some_and(|word| word & 0x1fff == 0);
    if first_fragment {
        match protocol {
            TCP => correct(data, header + 16, change),
            UDP if word(data, header + 6) != Some(0) => correct(data, header + 6, change),
            ICMPV6 => correct(data, header + 2, change),
            _ => {}
        }
    }
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

fn sum(data: &[u8], range: Range<usize>) -> u32 {
    range.step_by(2).filter_map(|at| word(data, at)).map(u32::from).sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Brings a checksum in line with a change of what it is over (RFC 1624, equation 3).
fn correct(data: &mut [u8], at: usize, change: u32) {
    if let Some(old) = word(data, at) {
        let new = !fold(u32::from(!old) + change);
        data[at..at + 2].copy_from_slice(&new.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: [u8; 4] = [198, 51, 100, 2];
    const DESTINATION: [u8; 4] = [198, 51, 100, 1];

    fn packet(link: LinkType, nanos: i64, data: Vec<u8>) -> OwnedPacket {
        OwnedPacket {
            timestamp: Timestamp::from_nanos(nanos),
            link,
            interface: 0,
            length: data.len() as u32,
            data,
        }
    }

    fn udp() -> Vec<u8> {
        let mut udp = vec![0x12, 0x34, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4];
        let pseudo = [&SOURCE[..], &DESTINATION, &[0, UDP, 0, 12]].concat();
        let checksum = !fold(sum(&pseudo, 0..12) + sum(&udp, 0..12));
        udp[6..8].copy_from_slice(&checksum.to_be_bytes());
        let mut ip = [&[0x45, 0, 0, 32, 0, 0, 0, 0, 64, UDP, 0, 0][..], &SOURCE, &DESTINATION].concat();
        let checksum = !fold(sum(&ip, 0..20));
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());
        [ip, udp].concat()
    }

    fn is_sound(data: &[u8]) -> bool {
        let pseudo = [&data[12..20], &[0, UDP, 0, 12]].concat();
        fold(sum(data, 0..20)) == 0xffff && fold(sum(&pseudo, 0..12) + sum(data, 20..32)) == 0xffff
    }

    #[test]
    fn each_copy_is_of_other_hosts_at_another_time() {
        let first = packet(LinkType::RAW, 5, udp());
        let last = packet(LinkType::RAW, 25, udp());
        let copies = multiply(&[first.clone(), last], 300);
        assert_eq!(copies.len(), 600);
        assert_eq!(copies[0], first);
        assert!(copies.is_sorted_by_key(|packet| packet.timestamp));
        assert_eq!(copies[2].timestamp.nanos(), 5 + 20 + PAUSE_NANOS);
        assert!(copies.iter().all(|packet| is_sound(&packet.data)));
        assert_eq!(copies[2 * 257].data[12..20], [198, 51 ^ 1, 100 ^ 1, 2, 198, 51 ^ 1, 100 ^ 1, 1]);
        let mut hosts: Vec<_> = copies.iter().map(|packet| packet.data[12..16].to_vec()).collect();
        hosts.sort();
        hosts.dedup();
        assert_eq!(hosts.len(), 300);
    }

    #[test]
    fn headers_before_ip_are_gone_over() {
        let ethernet = [&[2; 12][..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0], &udp()].concat();
        let copies = multiply(&[packet(LinkType::ETHERNET, 0, ethernet)], 2);
        assert_eq!(copies[1].data[22 + 12..22 + 16], [198, 51, 101, 2]);
        assert!(is_sound(&copies[1].data[22..]));
        let arp = packet(LinkType::ETHERNET, 0, [&[2; 12][..], &[8, 6], &[7; 28]].concat());
        assert_eq!(multiply(std::slice::from_ref(&arp), 2)[1].data, arp.data);
    }

    #[test]
    fn version_6_and_groups() {
        let mut data = vec![0; 48];
        data[0] = 0x60;
        data[6] = ICMPV6;
        data[8..10].copy_from_slice(&[0x20, 0x01]);
        data[24..26].copy_from_slice(&[0xff, 0x02]);
        let copies = multiply(&[packet(LinkType::IPV6, 0, data.clone())], 3);
        assert_eq!(copies[2].data[8..14], [0x20, 1, 0, 2, 0, 0]);
        assert_eq!(copies[2].data[24..40], data[24..40]);
        assert_eq!(fold(u32::from(word(&copies[2].data, 42).unwrap()) + 2), 0xffff);
    }

    #[test]
    fn what_is_cut_is_left_as_it_is() {
        for length in 0..32 {
            let cut = packet(LinkType::RAW, 0, udp()[..length].to_vec());
            assert_eq!(multiply(&[cut], 3).len(), 3);
        }
        assert!(multiply(&[], 3).is_empty());
    }
}
