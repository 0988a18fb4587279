use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{CRON_TEXT_LIMIT, Cron};
use crate::error::{CronError, EveryError, FieldError};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The times after `start` as the zone's clock shows them.
fn times(cron: &str, start: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(cron, Tz::UTC).unwrap();
    let mut after = at(start);
    (0..count)
        .map(|_| {
            after = cron.next_after(after).unwrap();
            after.with_timezone(&cron.zone()).format("%a %m-%d %H:%M:%S%:z").to_string()
        })
        .collect()
}

fn error(cron: &str) -> CronError {
    Cron::parse(cron, Tz::UTC).unwrap_err()
}

#[test]
fn the_next_time_is_after_the_given_one_even_within_a_second() {
    let every_second = Cron::parse("* * * * * *", Tz::UTC).unwrap();
    assert_eq!(every_second.next_after(at("2026-03-01T00:00:00Z")), Some(at("2026-03-01T00:00:01Z")));
    assert_eq!(every_second.next_after(at("2026-03-01T00:00:00.001Z")), Some(at("2026-03-01T00:00:01Z")));
    assert_eq!(every_second.next_after(at("2026-12-31T23:59:59.999Z")), Some(at("2027-01-01T00:00:00Z")));
}

#[test]
fn the_seconds_come_first() {
    assert_eq!(
        times("*/20 59 23 * * *", "2026-03-01T12:00:00Z", 4),
        [
            "Sun 03-01 23:59:00+00:00",
            "Sun 03-01 23:59:20+00:00",
            "Sun 03-01 23:59:40+00:00",
            "Mon 03-02 23:59:00+00:00"
        ]
    );
}

#[test]
fn days_of_the_week_are_the_days_users_mean() {
    // 2026-03-01 is a Sunday.
    let day = |cron: &str| times(cron, "2026-03-01T12:00:00Z", 1)[0][..3].to_owned();
    for (number, name) in ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().enumerate() {
        assert_eq!(day(&format!("0 0 0 * * {number}")), *name);
        assert_eq!(day(&format!("0 0 0 ? * {name}")), *name);
    }
    assert_eq!(
        times("0 0 9 * * MON-FRI", "2026-03-05T12:00:00Z", 3),
        ["Fri 03-06 09:00:00+00:00", "Mon 03-09 09:00:00+00:00", "Tue 03-10 09:00:00+00:00"]
    );
}

#[test]
fn either_of_two_limited_day_fields_is_enough() {
    assert_eq!(
        times("0 0 0 13 * 5", "2026-03-07T00:00:00Z", 4),
        [
            "Fri 03-13 00:00:00+00:00",
            "Fri 03-20 00:00:00+00:00",
            "Fri 03-27 00:00:00+00:00",
            "Fri 04-03 00:00:00+00:00"
        ]
    );
    assert_eq!(times("0 0 0 14 * 5", "2026-03-13T00:00:00Z", 1), ["Sat 03-14 00:00:00+00:00"]);
    assert_eq!(times("0 0 0 ? * 5", "2026-03-13T00:00:00Z", 1), ["Fri 03-20 00:00:00+00:00"]);
    assert_eq!(times("0 0 0 14 * ?", "2026-03-14T00:00:00Z", 1), ["Tue 04-14 00:00:00+00:00"]);
    // The 30th of February never comes, Mondays in February do.
    assert_eq!(times("0 0 0 30 2 1", "2026-03-01T00:00:00Z", 1), ["Mon 02-01 00:00:00+00:00"]);
}

#[test]
fn descriptors_stand_for_their_fields() {
    for (descriptor, fields) in [
        ("@yearly", "0 0 0 1 1 *"),
        ("@annually", "0 0 0 1 1 *"),
        ("@monthly", "0 0 0 1 * *"),
        ("@weekly", "0 0 0 * * 0"),
        ("@daily", "0 0 0 * * *"),
        ("@midnight", "0 0 0 * * *"),
        ("@hourly", "0 0 * * * *"),
    ] {
        assert_eq!(times(descriptor, "2026-03-03T03:03:03Z", 3), times(fields, "2026-03-03T03:03:03Z", 3));
    }
    assert_eq!(
        times("@every 1m30s", "2026-03-03T03:03:03.7Z", 2),
        ["Tue 03-03 03:04:33+00:00", "Tue 03-03 03:06:03+00:00"]
    );
}

