//! What a request was sent to, as errors may show it.

use std::fmt::{self, Write as _};

use reqwest::{Method, Url};

/// Longest path that is shown, in characters.
const PATH: usize = 120;
/// A part of a path longer than this is taken for a token: words, identifiers and object names people chose are shorter.
const SEGMENT: usize = 24;
/// Longest method that is shown.
const METHOD: usize = 16;
/// Hosts whose paths are credentials: who knows the path may post.
const SECRET_PATHS: &[&str] = &[
    "hooks.slack.com",
    "hooks.slack-gov.com",
    "files.slack.com",
    "discord.com",
    "discordapp.com",
    "api.telegram.org",
    "webhook.office.com",
    "logic.azure.com",
    "chat.googleapis.com",
];

/// Method, scheme, host, port and path of a request: without userinfo, query and fragment, and without the parts of the
/// path that look like tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    pub(crate) fn new(method: &Method, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        let secret = SECRET_PATHS.iter().any(|&known| {
            host.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
        if secret {
            Self::without_path(method, url)
        } else {
            Self(format!("{}{}", start(method, url), path(url)))
        }
    }

    /// For paths that are secrets wherever they lead.
    pub(crate) fn without_path(method: &Method, url: &Url) -> Self {
        Self(start(method, url) + "/…")
    }

    /// For an object: its key is what the script gets back, so no part of it is hidden.
    pub(crate) fn object(action: &str, url: &str) -> Self {
        Self(format!("{action} {url}"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn start(method: &Method, url: &Url) -> String {
    let mut text: String = method.as_str().chars().take(METHOD).collect();
    // Writing to a string cannot fail.
    let _ = write!(text, " {}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        let _ = write!(text, ":{port}");
    }
    text
}

fn path(url: &Url) -> String {
    let mut shown = String::new();
    for segment in url.path_segments().into_iter().flatten() {
        shown.push('/');
        shown.push_str(if segment.len() > SEGMENT { "…" } else { segment });
        if shown.len() > PATH {
            shown.truncate(shown.floor_char_boundary(PATH));
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_shows_neither_userinfo_nor_query_nor_tokens() {
        for (url, expected) in [
            ("https://u:p@example.com/a/b?token=x#f", "POST https://example.com/a/b"),
            ("http://[::1]:8086/api/v2/write?org=o", "POST http://[::1]:8086/api/v2/write"),
            ("https://webhook.site/a42ca96d-4984-45dc-8f72-a601448399dc", "POST https://webhook.site/…"),
            ("https://hooks.slack.com/services/T0/B0/x", "POST https://hooks.slack.com/…"),
            ("https://acme.webhook.office.com/a", "POST https://acme.webhook.office.com/…"),
            ("https://nothooks.slack.com.example/a", "POST https://nothooks.slack.com.example/a"),
            ("https://example.com", "POST https://example.com/"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(Target::new(&Method::POST, &url).to_string(), expected, "{url}");
        }
    }

    #[test]
    fn a_long_path_is_cut() {
        let url = Url::parse(&format!("http://h/{}", "ab/".repeat(400))).unwrap();
        let shown = Target::new(&Method::GET, &url).to_string();
        assert!(shown.ends_with('…') && shown.len() < 150, "{shown}");
    }
}
