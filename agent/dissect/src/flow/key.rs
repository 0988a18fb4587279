use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::item::{Endpoint, Transport};

/// Addresses, ports and transport of a conversation, the same for both directions: of its two ends, the one with the
/// smaller address and port comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Key {
    low: u128,
    high: u128,
    ports: u32,
    kind: u8,
}

/// In the lowest bit of the kind; above it is the transport.
const IPV6: u8 = 1;

impl Key {
    /// The key, and whether `source` is its first end.
    pub(crate) fn new(
        source: (IpAddr, u16),
        destination: (IpAddr, u16),
        transport: Transport,
    ) -> (Self, bool) {
        let kind = (transport as u8) << 1;
        let ((source_bits, version), (destination_bits, _)) = (bits(source.0), bits(destination.0));
        let (source, destination) = ((source_bits, source.1), (destination_bits, destination.1));
        let source_is_low = source <= destination;
        let (low, high) = if source_is_low { (source, destination) } else { (destination, source) };
        let ports = u32::from(low.1) << 16 | u32::from(high.1);
        (Self { low: low.0, high: high.0, ports, kind: kind | version }, source_is_low)
    }

    pub(crate) fn transport(&self) -> Transport {
        // In the order of the variants, so that it is told without a branch.
        match self.kind >> 1 & 3 {
            1 => Transport::Udp,
            2 => Transport::Icmp,
            3 => Transport::Sctp,
            _ => Transport::Tcp,
        }
    }

    pub(crate) fn is_ipv6(&self) -> bool {
        self.kind & IPV6 != 0
    }

    /// The port of the first end, or of the second.
    pub(crate) fn port(&self, low: bool) -> u16 {
        if low { (self.ports >> 16) as u16 } else { self.ports as u16 }
    }

    /// Both ends, the first or the second before the other.
    #[inline]
    pub(crate) fn ends(&self, low_first: bool) -> (Endpoint, Endpoint) {
        let (one, other) = if low_first { (self.low, self.high) } else { (self.high, self.low) };
        let [one, other] = match self.is_ipv6() {
            true => [one, other].map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
            false => [one, other].map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits as u32))),
        };
        let [port, other_port] = [low_first, !low_first].map(|low| self.port(low));
        (Endpoint { ip: one, port }, Endpoint { ip: other, port: other_port })
    }
}

fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (address.to_bits().into(), 0),
        IpAddr::V6(address) => (address.to_bits(), IPV6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_one_key_and_keep_their_ends() {
        for (a, b) in [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "::2"), ("192.0.2.1", "192.0.2.1")] {
            let (a, b): (IpAddr, IpAddr) = (a.parse().unwrap(), b.parse().unwrap());
            let (there, a_is_low) = Key::new((a, 40_000), (b, 80), Transport::Tcp);
            let (back, b_is_low) = Key::new((b, 80), (a, 40_000), Transport::Tcp);
            assert_eq!((there, a_is_low), (back, !b_is_low));
            let ends = [Endpoint { ip: a, port: 40_000 }, Endpoint { ip: b, port: 80 }];
            let (low, high) = if a_is_low { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
            assert_eq!(there.ends(true), (low, high));
            assert_eq!(there.ends(false), (high, low));
        }
    }

    #[test]
    fn transports_and_ip_versions_are_apart() {
        let (v4, v6): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "::c000:201".parse().unwrap());
        let key = |ip, transport| Key::new((ip, 1), (ip, 2), transport).0;
        assert_ne!(key(v4, Transport::Tcp), key(v6, Transport::Tcp));
        assert_ne!(key(v4, Transport::Tcp), key(v4, Transport::Udp));
    }
}
