//! Where HTTP/1 ends on a connection, and who reads on.

mod talk;

use serde_json::Value;
use talk::Talk;

/// Each item as its protocol, path and status.
fn lines(items: &[Value]) -> Vec<String> {
    let line = |item: &Value| {
        let path = item["request"]["path"].as_str().unwrap_or("-");
        format!("{} {path} {}", item["protocol"]["abbr"].as_str().unwrap_or("-"), item["response"]["status"])
    };
    items.iter().map(line).collect()
}

#[test]
fn what_a_tunnel_carries_is_recognised_anew() {
    let mut talk = Talk::open(3128);
    talk.client(b"CONNECT h.test:80 HTTP/1.1\r\nHost: h.test:80\r\n\r\n");
    talk.server(b"HTTP/1.1 200 Connection established\r\n\r\n");
    assert_eq!(lines(&talk.items()), ["HTTP h.test:80 200"]);
    talk.client(b"GET /inside HTTP/1.1\r\nHost: h.test\r\n\r\n");
    talk.server(b"HTTP/1.1 204 No Content\r\n\r\n");
    let items = talk.finish();
    assert_eq!(lines(&items), ["HTTP /inside 204"]);
    assert!(items[0]["error"].is_null());
}

#[test]
fn a_refused_tunnel_leaves_the_connection_to_http() {
    let mut talk = Talk::open(3128);
    for _ in 0..2 {
        talk.client(b"CONNECT h.test:80 HTTP/1.1\r\n\r\n");
        talk.server(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    assert_eq!(lines(&talk.finish()), ["HTTP h.test:80 407", "HTTP h.test:80 407"]);
}

#[test]
fn an_upgrade_that_is_ignored_costs_nothing() {
    let mut talk = Talk::open(80);
    let request = b"GET /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    for _ in 0..3 {
        talk.client(request).server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    let items = talk.finish();
    assert_eq!(lines(&items), ["HTTP /a 200"; 3]);
    assert!(items.iter().all(|item| item["error"].is_null()));
}

#[test]
fn requests_behind_one_that_asks_are_not_held_for_ever() {
    // Pipelined, and the answers come later.
    let mut talk = Talk::open(80);
    talk.client(b"GET /a HTTP/1.1\r\nUpgrade: x\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").server(b"HTTP/1.1 204 No\r\n\r\n");
    assert_eq!(lines(&talk.finish()), ["HTTP /a 200", "HTTP /b 204"]);

    // The answers are not captured at all.
    let mut talk = Talk::new(80);
    for _ in 0..3 {
        talk.client(b"GET /a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    }
    assert_eq!(lines(&talk.finish()), ["HTTP /a null"; 3]);
}

#[test]
fn another_protocol_that_nobody_reads_is_passed_over() {
    let mut talk = Talk::open(80);
    talk.client(b"GET /a HTTP/1.1\r\nUpgrade: custom/7\r\n\r\n");
    talk.server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: custom/7\r\n\r\nGET /no HTTP/1.1\r\n\r\n");
    talk.client(b"GET /no HTTP/1.1\r\n\r\n");
    assert_eq!(lines(&talk.finish()), ["HTTP /a 101"]);
    assert!(talk.counters().undissected_bytes > 0);
}
