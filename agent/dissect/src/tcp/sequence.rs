//! Sequence numbers, which wrap at 2^32 (RFC 9293 section 3.4).

/// The largest window TCP can express, and so the furthest two numbers of one moment are apart: RFC 7323 section 2.3.
pub(crate) const LARGEST_WINDOW: i64 = 1 << 30;

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Sequence(pub(crate) u32);

impl Sequence {
    /// Bytes from `reference` to this one; negative where it lies before.
    ///
    /// Nothing genuine is further back than the largest window, so that the rest of the circle lies ahead: a capture
    /// that lost gigabytes finds its place again.
    pub(crate) const fn from(self, reference: Self) -> i64 {
        let ahead = self.0.wrapping_sub(reference.0) as i64;
        if ahead > u32::MAX as i64 - LARGEST_WINDOW { ahead - (1 << 32) } else { ahead }
    }

    /// The number `bytes` further on.
    pub(crate) const fn plus(self, bytes: i64) -> Self {
        Self(self.0.wrapping_add(bytes as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_hold_across_the_wrap() {
        let near_end = Sequence(u32::MAX - 9);
        assert_eq!(Sequence(10).from(near_end), 20);
        assert_eq!(near_end.from(Sequence(10)), -20);
        assert_eq!(near_end.plus(20), Sequence(10));
        assert_eq!(Sequence(10).plus(-20), near_end);
        assert_eq!(Sequence(0).plus(-LARGEST_WINDOW).from(Sequence(0)), -LARGEST_WINDOW);
        assert_eq!(Sequence(3 << 30).plus(-1).from(Sequence(0)), (3 << 30) - 1);
    }
}
