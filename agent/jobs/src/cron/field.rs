//! One of the six fields of a cron text as a set of numbers.

use crate::error::{CronError, FieldError};

/// What a field may hold.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) min: u32,
    pub(super) max: u32,
    /// Names, the first standing for `min`; three letters of one are enough.
    pub(super) names: &'static [&'static str],
    /// `max + 1` may be written for `min`: Sunday is both 0 and 7.
    pub(super) wraps: bool,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The six fields in the order of the text.
pub(super) const KINDS: [Kind; 6] = [
    Kind { name: "second", min: 0, max: 59, names: &[], wraps: false },
    Kind { name: "minute", min: 0, max: 59, names: &[], wraps: false },
    Kind { name: "hour", min: 0, max: 23, names: &[], wraps: false },
    Kind { name: "day of month", min: 1, max: 31, names: &[], wraps: false },
    Kind { name: "month", min: 1, max: 12, names: &MONTHS, wraps: false },
    Kind { name: "day of week", min: 0, max: 6, names: &DAYS, wraps: true },
];

/// The numbers of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Field {
    /// Bit n is set if n matches.
    pub(super) bits: u64,
    /// An element is `*` or `?` without a step: the field asks for nothing.
    pub(super) any: bool,
    /// The text starts with `*` or `?`, with or without a step.
    pub(super) starred: bool,
}

impl Field {
    pub(super) fn parse(kind: &Kind, text: &str) -> Result<Self, CronError> {
        kind.parse(text).map_err(|why| CronError::Field { field: kind.name, text: text.to_owned(), why })
    }

    /// The field in the form of the `cron` crate, whose numbers are `shift` higher.
    pub(super) fn canonical(&self, kind: &Kind, shift: u32) -> String {
        let numbers = || (kind.min..=kind.max).filter(|number| self.bits & 1 << number != 0);
        if numbers().count() as u32 == kind.max - kind.min + 1 {
            return "*".to_owned();
        }
        numbers().map(|number| (number + shift).to_string()).collect::<Vec<_>>().join(",")
    }
}

impl Kind {
    fn parse(&self, text: &str) -> Result<Field, FieldError> {
        let mut field = Field { bits: 0, any: false, starred: text.starts_with(['*', '?']) };
        for element in text.split(',') {
            let (range, step) = match element.split_once('/') {
                Some((range, step)) => (range, Some(number(step)?)),
                None => (element, None),
            };
            if step == Some(0) {
                return Err(FieldError::ZeroStep);
            }
            let (start, end) = self.range(range, step.is_some())?;
            field.any |= matches!(range, "*" | "?") && step.unwrap_or(1) == 1;
            let mut at = start;
            while at <= end {
                field.bits |= 1 << if at > self.max { self.min } else { at };
                at = at.saturating_add(step.unwrap_or(1));
            }
        }
        Ok(field)
    }

    /// First and last number of an element; `open` says that a single number begins a range to the field's end.
    fn range(&self, text: &str, open: bool) -> Result<(u32, u32), FieldError> {
        if matches!(text, "*" | "?") {
            return Ok((self.min, self.max));
        }
        let Some((start, end)) = text.split_once('-') else {
            let start = self.value(text)?;
            // 7 for Sunday is the first day of the week when a range begins with it.
            let start = if open && start > self.max { self.min } else { start };
            return Ok((start, if open { self.max } else { start }));
        };
        let (mut start, mut end) = (self.value(start)?, self.value(end)?);
        if self.wraps {
            if start > self.max && end < start {
                start = self.min;
            } else if end == self.min && start > end {
                end = self.max + 1;
            }
        }
        if end < start {
            return Err(FieldError::Backwards { start, end });
        }
        Ok((start, end))
    }

    fn value(&self, text: &str) -> Result<u32, FieldError> {
        let value = match self.names.iter().position(|name| is_name(name, text)) {
            Some(index) => self.min + index as u32,
            None if self.names.is_empty() => number(text)?,
            None => number(text).map_err(|error| match error {
                FieldError::Number(text) => FieldError::Name(text),
                other => other,
            })?,
        };
        let max = self.max + u32::from(self.wraps);
        if !(self.min..=max).contains(&value) {
            return Err(FieldError::OutOfRange { value, min: self.min, max });
        }
        Ok(value)
    }
}

fn is_name(name: &str, text: &str) -> bool {
    text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(&name[..3])
}

