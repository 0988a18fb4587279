//! `vendor.influxdb`: one point into InfluxDB 2 or later.

use chrono::Utc;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value};

use crate::exchange::join;
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::{Error, Vendor, line_protocol};

/// `vendor.influxdb(url, token, organization, bucket, measurement, data, tags)`.
#[derive(Clone, Copy)]
pub struct Influxdb<'a> {
    /// Where the server is; `/api/v2/write` is added.
    pub url: &'a str,
    /// An API token that may write to the bucket.
    pub token: &'a str,
    /// The organization's name or ID.
    pub organization: &'a str,
    /// The bucket's name or ID.
    pub bucket: &'a str,
    /// What the point is a measurement of.
    pub measurement: &'a str,
    /// The fields. A number that is whole is written as integer, other numbers as float; null is left out, lists and objects
    /// become their JSON as text.
    pub data: &'a Map<String, Value>,
    /// The tags; null and empty ones are left out.
    pub tags: &'a Map<String, Value>,
}

impl Vendor {
    /// Writes one point with the time of now.
    ///
    /// Repeated after broken connections, 429 and 5xx: a point with the same tags and time replaces itself.
    ///
    /// # Errors
    ///
    /// Any status outside 2xx; a point without a name or without fields.
    pub async fn influxdb(&self, request: Influxdb<'_>) -> Result<(), Error> {
        let mut url = join(request.url, "api/v2/write", "the URL of InfluxDB")?;
        url.query_pairs_mut()
            .clear()
            .append_pair("org", request.organization)
            .append_pair("bucket", request.bucket)
            .append_pair("precision", "ns");
        // The clock of the type ends in 2262.
        let now = Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX);
        let line = line_protocol::point(request.measurement, request.tags, request.data, now)?;
        let secrets = Secrets::of([request.token]);
        let exchange = self.exchange(&Method::POST, &url, &secrets, Retry::Repeatable);
        exchange
            .success(|| {
                let request =
                    self.0.client.post(url.clone()).header(AUTHORIZATION, format!("Token {}", request.token));
                request.header(CONTENT_TYPE, "text/plain; charset=utf-8").body(line.clone())
            })
            .await
            .map(drop)
    }
}
