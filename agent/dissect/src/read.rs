//! Reading binary messages: every length is checked, and an error says where.

/// Bytes that a protocol does not allow, or that end early.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} at offset {offset}")]
pub struct ParseError {
    /// From the beginning of what the reader was made of.
    pub offset: usize,
    pub what: &'static str,
}

const ENDS_EARLY: &str = "the message ends early";

impl ParseError {
    /// More bytes might have made it right.
    pub fn is_early(&self) -> bool {
        self.what == ENDS_EARLY
    }
}

/// Goes through a message front to back. Copying one is cheap, for a look ahead.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

macro_rules! integers {
    ($($name:ident $type:ty, $from:ident;)+) => {
        $(#[inline]
        pub fn $name(&mut self) -> Result<$type, ParseError> {
            self.array().map(<$type>::$from)
        })+
    };
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub const fn position(&self) -> usize {
        self.at
    }

    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// What is left, without reading it.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Reads all that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.at = self.bytes.len();
        rest
    }

    /// All bytes, read or not: for protocols whose messages point back into themselves.
    pub const fn whole(&self) -> &'a [u8] {
        self.bytes
    }

    /// An error at the current position.
    pub const fn error(&self, what: &'static str) -> ParseError {
        ParseError { offset: self.at, what }
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], ParseError> {
        match self.rest().get(..count) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => Err(self.ends_early()),
        }
    }

    #[cold]
    const fn ends_early(&self) -> ParseError {
        self.error(ENDS_EARLY)
    }

    #[inline]
    pub fn skip(&mut self, count: usize) -> Result<(), ParseError> {
        self.take(count).map(|_| ())
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        match self.rest().first_chunk() {
            Some(taken) => {
                self.at += N;
                Ok(*taken)
            }
            None => Err(self.ends_early()),
        }
    }

    /// A reader of the next `count` bytes, whose positions begin at 0.
    pub fn part(&mut self, count: usize) -> Result<Reader<'a>, ParseError> {
        self.take(count).map(Reader::new)
    }

    /// Bytes up to `end`, which is read but not given.
    pub fn until(&mut self, end: u8) -> Result<&'a [u8], ParseError> {
        match memchr::memchr(end, self.rest()) {
            Some(length) => {
                let taken = &self.rest()[..length];
                self.at += length + 1;
                Ok(taken)
            }
            None => Err(self.error("the end of a text is missing")),
        }
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8, ParseError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn i8(&mut self) -> Result<i8, ParseError> {
        self.u8().map(u8::cast_signed)
    }

    /// Three bytes, the first the most significant.
    #[inline]
    pub fn u24_be(&mut self) -> Result<u32, ParseError> {
        self.array().map(|[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]))
    }

    /// Three bytes, the first the least significant.
    pub fn u24_le(&mut self) -> Result<u32, ParseError> {
        self.array().map(|[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]))
    }

    integers! {
        u16_be u16, from_be_bytes;
        u16_le u16, from_le_bytes;
        i16_be i16, from_be_bytes;
        i16_le i16, from_le_bytes;
        u32_be u32, from_be_bytes;
        u32_le u32, from_le_bytes;
        i32_be i32, from_be_bytes;
        i32_le i32, from_le_bytes;
        u64_be u64, from_be_bytes;
        u64_le u64, from_le_bytes;
        i64_be i64, from_be_bytes;
        i64_le i64, from_le_bytes;
        f32_be f32, from_be_bytes;
        f32_le f32, from_le_bytes;
        f64_be f64, from_be_bytes;
        f64_le f64, from_le_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_in_either_order() {
        let mut reader = Reader::new(&[1, 2, 3, 0xff, 0xfe, 1, 2, 3, 1, 2, 3]);
        assert_eq!(reader.u16_be(), Ok(0x0102));
        assert_eq!(reader.u8(), Ok(3));
        assert_eq!(reader.i16_be(), Ok(-2));
        assert_eq!(reader.u24_be(), Ok(0x01_0203));
        assert_eq!(reader.u24_le(), Ok(0x03_0201));
        assert!(reader.is_empty());
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_place() {
        let mut reader = Reader::new(b"ab\0cd");
        assert_eq!(reader.until(0), Ok(&b"ab"[..]));
        assert_eq!(reader.until(0), Err(ParseError { offset: 3, what: "the end of a text is missing" }));
        assert_eq!(reader.u32_be(), Err(ParseError { offset: 3, what: ENDS_EARLY }));
        assert_eq!((reader.rest(), reader.peek()), (&b"cd"[..], Some(b'c')));
        assert!(reader.take(usize::MAX).is_err_and(|error| error.is_early()));
    }
}