fn number(text: &str) -> Result<u32, FieldError> {
    if text.is_empty() {
        return Err(FieldError::EmptyElement);
    }
    if text.contains(['-', '/']) {
        return Err(FieldError::Shape);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FieldError::Number(text.to_owned()));
    }
    text.parse().map_err(|_| FieldError::Number(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Field, KINDS};
    use crate::error::{CronError, FieldError};

    fn numbers(kind: usize, text: &str) -> Vec<u32> {
        let field = Field::parse(&KINDS[kind], text).unwrap();
        (0..64).filter(|number| field.bits & 1 << number != 0).collect()
    }

    fn why(kind: usize, text: &str) -> FieldError {
        match Field::parse(&KINDS[kind], text) {
            Err(CronError::Field { field, text: told, why }) => {
                assert_eq!((field, told.as_str()), (KINDS[kind].name, text));
                why
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn numbers_lists_ranges_and_steps_give_their_numbers() {
        assert_eq!(numbers(0, "7"), [7]);
        assert_eq!(numbers(0, "7,3,7"), [3, 7]);
        assert_eq!(numbers(1, "10-12,58"), [10, 11, 12, 58]);
        assert_eq!(numbers(2, "*/6"), [0, 6, 12, 18]);
        assert_eq!(numbers(2, "1-9/4"), [1, 5, 9]);
        assert_eq!(numbers(2, "20/2"), [20, 22]);
        assert_eq!(numbers(1, "*/90"), [0]);
        assert_eq!(numbers(1, "5/4294967295"), [5]);
        assert_eq!(numbers(3, "*/10"), [1, 11, 21, 31]);
        assert_eq!(numbers(4, "jan,MAR-may,September"), [1, 3, 4, 5, 9]);
        assert_eq!(numbers(4, "?"), (1..=12).collect::<Vec<_>>());
    }

    #[test]
    fn days_of_week_count_from_sunday_which_is_0_and_7() {
        assert_eq!(numbers(5, "0"), [0]);
        assert_eq!(numbers(5, "7"), [0]);
        assert_eq!(numbers(5, "1"), [1]);
        assert_eq!(numbers(5, "SUN,wed,Saturday"), [0, 3, 6]);
        assert_eq!(numbers(5, "1-5"), [1, 2, 3, 4, 5]);
        assert_eq!(numbers(5, "MON-FRI"), [1, 2, 3, 4, 5]);
        assert_eq!(numbers(5, "5-7"), [0, 5, 6]);
        assert_eq!(numbers(5, "fri-sun"), [0, 5, 6]);
        assert_eq!(numbers(5, "5-0"), [0, 5, 6]);
        assert_eq!(numbers(5, "sun-tue"), [0, 1, 2]);
        assert_eq!(numbers(5, "7-2"), [0, 1, 2]);
        assert_eq!(numbers(5, "7-7"), [0]);
        assert_eq!(numbers(5, "0-0"), [0]);
        for all in ["*", "?", "0-6", "1-7", "0-7", "*/1"] {
            assert_eq!(numbers(5, all), [0, 1, 2, 3, 4, 5, 6], "{all}");
        }
        assert_eq!(numbers(5, "*/2"), [0, 2, 4, 6]);
        assert_eq!(numbers(5, "?/3"), [0, 3, 6]);
        assert_eq!(numbers(5, "1-7/2"), [0, 1, 3, 5]);
        assert_eq!(numbers(5, "1-5/2,7"), [0, 1, 3, 5]);
        assert_eq!(numbers(5, "mon-fri/2"), [1, 3, 5]);
        assert_eq!(numbers(5, "2/2"), [2, 4, 6]);
        assert_eq!(numbers(5, "7/2"), [0, 2, 4, 6]);
    }

    #[test]
    fn the_other_numbering_of_the_cron_crate_is_met() {
        let canonical = |text| Field::parse(&KINDS[5], text).unwrap().canonical(&KINDS[5], 1);
        assert_eq!(canonical("7"), "1");
        assert_eq!(canonical("1-5"), "2,3,4,5,6");
        assert_eq!(canonical("sat,0"), "1,7");
        assert_eq!(canonical("0-7"), "*");
    }

    #[test]
    fn a_wrong_field_says_what_is_wrong() {
        assert_eq!(why(0, "60"), FieldError::OutOfRange { value: 60, min: 0, max: 59 });
        assert_eq!(why(3, "0"), FieldError::OutOfRange { value: 0, min: 1, max: 31 });
        assert_eq!(why(5, "8"), FieldError::OutOfRange { value: 8, min: 0, max: 7 });
        assert_eq!(why(1, "5-1"), FieldError::Backwards { start: 5, end: 1 });
        assert_eq!(why(5, "sat-tue"), FieldError::Backwards { start: 6, end: 2 });
        assert_eq!(why(1, "*/0"), FieldError::ZeroStep);
        assert_eq!(why(1, "1,,2"), FieldError::EmptyElement);
        assert_eq!(why(1, "1,"), FieldError::EmptyElement);
        assert_eq!(why(1, "-3"), FieldError::EmptyElement);
        assert_eq!(why(1, "3/"), FieldError::EmptyElement);
        assert_eq!(why(1, "1-2-3"), FieldError::Shape);
        assert_eq!(why(1, "1/2/3"), FieldError::Shape);
        assert_eq!(why(1, "x"), FieldError::Number("x".to_owned()));
        assert_eq!(why(1, "+3"), FieldError::Number("+3".to_owned()));
        assert_eq!(why(1, "99999999999"), FieldError::Number("99999999999".to_owned()));
        assert_eq!(why(3, "L"), FieldError::Number("L".to_owned()));
        assert_eq!(why(5, "5#2"), FieldError::Name("5#2".to_owned()));
        assert_eq!(why(4, "janu"), FieldError::Name("janu".to_owned()));
    }
}
