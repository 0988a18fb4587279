//! From times on a zone's clock to moments, across the hours that daylight saving leaves out or repeats.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// The first moment after `after` at which the zone's clock shows a time that `next` gives. A time that is left out has
/// no moment, one that is repeated has two.
pub(super) fn every_showing(
    zone: Tz,
    after: DateTime<Utc>,
    next: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Option<DateTime<Utc>> {
    let now = after.with_timezone(&zone).naive_local();
    let ahead = showing(zone, now, after, &next);
    let LocalResult::Ambiguous(_, again) = zone.from_local_datetime(&now) else { return ahead };
    let again = again.with_timezone(&Utc);
    if again <= after {
        return ahead;
    }
    // Within the first pass of a repeated hour: the second pass, from its start, comes before all that follows it.
    let turn = turn(zone, after, again);
    let second = TimeDelta::seconds(1);
    let repeated = showing(zone, turn.with_timezone(&zone).naive_local() - second, turn - second, &next);
    ahead.into_iter().chain(repeated).min()
}

/// The first moment after `after` for a time that `next` gives, each time once: one that is left out moves to the end
/// of the gap, one that is repeated counts when it comes first.
pub(super) fn each_once(
    zone: Tz,
    after: DateTime<Utc>,
    next: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Option<DateTime<Utc>> {
    let mut time = after.with_timezone(&zone).naive_local();
    loop {
        time = next(time)?;
        let moment = match zone.from_local_datetime(&time) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => moment,
            LocalResult::None => GapInfo::new(&time, &zone)?.end?,
        };
        if moment > after {
            return Some(moment.with_timezone(&Utc));
        }
    }
}

/// The first moment after `after` for the times that `next` gives beyond `time`.
fn showing(
    zone: Tz,
    mut time: NaiveDateTime,
    after: DateTime<Utc>,
    next: &impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Option<DateTime<Utc>> {
    loop {
        time = next(time)?;
        let (first, last) = match zone.from_local_datetime(&time) {
            LocalResult::Single(moment) => (moment, moment),
            LocalResult::Ambiguous(first, last) => (first, last),
            LocalResult::None => {
                // On to the end of the gap at once, not through each of its times.
                time = GapInfo::new(&time, &zone)?.end?.naive_local() - TimeDelta::seconds(1);
                continue;
            }
        };
        if let Some(moment) = [first, last].into_iter().find(|moment| *moment > after) {
            return Some(moment.with_timezone(&Utc));
        }
    }
}

/// The second at which the clock is set back, which lies after `from` and not after `until`.
fn turn(zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
    let offset = |seconds: i64| {
        let moment = DateTime::from_timestamp(seconds, 0).unwrap_or(until);
        zone.offset_from_utc_datetime(&moment.naive_utc()).fix()
    };
    let (mut before, mut past) = (from.timestamp(), until.timestamp());
    let old = offset(before);
    while before + 1 < past {
        let middle = before + (past - before) / 2;
        if offset(middle) == old {
            before = middle;
        } else {
            past = middle;
        }
    }
    DateTime::from_timestamp(past, 0).unwrap_or(until)
}
