//! Texts of BSON's own scalar types.

use std::fmt::Write;

/// Milliseconds since 1970 as ISO 8601 in UTC; years beyond four digits have a sign.
pub(super) fn date(millis: i64) -> String {
    const DAY: i64 = 86_400_000;
    let (days, in_day) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (in_day / 1_000, in_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = if (0..=9_999).contains(&year) { format!("{year:04}") } else { format!("{year:+07}") };
    // Writing to a string does not fail.
    let _ = write!(text, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
    text
}

/// Year, month, day of a day since 1970 in the Gregorian calendar, by whole eras of 400 years that begin in March.
const fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let since = days + 719_468;
    let (era, of_era) = (since.div_euclid(ERA), since.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// IEEE 754-2008 decimal128 in its binary encoding, as the BSON specification writes it.
pub(super) fn decimal(bits: u128) -> String {
    const BIAS: i64 = 6_176;
    const MAX: u128 = 10u128.pow(34) - 1;
    let sign = if bits >> 127 == 1 { "-" } else { "" };
    let combination = (bits >> 122) & 0x1f;
    if combination == 0x1f {
        return "NaN".to_owned();
    }
    if combination == 0x1e {
        return format!("{sign}Infinity");
    }
    // The second form's coefficients are all above the largest, which stands for zero.
    let (exponent, coefficient) = if combination >> 3 == 3 {
        ((bits >> 111) & 0x3fff, 0)
    } else {
        ((bits >> 113) & 0x3fff, bits & ((1 << 113) - 1))
    };
    let exponent = exponent as i64 - BIAS;
    let digits = if coefficient > MAX { "0".to_owned() } else { coefficient.to_string() };
    let count = digits.len() as i64;
    let adjusted = exponent + count - 1;
    if exponent > 0 || adjusted < -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{adjusted:+}");
    }
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    match usize::try_from(count + exponent) {
        Ok(whole) if whole > 0 => {
            let (whole, fraction) = digits.split_at(whole);
            format!("{sign}{whole}.{fraction}")
        }
        _ => {
            let width = usize::try_from(-exponent).unwrap_or(0);
            format!("{sign}0.{digits:0>width$}")
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn uuid(bytes: &[u8; 16]) -> String {
    let hex = hex(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
            (i64::MAX, "+292278994-08-17T07:12:55.807Z"),
            (i64::MIN, "-292275055-05-16T16:47:04.192Z"),
        ] {
            assert_eq!(date(millis), text);
        }
    }

    /// Of the specification's test corpus.
    #[test]
    fn decimals_are_written_as_specified() {
        let of = |high: u64, low: u64| decimal(u128::from(high) << 64 | u128::from(low));
        assert_eq!(of(0x3040_0000_0000_0000, 1), "1");
        assert_eq!(of(0x303e_0000_0000_0000, 1), "0.1");
        assert_eq!(of(0x3036_0000_0000_0000, 0x04d2), "0.01234");
        assert_eq!(of(0x3034_0000_0000_0000, 1_234_567), "1.234567");
        assert_eq!(of(0xb040_0000_0000_0000, 0), "-0");
        assert_eq!(of(0x3042_0000_0000_0000, 12), "1.2E+2");
        assert_eq!(of(0x302e_0000_0000_0000, 1), "1E-9");
        assert_eq!(of(0x7800_0000_0000_0000, 0), "Infinity");
        assert_eq!(of(0xf800_0000_0000_0000, 0), "-Infinity");
        assert_eq!(of(0x7c00_0000_0000_0000, 0), "NaN");
        assert_eq!(
            of(0x5fff_ed09_bead_87c0, 0x378d_8e63_ffff_ffff),
            "9.999999999999999999999999999999999E+6144"
        );
    }

    #[test]
    fn uuids_have_their_form() {
        assert_eq!(uuid(&[0xab; 16]), "abababab-abab-abab-abab-abababababab");
    }
}
