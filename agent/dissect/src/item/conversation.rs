//! Whose item it is: the two ends of a conversation, what carries it, and its name.

use std::fmt;
use std::net::IpAddr;

use crate::address;
use crate::value::{Object, Value};

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

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.transport {
            Transport::Tcp => "",
            Transport::Udp => "_udp",
            Transport::Icmp => "_icmp",
            Transport::Sctp => "_sctp",
        };
        write!(f, "{:012}{suffix}.pcap", self.number)
    }
}

/// Ports are strings, as in the documented item; the Kubernetes names are empty until a resolver fills them.
impl Object for Endpoint {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ["ip", "port", "name", "namespace", "pod", "endpointSlice", "service"] {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "ip" => Some(Value::text(address::ip(self.ip))),
            "port" => Some(Value::text(address::port(self.port))),
            "name" | "namespace" => Some(Value::str("")),
            "pod" | "endpointSlice" | "service" => Some(Value::Null),
            _ => None,
        }
    }
}
