use std::sync::Arc;

use remora_metrics::{CONTENT_TYPE, Collect, Exposition, Server, ServerConfig, ServerError};

use crate::client::{Endpoint, config};

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn a_scraper_gets_the_registry_and_the_agents_own_figures() {
    let own: Arc<dyn Collect> = Arc::new(|exposition: &mut Exposition| {
        exposition.counter("remora_packets_total", "Packets.", &[], 3)
    });
    let endpoint = Endpoint::with(config(), vec![own]);
    let mut client = endpoint.connect();
    // On one connection, as scrapers do.
    for _ in 0..2 {
        client.send(GET);
        let answer = client.answer(false);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("content-type"), Some(CONTENT_TYPE));
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        let answer = answer.body;
        assert!(answer.contains("# TYPE answer gauge\nanswer 42\n"), "{answer}");
        assert!(answer.contains("\nremora_packets_total 3\n"), "{answer}");
        assert!(answer.contains("remora_script_metric_series 1\n"), "{answer}");
        assert!(
            answer.contains("remora_metrics_closed_connections_total{reason=\"deadline\"} 0\n"),
            "{answer}"
        );
        crate::parse::parse(&answer);
    }
}

#[test]
fn head_has_the_fields_of_get_and_no_body() {
    let endpoint = Endpoint::start(config());
    let mut client = endpoint.connect();
    client.send("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head = client.answer(true);
    client.send(GET);
    let get = client.answer(false);
    assert_eq!(head.status, 200);
    assert_eq!(head.field("content-length"), Some(get.body.len().to_string().as_str()));
    assert_eq!(head.field("content-type"), get.field("content-type"));
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let endpoint = Endpoint::start(config());
    let mut client = endpoint.connect();
    client.send("GET /metrics HTTP/1.0\r\n\r\n");
    let answer = client.answer(false);
    assert!(answer.head.starts_with("HTTP/1.0 200"), "{}", answer.head);
    assert!(answer.body.contains("answer 42\n"));
    assert!(client.rest().is_empty());
}

#[test]
fn other_paths_and_methods_are_refused() {
    let endpoint = Endpoint::start(config());
    for (request, status) in [
        ("GET /metrics?x=1 HTTP/1.1", 200),
        ("GET /healthz HTTP/1.1", 200),
        ("HEAD /healthz HTTP/1.1", 200),
        ("GET / HTTP/1.1", 404),
        ("GET /metrics/ HTTP/1.1", 404),
        ("POST / HTTP/1.1", 404),
        ("POST /metrics HTTP/1.1", 405),
        ("DELETE /healthz HTTP/1.1", 405),
    ] {
        let answer = endpoint.ask(&format!("{request}\r\nHost: 127.0.0.1\r\n\r\n"));
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.field("allow").is_some(), status == 405, "{request}");
    }
    assert_eq!(endpoint.ask("GET /healthz HTTP/1.1\r\nHost: pod\r\n\r\n").body, "ok\n");
}

#[test]
fn the_token_is_asked_for_metrics_but_not_for_health() {
    let endpoint = Endpoint::start(ServerConfig { token: "se+cr/et=".to_owned(), ..config() });
    for (authorization, status) in [
        ("Authorization: Bearer se+cr/et=\r\n", 200),
        ("authorization: bearer se+cr/et=\r\n", 200),
        ("", 401),
        ("Authorization: Bearer se+cr/et\r\n", 401),
        ("Authorization: Bearer se+cr/et=x\r\n", 401),
        ("Authorization: Bearer \r\n", 401),
        ("Authorization: Basic se+cr/et=\r\n", 401),
        ("Authorization: se+cr/et=\r\n", 401),
        ("Authorization: \u{e9}\r\n", 401),
    ] {
        // Who knows the token may use any name for the machine.
        let answer =
            endpoint.ask(&format!("GET /metrics HTTP/1.1\r\nHost: node.example\r\n{authorization}\r\n"));
        assert_eq!(answer.status, status, "{authorization}");
        assert_eq!(answer.body.contains("answer"), status == 200, "{authorization}");
        assert_eq!(answer.field("www-authenticate").is_some(), status == 401, "{authorization}");
    }
    assert_eq!(endpoint.ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
}

#[test]
fn a_web_page_cannot_read_the_metrics_through_a_name_of_its_own() {
    let endpoint = Endpoint::start(config());
    for (host, status) in [
        ("localhost:49100", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:49100", 200),
        ("[::1]:49100", 200),
        ("[::1]", 200),
        ("rebound.example:49100", 403),
        ("localhost.example", 403),
        ("", 403),
    ] {
        let answer = endpoint.ask(&format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(answer.status, status, "{host}");
    }
}

#[test]
fn an_address_that_others_reach_needs_a_token_or_an_explicit_yes() {
    let endpoint = Endpoint::start(config());
    let start = |config| Server::start(endpoint.runtime.handle(), config, Vec::new());
    let wide = || ServerConfig { host: "0.0.0.0".to_owned(), ..config() };
    let error = start(wide()).err().unwrap();
    assert!(matches!(error, ServerError::Exposed { .. }), "{error}");
    assert!(error.to_string().contains("tap.metrics.token"), "{error}");
    // 0.0.0.0 is tried without binding it, which tests may do on loopback only.
    for host in ["::", "192.0.2.1", "::ffff:127.0.0.1"] {
        let config = ServerConfig { host: host.to_owned(), ..config() };
        assert!(matches!(start(config), Err(ServerError::Exposed { .. })), "{host}");
    }
    for host in ["", "example.test", "127.0.0.1:80", "[::1]"] {
        let config = ServerConfig { host: host.to_owned(), ..config() };
        assert!(matches!(start(config), Err(ServerError::Host(_))), "{host}");
    }
    // Not an address of this machine, so these two get as far as the system's own refusal.
    let elsewhere = || ServerConfig { host: "192.0.2.1".to_owned(), ..config() };
    for config in
        [ServerConfig { open: true, ..elsewhere() }, ServerConfig { token: "x".to_owned(), ..elsewhere() }]
    {
        assert!(matches!(start(config), Err(ServerError::Bind { .. })));
    }
    let config = ServerConfig { token: "two words".to_owned(), ..config() };
    assert!(matches!(start(config), Err(ServerError::Token)));
}

#[test]
fn a_port_in_use_is_named() {
    let endpoint = Endpoint::start(config());
    let port = endpoint.server.as_ref().unwrap().local_addr().port();
    let error = Server::start(endpoint.runtime.handle(), ServerConfig { port, ..config() }, Vec::new());
    let error = error.err().unwrap();
    assert!(matches!(error, ServerError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port} is in use")), "{error}");
}

#[test]
fn localhost_is_the_loopback_address() {
    let endpoint = Endpoint::start(ServerConfig { host: "localhost".to_owned(), ..config() });
    assert!(endpoint.server.as_ref().unwrap().local_addr().ip().is_loopback());
    assert_eq!(endpoint.ask(GET).status, 200);
}

#[test]
fn the_token_is_not_in_debug_output() {
    let config = ServerConfig { token: "very-secret".to_owned(), ..config() };
    assert!(!format!("{config:?}").contains("very-secret"));
}
