//! pcapng's Interface Description Block and the clock it describes.
//! <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>, sections 3.5 and 4.2

use remora_packet::{LinkType, Timestamp};

use crate::order::ByteOrder;

const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

pub(crate) struct Interface {
    pub(crate) link: LinkType,
    /// The most bytes a packet keeps; 0 for no limit.
    pub(crate) snaplen: u32,
    unit: Unit,
    offset_nanos: i64,
}

/// How a timestamp's units become nanoseconds.
#[derive(Clone, Copy)]
enum Unit {
    /// One unit is this many nanoseconds.
    Nanos(u64),
    /// A nanosecond is this many units.
    PerNano(u64),
    /// A second is 2 to this power of units.
    Binary(u8),
    /// Units so small that no 64-bit count of them makes a nanosecond.
    Vanishing,
}

impl Unit {
    const MICROSECOND: Self = Self::Nanos(1_000);

    /// `if_tsresol`: the negative power of 10 or, with the top bit set, of 2.
    fn from_option(resolution: u8) -> Self {
        let power = resolution & 0x7f;
        if resolution & 0x80 != 0 {
            return Self::Binary(power);
        }
        match power {
            0..=9 => Self::Nanos(10u64.pow(9 - u32::from(power))),
            // 10^19 is the largest power of ten below 2^64.
            10..=28 => Self::PerNano(10u64.pow(u32::from(power) - 9)),
            _ => Self::Vanishing,
        }
    }

    #[inline]
    fn to_nanos(self, count: u64) -> i64 {
        let nanos = match self {
            Self::Nanos(nanos) => count.saturating_mul(nanos),
            Self::PerNano(units) => count / units,
            Self::Binary(power) => {
                u64::try_from((u128::from(count) * 1_000_000_000) >> power).unwrap_or(u64::MAX)
            }
            Self::Vanishing => 0,
        };
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}

impl Interface {
    /// Takes the block's body (what lies between its two lengths), at least 8 bytes.
    pub(crate) fn new(order: ByteOrder, body: &[u8]) -> Self {
        let mut interface = Self {
            link: LinkType(order.u16(body, 0).into()),
            snaplen: order.u32(body, 4),
            unit: Unit::MICROSECOND,
            offset_nanos: 0,
        };
        interface.read_options(order, &body[8..]);
        interface
    }

    /// Options that are cut or of the wrong size are passed over: they only refine the clock.
    fn read_options(&mut self, order: ByteOrder, mut options: &[u8]) {
        while options.len() >= 4 {
            let (code, length) = (order.u16(options, 0), usize::from(order.u16(options, 2)));
            let Some(value) = options.get(4..4 + length) else { return };
            match (code, length) {
                (OPTION_END, _) => return,
                (OPTION_TIME_RESOLUTION, 1) => self.unit = Unit::from_option(value[0]),
                (OPTION_TIME_OFFSET, 8) => {
                    let (first, second) = (order.u32(value, 0), order.u32(value, 4));
                    let (high, low) = match order {
                        ByteOrder::Little => (second, first),
                        ByteOrder::Big => (first, second),
                    };
                    let seconds = (u64::from(high) << 32 | u64::from(low)) as i64;
                    self.offset_nanos = seconds.saturating_mul(1_000_000_000);
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    #[inline]
    pub(crate) fn timestamp(&self, count: u64) -> Timestamp {
        Timestamp::from_nanos(self.unit.to_nanos(count).saturating_add(self.offset_nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_has_a_meaning() {
        let nanos = |resolution, count| Unit::from_option(resolution).to_nanos(count);
        assert_eq!(nanos(0, 3), 3_000_000_000);
        assert_eq!(nanos(6, 1_500_000), 1_500_000_000);
        assert_eq!(nanos(9, 7), 7);
        assert_eq!(nanos(12, 5_999), 5);
        assert_eq!(nanos(28, u64::MAX), 1);
        assert_eq!(nanos(29, u64::MAX), 0);
        assert_eq!(nanos(127, u64::MAX), 0);
        assert_eq!(nanos(0x80, 2), 2_000_000_000);
        assert_eq!(nanos(0x8a, 1_536), 1_500_000_000);
        assert_eq!(nanos(0xff, u64::MAX), 0);
        for resolution in 0..=255 {
            assert!(nanos(resolution, u64::MAX) >= 0);
        }
    }
}
