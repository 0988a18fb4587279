//! `vendor.gcs.put` and `vendor.gcs.clear`.

use std::sync::Arc;

use cap_std::fs::Dir;
use object_store::gcp::GoogleCloudStorageBuilder;
use serde::Deserialize;

use crate::exchange::parse_url;
use crate::file::Opened;
use crate::scrub::Secrets;
use crate::store::{Bucket, Store, StoreKey, check_bucket, retries, store_error};
use crate::{Cleared, Error, Stored, Target, Vendor};

/// `vendor.gcs.put(bucket, path, saKeyObj)`.
#[derive(Clone, Copy)]
pub struct GcsPut<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Where the path of the file begins.
    pub dir: &'a Dir,
    /// The file, relative to `dir`.
    pub path: &'a str,
    /// The JSON of a service account's key; where absent, credentials come from the file that
    /// `GOOGLE_APPLICATION_CREDENTIALS` names, and last from the metadata of the instance (Workload Identity).
    pub service_account: Option<&'a str>,
}

/// `vendor.gcs.clear(bucket, saKeyObj)`; fields as in [`GcsPut`].
#[derive(Clone, Copy)]
pub struct GcsClear<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The JSON of a service account's key.
    pub service_account: Option<&'a str>,
}

/// The parts of a service account's key that must not be shown.
#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    private_key_id: String,
}

impl Vendor {
    /// Uploads a file as `<node name>_<node address>[_<run>]/<file name>`, replacing what is there; above 8 MiB in parts,
    /// two at once. Repeated after broken connections, 429 and 5xx. A failed upload takes its parts back.
    ///
    /// # Errors
    ///
    /// Whatever kept the object from being written whole.
    pub async fn gcs_put(&self, request: GcsPut<'_>) -> Result<Stored, Error> {
        let bucket = self.gcs_bucket(request.bucket, request.service_account)?;
        let file = Opened::open(request.dir, request.path).await?;
        self.put(&bucket, file).await
    }

    /// Deletes all objects of this node, those of all its runs, and only those.
    ///
    /// # Errors
    ///
    /// Whatever kept an object from being deleted; others may be gone.
    pub async fn gcs_clear(&self, request: GcsClear<'_>) -> Result<Cleared, Error> {
        self.clear(&self.gcs_bucket(request.bucket, request.service_account)?).await
    }

    fn gcs_bucket(&self, name: &str, service_account: Option<&str>) -> Result<Bucket, Error> {
        check_bucket(name)?;
        let service_account = service_account.filter(|key| !key.is_empty());
        let endpoint = match &self.0.config.gcs_endpoint {
            Some(endpoint) => parse_url(endpoint, "the endpoint of Cloud Storage")?.to_string(),
            None => "https://storage.googleapis.com".to_owned(),
        };
        let url = format!("{}/{name}", endpoint.trim_end_matches('/'));
        let mut secrets = Secrets::default();
        if let Some(key) = service_account {
            // What is wrong with it may be a secret.
            let key: Key = serde_json::from_str(key).map_err(|_| {
                Error::argument("the key of the service account is not the JSON that Google gives out")
            })?;
            key.private_key.lines().for_each(|line| secrets.add(line));
            secrets.add(&key.private_key_id);
        }
        let key =
            StoreKey::Gcs { bucket: name.to_owned(), service_account: service_account.map(str::to_owned) };
        let store = self.0.stores.get_or_make(key, |_| self.gcs_store(name, service_account));
        let store = store.map_err(|error| store_error(Target::object("GCS", &url), &secrets, &error))?;
        Ok(Bucket { store, url, secrets })
    }

    fn gcs_store(&self, bucket: &str, service_account: Option<&str>) -> object_store::Result<Arc<dyn Store>> {
        let config = &self.0.config;
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(bucket)
            .with_retry(retries(config))
            .with_http_connector(self.connector());
        if let Some(endpoint) = &config.gcs_endpoint {
            builder = builder.with_base_url(endpoint.trim_end_matches('/'));
        }
        builder = match (service_account, config.variables.get("GOOGLE_APPLICATION_CREDENTIALS")) {
            (Some(key), _) => builder.with_service_account_key(key),
            (None, _) if config.gcs_endpoint.is_some() => {
                // Without any credential it would ask the metadata of an instance that emulators do not have.
                builder.with_bearer_token("").with_skip_signature(true)
            }
            (None, Some(path)) => builder.with_application_credentials(path),
            (None, None) => builder,
        };
        Ok(Arc::new(builder.build()?))
    }
}
