//! The one buffer between the input and the packets lent out of it.

use std::io::{self, ErrorKind, Read};

/// Large enough that system calls do not count, small enough that it stays in the second-level cache.
const INITIAL_BYTES: usize = 256 << 10;

pub(crate) struct Buffer<R> {
    input: R,
    data: Vec<u8>,
    /// Unread bytes are `data[start..end]`.
    start: usize,
    end: usize,
    /// Offset in the file of `data[0]`.
    base: u64,
    ended: bool,
}

impl<R: Read> Buffer<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, data: vec![0; INITIAL_BYTES], start: 0, end: 0, base: 0, ended: false }
    }

    /// Offset in the (uncompressed) file of the first unread byte.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// Sees to it that `count` unread bytes are in the buffer, or all that are left of the input; returns how many are.
    #[inline]
    pub(crate) fn require(&mut self, count: usize) -> io::Result<usize> {
        if self.end - self.start < count {
            self.fill(count)?;
        }
        Ok(self.end - self.start)
    }

    /// Marks `count` unread bytes as read and lends them. They must have been asked for with [`Self::require`].
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start += count;
        &self.data[start..self.start]
    }

    /// Reads past `count` bytes without keeping them; returns how many there were.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let step = left.min(self.require(1)? as u64);
            if step == 0 {
                break;
            }
            self.start += step as usize;
            left -= step;
        }
        Ok(count - left)
    }

    #[cold]
    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.data.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        while self.end < count && !self.ended {
            if self.end == self.data.len() {
                // A header may claim anything: grow no faster than bytes come.
                self.data.resize(count.min(self.data.len() * 2), 0);
            }
            match self.input.read(&mut self.data[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte a call and is interrupted before each, as a slow pipe under signals does.
    struct Dribble<'a>(&'a [u8], bool);

    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            self.0.read(&mut out[..1])
        }
    }

    #[test]
    fn short_and_interrupted_reads_are_gathered() {
        let mut buffer = Buffer::new(Dribble(b"abcdef", false));
        assert_eq!(buffer.require(4).unwrap(), 4);
        assert_eq!(buffer.take(3), b"abc");
        assert_eq!(buffer.require(10).unwrap(), 3);
        assert_eq!((buffer.unread(), buffer.offset()), (&b"def"[..], 3));
        assert_eq!(buffer.skip(9).unwrap(), 3);
        assert_eq!(buffer.offset(), 6);
    }

    #[test]
    fn grows_with_the_bytes_that_come_and_not_with_what_is_asked() {
        let mut buffer = Buffer::new(io::repeat(7).take(3 * INITIAL_BYTES as u64));
        assert_eq!(buffer.require(1 << 30).unwrap(), 3 * INITIAL_BYTES);
        assert!(buffer.data.len() <= 4 * INITIAL_BYTES);
    }

    #[test]
    fn skipping_does_not_grow_the_buffer() {
        let mut buffer = Buffer::new(io::repeat(7).take(9 << 20));
        assert_eq!(buffer.skip(8 << 20).unwrap(), 8 << 20);
        assert_eq!(buffer.require(1 << 19).unwrap(), 1 << 19);
        assert_eq!(buffer.skip(u64::MAX).unwrap(), 1 << 20);
        assert_eq!(buffer.data.len(), 1 << 19);
    }
}
