//! One request of a helper and its answer: the deadline, the retries, the cap.

use std::time::Duration;

use chrono::Utc;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::causes;
use crate::retry::{ATTEMPTS, Retry, backoff, retry_after};
use crate::scrub::{Secrets, without_queries};
use crate::{Error, Target};

/// Longest shown chain of causes, in characters.
const REASON: usize = 300;

/// When a call must be done.
#[derive(Clone, Copy)]
pub(crate) struct Until {
    pub(crate) at: Instant,
    pub(crate) deadline: Duration,
}

impl Until {
    pub(crate) fn after(deadline: Duration) -> Self {
        /// No call is meant to take longer, and the sum with now must exist.
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        Self { at: Instant::now() + deadline.min(LONGEST), deadline }
    }

    fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// How one request is sent and its failures are told.
pub(crate) struct Exchange<'a> {
    pub(crate) target: Target,
    pub(crate) secrets: &'a Secrets,
    pub(crate) until: Until,
    pub(crate) limit: usize,
    pub(crate) retry: Retry,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Exchange<'_> {
    /// Sends what `make` makes, again where [`Retry`] allows it, until the deadline. An answer with whatever status is a
    /// success here; [`success`](Self::success) looks at it.
    pub(crate) async fn send(&self, mut make: impl FnMut() -> RequestBuilder) -> Result<Answer, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = timeout_at(self.until.at, self.once(make())).await.map_err(|_| self.late())?;
            let again = attempt < ATTEMPTS;
            let wait = match &outcome {
                Ok(answer) if again && self.retry.for_status(answer.status) && !is_final(answer) => {
                    match retry_after(&answer.headers, Utc::now()) {
                        Some(wait) if wait >= self.until.left() => return Err(self.rate_limit(answer, wait)),
                        Some(wait) => wait,
                        None => backoff(attempt),
                    }
                }
                Err(Failure::Transport(error)) if again && self.retry.for_failure(error) => backoff(attempt),
                _ => return outcome.map_err(|failure| self.error(failure)),
            };
            // The last outcome says more than that time is up.
            if wait >= self.until.left() {
                return outcome.map_err(|failure| self.error(failure));
            }
            tracing::debug!(target = %self.target, attempt, ?wait, "sending again");
            sleep(wait).await;
        }
    }

    /// Sends a request that cannot be made a second time, or must not.
    pub(crate) async fn send_once(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let outcome = timeout_at(self.until.at, self.once(request)).await.map_err(|_| self.late())?;
        outcome.map_err(|failure| self.error(failure))
    }

    /// As [`send`](Self::send), but any status outside 2xx is an error.
    pub(crate) async fn success(&self, make: impl FnMut() -> RequestBuilder) -> Result<Answer, Error> {
        let answer = self.send(make).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.status(&answer)) }
    }

    async fn once(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let mut response = request.send().await?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = self.body(response).await?;
        Ok(Answer { status, headers, body })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let status = response.status().as_u16();
        let announced = response.content_length().unwrap_or_default();
        if announced > self.limit as u64 {
            return Err(Failure::TooLong { status });
        }
        let mut body = Vec::with_capacity(announced as usize);
        while let Some(chunk) = response.chunk().await? {
            if chunk.len() > self.limit - body.len() {
                return Err(Failure::TooLong { status });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Reads a JSON answer.
    pub(crate) fn json<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        serde_json::from_slice(&answer.body)
            .map_err(|error| self.answer(answer, format!("what is not the documented JSON ({error})")))
    }

    pub(crate) fn answer(&self, answer: &Answer, reason: impl Into<String>) -> Error {
        Error::Answer {
            target: self.target.clone(),
            status: answer.status.as_u16(),
            reason: reason.into(),
            body: self.secrets.excerpt(&answer.body),
        }
    }

    pub(crate) fn refused(&self, answer: &Answer, reason: &str) -> Error {
        Error::Refused {
            target: self.target.clone(),
            status: answer.status.as_u16(),
            reason: self.secrets.excerpt(reason.as_bytes()),
        }
    }

    pub(crate) fn status(&self, answer: &Answer) -> Error {
        Error::Status {
            target: self.target.clone(),
            status: answer.status.as_u16(),
            body: self.secrets.excerpt(&answer.body),
        }
    }

    fn rate_limit(&self, answer: &Answer, wait: Duration) -> Error {
        Error::RateLimit {
            target: self.target.clone(),
            status: answer.status.as_u16(),
            wait,
            body: self.secrets.excerpt(&answer.body),
        }
    }

    fn late(&self) -> Error {
        Error::Deadline { target: self.target.clone(), deadline: self.until.deadline }
    }

    fn error(&self, failure: Failure) -> Error {
        let target = self.target.clone();
        match failure {
            Failure::TooLong { status } => Error::TooLong { target, status, limit: self.limit },
            Failure::Transport(error) => {
                let reason = without_queries(&causes(&error.without_url()));
                Error::Transport { target, reason: self.secrets.text(&reason, REASON) }
            }
        }
    }
}

enum Failure {
    Transport(reqwest::Error),
    TooLong { status: u16 },
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}

/// OpenAI says by 429 that no money is left, which no wait changes.
fn is_final(answer: &Answer) -> bool {
    const MARK: &[u8] = b"insufficient_quota";
    answer.body.windows(MARK.len()).any(|window| window == MARK)
}

/// A URL a request can be sent to. The error does not repeat it: it may hold what must not be shown.
pub(crate) fn parse_url(text: &str, what: &str) -> Result<Url, Error> {
    let url =
        Url::parse(text.trim()).map_err(|error| Error::argument(format!("{what} is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::argument(format!("{what} is not an http or https URL")));
    }
    Ok(url)
}

/// `base` with `path` behind it, whether or not `base` ends in a slash, and without userinfo: it would become a second
/// `Authorization` header.
pub(crate) fn join(base: &str, path: &str, what: &str) -> Result<Url, Error> {
    let mut url = parse_url(base, what)?;
    let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
    url.set_path(&joined);
    let bare = url.set_username("").and_then(|()| url.set_password(None));
    bare.map_err(|()| Error::argument(format!("{what} has no host")))?;
    Ok(url)
}

/// A method as the script gave it; none is `GET`.
pub(crate) fn parse_method(text: &str) -> Result<Method, Error> {
    match text.trim() {
        "" => Ok(Method::GET),
        text => Method::from_bytes(text.as_bytes())
            .map_err(|_| Error::argument("the method of a request is one word such as POST")),
    }
}
