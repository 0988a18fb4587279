//! The next time of a cron text against a walk through the seconds: the same fields read and compared a second time, by
//! the plainest means.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::collections::BTreeSet;

use chrono::{Datelike, Timelike};
use proptest::prelude::*;
use remora_jobs::{Cron, DateTime, Tz, Utc};

/// How far the walk goes.
const SECONDS: i64 = 2 * 86_400;

/// One element of a field: its text, and the numbers it stands for.
#[derive(Clone, Debug)]
struct Element {
    text: String,
    numbers: BTreeSet<u32>,
}

/// A field with its elements; `any` if it asks for nothing.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    numbers: BTreeSet<u32>,
    any: bool,
}

fn element(min: u32, max: u32) -> impl Strategy<Value = Element> {
    let number = min..=max;
    let step = 1..=(max - min + 1);
    prop_oneof![
        2 => number.clone().prop_map(|n| Element { text: n.to_string(), numbers: BTreeSet::from([n]) }),
        1 => step.clone().prop_map(move |step| Element {
            text: format!("*/{step}"),
            numbers: (min..=max).step_by(step as usize).collect(),
        }),
        1 => (number.clone(), number.clone()).prop_map(|(a, b)| {
            let (start, end) = (a.min(b), a.max(b));
            Element { text: format!("{start}-{end}"), numbers: (start..=end).collect() }
        }),
        1 => (number.clone(), number.clone(), step.clone()).prop_map(|(a, b, step)| {
            let (start, end) = (a.min(b), a.max(b));
            let numbers = (start..=end).step_by(step as usize).collect();
            Element { text: format!("{start}-{end}/{step}"), numbers }
        }),
        1 => (number, step).prop_map(move |(start, step)| Element {
            text: format!("{start}/{step}"),
            numbers: (start..=max).step_by(step as usize).collect(),
        }),
    ]
}

fn field(min: u32, max: u32, stars: u32) -> impl Strategy<Value = Field> {
    prop_oneof![
        stars => Just(Field { text: "*".to_owned(), numbers: (min..=max).collect(), any: true }),
        3 => prop::collection::vec(element(min, max), 1..4).prop_map(|elements| Field {
            text: elements.iter().map(|element| element.text.as_str()).collect::<Vec<_>>().join(","),
            numbers: elements.iter().flat_map(|element| element.numbers.iter().copied()).collect(),
            any: elements.iter().any(|element| element.text == "*/1"),
        }),
    ]
}

/// Days of the week from the texts that have a 7 or names in them too.
fn weekday() -> impl Strategy<Value = Field> {
    let written = [
        ("7", vec![0]),
        ("SUN", vec![0]),
        ("mon-fri", vec![1, 2, 3, 4, 5]),
        ("5-7", vec![5, 6, 0]),
        ("fri-sun", vec![5, 6, 0]),
        ("1-7/3", vec![1, 4, 0]),
        ("tue,SAT", vec![2, 6]),
    ];
    let written = prop::sample::select(written.to_vec()).prop_map(|(text, numbers)| Field {
        text: text.to_owned(),
        numbers: numbers.into_iter().collect(),
        any: false,
    });
    prop_oneof![2 => field(0, 6, 4), 1 => written]
}

/// The first second after `after` at which the zone's clock shows what the fields ask for.
fn walk(fields: &[Field; 6], zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (after.timestamp() + 1..=after.timestamp() + SECONDS)
        .map(|second| DateTime::from_timestamp(second, 0).unwrap())
        .find(|moment| shows(fields, &moment.with_timezone(&zone)))
}

fn shows(fields: &[Field; 6], shown: &DateTime<Tz>) -> bool {
    let has = |field: usize, number: u32| fields[field].numbers.contains(&number);
    let day = has(3, shown.day());
    let weekday = has(5, shown.weekday().num_days_from_sunday());
    has(0, shown.second())
        && has(1, shown.minute())
        && has(2, shown.hour())
        && has(4, shown.month())
        && if fields[3].any || fields[5].any { day && weekday } else { day || weekday }
}

fn moments() -> impl Strategy<Value = DateTime<Utc>> {
    let turns =
        ["2026-03-29T00:30:00Z", "2026-10-25T00:10:00Z", "2026-03-08T06:00:00Z", "2026-11-01T04:50:00Z"];
    let near_turn = (prop::sample::select(turns.to_vec()), 0..10_800_i64).prop_map(|(turn, offset)| {
        let turn: DateTime<Utc> = turn.parse().unwrap();
        turn.timestamp() + offset
    });
    let seconds = prop_oneof![1_700_000_000..2_000_000_000_i64, near_turn];
    (seconds, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_next_time_is_the_first_second_that_the_fields_match(
        fields in (field(0, 59, 2), field(0, 59, 2), field(0, 23, 4), field(1, 31, 4), field(1, 12, 12), weekday()),
        zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kathmandu]),
        after in moments(),
    ) {
        let mut fields = <[Field; 6]>::from(fields);
        if zone != Tz::UTC {
            // Jobs that go by the clock; those at fixed times move in gaps, which has tests of its own.
            fields[2] = Field { text: "*".to_owned(), numbers: (0..24).collect(), any: true };
        }
        let text = fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ");
        // Random days and months may be a date that never comes.
        let Ok(cron) = Cron::parse(&text, zone) else {
            prop_assert!(walk(&fields, zone, after).is_none(), "{}", text);
            return Ok(());
        };
        let next = cron.next_after(after);
        match walk(&fields, zone, after) {
            Some(expected) => prop_assert_eq!(next, Some(expected), "{} after {}", text, after),
            None => prop_assert!(next.is_none_or(|next| next.timestamp() > after.timestamp() + SECONDS)),
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}", at in moments()) {
        if let Ok(cron) = Cron::parse(&text, Tz::UTC) {
            prop_assert!(cron.next_after(at).is_none_or(|next| next > at));
        }
    }

    #[test]
    fn texts_made_of_what_cron_texts_are_made_of_never_go_back(
        text in "(TZ=(Europe/Berlin|America/New_York|UTC) )?([0-9*?,/\\-]{1,4} ){5}[0-9*?,/\\-]{1,4}|@every [0-9.hmsnu]{0,8}",
        at in moments(),
    ) {
        if let Ok(cron) = Cron::parse(&text, Tz::Europe__Berlin) {
            prop_assert!(cron.next_after(at).is_none_or(|next| next > at));
        }
    }
}
