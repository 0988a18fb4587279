//! Bytes that come in pieces in any order, as handshakes over datagrams do.

/// Pieces with holes between them. Clients that shuffle on purpose make a dozen.
const MAX_PIECES: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Pieces {
    bytes: Vec<u8>,
    /// What of them is there: from, to; in order, with holes between them.
    there: Vec<(usize, usize)>,
}

impl Pieces {
    /// Adds what comes at a place; whether that was not there yet. What is beyond `cap` bytes is left out.
    pub(crate) fn add(&mut self, from: usize, data: &[u8], cap: usize) -> bool {
        let data = &data[..data.len().min(cap.saturating_sub(from))];
        if data.is_empty() {
            return false;
        }
        let to = from + data.len();
        let first = self.there.partition_point(|(_, end)| *end < from);
        let last = self.there.partition_point(|(start, _)| *start <= to);
        let touched = &self.there[first..last];
        let known = touched.iter().any(|(start, end)| *start <= from && to <= *end);
        if known || touched.is_empty() && self.there.len() >= MAX_PIECES {
            return false;
        }
        let merged = touched.iter().fold((from, to), |(a, b), (start, end)| (a.min(*start), b.max(*end)));
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        self.bytes[from..to].copy_from_slice(data);
        self.there.splice(first..last, [merged]);
        true
    }

    /// What is there without a hole, from the beginning on.
    pub(crate) fn whole(&self) -> &[u8] {
        match self.there.first() {
            Some((0, end)) => &self.bytes[..*end],
            _ => &[],
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity() + self.there.capacity() * size_of::<(usize, usize)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_in_any_order_become_whole() {
        let mut pieces = Pieces::default();
        for (offset, data) in [(4, &b"efg"[..]), (9, b"jk"), (2, b"cde"), (7, b"hij")] {
            assert!(pieces.add(offset, data, 100));
            assert_eq!(pieces.whole(), b"");
        }
        assert!(!pieces.add(4, b"e", 100));
        assert_eq!(pieces.there, [(2, 11)]);
        assert!(pieces.add(0, b"ab", 100));
        assert_eq!(pieces.whole(), b"abcdefghijk");
    }

    #[test]
    fn hostile_offsets_cost_nothing() {
        let mut pieces = Pieces::default();
        assert!(!pieces.add(usize::MAX, b"x", 1_000));
        assert!(!pieces.add(1_000, b"x", 1_000));
        assert_eq!(pieces.memory(), 0);
        for place in 0..10_000 {
            pieces.add(place * 2, b"x", 1_000);
        }
        assert_eq!(pieces.there.len(), MAX_PIECES);
        assert!(pieces.add(0, &[0; 2_000], 1_000));
        assert_eq!(pieces.whole().len(), 1_000);
    }
}
