//! `vendor.elastic`: one document into Elasticsearch.

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cloud_id::{decode, encoded_key};
use crate::exchange::parse_url;
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::slack::{json, with_json};
use crate::tls::parse_fingerprint;
use crate::{Error, Vendor};

/// `vendor.elastic(url, index, data, username, password, cloudID, apiKey, serviceToken, certificateFingerprint)`. An
/// optional argument that is empty counts as absent.
#[derive(Clone, Copy)]
pub struct Elastic<'a> {
    /// Where the cluster is. Not looked at where there is a Cloud ID.
    pub url: &'a str,
    /// The index, the alias or the date math expression the document goes to.
    pub index: &'a str,
    /// The document.
    pub data: &'a Value,
    /// With `password`: basic authentication.
    pub username: Option<&'a str>,
    /// See `username`.
    pub password: Option<&'a str>,
    /// Of a deployment in Elastic Cloud.
    pub cloud_id: Option<&'a str>,
    /// As encoded by Elasticsearch, or `id:key`. Wins over the other ways to authenticate.
    pub api_key: Option<&'a str>,
    /// A bearer token. Wins over basic authentication.
    pub service_token: Option<&'a str>,
    /// SHA-256 in hexadecimal digits of the certificate the server must present, as leaf or as authority above it. The
    /// system's certificates and the host name then count for nothing.
    pub fingerprint: Option<&'a str>,
}

impl Vendor {
    /// Indexes a document under a random UUID, visible to searches when this returns (`refresh=true`), and returns that
    /// UUID.
    ///
    /// Repeated after broken connections, 429 and 5xx: the document has its ID already, so it replaces itself.
    ///
    /// # Errors
    ///
    /// Any status outside 2xx; a Cloud ID or a fingerprint that is none; a server without the pinned certificate.
    pub async fn elastic(&self, request: Elastic<'_>) -> Result<String, Error> {
        let present = |text: Option<&'_ str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let mut secrets = Secrets::default();
        let mut base = match present(request.cloud_id) {
            Some(id) => {
                let url = decode(&id).ok_or_else(|| Error::argument("the Cloud ID is none"))?;
                parse_url(&url, "the address in the Cloud ID")?
            }
            None => parse_url(request.url, "the URL of Elasticsearch")?,
        };
        secrets.add_url(&base);
        let authorization = authorization(&request, &base, &mut secrets)?;
        // The header says it; left in the URL, it would be sent instead.
        let bare = base.set_username("").and_then(|()| base.set_password(None));
        bare.map_err(|()| Error::argument("the URL of Elasticsearch has no host"))?;

        if request.index.is_empty() {
            return Err(Error::argument("an index in Elasticsearch needs a name"));
        }
        let id = random_uuid()?;
        base.path_segments_mut()
            .map_err(|()| Error::argument("the URL of Elasticsearch has no path"))?
            .pop_if_empty()
            .extend([request.index, "_doc", &id]);
        base.set_query(Some("refresh=true"));

        let client = match present(request.fingerprint) {
            Some(text) => {
                let pin = parse_fingerprint(&text)
                    .ok_or_else(|| Error::argument("a certificate's fingerprint is 64 hexadecimal digits"))?;
                self.pinned(pin)?
            }
            None => self.0.client.clone(),
        };
        let body = json(request.data)?;
        let exchange = self.exchange(&Method::PUT, &base, &secrets, Retry::Repeatable);
        exchange
            .success(|| {
                let mut request = with_json(client.put(base.clone()), &body);
                if let Some(value) = &authorization {
                    request = request.header(AUTHORIZATION, value.clone());
                }
                request
            })
            .await?;
        Ok(id)
    }
}

/// The order in which Elasticsearch's clients prefer what they are given.
fn authorization(
    request: &Elastic<'_>,
    url: &Url,
    secrets: &mut Secrets,
) -> Result<Option<HeaderValue>, Error> {
    let present = |text: Option<&'_ str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let text = if let Some(key) = present(request.api_key) {
        secrets.add(&key);
        format!("ApiKey {}", encoded_key(&key))
    } else if let Some(token) = present(request.service_token) {
        format!("Bearer {token}")
    } else if let Some(user) = present(request.username) {
        let password = present(request.password).unwrap_or_default();
        secrets.add(&password);
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    } else if !url.username().is_empty() {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (decode(url.username()), decode(url.password().unwrap_or_default()));
        secrets.add(&password);
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    } else {
        return Ok(None);
    };
    text.split(' ').skip(1).for_each(|secret| secrets.add(secret));
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Error::argument("the key or token for Elasticsearch has characters that HTTP does not allow")
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// RFC 9562, section 5.4.
fn random_uuid() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("random numbers: {error}")))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_random_and_says_so() {
        let (one, other) = (random_uuid().unwrap(), random_uuid().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "4");
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"), "{one}");
    }
}
