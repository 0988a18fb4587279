//! One connection and its deadline.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::config::ServerLimits;
use super::respond::Responder;

/// Answers requests until the client goes, a deadline passes or the server stops.
///
/// There is always one deadline: for the first request, for the answer, for the next request. A client that sends or
/// reads byte by byte does not move it.
pub(super) async fn serve(
    stream: TcpStream,
    responder: Arc<Responder>,
    limits: ServerLimits,
    mut stopped: watch::Receiver<bool>,
) {
    let (deadline, mut moved) = watch::channel(Instant::now() + limits.first_request);
    let service = service_fn(|request| {
        deadline.send_replace(Instant::now() + limits.response);
        let sent = Sent { deadline: deadline.clone(), limits };
        let responder = Arc::clone(&responder);
        async move { Ok::<_, Infallible>(responder.respond(&request, sent).await) }
    });
    let connection = http1::Builder::new()
        .max_buf_size(limits.head.max(8192))
        .max_headers(limits.fields)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut timer = pin!(sleep_until(*moved.borrow()));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!("metrics: {error}");
                }
                return;
            }
            () = timer.as_mut() => {
                responder.counters.cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
            // The sender lives as long as the service, so there is no error that would make this spin.
            Ok(()) = moved.changed() => timer.as_mut().reset(*moved.borrow_and_update()),
            _ = stopped.wait_for(|&stopped| stopped), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Part of an answer's body: when the body is gone, so is the answer, and the time for the next request begins.
pub(super) struct Sent {
    deadline: watch::Sender<Instant>,
    limits: ServerLimits,
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.deadline.send_replace(Instant::now() + self.limits.idle);
    }
}
