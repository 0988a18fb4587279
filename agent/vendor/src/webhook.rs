//! `vendor.webhook` and `vendor.webhookForm`: any HTTP request.

use std::borrow::Cow;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded;

use crate::client::IGNORE;
use crate::exchange::{parse_method, parse_url};
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::{Error, Vendor};

/// Headers that the connection and the body decide. A script that passes on the headers of a captured request has them
/// in, and they would contradict what is sent.
const OWN: &[&str] = &[
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// `vendor.webhook(method, url, body, headers)`.
#[derive(Clone, Copy, Default)]
pub struct Webhook<'a> {
    /// Any method; empty is `GET`.
    pub method: &'a str,
    /// An http or https URL.
    pub url: &'a str,
    /// The body as it is sent.
    pub body: Option<&'a str>,
    /// Names and values. Those about the connection and the length of the body are left out.
    pub headers: &'a [(String, String)],
}

/// `vendor.webhookForm(method, url, form)`.
#[derive(Clone, Copy, Default)]
pub struct WebhookForm<'a> {
    /// Any method; empty is `GET`.
    pub method: &'a str,
    /// An http or https URL.
    pub url: &'a str,
    /// Names and values, in the order they are sent in.
    pub form: &'a [(String, String)],
}

impl Vendor {
    /// Sends a request and returns the body of the answer, bytes that are not UTF-8 replaced by U+FFFD.
    ///
    /// An answer of any status is a success, as it always was for scripts. Sent once: what a second one would do is not
    /// known. Up to ten redirects are followed, none from https to http.
    ///
    /// # Errors
    ///
    /// What kept an answer from coming whole.
    pub async fn webhook(&self, request: Webhook<'_>) -> Result<String, Error> {
        let headers = headers(request.headers)?;
        self.request(request.method, request.url, request.body.map(Cow::Borrowed), headers).await
    }

    /// As [`webhook`](Self::webhook), with a form as body (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    ///
    /// What kept an answer from coming whole.
    pub async fn webhook_form(&self, request: WebhookForm<'_>) -> Result<String, Error> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(request.form).finish();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
        self.request(request.method, request.url, Some(Cow::Owned(body)), headers).await
    }

    async fn request(
        &self,
        method: &str,
        url: &str,
        body: Option<Cow<'_, str>>,
        mut headers: HeaderMap,
    ) -> Result<String, Error> {
        let method = parse_method(method)?;
        let url = parse_url(url, "the URL of a webhook")?;
        let mut secrets = Secrets::default();
        secrets.add_url(&url);
        for (name, value) in &headers {
            if name != CONTENT_TYPE
                && let Ok(value) = value.to_str()
            {
                secrets.add(value);
            }
        }
        headers.insert(IGNORE.0, IGNORE.1);
        let mut request = self.0.client.request(method.clone(), url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body.into_owned());
        }
        let answer = self.exchange(&method, &url, &secrets, Retry::Never).send_once(request).await?;
        Ok(String::from_utf8(answer.body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        let broken = |what| {
            let name: String = name.chars().take(40).collect();
            Error::argument(format!("the {what} of header {name:?} has characters that HTTP does not allow"))
        };
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| broken("value"))?;
        headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken("name"))?, value);
    }
    Ok(headers)
}
