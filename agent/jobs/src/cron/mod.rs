//! Cron texts: six fields or a descriptor, and when they are due next.
//!
//! The fields are read here, because users number the days of the week from Sunday = 0 and are owed an error that names
//! the field; the `cron` crate, which counts from Sunday = 1, then searches the calendar. It searches plain dates and
//! times; what those are in a time zone is decided in `zone.rs`.

pub(crate) mod every;
mod field;
mod zone;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use cron::Schedule;

use crate::error::CronError;
use field::{Field, KINDS};

/// Bytes of a cron text.
pub const CRON_TEXT_LIMIT: usize = 256;

/// The last year of the `cron` crate's calendar.
const LAST_YEAR: i32 = 2100;

/// A cron text that was read: the times at which a job is due.
///
/// Times are whole seconds from 1970 to the end of 2100.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    zone: Tz,
    times: Times,
}

#[derive(Clone, Debug)]
enum Times {
    Every(Duration),
    Calendar(Box<Calendar>),
}

#[derive(Clone, Debug)]
struct Calendar {
    dates: Schedule,
    /// The other half of the dates when both day of month and day of week are limited: either is enough then.
    or: Option<Schedule>,
    /// The hour or the minute starts with `*`: the job follows the clock through hours that are left out or repeated.
    follows_clock: bool,
}

impl Cron {
    /// Reads a cron text. Its times are those of `default_zone` unless it begins with `TZ=<zone>` or `CRON_TZ=<zone>`.
    ///
    /// # Errors
    /// The text is not a cron text, or names no date that exists.
    pub fn parse(text: &str, default_zone: Tz) -> Result<Self, CronError> {
        let text = text.trim();
        if text.len() > CRON_TEXT_LIMIT {
            return Err(CronError::TooLong { limit: CRON_TEXT_LIMIT });
        }
        let (zone, times) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            Some(rest) => {
                let (zone, times) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (zone.parse().map_err(|_| CronError::Zone(zone.to_owned()))?, times.trim_start())
            }
            None => (default_zone, text),
        };
        let times = if times.starts_with('@') { descriptor(times)? } else { fields(times)? };
        let cron = Self { text: text.to_owned(), zone, times };
        cron.next_after(DateTime::UNIX_EPOCH).map(|_| cron).ok_or(CronError::Never)
    }

    /// The first time after `after`, which may be in the middle of a second. None once the calendar has ended.
    ///
    /// An interval counts from `after`. Of times that the zone's clock leaves out or shows twice (daylight saving):
    /// a job whose hour or minute starts with `*` goes by the clock, so it pauses or repeats; any other runs once, at
    /// the end of the gap or at the first of both times.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let calendar = match &self.times {
            Times::Every(every) => {
                return after.with_nanosecond(0)?.checked_add_signed(TimeDelta::from_std(*every).ok()?);
            }
            Times::Calendar(calendar) => calendar,
        };
        if after.year() > LAST_YEAR {
            return None;
        }
        let after = after.max(DateTime::UNIX_EPOCH - TimeDelta::seconds(1));
        if self.zone == Tz::UTC {
            calendar.next(after)
        } else if calendar.follows_clock {
            zone::every_showing(self.zone, after, |time| calendar.next_time(time))
        } else {
            zone::each_once(self.zone, after, |time| calendar.next_time(time))
        }
    }

    /// The text as it was given, without white space around it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The zone whose clock the fields are about.
    pub fn zone(&self) -> Tz {
        self.zone
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Calendar {
    fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.dates.after(&after).next();
        let or = self.or.as_ref().and_then(|dates| dates.after(&after).next());
        next.into_iter().chain(or).min()
    }

    /// The same on a clock without a zone.
    fn next_time(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        self.next(after.and_utc()).map(|next| next.naive_utc())
    }
}

fn descriptor(text: &str) -> Result<Times, CronError> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim_start();
    if name == "@every" {
        let every = every::parse(rest).map_err(|why| CronError::Every { text: rest.to_owned(), why })?;
        return Ok(Times::Every(every));
    }
    let equal = match text {
        "@yearly" | "@annually" => "0 0 0 1 1 *",
        "@monthly" => "0 0 0 1 * *",
        "@weekly" => "0 0 0 * * 0",
        "@daily" | "@midnight" => "0 0 0 * * *",
        "@hourly" => "0 0 * * * *",
        _ => return Err(CronError::Descriptor(text.to_owned())),
    };
    fields(equal)
}

fn fields(text: &str) -> Result<Times, CronError> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let parts: [&str; 6] = match parts.try_into() {
        Ok(parts) => parts,
        Err(parts) if parts.is_empty() => return Err(CronError::Empty),
        Err(parts) if parts.len() == 5 => {
            return Err(CronError::NoSeconds { hint: format!("0 {}", parts.join(" ")) });
        }
        Err(parts) => return Err(CronError::FieldCount { count: parts.len() }),
    };
    let mut fields = [Field { bits: 0, any: false, starred: false }; 6];
    for ((field, kind), part) in fields.iter_mut().zip(&KINDS).zip(parts) {
        *field = Field::parse(kind, part)?;
    }
    let [_, minute, hour, day, _, weekday] = fields;
    let mut canonical: Vec<String> =
        fields.iter().zip(&KINDS).map(|(field, kind)| field.canonical(kind, 0)).collect();
    canonical[WEEKDAY] = weekday.canonical(&KINDS[WEEKDAY], 1);
    let or = if day.any || weekday.any {
        None
    } else {
        let mut or = canonical.clone();
        "*".clone_into(&mut or[DAY]);
        "*".clone_into(&mut canonical[WEEKDAY]);
        Some(schedule(&or)?)
    };
    Ok(Times::Calendar(Box::new(Calendar {
        dates: schedule(&canonical)?,
        or,
        follows_clock: minute.starred || hour.starred,
    })))
}

/// Where two of the fields stand in the text.
const DAY: usize = 3;
const WEEKDAY: usize = 5;

fn schedule(canonical: &[String]) -> Result<Schedule, CronError> {
    // Lists of numbers within their bounds are always accepted.
    canonical.join(" ").parse().map_err(|_| CronError::Never)
}

#[cfg(test)]
mod tests;
