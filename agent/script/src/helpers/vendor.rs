//! `vendor.*` and `chatgpt.prompt`: arguments become a request, which the shared threads make while this one waits.

use std::future::Future;

use deno_error::JsErrorBox;
use remora_data::Files;
use remora_vendor::{
    Cleared, Elastic, Error, GcsClear, GcsPut, Influxdb, Prompt, S3Clear, S3Keys, S3Put, Slack, SlackBot,
    SlackFile, Vendor, Webhook, WebhookForm, arguments as orders,
};
use serde_json::{Map, Value};

use super::file::files;
use super::tree::Tree;
use super::{Helpers, answer, arguments, missing, thrown, unknown};

type Text = Option<String>;
/// Texts by name, which keep the script's order.
type Texts = Option<Map<String, Value>>;

/// Waits for a request, at most as long as helpers may.
fn send<T, F>(helpers: &Helpers, helper: &str, request: impl FnOnce(Vendor) -> F) -> Result<T, JsErrorBox>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let Some((vendor, runner)) = &helpers.services.vendor else {
        return Err(missing(helper, "the agent was started without network helpers"));
    };
    let future = request(vendor.clone());
    helpers
        .wait(|time| runner.run(time, &helpers.shared.cancel, future))
        .map_err(|error| thrown(format!("{helper}: {error}")))
}

fn pairs(texts: Texts) -> Vec<(String, String)> {
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        // The prelude makes texts of all.
        _ => None,
    };
    texts.unwrap_or_default().into_iter().filter_map(text).collect()
}

/// A file to be uploaded. That of a stream is completed up to now.
fn upload(helpers: &Helpers, helper: &'static str, path: &str) -> Result<Files, JsErrorBox> {
    let files = files(helpers, helper)?;
    files.read(helper, path).map_err(thrown)?;
    Ok(files.clone())
}

pub(super) fn call(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    match helper {
        "vendor.webhook" => webhook(helpers, helper, json),
        "vendor.webhookForm" => {
            let (method, url, form): (String, String, Texts) = arguments(helper, json)?;
            let form = pairs(form);
            answer(&send(helpers, helper, |vendor| async move {
                vendor.webhook_form(WebhookForm { method: &method, url: &url, form: &form }).await
            })?)
        }
        "vendor.slack" => {
            let (url, pretext, text, color): (String, Text, Text, Text) = arguments(helper, json)?;
            let [pretext, text, color] = [pretext, text, color].map(Option::unwrap_or_default);
            send(helpers, helper, |vendor| async move {
                let slack = Slack { webhook_url: &url, pretext: &pretext, text: &text, color: &color };
                vendor.slack(slack).await
            })?;
            Ok(String::new())
        }
        "vendor.slackBot" => slack_bot(helpers, json),
        "vendor.influxdb" => influxdb(helpers, helper, json),
        "vendor.elastic" => elastic(helpers, helper, json),
        "vendor.s3.put" => s3_put(helpers, json),
        "vendor.s3.clear" => s3_clear(helpers, helper, json),
        "vendor.gcs.put" => gcs_put(helpers, json),
        "vendor.gcs.clear" => {
            let (bucket, key): (String, Tree) = arguments(helper, json)?;
            let key = service_account(key);
            let (cleared, bucket) = send(helpers, helper, |vendor| async move {
                let clear = GcsClear { bucket: &bucket, service_account: key.as_deref() };
                Ok((vendor.gcs_clear(clear).await?, bucket))
            })?;
            tell_cleared(helpers, &cleared, &format!("Google Cloud Storage bucket: {bucket}"));
            Ok(String::new())
        }
        _ => Err(unknown(helper)),
    }
}

fn webhook(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let (method, url, body, headers): (String, String, Text, Texts) = arguments(helper, json)?;
    let headers = pairs(headers);
    answer(&send(helpers, helper, |vendor| async move {
        vendor.webhook(Webhook { method: &method, url: &url, body: body.as_deref(), headers: &headers }).await
    })?)
}

fn slack_bot(helpers: &Helpers, json: &str) -> Result<String, JsErrorBox> {
    const HELPER: &str = "vendor.slackBot";
    /// Token, channel, pretext, text, color, fields, files.
    type Arguments = (String, String, Text, Text, Text, Texts, Texts);
    let (token, channel, pretext, text, color, fields, shared): Arguments = arguments(HELPER, json)?;
    let [pretext, text, color] = [pretext, text, color].map(Option::unwrap_or_default);
    let (fields, shared) = (pairs(fields), pairs(shared));
    let mut data = None;
    for (_, path) in &shared {
        data = Some(upload(helpers, HELPER, path)?);
    }
    let posted = send(helpers, HELPER, |vendor| async move {
        let file = |(name, path)| {
            let files: &Option<Files> = &data;
            let (name, path): (&String, &String) = (name, path);
            files.as_ref().map(|files| SlackFile { name, dir: files.dir(), path })
        };
        let shared: Vec<SlackFile<'_>> =
            shared.iter().map(|(name, path)| (name, path)).filter_map(file).collect();
        let bot = SlackBot {
            token: &token,
            channel: &channel,
            pretext: &pretext,
            text: &text,
            color: &color,
            fields: &fields,
            files: &shared,
        };
        vendor.slack_bot(bot).await
    })?;
    let console = &helpers.shared.console;
    console.log(&format!("Message sent to Slack channel: {} at {}", posted.channel, posted.timestamp));
    for name in &posted.files {
        console.log(&format!("Shared {name} in Slack channel: {}", posted.channel));
    }
    Ok(String::new())
}

