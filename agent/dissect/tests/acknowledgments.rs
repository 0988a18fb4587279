//! Responses are put to requests by what either side had received when it sent them, where order alone can't tell.

mod support;

use Direction::{ToClient, ToServer};
use remora_dissect::{Direction, Engine, Item, Limits, json};
use serde_json::Value;
use support::{ACK, FIN, SYN, Tcp, origin, packet};

/// A connection whose segments acknowledge all that was sent before them.
struct Both {
    sequence: [u32; 2],
}

impl Both {
    fn new() -> Self {
        Self { sequence: [u32::MAX - 20, 9_000] }
    }

    fn send(&mut self, direction: Direction, payload: impl AsRef<[u8]>) -> Tcp {
        let payload = payload.as_ref();
        let received = self.sequence[direction.reverse().index()];
        let sequence = &mut self.sequence[direction.index()];
        let segment = Tcp::new(direction, *sequence, ACK, payload).acknowledging(received);
        *sequence = sequence.wrapping_add(payload.len() as u32);
        segment
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn response(status: u16) -> String {
    format!("HTTP/1.1 {status} Some\r\nContent-Length: 0\r\n\r\n")
}

/// The items; packets come so many milliseconds apart.
fn items<'a>(segments: impl IntoIterator<Item = &'a Tcp>, apart: i64) -> Vec<Value> {
    let mut engine = Engine::new(Limits::default(), origin());
    let mut items = Vec::new();
    for (number, segment) in segments.into_iter().enumerate() {
        engine.packet(&packet(&segment.bytes(), number as i64 * apart * 1_000_000), &mut items);
    }
    engine.finish(&mut items);
    let as_json = |item: &Item| {
        let mut text = Vec::new();
        json::write_object(item, &mut text);
        serde_json::from_slice(&text).expect("it is JSON")
    };
    items.iter().map(as_json).collect()
}

/// The path, the status and the error of each item of HTTP.
fn read<'a>(segments: impl IntoIterator<Item = &'a Tcp>) -> Vec<String> {
    let items = items(segments, 1);
    let lines = items.iter().map(|item| {
        let path = item["request"]["path"].as_str().unwrap_or("-");
        let error = if item["error"].is_null() { "" } else { " marked" };
        format!("{path} {}{error}", item["response"]["status"])
    });
    lines.collect()
}

#[test]
fn a_response_that_is_delivered_before_the_first_request_finds_it() {
    let mut both = Both::new();
    let [one, first] = [both.send(ToServer, request("/1")), both.send(ToClient, response(201))];
    let [two, second] = [both.send(ToServer, request("/2")), both.send(ToClient, response(202))];
    assert_eq!(read([&first, &one, &two, &second]), ["/1 201", "/2 202"]);
    // It was sent before the server had that request.
    assert_eq!(read([&first, &two, &second]), ["- 201 marked", "/2 202"]);
}

#[test]
fn a_response_from_before_the_request_is_not_put_to_it() {
    let mut both = Both::new();
    both.send(ToServer, request("/0"));
    // A request in two segments, the second after the response to the one before.
    let (start, rest) = ("GET /1 HTTP/1.1\r\n", "Host: a\r\n\r\n");
    let early = both.send(ToServer, start);
    let answer = both.send(ToClient, response(200));
    let late = both.send(ToServer, rest);
    let last = both.send(ToClient, response(201));
    assert_eq!(read([&early, &answer, &late, &last]), ["- 200 marked", "/1 201"]);
}

#[test]
fn made_up_acknowledgments_harm_no_connection_that_was_seen_whole() {
    let exchange = [request("/1"), response(201)];
    let segments = [
        Tcp::new(ToServer, 99, SYN, b""),
        Tcp::new(ToClient, 499, SYN | ACK, b""),
        Tcp::new(ToServer, 100, ACK, exchange[0].as_bytes()),
        Tcp::new(ToClient, 500, ACK, exchange[1].as_bytes()),
    ];
    assert_eq!(read(&segments), ["/1 201"]);
}

#[test]
fn a_body_that_the_server_acknowledges_was_sent() {
    let head = "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    for (interim, body) in [(true, true), (false, true), (false, false)] {
        let mut both = Both::new();
        let mut segments = vec![both.send(ToServer, head)];
        if interim {
            segments.push(both.send(ToClient, "HTTP/1.1 100 Continue\r\n\r\n"));
        }
        if body {
            // Not captured.
            both.send(ToServer, "body");
        }
        segments.push(both.send(ToClient, response(201)));
        let mut last = both.send(ToServer, "");
        last.flags |= FIN;
        if !body {
            segments.push(last);
        }
        let expected = if body { "/1 201 marked" } else { "/1 201" };
        assert_eq!(read(&segments), [expected], "interim response {interim}, body {body}");
    }
}

/// A message of CQL's version 4.
fn cql(response: bool, code: u8, stream: u16, body: &[u8]) -> Vec<u8> {
    let mut message = vec![4 | u8::from(response) << 7, 0];
    message.extend(stream.to_be_bytes());
    message.push(code);
    message.extend(u32::try_from(body.len()).expect("it is short").to_be_bytes());
    message.extend(body);
    message
}

#[test]
fn a_late_response_does_not_answer_the_next_use_of_its_number() {
    let mut both = Both::new();
    let supported = b"\x00\x01\x00\x0bCQL_VERSION\x00\x01\x00\x053.4.6";
    let startup = b"\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0";
    let options = both.send(ToServer, cql(false, 5, 0, b""));
    let early = both.send(ToClient, cql(true, 6, 0, supported));
    let start = both.send(ToServer, cql(false, 1, 0, startup));
    let ready = both.send(ToClient, cql(true, 2, 0, b""));
    let ports = |mut segment: Tcp| {
        let server =
            if segment.source == support::SERVER { &mut segment.source } else { &mut segment.destination };
        server.1 = 9042;
        segment
    };
    let [options, early, start, ready] = [options, early, start, ready].map(ports);
    let codes = |order: &[&Tcp]| -> Vec<String> {
        let items = items(order.iter().copied(), 60_000);
        let code = |item: &Value, side: &str| item[side]["opcode"].as_str().unwrap_or("-").to_owned();
        items.iter().map(|item| code(item, "request") + " " + &code(item, "response")).collect()
    };
    assert_eq!(codes(&[&options, &early, &start, &ready]), ["OPTIONS SUPPORTED", "STARTUP READY"]);
    // The capture gave up waiting for the first response when it comes.
    let late = codes(&[&options, &start, &early, &ready]);
    assert!(!late.contains(&"STARTUP SUPPORTED".to_owned()), "{late:?}");
}
