//! The HTTP client of all requests.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, NoProxy, Proxy};
use rustls::ClientConfig;

use crate::{Error, Variables};

/// Marks the agent's own traffic, so that it is not shown.
pub(crate) const IGNORE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-kubeshark-capture"), HeaderValue::from_static("ignore"));

/// Redirects that are followed before the request fails.
const REDIRECTS: usize = 10;
/// Idle connections kept for one host.
const IDLE_PER_HOST: usize = 8;
const IDLE: Duration = Duration::from_secs(60);
/// Leaves room for retries within a deadline.
const CONNECT: Duration = Duration::from_secs(5);
/// Where clouds hand out credentials to those who can reach them directly: a proxy would give us its own, or see ours.
const METADATA: &str = "169.254.0.0/16,fd00:ec2::/32,metadata.google.internal";

pub(crate) fn build(tls: ClientConfig, variables: &Variables) -> Result<Client, Error> {
    let mut client = Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(HeaderMap::from_iter([IGNORE]))
        .user_agent(concat!("remora/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::custom(redirect))
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .no_proxy();
    let direct = match variables.either_case("NO_PROXY") {
        Some(hosts) => format!("{hosts},{METADATA}"),
        None => METADATA.to_owned(),
    };
    // The first proxy that takes a URL serves it, so those for one scheme come first.
    type Make = fn(&str) -> reqwest::Result<Proxy>;
    let makes: [(&str, Make); 3] = [
        ("HTTP_PROXY", |url| Proxy::http(url)),
        ("HTTPS_PROXY", |url| Proxy::https(url)),
        ("ALL_PROXY", |url| Proxy::all(url)),
    ];
    for (name, make) in makes {
        if let Some(url) = variables.either_case(name) {
            // The error would show the URL, and that a password.
            let proxy =
                make(url).map_err(|_| Error::argument(format!("{name} is not the URL of a proxy")))?;
            client = client.proxy(proxy.no_proxy(NoProxy::from_string(&direct)));
        }
    }
    client.build().map_err(|error| Error::Internal(format!("HTTP client: {}", causes(&error))))
}

fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error(format!("more than {REDIRECTS} redirects"));
    }
    let secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if secure && attempt.url().scheme() != "https" {
        return attempt.error("a redirect leads from https to http");
    }
    attempt.follow()
}

/// An error and its causes on one line. `reqwest` puts the URL into its own text, so that must be taken out before.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some layers repeat the text of the one below.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