fn influxdb(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    /// URL, token, organization, bucket, measurement, data, tags.
    type Arguments = (String, Text, String, String, String, Tree, Option<Tree>);
    let (url, token, organization, bucket, measurement, data, tags): Arguments = arguments(helper, json)?;
    let fields = |tree: Tree, what: &str| {
        tree.object().ok_or_else(|| JsErrorBox::type_error(format!("{helper}: {what} must be an object")))
    };
    let token = token.unwrap_or_default();
    let data = fields(data, "data")?;
    let tags = tags.map(|tags| fields(tags, "tags")).transpose()?.unwrap_or_default();
    send(helpers, helper, |vendor| async move {
        let point = Influxdb {
            url: &url,
            token: &token,
            organization: &organization,
            bucket: &bucket,
            measurement: &measurement,
            data: &data,
            tags: &tags,
        };
        vendor.influxdb(point).await
    })?;
    Ok(String::new())
}

fn elastic(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    /// URL, index, data, username, password, Cloud ID, API key, service token, fingerprint.
    type Arguments = (Text, String, Tree, Text, Text, Text, Text, Text, Text);
    let (url, index, Tree(data), username, password, cloud_id, api_key, service_token, fingerprint): Arguments =
        arguments(helper, json)?;
    let url = url.unwrap_or_default();
    answer(&send(helpers, helper, |vendor| async move {
        let document = Elastic {
            url: &url,
            index: &index,
            data: &data,
            username: username.as_deref(),
            password: password.as_deref(),
            cloud_id: cloud_id.as_deref(),
            api_key: api_key.as_deref(),
            service_token: service_token.as_deref(),
            fingerprint: fingerprint.as_deref(),
        };
        vendor.elastic(document).await
    })?)
}

fn s3_put(helpers: &Helpers, json: &str) -> Result<String, JsErrorBox> {
    const HELPER: &str = "vendor.s3.put";
    let given: [Text; 5] = arguments(HELPER, json)?;
    let path = orders::s3_put(&given.each_ref().map(Option::as_deref)).path.to_owned();
    let data = upload(helpers, HELPER, &path)?;
    let (stored, bucket) = send(helpers, HELPER, |vendor| async move {
        let given = given.each_ref().map(Option::as_deref);
        let ordered = orders::s3_put(&given);
        let put = S3Put {
            bucket: ordered.bucket,
            dir: data.dir(),
            path: ordered.path,
            region: ordered.region,
            keys: S3Keys::from_arguments(ordered.key_id, ordered.access_key)?,
        };
        Ok((vendor.s3_put(put).await?, ordered.bucket.to_owned()))
    })?;
    helpers.shared.console.log(&format!("Uploaded {} file to AWS S3 bucket: {bucket}", stored.key));
    answer(&stored.url)
}

fn s3_clear(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let given: [Text; 4] = arguments(helper, json)?;
    let (cleared, bucket) = send(helpers, helper, |vendor| async move {
        let given = given.each_ref().map(Option::as_deref);
        let ordered = orders::s3_clear(&given);
        let clear = S3Clear {
            bucket: ordered.bucket,
            region: ordered.region,
            keys: S3Keys::from_arguments(ordered.key_id, ordered.access_key)?,
        };
        Ok((vendor.s3_clear(clear).await?, ordered.bucket.to_owned()))
    })?;
    tell_cleared(helpers, &cleared, &format!("AWS S3 bucket: {bucket}"));
    Ok(String::new())
}

fn gcs_put(helpers: &Helpers, json: &str) -> Result<String, JsErrorBox> {
    const HELPER: &str = "vendor.gcs.put";
    let (bucket, path, key): (String, String, Tree) = arguments(HELPER, json)?;
    let key = service_account(key);
    let data = upload(helpers, HELPER, &path)?;
    let (stored, bucket) = send(helpers, HELPER, |vendor| async move {
        let put = GcsPut { bucket: &bucket, dir: data.dir(), path: &path, service_account: key.as_deref() };
        Ok((vendor.gcs_put(put).await?, bucket))
    })?;
    let console = &helpers.shared.console;
    console.log(&format!("Uploaded {} file to Google Cloud Storage bucket: {bucket}", stored.key));
    answer(&stored.url)
}

/// The key as JSON text, given as an object or as text.
fn service_account(Tree(key): Tree) -> Option<String> {
    match key {
        Value::Null => None,
        Value::String(text) => Some(text),
        object => Some(object.to_string()),
    }
}

fn tell_cleared(helpers: &Helpers, cleared: &Cleared, place: &str) {
    let Cleared { prefix, objects } = cleared;
    helpers.shared.console.log(&format!("Cleared {objects} objects of {prefix} in {place}"));
}

pub(super) fn prompt(helpers: &Helpers, helper: &str, json: &str) -> Result<String, JsErrorBox> {
    let (api_key, prompt, max_tokens): (String, String, Option<f64>) = arguments(helper, json)?;
    // Saturates; the service has its own limit.
    let max_tokens = max_tokens.map(|tokens| tokens as u32);
    answer(&send(helpers, helper, |vendor| async move {
        vendor.prompt(Prompt { api_key: &api_key, prompt: &prompt, max_tokens }).await
    })?)
}
