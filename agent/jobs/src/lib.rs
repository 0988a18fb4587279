//! Scheduled functions of scripts, as the script helper `jobs.*` offers them, without any JavaScript engine.
#![forbid(unsafe_code)]

mod cron;
mod error;

pub use chrono::{DateTime, Utc};
pub use chrono_tz::Tz;

pub use crate::cron::{CRON_TEXT_LIMIT, Cron};
pub use crate::error::{CronError, EveryError, FieldError, JobError, TagError};