#[test]
fn a_zone_in_front_of_the_text_wins_over_the_default() {
    let next =
        |text: &str, zone| Cron::parse(text, zone).unwrap().next_after(at("2026-06-01T00:00:00Z")).unwrap();
    assert_eq!(next("0 0 9 * * *", Tz::Asia__Tokyo), at("2026-06-02T00:00:00Z"));
    assert_eq!(next("TZ=Europe/Berlin 0 0 9 * * *", Tz::Asia__Tokyo), at("2026-06-01T07:00:00Z"));
    assert_eq!(next("CRON_TZ=America/New_York  0 0 9 * * *", Tz::UTC), at("2026-06-01T13:00:00Z"));
    assert_eq!(next("TZ=UTC @daily", Tz::Asia__Tokyo), at("2026-06-02T00:00:00Z"));
    assert_eq!(next("TZ=Asia/Tokyo @every 5s", Tz::UTC), at("2026-06-01T00:00:05Z"));
}

#[test]
fn a_time_that_summer_time_leaves_out_comes_at_the_end_of_the_gap() {
    assert_eq!(
        times("TZ=Europe/Berlin 0 30 2 * * *", "2026-03-28T12:00:00Z", 2),
        ["Sun 03-29 03:00:00+02:00", "Mon 03-30 02:30:00+02:00"]
    );
    assert_eq!(
        times("TZ=America/New_York 0 15,45 2 * * *", "2026-03-08T00:00:00Z", 3),
        ["Sun 03-08 03:00:00-04:00", "Mon 03-09 02:15:00-04:00", "Mon 03-09 02:45:00-04:00"]
    );
    // The gap of Beirut begins at midnight.
    assert_eq!(times("TZ=Asia/Beirut @daily", "2026-03-28T12:00:00Z", 1), ["Sun 03-29 01:00:00+03:00"]);
}

#[test]
fn a_time_that_winter_time_repeats_comes_once() {
    assert_eq!(
        times("TZ=Europe/Berlin 0 30 2 * * *", "2026-10-24T12:00:00Z", 2),
        ["Sun 10-25 02:30:00+02:00", "Mon 10-26 02:30:00+01:00"]
    );
    assert_eq!(
        times("TZ=America/New_York 0 30 1 * * *", "2026-11-01T00:00:00Z", 2),
        ["Sun 11-01 01:30:00-04:00", "Mon 11-02 01:30:00-05:00"]
    );
    // Asked in the second pass.
    assert_eq!(
        times("TZ=Europe/Berlin 0 30 2 * * *", "2026-10-25T01:10:00Z", 1),
        ["Mon 10-26 02:30:00+01:00"]
    );
}

#[test]
fn a_job_that_follows_the_clock_pauses_in_a_gap_and_repeats_an_hour() {
    assert_eq!(
        times("TZ=Europe/Berlin 0 */30 * * * *", "2026-03-29T00:15:00Z", 3),
        ["Sun 03-29 01:30:00+01:00", "Sun 03-29 03:00:00+02:00", "Sun 03-29 03:30:00+02:00"]
    );
    assert_eq!(
        times("TZ=Europe/Berlin 0 */30 * * * *", "2026-10-24T23:45:00Z", 6),
        [
            "Sun 10-25 02:00:00+02:00",
            "Sun 10-25 02:30:00+02:00",
            "Sun 10-25 02:00:00+01:00",
            "Sun 10-25 02:30:00+01:00",
            "Sun 10-25 03:00:00+01:00",
            "Sun 10-25 03:30:00+01:00"
        ]
    );
    assert_eq!(
        times("TZ=America/New_York 59 59 * * * *", "2026-11-01T04:30:00Z", 4),
        [
            "Sun 11-01 00:59:59-04:00",
            "Sun 11-01 01:59:59-04:00",
            "Sun 11-01 01:59:59-05:00",
            "Sun 11-01 02:59:59-05:00"
        ]
    );
    // Half an hour is repeated on Lord Howe Island.
    assert_eq!(
        times("TZ=Australia/Lord_Howe 0 */15 * * * *", "2026-04-04T14:40:00Z", 5),
        [
            "Sun 04-05 01:45:00+11:00",
            "Sun 04-05 01:30:00+10:30",
            "Sun 04-05 01:45:00+10:30",
            "Sun 04-05 02:00:00+10:30",
            "Sun 04-05 02:15:00+10:30"
        ]
    );
}

