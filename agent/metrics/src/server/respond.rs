//! What is answered to whom.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Counters;
use super::config::ServerConfig;
use super::connection::Sent;
use crate::exposition::{CONTENT_TYPE, Collect, Exposition};

const PLAIN: &str = "text/plain; charset=utf-8";

pub(super) struct Responder {
    token: String,
    /// Nobody but this machine's users can ask, and they need no token. Their browsers are asked to by strangers' pages.
    local: bool,
    sources: Vec<Arc<dyn Collect>>,
    scrapes: Arc<Semaphore>,
    pub(super) counters: Counters,
}

/// A body that frees its place among the scrapes when it is sent or given up.
struct Scrape {
    text: String,
    _place: OwnedSemaphorePermit,
    _sent: Sent,
}

impl AsRef<[u8]> for Scrape {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Responder {
    pub(super) fn new(config: ServerConfig, address: SocketAddr, sources: Vec<Arc<dyn Collect>>) -> Self {
        Self {
            local: address.ip().is_loopback() && config.token.is_empty(),
            token: config.token,
            sources,
            scrapes: Arc::new(Semaphore::new(config.limits.scrapes.max(1))),
            counters: Counters::default(),
        }
    }

    pub(super) async fn respond(
        self: Arc<Self>,
        request: &Request<Incoming>,
        sent: Sent,
    ) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if !matches!(path, "/metrics" | "/healthz") {
            return short(StatusCode::NOT_FOUND, "Not found: /metrics has the metrics.\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = short(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        if path == "/healthz" {
            return answer(PLAIN, Bytes::from_static(b"ok\n"));
        }
        if self.local && !names_this_machine(request.headers()) {
            return short(StatusCode::FORBIDDEN, "Ask for an IP address or localhost.\n");
        }
        if !self.token.is_empty() && !self.authorised(request.headers()) {
            let mut response = short(StatusCode::UNAUTHORIZED, "A bearer token is needed.\n");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        let Ok(place) = Arc::clone(&self.scrapes).try_acquire_owned() else {
            return short(StatusCode::SERVICE_UNAVAILABLE, "Too many scrapes at a time.\n");
        };
        // Sources take locks, and large registries take milliseconds. The place goes along, so that those who give up
        // waiting cannot start more and more of this.
        match tokio::task::spawn_blocking(move || (self.text(), place)).await {
            Ok((text, place)) => {
                answer(CONTENT_TYPE, Bytes::from_owner(Scrape { text, _place: place, _sent: sent }))
            }
            // A source panicked, which the runtime has reported, or the runtime is ending.
            Err(_) => short(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be read.\n"),
        }
    }

    fn text(&self) -> String {
        let mut exposition = Exposition::new();
        self.sources.iter().for_each(|source| source.collect(&mut exposition));
        let Counters { refused, cut } = &self.counters;
        let closed = "Connections to the metrics endpoint that it closed.";
        for (reason, counter) in [("deadline", cut), ("too_many", refused)] {
            let labels = [("reason", reason)];
            let count = counter.load(Ordering::Relaxed);
            exposition.counter("remora_metrics_closed_connections_total", closed, &labels, count);
        }
        exposition.finish()
    }

    fn authorised(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return false };
        let Some((scheme, token)) = value.as_bytes().split_at_checked("Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && token.ct_eq(self.token.as_bytes()).into()
    }
}

/// Whether the client asked for an address or `localhost`. A web page can let its own name resolve to 127.0.0.1 and read
/// what a browser gets from there; the browser then sends that name.
fn names_this_machine(headers: &HeaderMap) -> bool {
    // HTTP/1.0 need not have it, browsers do.
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

fn answer(content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer to a client that should not go on like this: the connection ends with it.
fn short(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = answer(PLAIN, Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
