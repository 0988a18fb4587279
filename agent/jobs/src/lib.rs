//! Scheduled functions of scripts, as the script helper `jobs.*` offers them, without any JavaScript engine.
//!
//! A [`Scheduler`] holds the jobs of all scripts and has one thread, which finds out what is due and gives it to the
//! [`Runner`]. That puts a [`Run`] into the queue of the script's own thread, which asks [`Scheduler::begin`], calls the
//! function, and reports with [`Scheduler::finished`]. Between hand-over and report a job is busy: ticks are skipped and
//! counted, so a job never overlaps itself.
#![forbid(unsafe_code)]

mod clock;
mod cluster;
pub mod console;
mod cron;
mod error;
mod job;
mod scheduler;
mod staged;
mod table;
mod tag;
mod thread;

pub use chrono::{DateTime, Utc};
pub use chrono_tz::Tz;

pub use crate::clock::{Clock, SystemClock};
pub use crate::cluster::{Cluster, LocalCluster};
pub use crate::cron::{CRON_TEXT_LIMIT, Cron};
pub use crate::error::{CronError, EveryError, FieldError, JobError, TagError};
pub use crate::job::{JobId, JobRecord, OwnerId, Removed, Run};
pub use crate::scheduler::{Runner, Scheduled, Scheduler, SchedulerConfig, Triggered};
pub use crate::staged::Staged;
pub use crate::table::{COUNTED_AT_ONCE, Stats};
pub use crate::tag::{TAG_LIMIT, limit_of, normalise};