#[test]
fn a_day_that_a_zone_left_out_costs_no_walk_through_its_seconds() {
    // Samoa had no 30 December 2011.
    assert_eq!(
        times("TZ=Pacific/Apia * * * * * *", "2011-12-30T09:59:58Z", 2),
        ["Thu 12-29 23:59:59-10:00", "Sat 12-31 00:00:00+14:00"]
    );
}

#[test]
fn dates_that_never_come_are_refused() {
    assert_eq!(error("0 0 0 30 2 *"), CronError::Never);
    assert_eq!(error("0 0 0 31 4,6,9,11 ?"), CronError::Never);
    assert_eq!(times("0 0 0 29 2 *", "2026-03-01T00:00:00Z", 1), ["Tue 02-29 00:00:00+00:00"]);
}

#[test]
fn the_calendar_begins_with_1970_and_ends_with_2100() {
    let yearly = Cron::parse("@yearly", Tz::UTC).unwrap();
    assert_eq!(yearly.next_after(at("2099-06-01T00:00:00Z")), Some(at("2100-01-01T00:00:00Z")));
    assert_eq!(yearly.next_after(at("2100-06-01T00:00:00Z")), None);
    let zoned = Cron::parse("TZ=Europe/Berlin @yearly", Tz::UTC).unwrap();
    assert_eq!(zoned.next_after(at("2100-06-01T00:00:00Z")), None);
    for text in ["* * * * * *", "0 0 3 * * *"] {
        for zone in [Tz::UTC, Tz::Pacific__Kiritimati, Tz::America__Los_Angeles] {
            let cron = Cron::parse(text, zone).unwrap();
            assert_eq!(cron.next_after(DateTime::<Utc>::MAX_UTC), None);
            assert!(cron.next_after(DateTime::<Utc>::MIN_UTC) < Some(at("1970-01-02T00:00:00Z")));
        }
    }
    let interval = Cron::parse("@every 876000h", Tz::UTC).unwrap();
    assert_eq!(interval.next_after(DateTime::<Utc>::MAX_UTC), None);
}

#[test]
fn a_wrong_text_says_where_and_why() {
    assert_eq!(error(" "), CronError::Empty);
    assert_eq!(error("TZ=UTC"), CronError::Empty);
    assert_eq!(error(&"1,".repeat(200)), CronError::TooLong { limit: CRON_TEXT_LIMIT });
    assert_eq!(error("*/5 * * * *"), CronError::NoSeconds { hint: "0 */5 * * * *".to_owned() });
    assert_eq!(error("0 0 0 1 1 * 2030"), CronError::FieldCount { count: 7 });
    assert_eq!(error("@dayly"), CronError::Descriptor("@dayly".to_owned()));
    assert_eq!(error("@daily 5"), CronError::Descriptor("@daily 5".to_owned()));
    assert_eq!(error("@every 5"), CronError::Every { text: "5".to_owned(), why: EveryError::Shape });
    assert_eq!(error("@every"), CronError::Every { text: String::new(), why: EveryError::Shape });
    assert_eq!(error("TZ=Mars/Olympus 0 0 0 * * *"), CronError::Zone("Mars/Olympus".to_owned()));
    assert_eq!(error("TZ= 0 0 0 * * *"), CronError::Zone(String::new()));
    let hour = error("0 0 24 * * *");
    let why = FieldError::OutOfRange { value: 24, min: 0, max: 23 };
    assert_eq!(hour, CronError::Field { field: "hour", text: "24".to_owned(), why });
    assert_eq!(hour.to_string(), "hour \"24\": 24 is not within 0 to 23");
    assert_eq!(error("0 0 0 1 13 *").to_string(), "month \"13\": 13 is not within 1 to 12");
    assert_eq!(
        error("*/5 * * * *").to_string(),
        "five fields, but six are needed, the seconds first: write \"0 */5 * * * *\" for once a minute at most"
    );
    assert!(error("\u{e9} * * * * *").to_string().starts_with("second \"\u{e9}\""));
}
