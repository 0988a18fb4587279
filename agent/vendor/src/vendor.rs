//! What the helpers share.

use std::sync::Arc;

use reqwest::{Client, Method, Url};

use crate::exchange::{Exchange, Until};
use crate::recent::Recent;
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::store::{Connector, Store, StoreKey};
use crate::tls::Fingerprint;
use crate::{Config, Error, Target, client, tls};

/// All helpers. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Vendor(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) client: Client,
    pinned: Recent<Fingerprint, Client>,
    pub(crate) stores: Recent<StoreKey, Arc<dyn Store>>,
}

impl Vendor {
    /// Loads the system's certificates; connects nowhere.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a proxy or a certificate that cannot be read.
    pub fn new(config: Config) -> Result<Self, Error> {
        let client = client::build(tls::system(config.extra_ca_pem.as_deref())?, &config.variables)?;
        Ok(Self(Arc::new(Inner { config, client, pinned: Recent::new(), stores: Recent::new() })))
    }

    /// The settings it was made with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The client whose connections trust only the certificate with this fingerprint.
    pub(crate) fn pinned(&self, fingerprint: Fingerprint) -> Result<Client, Error> {
        self.0
            .pinned
            .get_or_make(fingerprint, |&pin| client::build(tls::pinned(pin)?, &self.0.config.variables))
    }

    pub(crate) fn until(&self) -> Until {
        Until::after(self.0.config.deadline)
    }

    pub(crate) fn connector(&self) -> Connector {
        Connector::new(self.0.client.clone(), self.0.config.response_bytes)
    }

    pub(crate) fn exchange<'a>(
        &self,
        method: &Method,
        url: &Url,
        secrets: &'a Secrets,
        retry: Retry,
    ) -> Exchange<'a> {
        let limit = self.0.config.response_bytes;
        Exchange { target: Target::new(method, url), secrets, until: self.until(), limit, retry }
    }
}

impl std::fmt::Debug for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vendor").field("config", &self.0.config).finish_non_exhaustive()
    }
}
