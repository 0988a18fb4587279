//! Fragments of handshake messages (RFC 6347, section 4.2.2).

use crate::read::{ParseError, Reader};
use crate::tls::handshake::kind;

/// The largest hello that is believed.
const MAX_HELLO: usize = 1 << 16;

/// Messages before a hello: each is answered, so there are few.
const MAX_SEQUENCE: u16 = 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub kind: u8,
    /// Of the whole message.
    pub length: usize,
    pub sequence: u16,
    pub offset: usize,
    /// What it claims to have of the message, and what of that the capture has.
    pub size: usize,
    pub bytes: &'a [u8],
}

impl<'a> Fragment<'a> {
    pub(super) const HEADER: usize = 12;

    /// The fragment at the front of a record, and what is behind it.
    pub(super) fn read(content: &'a [u8]) -> Result<(Self, &'a [u8]), ParseError> {
        let mut reader = Reader::new(content);
        let kind = reader.u8()?;
        let length = number(&mut reader)?;
        let sequence = reader.u16_be()?;
        let offset = number(&mut reader)?;
        let size = number(&mut reader)?;
        if offset + size > length {
            return Err(reader.error("a fragment goes beyond its message"));
        }
        let rest = reader.rest();
        let (bytes, behind) = rest.split_at(size.min(rest.len()));
        Ok((Self { kind, length, sequence, offset, size, bytes }, behind))
    }

    /// Whether it is of a message that begins a handshake, of a length that such a message may have.
    pub(super) fn is_hello(&self) -> bool {
        let lengths = match self.kind {
            kind::CLIENT_HELLO => 41..=MAX_HELLO,
            kind::SERVER_HELLO => 38..=MAX_HELLO,
            kind::HELLO_VERIFY_REQUEST => 3..=258,
            _ => return false,
        };
        lengths.contains(&self.length) && self.sequence <= MAX_SEQUENCE
    }

    /// The random value of a hello, which tells handshakes apart.
    pub(super) fn random(&self) -> Option<[u8; 32]> {
        let begins = self.is_hello() && self.kind != kind::HELLO_VERIFY_REQUEST && self.offset == 0;
        self.bytes.get(2..).filter(|_| begins)?.first_chunk().copied()
    }
}

fn number(reader: &mut Reader<'_>) -> Result<usize, ParseError> {
    let [a, b, c] = reader.array()?;
    Ok(u32::from_be_bytes([0, a, b, c]) as usize)
}
