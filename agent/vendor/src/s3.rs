//! `vendor.s3.put` and `vendor.s3.clear`.

use std::sync::Arc;

use cap_std::fs::Dir;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use crate::exchange::parse_url;
use crate::file::Opened;
use crate::scrub::Secrets;
use crate::store::{Bucket, Store, StoreKey, check_bucket, retries, store_error};
use crate::{Cleared, Error, Stored, Target, Variables, Vendor};

/// Variables that say where credentials come from, as the AWS tools name them.
const CREDENTIALS: &[(&str, AmazonS3ConfigKey)] = &[
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_ENDPOINT_URL_STS", AmazonS3ConfigKey::StsEndpoint),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
];

/// A static pair of keys.
#[derive(Clone, Copy)]
pub struct S3Keys<'a> {
    /// The public half.
    pub key_id: &'a str,
    /// The secret half.
    pub access_key: &'a str,
}

impl std::fmt::Debug for S3Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("S3Keys")
    }
}

impl<'a> S3Keys<'a> {
    /// A pair from optional arguments, of which an empty one counts as absent.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for one without the other.
    pub fn from_arguments(
        key_id: Option<&'a str>,
        access_key: Option<&'a str>,
    ) -> Result<Option<Self>, Error> {
        match (key_id.filter(|text| !text.is_empty()), access_key.filter(|text| !text.is_empty())) {
            (Some(key_id), Some(access_key)) => Ok(Some(Self { key_id, access_key })),
            (None, None) => Ok(None),
            _ => Err(Error::argument("S3 needs both the key ID and the access key, or neither")),
        }
    }
}

/// `vendor.s3.put(bucket, path, region, keyID, accessKey)`.
#[derive(Clone, Copy, Debug)]
pub struct S3Put<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Where the path of the file begins.
    pub dir: &'a Dir,
    /// The file, relative to `dir`.
    pub path: &'a str,
    /// The bucket's region; from `AWS_REGION` or `AWS_DEFAULT_REGION` where absent.
    pub region: Option<&'a str>,
    /// Keys; where absent, credentials come from the variables: keys, the token of a service account (IRSA), the
    /// credentials of a container (Pod Identity, ECS), and last from the metadata of the instance (version 2).
    pub keys: Option<S3Keys<'a>>,
}

/// `vendor.s3.clear(region, keyID, accessKey, bucket)`; fields as in [`S3Put`].
#[derive(Clone, Copy, Debug)]
pub struct S3Clear<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The bucket's region.
    pub region: Option<&'a str>,
    /// Keys.
    pub keys: Option<S3Keys<'a>>,
}

impl Vendor {
    /// Uploads a file as `<node name>_<node address>[_<run>]/<file name>`, replacing what is there; above 8 MiB in parts,
    /// two at once. Repeated after broken connections, 429 and 5xx. A failed upload takes its parts back.
    ///
    /// # Errors
    ///
    /// Whatever kept the object from being written whole.
    pub async fn s3_put(&self, request: S3Put<'_>) -> Result<Stored, Error> {
        let bucket = self.s3_bucket(request.bucket, request.region, request.keys)?;
        let file = Opened::open(request.dir, request.path).await?;
        self.put(&bucket, file).await
    }

    /// Deletes all objects of this node, those of all its runs, and only those.
    ///
    /// # Errors
    ///
    /// Whatever kept an object from being deleted; others may be gone.
    pub async fn s3_clear(&self, request: S3Clear<'_>) -> Result<Cleared, Error> {
        self.clear(&self.s3_bucket(request.bucket, request.region, request.keys)?).await
    }

    fn s3_bucket(&self, name: &str, region: Option<&str>, keys: Option<S3Keys<'_>>) -> Result<Bucket, Error> {
        let config = &self.0.config;
        check_bucket(name)?;
        let region = region
            .filter(|region| !region.is_empty())
            .or_else(|| config.variables.get("AWS_REGION"))
            .or_else(|| config.variables.get("AWS_DEFAULT_REGION"))
            .ok_or_else(|| Error::argument("S3 needs a region, as argument or in AWS_REGION"))?;
        // It becomes part of a host name that signed requests go to.
        if region.len() > 40 || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Error::argument("a region of S3 has letters, digits and dashes, such as us-east-1"));
        }
        let url = match &config.s3_endpoint {
            Some(endpoint) => {
                let endpoint = parse_url(endpoint, "the endpoint of S3")?;
                format!("{}/{name}", endpoint.as_str().trim_end_matches('/'))
            }
            // With a dot in the name, the certificate of this host would not hold.
            None if name.contains('.') => format!("https://s3.{region}.{}/{name}", domain(region)),
            None => format!("https://{name}.s3.{region}.{}", domain(region)),
        };
        let secrets = secrets(keys, &config.variables);
        let key = StoreKey::S3 {
            bucket: name.to_owned(),
            region: region.to_owned(),
            keys: keys.map(|keys| (keys.key_id.to_owned(), keys.access_key.to_owned())),
        };
        let store = self.0.stores.get_or_make(key, |_| self.s3_store(name, region, keys));
        let store = store.map_err(|error| store_error(Target::object("S3", &url), &secrets, &error))?;
        Ok(Bucket { store, url, secrets })
    }

    fn s3_store(
        &self,
        bucket: &str,
        region: &str,
        keys: Option<S3Keys<'_>>,
    ) -> object_store::Result<Arc<dyn Store>> {
        let config = &self.0.config;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_retry(retries(config))
            .with_http_connector(self.connector());
        if let Some(endpoint) = &config.s3_endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/')).with_allow_http(true);
        } else if region.starts_with("cn-") {
            builder = builder.with_endpoint(format!("https://s3.{region}.{}", domain(region)));
        }
        match keys {
            Some(keys) => {
                builder = builder.with_access_key_id(keys.key_id).with_secret_access_key(keys.access_key);
            }
            None => {
                if region.starts_with("cn-") {
                    let sts = format!("https://sts.{region}.{}", domain(region));
                    builder = builder.with_config(AmazonS3ConfigKey::StsEndpoint, sts);
                }
                if let Some(endpoint) = config.variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
                    builder = builder.with_metadata_endpoint(endpoint.trim_end_matches('/'));
                }
                for (name, key) in CREDENTIALS {
                    if let Some(value) = config.variables.get(name) {
                        builder = builder.with_config(*key, value);
                    }
                }
            }
        }
        Ok(Arc::new(builder.build()?))
    }
}

fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn secrets(keys: Option<S3Keys<'_>>, variables: &Variables) -> Secrets {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let mut secrets = Secrets::of(names.iter().filter_map(|name| variables.get(name)));
    if let Some(keys) = keys {
        secrets.add(keys.key_id);
        secrets.add(keys.access_key);
    }
    secrets
}
