//! Where the endpoint listens, for whom, and its limits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Where metrics are to be had unless the settings say otherwise.
pub const DEFAULT_HOST: &str = "127.0.0.1";
/// The port Kubeshark has its metrics on.
pub const DEFAULT_PORT: u16 = 49_100;

/// Settings of a [`Server`](crate::Server), below `tap.metrics`.
#[derive(Clone)]
pub struct ServerConfig {
    /// An IP address or `localhost`. No other names, so that nothing depends on a resolver.
    pub host: String,
    /// 0 lets the system choose.
    pub port: u16,
    /// Scrapers must send this as `Authorization: Bearer`; empty means none.
    pub token: String,
    /// Serve on an address that other machines reach although there is no token.
    pub open: bool,
    pub limits: ServerLimits,
}

/// What a client may take up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerLimits {
    /// Connections at a time; more are closed at once.
    pub connections: usize,
    /// Answers to `/metrics` in memory at a time; more get status 503.
    pub scrapes: usize,
    /// Bytes of a request's head, at least 8192; larger ones get status 431.
    pub head: usize,
    /// Header fields of a request; more get status 431.
    pub fields: usize,
    /// Time until the first request of a connection is there.
    pub first_request: Duration,
    /// Time from a request until its answer is sent.
    pub response: Duration,
    /// Time from an answer until the next request is there. More than scrapers usually pause.
    pub idle: Duration,
    /// Time that [`stop`](crate::Server::stop) gives to answers under way.
    pub stop: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 32,
            scrapes: 4,
            head: 8192,
            fields: 64,
            first_request: Duration::from_secs(10),
            response: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            stop: Duration::from_secs(5),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            host: DEFAULT_HOST.to_owned(),
            port: DEFAULT_PORT,
            token: String::new(),
            open: false,
            limits: ServerLimits::default(),
        }
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServerConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("token", &if self.token.is_empty() { "none" } else { "(hidden)" })
            .field("open", &self.open)
            .field("limits", &self.limits)
            .finish()
    }
}

/// Why the endpoint cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    #[error("tap.metrics.host: {0:?} is neither an IP address nor localhost")]
    Host(String),
    #[error("tap.metrics.token: only visible ASCII characters can be sent in a header")]
    Token,
    #[error(
        "tap.metrics.host: anyone who reaches {address} could read the metrics; set tap.metrics.token, or \
         tap.metrics.open where that is meant"
    )]
    Exposed { address: SocketAddr },
    #[error("tap.metrics.port: {address} is in use by another process; set another port")]
    InUse { address: SocketAddr },
    #[error("the metrics endpoint cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
}

impl ServerConfig {
    /// The address to bind, where that is fit to be bound.
    pub(super) fn address(&self) -> Result<SocketAddr, ServerError> {
        let ip = match self.host.as_str() {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            host => host.parse().map_err(|_| ServerError::Host(host.to_owned()))?,
        };
        let address = SocketAddr::new(ip, self.port);
        if !self.token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServerError::Token);
        }
        if !ip.is_loopback() && self.token.is_empty() && !self.open {
            return Err(ServerError::Exposed { address });
        }
        Ok(address)
    }
}
