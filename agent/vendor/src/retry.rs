//! When a request is sent once more, and after how long.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How often a request is sent at most.
pub(crate) const ATTEMPTS: u32 = 5;
/// The longest wait before the second attempt; it doubles with each.
const FIRST: Duration = Duration::from_millis(200);
/// No wait is longer unless the server asks for it.
const LONGEST: Duration = Duration::from_secs(5);

/// What may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Nothing: the caller cannot know what a second request would do.
    Never,
    /// What the server has surely not acted on: no connection, or a rate limit (429).
    Unsent,
    /// Also broken connections and 500, 502, 503, 504: the request may be carried out twice without harm.
    Repeatable,
}

impl Retry {
    pub(crate) fn for_status(self, status: StatusCode) -> bool {
        match self {
            Self::Never => false,
            Self::Unsent => status == StatusCode::TOO_MANY_REQUESTS,
            Self::Repeatable => matches!(status.as_u16(), 429 | 500 | 502..=504),
        }
    }

    pub(crate) fn for_failure(self, error: &reqwest::Error) -> bool {
        match self {
            Self::Never => false,
            Self::Unsent => error.is_connect() && !is_tls(error),
            Self::Repeatable => !error.is_builder() && !error.is_redirect() && !is_tls(error),
        }
    }
}

/// A handshake that failed fails again: a certificate does not become trusted by asking for it twice.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An I/O error leaves the error it holds out of its sources.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}

/// The wait a server asks for (RFC 9110, section 10.2.3): seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    // A date that has passed asks for no wait.
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some(at.with_timezone(&Utc).signed_duration_since(now).to_std().unwrap_or_default())
}

/// The wait after `attempt` (from 1) failed: anything up to a bound that doubles, so that agents which failed together
/// do not come back together.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let bound = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
    // Without randomness the bound itself is still a fair wait.
    getrandom::u32().map_or(bound, |random| bound.mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-01-02T03:04:05Z").unwrap().with_timezone(&Utc);
        for (text, expected) in [
            ("3", Some(3)),
            ("0", Some(0)),
            ("Fri, 02 Jan 2026 03:05:05 GMT", Some(60)),
            ("Fri, 02 Jan 2026 03:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn backoff_is_bounded() {
        for attempt in [0, 1, 5, 100, u32::MAX] {
            assert!(backoff(attempt) <= LONGEST);
        }
        assert!(backoff(1) <= FIRST);
    }

    #[test]
    fn only_what_is_safe_is_repeated() {
        for (status, unsent, repeatable) in [
            (200, false, false),
            (400, false, false),
            (429, true, true),
            (500, false, true),
            (501, false, false),
            (503, false, true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Retry::Unsent.for_status(status), unsent, "{status}");
            assert_eq!(Retry::Repeatable.for_status(status), repeatable, "{status}");
            assert!(!Retry::Never.for_status(status));
        }
    }
}
