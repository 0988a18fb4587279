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
    /// Raw IP as some BSDs number it (`DLT_RAW`).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP; the version nibble tells 4 from 6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: as [`Self::NULL`], the family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture v1 (`-i any`).
    pub const LINUX_SLL: Self = Self(113);
    pub const IPV4: Self = Self(228);
    pub const IPV6: Self = Self(229);
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
