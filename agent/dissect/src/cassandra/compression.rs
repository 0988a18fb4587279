//! Bodies of versions 3 and 4, and payloads of frames of version 5, unpacked.

use crate::kafka::{unpack_lz4_block, unpack_snappy};
use crate::unpack::DecodeCaps;

pub(super) struct Unpacked {
    pub(super) bytes: Vec<u8>,
    pub(super) is_whole: bool,
    pub(super) coding: &'static str,
}

/// A body of version 3 or 4. Which coding was agreed shows in the body itself: both tell the size they unpack to.
/// `None` where it is neither.
pub(super) fn body(packed: &[u8], caps: DecodeCaps) -> Option<Unpacked> {
    let limit = caps.allow(packed.len());
    if let Some((size, block)) = packed.split_first_chunk() {
        let size = u32::from_be_bytes(*size) as usize;
        if size == 0 && block.len() <= 1 {
            return Some(Unpacked { bytes: Vec::new(), is_whole: true, coding: "lz4" });
        }
        let (bytes, is_whole) = unpack_lz4_block(block, limit.min(size));
        // What is above the cap fills it exactly.
        if bytes.len() == size.min(limit) && (is_whole || size > limit) {
            return Some(Unpacked { bytes, is_whole, coding: "lz4" });
        }
    }
    let (bytes, is_whole) = unpack_snappy(packed, limit);
    (is_whole || bytes.len() == limit).then_some(Unpacked { bytes, is_whole, coding: "snappy" })
}

/// A payload that is compressed, with the size its head tells.
pub(super) fn payload(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let (bytes, is_whole) = unpack_lz4_block(packed, size);
    (is_whole && bytes.len() == size).then_some(bytes)
}
