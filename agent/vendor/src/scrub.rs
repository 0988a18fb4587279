//! Takes secrets out of what others answered before it is shown.

use reqwest::Url;

/// Bytes of an answer that are looked at: what is shown, and room for a secret that begins there.
const LOOK: usize = 4096;
/// Longest text that is shown, in characters.
const SHOW: usize = 200;
/// Shorter secrets would tear words apart, and are no secrets.
const SHORTEST: usize = 4;

/// The texts of one call that must not be shown.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut secrets = Self::default();
        texts.into_iter().for_each(|text| secrets.add(text));
        secrets
    }

    pub(crate) fn add(&mut self, text: &str) {
        if text.len() >= SHORTEST {
            self.0.push(text.to_owned());
            // Longest first, so that no part of a secret stays because another one is inside it.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// Userinfo, query and the values of the query.
    pub(crate) fn add_url(&mut self, url: &Url) {
        self.add(url.username());
        self.add(url.password().unwrap_or_default());
        self.add(url.query().unwrap_or_default());
        url.query_pairs().for_each(|(_, value)| self.add(&value));
    }

    /// The beginning of `body` on one line, secrets replaced by `…`.
    pub(crate) fn excerpt(&self, body: &[u8]) -> String {
        self.text(&String::from_utf8_lossy(&body[..body.len().min(LOOK)]), SHOW)
    }

    /// `text` on one line, at most `show` characters of it, secrets replaced by `…`.
    pub(crate) fn text(&self, text: &str, show: usize) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "…");
            }
        }
        let mut words =
            text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let mut line = words.next().unwrap_or_default().to_owned();
        for word in words {
            line.push(' ');
            line.push_str(word);
            if line.len() > show * 4 {
                break;
            }
        }
        if let Some((end, _)) = line.char_indices().nth(show) {
            line.truncate(end);
            line.push('…');
        }
        line
    }
}

/// `text` with the query and the userinfo of every URL in it left out.
pub(crate) fn without_queries(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')'))
            .unwrap_or(after.len());
        let url = &after[..end];
        let shown = url.split(['?', '#']).next().unwrap_or_default();
        let authority = shown.find('/').unwrap_or(shown.len());
        out.push_str(shown[..authority].rfind('@').map_or(shown, |at| &shown[at + 1..]));
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_line_breaks_are_not_shown() {
        let mut secrets = Secrets::of(["xoxb-1", "xoxb-1-long", "abc"]);
        secrets.add_url(&Url::parse("http://me:hunter22@h/?key=queryvalue").unwrap());
        let shown = secrets.excerpt(b"a\r\n  xoxb-1-long hunter22\0 key=queryvalue queryvalue abc\xff");
        assert_eq!(shown, "a … … … … abc\u{fffd}");
    }

    #[test]
    fn an_excerpt_is_short() {
        let shown = Secrets::default().excerpt("é".repeat(5000).as_bytes());
        assert_eq!(shown.chars().count(), SHOW + 1);
        let shown = Secrets::default().excerpt("é ".repeat(5000).as_bytes());
        assert_eq!(shown.chars().count(), SHOW + 1);
    }

    #[test]
    fn urls_lose_query_and_userinfo() {
        for (text, expected) in [
            ("a http://u:p@h:1/x?y=z b https://k/?q", "a http://h:1/x b https://k/"),
            ("(http://h?x=1) \"s3://b/a@c\"", "(http://h) \"s3://b/a@c\""),
            ("://", "://"),
            ("none", "none"),
        ] {
            assert_eq!(without_queries(text), expected);
        }
    }
}
