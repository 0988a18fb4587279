//! Why a helper failed, in words for the author of the script.

use std::time::Duration;

use crate::Target;

/// The failure of a call. None of the texts holds a token, a key, a password or a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call or the settings cannot be meant so; nothing was sent.
    #[error("{0}")]
    Argument(String),
    /// A file to upload cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// As the script gave it.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// No connection, a broken one, or one that is not trusted.
    #[error("{target}: {reason}")]
    Transport {
        /// What was tried.
        target: Target,
        /// The chain of causes.
        reason: String,
    },
    /// An answer whose status is not a success.
    #[error("{target}: answered {status}{}", excerpt(.body))]
    Status {
        /// What was tried.
        target: Target,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body, secrets left out.
        body: String,
    },
    /// An answer that says in its body that it is a failure.
    #[error("{target}: answered {status}: {reason}")]
    Refused {
        /// What was tried.
        target: Target,
        /// The HTTP status.
        status: u16,
        /// The service's own word for it.
        reason: String,
    },
    /// A rate limit that lasts beyond the deadline.
    #[error(
        "{target}: answered {status} and asks to wait {} s, which is beyond the deadline{}",
        .wait.as_secs(),
        excerpt(.body)
    )]
    RateLimit {
        /// What was tried.
        target: Target,
        /// The HTTP status, 429 or 503.
        status: u16,
        /// The wait asked for.
        wait: Duration,
        /// The beginning of the body, secrets left out.
        body: String,
    },
    /// An answer that is not what the service documents.
    #[error("{target}: answered {status} with {reason}{}", excerpt(.body))]
    Answer {
        /// What was tried.
        target: Target,
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: String,
        /// The beginning of the body, secrets left out.
        body: String,
    },
    /// An answer with a body above [`Config::response_bytes`](crate::Config::response_bytes).
    #[error("{target}: answered {status} with more than {limit} bytes")]
    TooLong {
        /// What was tried.
        target: Target,
        /// The HTTP status.
        status: u16,
        /// The cap.
        limit: usize,
    },
    /// The deadline passed.
    #[error("{target}: not done within {} s", .deadline.as_secs_f64())]
    Deadline {
        /// What was tried.
        target: Target,
        /// The time the call had.
        deadline: Duration,
    },
    /// An object store or what gives credentials for it failed.
    #[error("{target}: {reason}")]
    Store {
        /// What was tried.
        target: Target,
        /// What came back, secrets left out.
        reason: String,
    },
    /// The script's host has no use for the answer any more.
    #[error("cancelled: the script ends")]
    Cancelled,
    /// The deadline passed while the runtime did not even get to say so.
    #[error("not done within {} s", .0.as_secs_f64())]
    Stuck(Duration),
    /// The runtime could not be set up, or the call broke inside.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    pub(crate) fn argument(text: impl Into<String>) -> Self {
        Self::Argument(text.into())
    }
}

fn excerpt(body: &str) -> String {
    if body.is_empty() { String::new() } else { format!(": {body}") }
}
