//! `vendor.slack`: a message through an incoming webhook. What a message is, for both of Slack's ways.

use chrono::{SecondsFormat, Utc};
use reqwest::Method;
use serde::Serialize;

use crate::exchange::{Exchange, parse_url};
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::{Error, Target, Vendor};

/// `vendor.slack(webhookUrl, pretext, text, color)`.
#[derive(Clone, Copy, Default)]
pub struct Slack<'a> {
    /// The address Slack gave for the channel. All of it is a secret.
    pub webhook_url: &'a str,
    /// The line above the message.
    pub pretext: &'a str,
    /// The message.
    pub text: &'a str,
    /// Of the bar beside the message: `#rrggbb`, `good`, `warning` or `danger`.
    pub color: &'a str,
}

/// A message as both incoming webhooks and `chat.postMessage` take it.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<&'a str>,
    attachments: [Attachment<'a>; 1],
}

#[derive(Serialize)]
struct Attachment<'a> {
    /// What notifications show.
    fallback: &'a str,
    pretext: &'a str,
    text: &'a str,
    color: &'a str,
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    title: &'a str,
    value: &'a str,
    short: bool,
}

impl<'a> Message<'a> {
    pub(crate) fn new(
        channel: Option<&'a str>,
        [pretext, text, color]: [&'a str; 3],
        fields: &'a [(String, String)],
        timestamp: &'a str,
    ) -> Self {
        let given = fields.iter().map(|(title, value)| (title.as_str(), value.as_str()));
        let fields = given
            .chain([("Timestamp", timestamp)])
            .map(|(title, value)| Field { title, value, short: false })
            .collect();
        let fallback = if pretext.is_empty() { text } else { pretext };
        Self { channel, attachments: [Attachment { fallback, pretext, text, color, fields }] }
    }
}

/// The time of a message's `Timestamp` field.
pub(crate) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Vendor {
    /// Posts a message: pretext, text, a bar of the given colour and a `Timestamp` field.
    ///
    /// The message is in a list of `attachments`, which Slack's incoming webhooks document; the bare attachment that this
    /// helper's model sent is a form of the past. Repeated where Slack surely did not take it: no connection, or a rate
    /// limit (429, `Retry-After` honoured).
    ///
    /// # Errors
    ///
    /// Any status outside 2xx, with Slack's word for it.
    pub async fn slack(&self, request: Slack<'_>) -> Result<(), Error> {
        let url = parse_url(request.webhook_url, "the webhook URL of Slack")?;
        let mut secrets = Secrets::of([url.path(), url.as_str()]);
        secrets.add_url(&url);
        url.path_segments().into_iter().flatten().for_each(|segment| secrets.add(segment));
        let timestamp = now();
        let message = Message::new(None, [request.pretext, request.text, request.color], &[], &timestamp);
        let body = json(&message)?;
        let exchange = Exchange {
            target: Target::without_path(&Method::POST, &url),
            ..self.exchange(&Method::POST, &url, &secrets, Retry::Unsent)
        };
        exchange.success(|| with_json(self.0.client.post(url.clone()), &body)).await.map(drop)
    }
}

/// A body that can be sent several times.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Internal(format!("JSON: {error}")))
}

pub(crate) fn with_json(request: reqwest::RequestBuilder, body: &[u8]) -> reqwest::RequestBuilder {
    request.header(reqwest::header::CONTENT_TYPE, "application/json; charset=utf-8").body(body.to_vec())
}
