//! What can be wrong with a cron text, a tag, or a request about a job.

use thiserror::Error;

/// Why a cron text is not one. The text of the error is for the person who wrote the cron text.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CronError {
    #[error("the cron text is empty")]
    Empty,
    #[error("the cron text is longer than {limit} bytes")]
    TooLong { limit: usize },
    /// Five fields are the usual cron without seconds; `hint` is the text with them.
    #[error("five fields, but six are needed, the seconds first: write \"{hint}\" for once a minute at most")]
    NoSeconds { hint: String },
    #[error("{count} field(s), but six are needed: second, minute, hour, day of month, month, day of week")]
    FieldCount { count: usize },
    #[error("{field} \"{text}\": {why}")]
    Field { field: &'static str, text: String, why: FieldError },
    #[error(
        "unknown descriptor \"{0}\": there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every <duration>"
    )]
    Descriptor(String),
    #[error("@every \"{text}\": {why}")]
    Every { text: String, why: EveryError },
    #[error("unknown time zone \"{0}\": a name like Europe/Berlin or UTC is needed")]
    Zone(String),
    #[error("no such date: it never comes")]
    Never,
}

/// Why one of the six fields is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FieldError {
    #[error("an element of the list is empty")]
    EmptyElement,
    #[error("\"{0}\" is not a number")]
    Number(String),
    #[error("\"{0}\" is neither a number nor a name")]
    Name(String),
    #[error("{value} is not within {min} to {max}")]
    OutOfRange { value: u32, min: u32, max: u32 },
    #[error("the range begins with {start} and ends before it, with {end}; write it as a list")]
    Backwards { start: u32, end: u32 },
    #[error("a step of 0 never moves on")]
    ZeroStep,
    #[error("an element has at most one \"-\" and one \"/\"")]
    Shape,
}

/// Why the duration after `@every` is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum EveryError {
    #[error("a duration like 5s, 1m30s or 1h is needed, with units h, m, s, ms, us or ns")]
    Shape,
    #[error("the duration is not above zero")]
    NotPositive,
    #[error("the duration is beyond {} years", crate::cron::every::LONGEST_YEARS)]
    TooLong,
}

/// Why a tag cannot name a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TagError {
    #[error("the tag is empty")]
    Empty,
    #[error("the tag is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the tag has a control character")]
    Control,
}

/// Why a request about a job failed. Nothing has changed then.
#[derive(Debug, Error)]
pub enum JobError {
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error("cron \"{cron}\": {error}")]
    Cron { cron: String, error: CronError },
    #[error("there is no job \"{tag}\"")]
    Unknown { tag: String },
    /// [`SchedulerConfig::jobs_per_owner`](crate::SchedulerConfig::jobs_per_owner).
    #[error("the script has {limit} jobs, the most that one may have (scripting.limits.jobsPerScript)")]
    OwnerFull { limit: usize },
    /// [`SchedulerConfig::jobs_total`](crate::SchedulerConfig::jobs_total).
    #[error("all scripts together have {limit} jobs, the most there may be (scripting.limits.jobs)")]
    Full { limit: usize },
    #[error("the scheduler has been shut down")]
    ShutDown,
    #[error("the scheduler's thread did not start: {0}")]
    Thread(#[source] std::io::Error),
}
