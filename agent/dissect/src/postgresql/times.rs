//! Dates and times in binary form: days or microseconds since 2000-01-01, as the server prints them with
//! `DateStyle = ISO`.

use crate::Tree;

const MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * MICROS;

pub(super) fn date(days: i32) -> Tree {
    match days {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        days => {
            let (text, era) = day(days.into());
            format!("{text}{era}").into()
        }
    }
}

pub(super) fn time(micros: i64) -> Tree {
    clock(micros).into()
}

/// The zone is in seconds west of Greenwich.
pub(super) fn time_with_zone(micros: i64, zone: i32) -> Tree {
    let (sign, seconds) = if zone > 0 { ('-', zone.unsigned_abs()) } else { ('+', zone.unsigned_abs()) };
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{}{sign}{hours:02}", clock(micros));
    if minutes != 0 || rest != 0 {
        text.push_str(&format!(":{minutes:02}"));
    }
    if rest != 0 {
        text.push_str(&format!(":{rest:02}"));
    }
    text.into()
}

pub(super) fn timestamp(micros: i64, zone: &str) -> Tree {
    match micros {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        micros => {
            let (text, era) = day(micros.div_euclid(DAY_MICROS));
            format!("{text} {}{zone}{era}", clock(micros.rem_euclid(DAY_MICROS))).into()
        }
    }
}

pub(super) fn interval(micros: i64, days: i32, months: i32) -> Tree {
    let mut parts = Vec::new();
    let (years, months) = (months / 12, months % 12);
    for (count, one, many) in [(years, "year", "years"), (months, "mon", "mons"), (days, "day", "days")] {
        if count != 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if micros != 0 || parts.is_empty() {
        parts.push(clock(micros));
    }
    parts.join(" ").into()
}

fn clock(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (seconds, fraction) = (micros / MICROS.unsigned_abs(), micros % MICROS.unsigned_abs());
    let text = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { text } else { format!("{text}.{fraction:06}").trim_end_matches('0').to_owned() }
}

/// The Gregorian date of a day, and what follows it before the year 1. After Howard Hinnant's `civil_from_days`.
fn day(days: i64) -> (String, &'static str) {
    let days = days + 10_957 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if year > 0 {
        (format!("{year:04}-{month:02}-{day:02}"), "")
    } else {
        (format!("{:04}-{month:02}-{day:02}", 1 - year), " BC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_the_server_prints_them() {
        assert_eq!(date(0), "2000-01-01".into());
        assert_eq!(date(8_826), "2024-03-01".into());
        assert_eq!(date(-730_120), "0001-12-31 BC".into());
        assert_eq!(date(i32::MAX), "infinity".into());
        assert_eq!(time(3_723_000_100), "01:02:03.0001".into());
        assert_eq!(time_with_zone(0, -19_800), "00:00:00+05:30".into());
        assert_eq!(timestamp(-1, ""), "1999-12-31 23:59:59.999999".into());
        assert_eq!(timestamp(0, "+00"), "2000-01-01 00:00:00+00".into());
        assert_eq!(timestamp(i64::MIN + 1, "").as_text().map(|text| text.ends_with(" BC")), Some(true));
        assert_eq!(interval(0, 1, 14), "1 year 2 mons 1 day".into());
        assert_eq!(interval(-1_000_000, 0, 0), "-00:00:01".into());
    }
}
