//! The protocols the agent knows.

use crate::{Registration, http1, ldap, smtp, tls};

/// In the order they are asked; see [`crate::Protocol::priority`].
pub static REGISTRY: &[Registration] =
    &[http1::REGISTRATION, tls::REGISTRATION, ldap::REGISTRATION, ldap::DATAGRAMS, smtp::REGISTRATION];
