//! Whose item it is: the two ends of a conversation, what carries it, and its name.

use std::fmt;
use std::net::IpAddr;

use super::print;
use crate::address;
use crate::value::{Object, Table, Value};

/// One side of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Endpoint {
    pub ip: IpAddr,
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    Tcp,
    Udp,
    /// ICMP and ICMPv6; a conversation is a pair of addresses.
    Icmp,
    Sctp,
}

/// The number of a conversation, counted from 1 by its first packet. Prints as the name of the conversation's pcap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamName {
    pub number: u64,
    pub transport: Transport,
}

impl StreamName {
    /// Appends the name without its ending.
    pub(super) fn push_stem(self, text: &mut String) {
        const ZEROS: &str = "000000000000";
        let mut buffer = itoa::Buffer::new();
        let number = buffer.format(self.number);
        text.push_str(ZEROS.get(number.len()..).unwrap_or_default());
        text.push_str(number);
        text.push_str(match self.transport {
            Transport::Tcp => "",
            Transport::Udp => "_udp",
            Transport::Icmp => "_icmp",
            Transport::Sctp => "_sctp",
        });
    }

    /// The name as text, which each item shows several times: without the formatting machinery.
    pub(super) fn text(self) -> String {
        let mut text = String::with_capacity(NAME);
        self.push_stem(&mut text);
        text.push_str(".pcap");
        text
    }
}

/// What most names are no longer than.
pub(super) const NAME: usize = 24;

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Ports are strings, as in the documented item; the Kubernetes names are empty until a resolver fills them.
const ENDPOINT: Table<Endpoint> = Table(&[
    ("ip", |end| Some(Value::text(address::ip(end.ip)))),
    ("port", |end| Some(Value::text(address::port(end.port)))),
    ("name", |_| Some(Value::str(""))),
    ("namespace", |_| Some(Value::str(""))),
    ("pod", |_| Some(Value::Null)),
    ("endpointSlice", |_| Some(Value::Null)),
    ("service", |_| Some(Value::Null)),
]);

impl Object for Endpoint {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        ENDPOINT.each(self, visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        ENDPOINT.get(self, name)
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        print::endpoint(self, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_its_number_and_transport() {
        let name = |number, transport| StreamName { number, transport }.to_string();
        assert_eq!(name(1, Transport::Tcp), "000000000001.pcap");
        assert_eq!(name(123_456_789_012, Transport::Udp), "123456789012_udp.pcap");
        assert_eq!(name(1_234_567_890_123, Transport::Icmp), "1234567890123_icmp.pcap");
        assert_eq!(name(u64::MAX, Transport::Sctp), "18446744073709551615_sctp.pcap");
    }
}
