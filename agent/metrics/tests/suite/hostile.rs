use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use remora_metrics::{Collect, Exposition, ServerConfig, ServerLimits};

use crate::client::{Endpoint, config};

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Of a time limit that a test waits for.
const SOON: Duration = Duration::from_millis(50);
const LARGE: usize = 32 << 20;

fn limits(limits: ServerLimits) -> ServerConfig {
    ServerConfig { limits, ..config() }
}

fn closed(endpoint: &Endpoint, reason: &str) -> u64 {
    let answer = endpoint.ask(GET);
    let name = format!("remora_metrics_closed_connections_total{{reason=\"{reason}\"}} ");
    answer.body.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
}

#[test]
fn a_client_that_sends_nothing_or_half_a_request_is_cut() {
    let endpoint = Endpoint::start(limits(ServerLimits { first_request: SOON, ..ServerLimits::default() }));
    for begun in ["", "GET /met", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: "] {
        let mut client = endpoint.connect();
        client.send(begun);
        assert!(client.rest().is_empty(), "{begun:?}");
    }
}

#[test]
fn a_client_that_sends_byte_by_byte_gets_no_more_time() {
    let endpoint = Endpoint::start(limits(ServerLimits { first_request: SOON, ..ServerLimits::default() }));
    let mut client = endpoint.connect();
    client.send("GET /metrics HTTP/1.1\r\nX: ");
    // Were each byte to give it more time, this would end at the size of the head only, with an answer.
    // Slow enough not to reach that size within the deadline, on any machine.
    while client.try_send(b"x") {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(client.rest().is_empty());
}

#[test]
fn a_client_that_keeps_an_idle_connection_is_cut() {
    let endpoint = Endpoint::start(limits(ServerLimits { idle: SOON, ..ServerLimits::default() }));
    let mut client = endpoint.connect();
    client.send(GET);
    assert_eq!(client.answer(false).status, 200);
    assert!(client.rest().is_empty());
    assert_eq!(closed(&endpoint, "deadline"), 1);
}

#[test]
fn a_client_that_does_not_read_is_cut_and_its_answer_freed() {
    let limits =
        limits(ServerLimits { response: Duration::from_secs(1), scrapes: 1, ..ServerLimits::default() });
    // The first answer fills more than the buffers of both sockets.
    let first = AtomicBool::new(true);
    let large: Arc<dyn Collect> = Arc::new(move |exposition: &mut Exposition| {
        let bytes = if first.swap(false, Ordering::Relaxed) { LARGE } else { 1 };
        exposition.gauge("remora_large", "Large.", &[("x", &"x".repeat(bytes))], 1.0);
    });
    let endpoint = Endpoint::with(limits, vec![large]);
    let mut client = endpoint.connect();
    client.send(GET);
    // Only the head: with the body unread the server cannot finish.
    assert_eq!(client.answer(true).status, 200);
    // Its place is free again once it is cut, which nothing but asking tells.
    let answer = loop {
        let answer = endpoint.ask(GET);
        if answer.status != 503 {
            break answer;
        }
    };
    assert!(answer.body.contains("remora_metrics_closed_connections_total{reason=\"deadline\"} 1\n"));
    assert!(client.rest().len() < LARGE);
}

#[test]
fn scrapes_beyond_the_cap_are_turned_away() {
    let (source, asked, go) = held();
    let endpoint =
        Endpoint::with(limits(ServerLimits { scrapes: 1, ..ServerLimits::default() }), vec![source]);
    let mut first = endpoint.connect();
    first.send(GET);
    asked.recv().unwrap();
    let mut second = endpoint.connect();
    second.send(GET);
    assert_eq!(second.answer(false).status, 503);
    assert!(second.rest().is_empty());
    drop(go);
    assert_eq!(first.answer(false).status, 200);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let endpoint = Endpoint::start(config());
    let mut client = endpoint.connect();
    client.send("GET /metrics HTTP/1.1\r\nX: ");
    while client.try_send(&[b'x'; 1024]) {}
    let rest = client.rest();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&rest));
    let mut many = String::from("GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    (0..100).for_each(|index| many.push_str(&format!("X{index}: 1\r\n")));
    assert_eq!(endpoint.ask(&(many + "\r\n")).status, 431);
    assert_eq!(endpoint.ask(GET).status, 200);
}

