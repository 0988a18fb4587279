//! Addresses as text, which most items have several of: without the formatting machinery.

use std::net::{IpAddr, Ipv4Addr};

/// The longest text of an IPv4 address.
const IPV4_TEXT: usize = 15;

pub(crate) fn ipv4(address: Ipv4Addr) -> String {
    let mut text = Vec::with_capacity(IPV4_TEXT);
    write_ipv4(address, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

pub(crate) fn write_ipv4(address: Ipv4Addr, out: &mut Vec<u8>) {
    for (place, octet) in address.octets().into_iter().enumerate() {
        if place != 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

pub(crate) fn ip(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => ipv4(address),
        IpAddr::V6(address) => address.to_string(),
    }
}

pub(crate) fn port(port: u16) -> String {
    itoa::Buffer::new().format(port).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_standard_library() {
        for text in
            ["0.0.0.0", "192.0.2.1", "255.255.255.255", "10.100.9.99", "2001:db8::1", "::ffff:192.0.2.1"]
        {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(ip(address), address.to_string());
        }
        assert_eq!((port(0), port(u16::MAX)), ("0".to_owned(), "65535".to_owned()));
    }
}
