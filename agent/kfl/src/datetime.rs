//! Dates as `datetime("10/19/2021, 6:29:02.593 PM")` takes them: month first, 12-hour clock, UTC.

/// Milliseconds since the Unix epoch.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(',')?;
    let (clock, half) = time.trim().split_once(' ')?;
    let mut date = date.trim().split('/');
    let (month, day, year) = (number(date.next()?, 2)?, number(date.next()?, 2)?, number(date.next()?, 4)?);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.split(':');
    let (hour, minute, second) =
        (number(clock.next()?, 2)?, number(clock.next()?, 2)?, number(clock.next()?, 2)?);
    if date.next().is_some() || clock.next().is_some() {
        return None;
    }
    let afternoon = match half {
        "AM" | "am" => 0,
        "PM" | "pm" => 12,
        _ => return None,
    };
    if !(1..=12).contains(&hour) || minute > 59 || second > 59 {
        return None;
    }
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour % 12 + afternoon) * 60 + minute) * 60 + second;
    Some(seconds * 1000 + millis(fraction)?)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Of a fraction's digits, without rounding.
fn millis(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain([b'0'; 3]).take(3);
    Some(digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch, in the Gregorian calendar; years are counted from March, so that a leap day ends one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_months_first_with_a_twelve_hour_clock() {
        for (text, expected) in [
            ("10/19/2021, 6:29:02.593 PM", 1_634_668_142_593),
            ("10/19/2021, 6:29:02 PM", 1_634_668_142_000),
            ("1/1/1970, 12:00:00 AM", 0),
            ("01/01/1970, 12:00:00.5 PM", 43_200_500),
            ("2/29/2024, 11:59:59.999999 pm", 1_709_251_199_999),
            ("12/31/1969, 11:59:59 PM", -1000),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2021-10-19",
            "10/19/2021",
            "13/1/2021, 1:00:00 AM",
            "2/29/2023, 1:00:00 AM",
            "10/19/2021, 0:29:02 PM",
            "10/19/2021, 13:29:02 PM",
            "10/19/2021, 6:60:02 PM",
            "10/19/2021, 6:29:02",
            "10/19/2021, 6:29:02.x PM",
            "10/19/2021/1, 6:29:02 PM",
            "1/1/99999, 6:29:02 PM",
            ",",
            ", ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
