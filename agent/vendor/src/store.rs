//! What S3 and Cloud Storage have in common.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::AUTHORIZATION;
use tokio::time::timeout_at;

use crate::client::causes;
use crate::exchange::Until;
use crate::file::Opened;
use crate::multipart::{Stop, upload};
use crate::retry::ATTEMPTS;
use crate::scrub::{Secrets, without_queries};
use crate::{Config, Error, Target, Vendor};

/// Objects that are listed and deleted at once; the most both services allow.
const PAGE: usize = 1000;
/// Longest shown text of a failure, in characters.
const REASON: usize = 400;
/// What stays as it is in the path of an object's URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key in the bucket: `<node name>_<node address>[_<run>]/<file name>`.
    pub key: String,
    /// Its URL.
    pub url: String,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// The beginning of the keys: `<node name>_<node address>`, followed by a slash or a run.
    pub prefix: String,
    /// How many objects are gone.
    pub objects: u64,
}

/// An object store that also lists by any beginning of a key.
pub(crate) trait Store: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> Store for T {}

/// What a store is made of. Stores are kept, because they keep the credentials they fetched.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreKey {
    S3 { bucket: String, region: String, keys: Option<(String, String)> },
    Gcs { bucket: String, service_account: Option<String> },
}

/// A bucket for one call.
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn Store>,
    /// The URL that keys are put behind.
    pub(crate) url: String,
    pub(crate) secrets: Secrets,
}

impl Vendor {
    pub(crate) async fn put(&self, bucket: &Bucket, file: Opened) -> Result<Stored, Error> {
        let config = &self.0.config;
        let mut folder = node(config)?;
        if let Some(run) = &config.run_id {
            folder = format!("{folder}_{run}");
        }
        let key = format!("{folder}/{}", file.name());
        let path =
            Path::parse(&key).map_err(|error| Error::argument(format!("the name of an object: {error}")))?;
        let url = format!("{}/{}", bucket.url, utf8_percent_encode(&key, PATH));
        let target = Target::object("PUT", &url);
        let until = Until::after(config.upload_deadline);
        match timeout_at(until.at, upload(&*bucket.store, &path, file)).await {
            Ok(Ok(())) => Ok(Stored { key, url }),
            Ok(Err(Stop::File(error))) => Err(error),
            Ok(Err(Stop::Store(error))) => Err(bucket.error(target, &error)),
            Err(_) => Err(Error::Deadline { target, deadline: until.deadline }),
        }
    }

    pub(crate) async fn clear(&self, bucket: &Bucket) -> Result<Cleared, Error> {
        let config = &self.0.config;
        let prefix = node(config)?;
        let target =
            Target::object("DELETE", &format!("{}/{}", bucket.url, utf8_percent_encode(&prefix, PATH)));
        let until = Until::after(config.upload_deadline);
        // Not what begins with the prefix alone: another node's address may go on with one more digit.
        let folders = [format!("{prefix}/"), format!("{prefix}_")];
        match timeout_at(until.at, delete(&*bucket.store, &folders)).await {
            Ok(Ok(objects)) => Ok(Cleared { prefix, objects }),
            Ok(Err(error)) => Err(bucket.error(target, &error)),
            Err(_) => Err(Error::Deadline { target, deadline: until.deadline }),
        }
    }
}

impl Bucket {
    fn error(&self, target: Target, error: &object_store::Error) -> Error {
        store_error(target, &self.secrets, error)
    }
}

pub(crate) fn store_error(target: Target, secrets: &Secrets, error: &object_store::Error) -> Error {
    Error::Store { target, reason: secrets.text(&without_queries(&causes(error)), REASON) }
}

async fn delete(store: &dyn Store, prefixes: &[String]) -> object_store::Result<u64> {
    let mut objects = 0;
    for prefix in prefixes {
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions { max_keys: Some(PAGE), page_token, ..Default::default() };
            let page = store.list_paginated(Some(prefix), options).await?;
            let found = page.result.objects.into_iter().map(|object| Ok(object.location));
            let mut deleted = store.delete_stream(stream::iter(found).boxed());
            loop {
                match deleted.try_next().await {
                    Ok(Some(_)) => objects += 1,
                    Ok(None) => break,
                    // Somebody else was faster.
                    Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            page_token = page.page_token;
            if page_token.is_none() {
                break;
            }
        }
    }
    Ok(objects)
}

/// What all keys of this node begin with.
fn node(config: &Config) -> Result<String, Error> {
    let (Some(name), Some(ip)) = (&config.node_name, &config.node_ip) else {
        return Err(Error::argument(
            "object stores need the node's name and address, and they are not known",
        ));
    };
    if name.is_empty() || ip.is_empty() || name.contains('/') || ip.contains('/') {
        return Err(Error::argument("the node's name and address must neither be empty nor contain a slash"));
    }
    Ok(format!("{name}_{ip}"))
}

/// A bucket's name goes into URLs.
pub(crate) fn check_bucket(name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if (3..=222).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('.') {
        Ok(())
    } else {
        Err(Error::argument("a bucket's name has 3 to 222 letters, digits, dots, dashes and underscores"))
    }
}

pub(crate) fn retries(config: &Config) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: std::time::Duration::from_millis(200),
            max_backoff: std::time::Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: ATTEMPTS as usize - 1,
        retry_timeout: config.upload_deadline,
    }
}

/// Has the object stores use the client of everything else.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    client: reqwest::Client,
    limit: usize,
}

impl Connector {
    pub(crate) fn new(client: reqwest::Client, limit: usize) -> Self {
        Self { client, limit }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an answer of more than {0} bytes")]
struct TooLong(usize);

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // Some requests of the store without a token would send an empty one.
        if request
            .headers()
            .get(AUTHORIZATION)
            .is_some_and(|value| value.as_bytes().trim_ascii() == b"Bearer")
        {
            request.headers_mut().remove(AUTHORIZATION);
        }
        let (head, body) = HttpService::call(&self.client, request).await?.into_parts();
        let mut chunks = body.bytes_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.try_next().await? {
            if chunk.len() > self.limit - bytes.len() {
                return Err(HttpError::new(HttpErrorKind::Decode, TooLong(self.limit)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(HttpResponse::from_parts(head, bytes.into()))
    }
}
