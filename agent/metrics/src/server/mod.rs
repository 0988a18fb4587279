//! The scrape endpoint.

mod config;
mod connection;
mod respond;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::exposition::Collect;

pub use config::{DEFAULT_HOST, DEFAULT_PORT, ServerConfig, ServerError, ServerLimits};
use respond::Responder;

/// How long accepting pauses when the system refuses: mostly there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An HTTP/1.1 server for `/metrics` and `/healthz`.
///
/// It ends when dropped, in the middle of answers too; [`stop`](Self::stop) lets those finish.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What the server did, for its own metrics.
#[derive(Default)]
pub(crate) struct Counters {
    /// Connections closed at once because there were too many.
    pub(crate) refused: AtomicU64,
    /// Connections closed at a deadline.
    pub(crate) cut: AtomicU64,
}

impl Server {
    /// Binds and begins to answer, on a runtime that has its I/O and time drivers enabled. Answers hold what `sources`
    /// have to say at the time of the request, which they are asked on a thread for blocking work.
    pub fn start(
        runtime: &Handle,
        config: ServerConfig,
        sources: Vec<Arc<dyn Collect>>,
    ) -> Result<Self, ServerError> {
        let address = config.address()?;
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AddrInUse => ServerError::InUse { address },
            _ => ServerError::Bind { address, source },
        };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let _context = runtime.enter();
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let limits = config.limits;
        let responder = Arc::new(Responder::new(config, address, sources));
        let task = runtime.spawn(serve(listener, responder, limits, stopped));
        Ok(Self { address, stop, task })
    }

    /// Where the server listens; with port 0 in the configuration, the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections and ends once the answers under way are sent, or after [`ServerLimits::stop`].
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // It ends by itself; an error would be a panic in it, which the runtime has reported.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    responder: Arc<Responder>,
    limits: ServerLimits,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(_) if connections.len() >= limits.connections.max(1) => {
                    responder.counters.refused.fetch_add(1, Ordering::Relaxed);
                }
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(
                        stream,
                        Arc::clone(&responder),
                        limits,
                        stopped.clone(),
                    ));
                }
                Err(error) => {
                    tracing::debug!("metrics: accepting a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    // What is left after that ends with the set.
    let _ = tokio::time::timeout(limits.stop, rest).await;
}
