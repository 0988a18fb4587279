//! The checksums of record batches (CRC-32C) and of messages in the older sets (CRC-32).

pub(super) static CRC32: Crc = Crc::new(0xedb8_8320);
pub(super) static CRC32C: Crc = Crc::new(0x82f6_3b78);

/// Tables for eight bytes at a time.
pub(super) struct Crc([[u32; 256]; 8]);

impl Crc {
    /// `polynomial` with its lowest power in the highest bit.
    const fn new(polynomial: u32) -> Self {
        let mut tables = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ polynomial } else { value >> 1 };
                bit += 1;
            }
            tables[0][byte] = value;
            byte += 1;
        }
        let mut table = 1;
        while table < 8 {
            let mut byte = 0;
            while byte < 256 {
                let before = tables[table - 1][byte];
                tables[table][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
                byte += 1;
            }
            table += 1;
        }
        Self(tables)
    }

    pub(super) fn of(&self, bytes: &[u8]) -> u32 {
        self.after(0, bytes)
    }

    /// Goes on from the checksum of what lies before the bytes.
    pub(super) fn after(&self, before: u32, bytes: &[u8]) -> u32 {
        let (eights, rest) = bytes.as_chunks::<8>();
        let mut crc = !before;
        for &[a, b, c, d, e, f, g, h] in eights {
            let [a, b, c, d] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
            crc = [a, b, c, d, e, f, g, h]
                .into_iter()
                .zip(self.0.iter().rev())
                .fold(0, |crc, (byte, table)| crc ^ table[usize::from(byte)]);
        }
        for byte in rest {
            crc = crc >> 8 ^ self.0[0][usize::from(crc as u8 ^ byte)];
        }
        !crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_are_right() {
        assert_eq!(CRC32.of(b"123456789"), 0xcbf4_3926);
        assert_eq!(CRC32C.of(b"123456789"), 0xe306_9283);
        assert_eq!(CRC32C.of(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CRC32C.of(b""), 0);
    }
}
