//! The duration of `@every`, as Go writes durations: `5s`, `1m30s`, `1.5h`.

use std::time::Duration;

use crate::error::EveryError;

/// The longest interval, so that a next time can be computed for every moment until 2100.
pub(crate) const LONGEST_YEARS: u64 = 100;
const LONGEST: Duration = Duration::from_secs(LONGEST_YEARS * 365 * 86_400);

/// The units with their nanoseconds. A longer name comes before the one it starts with.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Whole seconds, at least one: what is below a second is cut off, and an interval below one second is one second.
pub(super) fn parse(text: &str) -> Result<Duration, EveryError> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if let Some(negative) = text.strip_prefix('-') {
        nanoseconds(negative)?;
        return Err(EveryError::NotPositive);
    }
    // A bare zero needs no unit.
    let nanoseconds = if unsigned == "0" { 0 } else { nanoseconds(unsigned)? };
    if nanoseconds == 0 {
        return Err(EveryError::NotPositive);
    }
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).map_err(|_| EveryError::TooLong)?.max(1);
    Some(Duration::from_secs(seconds)).filter(|every| *every <= LONGEST).ok_or(EveryError::TooLong)
}

fn nanoseconds(mut text: &str) -> Result<u128, EveryError> {
    let mut total: u128 = 0;
    loop {
        let (whole, rest) = digits(text);
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest),
            None => ("", rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(EveryError::Shape);
        }
        let (unit, nanoseconds) =
            UNITS.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or(EveryError::Shape)?;
        let nanoseconds = u128::from(*nanoseconds);
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| EveryError::TooLong)? };
        total = total.saturating_add(u128::from(whole) * nanoseconds);
        let mut scale = nanoseconds;
        for digit in fraction.bytes() {
            scale /= 10;
            total = total.saturating_add(u128::from(digit - b'0') * scale);
        }
        text = &rest[unit.len()..];
        if text.is_empty() {
            return Ok(total);
        }
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::error::EveryError;

    fn seconds(text: &str) -> Result<u64, EveryError> {
        parse(text).map(|every| every.as_secs())
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        assert_eq!(seconds("5s"), Ok(5));
        assert_eq!(seconds("1m30s"), Ok(90));
        assert_eq!(seconds("1h"), Ok(3600));
        assert_eq!(seconds("1.5h"), Ok(5400));
        assert_eq!(seconds("+.5m"), Ok(30));
        assert_eq!(seconds("1h1h"), Ok(7200));
        assert_eq!(seconds("2000ms"), Ok(2));
        assert_eq!(seconds("3000000\u{b5}s"), Ok(3));
        assert_eq!(seconds("3000000us"), Ok(3));
        assert_eq!(seconds("4000000000ns"), Ok(4));
    }

    #[test]
    fn parts_of_a_second_are_cut_off_and_one_second_is_the_least() {
        assert_eq!(seconds("2.9s"), Ok(2));
        assert_eq!(seconds("1m500ms"), Ok(60));
        assert_eq!(seconds("100ms"), Ok(1));
        assert_eq!(seconds("1ns"), Ok(1));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "5", "s", ".s", "5 s", "5x", "1m30", "five", "1e3s", "--5s", "5s ", "1d"] {
            assert_eq!(seconds(text), Err(EveryError::Shape), "{text}");
        }
        assert_eq!(seconds("0"), Err(EveryError::NotPositive));
        assert_eq!(seconds("0s"), Err(EveryError::NotPositive));
        assert_eq!(seconds("-5s"), Err(EveryError::NotPositive));
        assert_eq!(seconds("1000000h"), Err(EveryError::TooLong));
        assert_eq!(seconds("99999999999999999999h"), Err(EveryError::TooLong));
        assert_eq!(seconds("18446744073709551615h"), Err(EveryError::TooLong));
    }
}
