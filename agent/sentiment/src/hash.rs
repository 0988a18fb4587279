//! Hash indexes that the compiler makes of words that are known.
//!
//! The function needs no secret: the longest run of taken places is known with the words, whatever a text brings.

/// FNV-1a, 32 bits, with the upper bits folded into the lower ones, which choose the place.
pub(crate) const fn hash(word: &[u8]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < word.len() {
        hash = (hash ^ word[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash ^ (hash >> 15)
}
