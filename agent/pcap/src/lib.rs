//! Packets from and to capture files.
//!
//! [`PcapReader`] streams packets out of anything that implements [`std::io::Read`]: classic pcap and pcapng, either byte
//! order, plain or gzip-compressed, told apart by their first bytes. It holds one buffer, however large the file is, and
//! lends each packet out of it. [`PcapWriter`] writes classic pcap.
//!
//! Formats: [draft-ietf-opsawg-pcap](https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/),
//! [draft-ietf-opsawg-pcapng](https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/). Where real files stray from
//! them, the reader is as lenient as libpcap and Wireshark are.
#![forbid(unsafe_code)]

mod buffer;
mod classic;
mod error;
mod input;
mod interface;
mod ng;
mod order;
mod reader;
mod writer;

pub use error::{Damage, Found, Part, PcapError};
pub use reader::{Block, PcapReader};
pub use writer::{
    FILE_HEADER_BYTES, PcapWriteError, PcapWriter, RECORD_HEADER_BYTES, Resolution, file_header,
    record_header,
};

/// The most bytes one packet may have, whatever the file's own limit says. The largest any link type has, to libpcap and
/// Wireshark alike; the buffer grows to it only as the bytes really come.
pub const MAX_PACKET_BYTES: u32 = 128 << 20;

/// The most bytes one packet may have where the file gives no larger limit: libpcap's `MAXIMUM_SNAPLEN`. A length above
/// it means that what is read is not a record header.
pub const USUAL_MAX_PACKET_BYTES: u32 = 256 << 10;

/// The most bytes one pcapng block may have: the largest packet with room for its options.
pub const MAX_BLOCK_BYTES: u32 = MAX_PACKET_BYTES + (128 << 10);

/// The most bytes of secrets one pcapng block may have; a larger one is passed over and counted. A session takes a few
/// hundred.
pub const MAX_SECRETS_BYTES: u32 = 16 << 20;

/// The most interfaces one pcapng section may describe.
pub const MAX_INTERFACES: usize = 65_536;
