//! `vendor.slackBot`: a message and files through Slack's Web API.

use cap_std::fs::Dir;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, Url};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::exchange::{Answer, Exchange, Until, join, parse_url};
use crate::file::Opened;
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::slack::{Message, json, now, with_json};
use crate::{Error, Target, Vendor};

/// Most files of one message; each is open from the beginning.
const FILES: usize = 32;

/// `vendor.slackBot(token, channelID, pretext, text, color, fields, files)`.
#[derive(Clone, Copy, Default)]
pub struct SlackBot<'a> {
    /// A bot token (`xoxb-…`) with the scopes `chat:write` and, for files, `files:write`.
    pub token: &'a str,
    /// The channel's ID or name.
    pub channel: &'a str,
    /// The line above the message.
    pub pretext: &'a str,
    /// The message.
    pub text: &'a str,
    /// Of the bar beside the message: `#rrggbb`, `good`, `warning` or `danger`.
    pub color: &'a str,
    /// Titles and values, shown in this order; `Timestamp` is added.
    pub fields: &'a [(String, String)],
    /// Files to share in the channel.
    pub files: &'a [SlackFile<'a>],
}

/// A file to share.
#[derive(Clone, Copy, Debug)]
pub struct SlackFile<'a> {
    /// What it is called in Slack.
    pub name: &'a str,
    /// Where its path begins.
    pub dir: &'a Dir,
    /// Relative to `dir`.
    pub path: &'a str,
}

/// What was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The channel's ID.
    pub channel: String,
    /// Slack's timestamp of the message, which is also its ID in the channel.
    pub timestamp: String,
    /// The names of the files that were shared, in the order given.
    pub files: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    error: Option<String>,
    needed: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    channel: String,
    ts: String,
}

#[derive(Deserialize)]
struct Slot {
    upload_url: String,
    file_id: String,
}

#[derive(Serialize)]
struct Complete<'a> {
    files: Vec<Shared<'a>>,
    channel_id: &'a str,
}

#[derive(Serialize)]
struct Shared<'a> {
    id: String,
    title: &'a str,
}

impl Vendor {
    /// Posts a message (`chat.postMessage`), then uploads the files and shares them in the same channel
    /// (`files.getUploadURLExternal`, the upload, `files.completeUploadExternal`). All files are opened before anything is
    /// sent, so a missing one posts nothing.
    ///
    /// A message is repeated where Slack surely did not take it (no connection, or 429 with `Retry-After` honoured), asking
    /// where to upload also after broken connections and 5xx, the upload itself never.
    ///
    /// # Errors
    ///
    /// A status outside 2xx, or `ok: false` with Slack's word for it. The message may have been posted before.
    pub async fn slack_bot(&self, request: SlackBot<'_>) -> Result<Posted, Error> {
        if request.files.len() > FILES {
            return Err(Error::argument(format!("a Slack message takes at most {FILES} files")));
        }
        let secrets = Secrets::of([request.token]);
        let web = Web { vendor: self, token: request.token, secrets: &secrets, until: self.until() };
        let mut files = Vec::with_capacity(request.files.len());
        for file in request.files {
            files.push((file.name, Opened::open(file.dir, file.path).await?));
        }
        let timestamp = now();
        let text = [request.pretext, request.text, request.color];
        let message = Message::new(Some(request.channel), text, request.fields, &timestamp);
        let sent: Sent = web.post("chat.postMessage", &message).await?;

        let mut shared = Vec::with_capacity(files.len());
        for (name, file) in files {
            let slot = web.slot(name, file.len).await?;
            web.upload(&slot.upload_url, file).await?;
            shared.push(Shared { id: slot.file_id, title: name });
        }
        let names = shared.iter().map(|file| file.title.to_owned()).collect();
        if !shared.is_empty() {
            let complete = Complete { files: shared, channel_id: &sent.channel };
            let _: IgnoredAny = web.post("files.completeUploadExternal", &complete).await?;
        }
        Ok(Posted { channel: sent.channel, timestamp: sent.ts, files: names })
    }
}

/// The methods of the Web API, for one call.
struct Web<'a> {
    vendor: &'a Vendor,
    token: &'a str,
    secrets: &'a Secrets,
    until: Until,
}

impl Web<'_> {
    fn method(&self, name: &str, retry: Retry) -> Result<(Url, Exchange<'_>), Error> {
        let url = join(&self.vendor.0.config.slack_base_url, name, "slack_base_url")?;
        let exchange = self.vendor.exchange(&Method::POST, &url, self.secrets, retry);
        Ok((url, Exchange { until: self.until, ..exchange }))
    }

    async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        name: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let (url, exchange) = self.method(name, Retry::Unsent)?;
        let body = json(body)?;
        let client = &self.vendor.0.client;
        let answer =
            exchange.success(|| with_json(client.post(url.clone()).bearer_auth(self.token), &body)).await?;
        open(&exchange, &answer)
    }

    /// Asks where a file goes. This method takes forms only.
    async fn slot(&self, name: &str, len: u64) -> Result<Slot, Error> {
        let (url, exchange) = self.method("files.getUploadURLExternal", Retry::Repeatable)?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("filename", name)
            .append_pair("length", &len.to_string())
            .finish();
        let client = &self.vendor.0.client;
        let answer = exchange
            .success(|| {
                let request = client.post(url.clone()).bearer_auth(self.token);
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone())
            })
            .await?;
        open(&exchange, &answer)
    }

    /// Sends a file to where Slack wants it. The URL is the permission, so it gets no token and is not shown.
    async fn upload(&self, upload_url: &str, file: Opened) -> Result<(), Error> {
        let url = parse_url(upload_url, "the upload URL that Slack gave")?;
        if url.scheme() == "http" && self.vendor.0.config.slack_base_url.starts_with("https") {
            return Err(Error::argument("the upload URL that Slack gave is not https"));
        }
        let mut secrets = Secrets::of([url.path(), url.as_str()]);
        secrets.add_url(&url);
        let exchange = Exchange {
            target: Target::without_path(&Method::POST, &url),
            until: self.until,
            ..self.vendor.exchange(&Method::POST, &url, &secrets, Retry::Never)
        };
        let request = self
            .vendor
            .0
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, file.len)
            .body(file.into_body());
        let answer = exchange.send_once(request).await?;
        if answer.status.is_success() { Ok(()) } else { Err(exchange.status(&answer)) }
    }
}

/// Every method answers 200 and says in the body whether it went well.
fn open<T: for<'de> Deserialize<'de>>(exchange: &Exchange<'_>, answer: &Answer) -> Result<T, Error> {
    let envelope: Envelope = exchange.json(answer)?;
    if envelope.ok {
        return exchange.json(answer);
    }
    let mut reason = envelope.error.unwrap_or_else(|| "ok: false".to_owned());
    if let Some(needed) = envelope.needed {
        reason = format!("{reason} (needs the scope {needed})");
    }
    Err(exchange.refused(answer, &reason))
}
