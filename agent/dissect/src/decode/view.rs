use super::{DecodeError, Header};

/// The rest of a packet: what was captured of it, and how much of its end was not.
#[derive(Clone, Copy)]
pub(super) struct View<'p> {
    pub(super) data: &'p [u8],
    /// Bytes the wire carried after `data` that the capture did not keep.
    pub(super) missing: usize,
}

impl<'p> View<'p> {
    /// Takes a header of fixed size off the front.
    pub(super) fn take<const N: usize>(&mut self, header: Header) -> Result<&'p [u8; N], DecodeError> {
        let (head, rest) = self.data.split_first_chunk().ok_or(DecodeError::Short(header))?;
        self.data = rest;
        Ok(head)
    }

    pub(super) fn skip(&mut self, bytes: usize, header: Header) -> Result<(), DecodeError> {
        self.data = self.data.get(bytes..).ok_or(DecodeError::Short(header))?;
        Ok(())
    }

    /// Cuts the rest to the `length` a header claims, so that link-layer padding and trailers fall away. Returns
    /// whether the claim holds; where it is more than the wire carried the rest stays as it is.
    pub(super) fn limit(&mut self, length: usize) -> bool {
        if let Some(data) = self.data.get(..length) {
            self.data = data;
            self.missing = 0;
            return true;
        }
        let missing = length - self.data.len();
        let holds = missing <= self.missing;
        self.missing = self.missing.min(missing);
        holds
    }
}

pub(super) fn be16(bytes: &[u8; 2]) -> u16 {
    u16::from_be_bytes(*bytes)
}
