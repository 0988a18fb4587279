use std::fmt;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Nanoseconds since the Unix epoch, UTC; before 1970 where a capture says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Saturates at the ends of the range (years 1677 and 2262).
    pub const fn from_parts(seconds: i64, nanos: u32) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos as i64))
    }

    pub const fn nanos(self) -> i64 {
        self.0
    }

    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole seconds, rounded towards the past.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// The part below a second, in nanoseconds.
    pub const fn subsec_nanos(self) -> u32 {
        self.0.rem_euclid(NANOS_PER_SECOND) as u32
    }

    /// Nanoseconds from `earlier` to this one; 0 where time ran backwards.
    pub const fn since(self, earlier: Self) -> u64 {
        let nanos = self.0.saturating_sub(earlier.0);
        if nanos < 0 { 0 } else { nanos as u64 }
    }

    /// Hours, minutes and seconds of the day, UTC.
    pub const fn time_of_day(self) -> (u32, u32, u32) {
        let second = self.seconds().rem_euclid(SECONDS_PER_DAY) as u32;
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// Year, month (1 to 12) and day of the proleptic Gregorian calendar, UTC.
    ///
    /// Days are counted in 400-year eras that begin on 1 March, so that the leap day ends a year.
    pub const fn date(self) -> (i64, u32, u32) {
        let days = self.seconds().div_euclid(SECONDS_PER_DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
        let year = year_of_era + era * 400 + (month <= 2) as i64;
        (year, month, day)
    }
}

/// RFC 3339 in UTC; the fraction has up to nine digits without trailing zeros, as Go's `time.RFC3339Nano` prints it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every item shows one, and the machinery of `write!` takes ten times as long.
        let ((year, month, day), (hour, minute, second)) = (self.date(), self.time_of_day());
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        digits(&mut text[0..4], year.unsigned_abs() as u32);
        for (at, number) in [(5, month), (8, day), (11, hour), (14, minute), (17, second)] {
            digits(&mut text[at..at + 2], number);
        }
        let fraction = self.subsec_nanos();
        digits(&mut text[20..29], fraction);
        let end = match text[20..29].iter().rposition(|digit| *digit != b'0') {
            Some(last) => 21 + last,
            None => 19,
        };
        text[end] = b'Z';
        f.write_str(std::str::from_utf8(&text[..=end]).map_err(|_| fmt::Error)?)
    }
}

/// Writes the last digits of a number, as many as there is room for. Years of the range have four.
fn digits(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (1_678_675_066_172_360_504, "2023-03-13T02:37:46.172360504Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (4_107_542_399_500_000_000, "2100-02-28T23:59:59.5Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_000_000, "1970-01-01T00:00:00.001Z"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn time_that_runs_backwards_is_no_time() {
        let (early, late) = (Timestamp::from_nanos(5), Timestamp::from_nanos(9));
        assert_eq!(late.since(early), 4);
        assert_eq!(early.since(late), 0);
    }
}