#[test]
fn what_is_not_http_1_is_refused() {
    let endpoint = Endpoint::start(config());
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\r\n\r\n",
    ] {
        let mut client = endpoint.connect();
        client.try_send(bytes);
        let rest = client.rest();
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(endpoint.ask(GET).status, 200);
}

#[test]
fn connections_beyond_the_cap_are_closed_at_once_and_counted() {
    let endpoint = Endpoint::start(limits(ServerLimits { connections: 3, ..ServerLimits::default() }));
    let mut kept: Vec<_> = (0..3).map(|_| endpoint.connect()).collect();
    for client in &mut kept {
        client.send(GET);
        assert_eq!(client.answer(false).status, 200);
    }
    for _ in 0..20 {
        assert!(endpoint.connect().rest().is_empty());
    }
    kept[0].send(GET);
    let answer = kept[0].answer(false).body;
    assert!(answer.contains("remora_metrics_closed_connections_total{reason=\"too_many\"} 20\n"), "{answer}");
    // A place is free once the server has seen a client go.
    drop(kept.pop());
    loop {
        let mut client = endpoint.connect();
        if client.try_send(GET.as_bytes()) && client.rest_starts_with(b"HTTP/1.1 200 ") {
            break;
        }
    }
}

/// A source that says when it is asked, and answers when it may.
fn held() -> (Arc<dyn Collect>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (asked, wait) = mpsc::channel();
    let (go, may) = mpsc::channel::<()>();
    let may = Mutex::new(may);
    let source = move |_: &mut Exposition| {
        asked.send(()).unwrap();
        let _ = may.lock().unwrap().recv();
    };
    (Arc::new(source), wait, go)
}

#[test]
fn stop_lets_an_answer_under_way_finish_and_takes_no_more() {
    let (source, asked, go) = held();
    let mut endpoint = Endpoint::with(config(), vec![source]);
    let mut idle = endpoint.connect();
    idle.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(idle.answer(false).status, 200);
    let mut busy = endpoint.connect();
    busy.send(GET);
    asked.recv().unwrap();
    let server = endpoint.server.take().unwrap();
    let address = server.local_addr();
    let stopping = endpoint.runtime.spawn(server.stop());
    // The idle connection ends first, which shows that stopping has begun.
    assert!(idle.rest().is_empty());
    go.send(()).unwrap();
    let answer = busy.answer(false);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("answer 42\n"));
    assert!(busy.rest().is_empty());
    endpoint.runtime.block_on(stopping).unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn stop_does_not_wait_for_an_answer_that_never_ends() {
    let (source, asked, go) = held();
    let mut endpoint =
        Endpoint::with(limits(ServerLimits { stop: SOON, ..ServerLimits::default() }), vec![source]);
    let mut busy = endpoint.connect();
    busy.send(GET);
    asked.recv().unwrap();
    endpoint.runtime.block_on(endpoint.server.take().unwrap().stop());
    assert!(busy.rest().is_empty());
    drop(go);
}

#[test]
fn a_dropped_server_is_gone() {
    let mut endpoint = Endpoint::start(config());
    let mut client = endpoint.connect();
    client.send(GET);
    assert_eq!(client.answer(false).status, 200);
    drop(endpoint.server.take());
    assert!(client.rest().is_empty());
}

#[test]
fn a_source_that_panics_costs_one_answer() {
    let source: Arc<dyn Collect> = Arc::new(|_: &mut Exposition| panic!("a source's own fault"));
    let endpoint = Endpoint::with(config(), vec![source]);
    assert_eq!(endpoint.ask(GET).status, 500);
    assert_eq!(endpoint.ask(GET).status, 500);
    assert_eq!(endpoint.ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
}
