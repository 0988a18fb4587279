//! What a capture source hands to the rest of the agent: a link-layer frame, borrowed, with its time and true length.
//!
//! Sources (the kernel's ring buffers, a pcap file) produce it and the dissector consumes it; neither knows the other.
#![forbid(unsafe_code)]

mod timestamp;

pub use timestamp::Timestamp;

/// The link-layer header a frame begins with, by its number in the tcpdump.org LINKTYPE registry.
///
/// <https://www.tcpdump.org/linktypes.html>
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the capturing host's byte order, then IP.
    pub const NULL: Self = Self(0);
    pub const ETHERNET: Self = Self(1);
    /// PPP as in RFC 1661, with or without the address and control octets of RFC 1662.
    pub const PPP: Self = Self(9);
    /// Raw IP as some BSDs number it (`DLT_RAW`).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing, or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// Raw IP; the version nibble tells 4 from 6.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const CISCO_HDLC: Self = Self(104);
    /// Frame Relay, RFC 2427.
    pub const FRAME_RELAY: Self = Self(107);
    /// OpenBSD loopback: as [`Self::NULL`], the family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture v1 (`-i any`).
    pub const LINUX_SLL: Self = Self(113);
    pub const IPV4: Self = Self(228);
    pub const IPV6: Self = Self(229);
    /// IP over InfiniBand: both ends' addresses, then the header of RFC 4391 section 6.
    pub const IPOIB: Self = Self(242);
    /// Apple's: which process sent a frame, and the frame with its own link type (`tcpdump -i pktap` or `-i any`).
    pub const PKTAP: Self = Self(258);
    /// Linux cooked capture v2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One captured frame, borrowed from the source's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    pub timestamp: Timestamp,
    pub link: LinkType,
    /// The source's number for the interface: the kernel's `ifindex` live, the interface block's position in a pcapng,
    /// 0 in a classic pcap.
    pub interface: u32,
    /// Bytes the frame had on the wire; more than `data.len()` where the capture truncated it.
    pub length: u32,
    /// The captured bytes, from the link-layer header on.
    pub data: &'a [u8],
}

impl Packet<'_> {
    /// Whether the capture kept fewer bytes than the wire carried.
    pub fn truncated(&self) -> bool {
        self.data.len() < self.length as usize
    }
}
