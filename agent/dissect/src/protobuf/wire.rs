//! The wire format: fields as number and raw value.

/// One field's value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// Goes through the fields of a message. After what is no field it ends; [`Self::is_whole`] tells.
#[derive(Clone, Copy)]
pub(super) struct RawFields<'a> {
    rest: &'a [u8],
}

impl<'a> RawFields<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Whether all of the message was gone through.
    pub(super) const fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }

    fn read(&self) -> Option<(u32, Raw<'a>, &'a [u8])> {
        let (tag, rest) = varint(self.rest)?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number))?;
        let (raw, rest) = match tag & 7 {
            0 => {
                let (value, rest) = varint(rest)?;
                (Raw::Varint(value), rest)
            }
            1 => {
                let (value, rest) = rest.split_first_chunk()?;
                (Raw::Fixed64(u64::from_le_bytes(*value)), rest)
            }
            2 => {
                let (length, rest) = varint(rest)?;
                let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (Raw::Bytes(value), rest)
            }
            5 => {
                let (value, rest) = rest.split_first_chunk()?;
                (Raw::Fixed32(u32::from_le_bytes(*value)), rest)
            }
            // Groups, which nobody has sent since before there was gRPC.
            _ => return None,
        };
        Some((number, raw, rest))
    }
}

impl<'a> Iterator for RawFields<'a> {
    type Item = (u32, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, raw, rest) = self.read()?;
        self.rest = rest;
        Some((number, raw))
    }
}

pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_all_kinds() {
        let message = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0];
        let mut fields = RawFields::new(&message);
        let all: Vec<_> = fields.by_ref().collect();
        let expected =
            [(1, Raw::Varint(150)), (2, Raw::Bytes(b"hi")), (3, Raw::Fixed32(1)), (4, Raw::Fixed64(2))];
        assert_eq!(all, expected);
        assert!(fields.is_whole());
        assert_eq!(varint(&[0xff; 9]), None);
        assert_eq!(
            varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            Some((u64::MAX, &[][..]))
        );
        for bad in [&[0x00, 1][..], &[0x0b], &[0x12, 200, 1], &[0x08]] {
            let mut fields = RawFields::new(bad);
            assert!(fields.next().is_none() && !fields.is_whole(), "{bad:?}");
        }
    }
}
