//! HTTP/1 messages of every kind, whole and in pieces.

mod http1_support;

use http1_support::*;
use remora_dissect::{End, Limits, Object, Value};
use serde_json::json;

const END: End = End::Fin;

/// Conversations in which every byte is seen.
fn conversations() -> Vec<(&'static str, Vec<Event>, Vec<&'static str>)> {
    let close = |mut events: Vec<Event>| {
        events.extend(ends(END));
        events
    };
    vec![
        (
            "keep-alive",
            close(vec![
                to_server(get("/1")),
                to_client(ok("one")),
                to_server(get("/2?x=y")),
                to_client(ok("")),
            ]),
            vec!["GET /1 0 -> 200 3", "GET /2?x=y 0 -> 200 0"],
        ),
        (
            "a request that asks not to be shown",
            close(vec![
                to_server(
                    "POST /hook HTTP/1.1\r\nX-Kubeshark-Capture: ignore\r\nContent-Length: 2\r\n\r\nhi",
                ),
                to_client(ok("secret")),
                to_server("GET /2 HTTP/1.1\r\nX-Kubeshark-Capture: show\r\n\r\n"),
                to_client(ok("")),
            ]),
            vec!["GET /2 0 -> 200 0"],
        ),
        (
            "pipelining",
            close(vec![
                to_server(get("/1") + &get("/2") + &get("/3")),
                to_client(ok("one") + &ok("second") + "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            ]),
            vec!["GET /1 0 -> 200 3", "GET /2 0 -> 200 6", "GET /3 0 -> 404 0"],
        ),
        (
            "chunked both ways, with extensions and trailers",
            close(vec![
                to_server(
                    "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
                ),
                to_client(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
                ),
                to_server(get("/next")),
                to_client(ok("x")),
            ]),
            vec!["POST /c 5 -> 200 13", "GET /next 0 -> 200 1"],
        ),
        (
            "HEAD, 204 and 304 have no body",
            close(vec![
                to_server("HEAD /h HTTP/1.1\r\n\r\n"),
                to_client("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
                to_server("HEAD /c HTTP/1.1\r\n\r\n"),
                to_client("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                to_server(get("/n")),
                to_client("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"),
                to_server(get("/m")),
                to_client("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
            ]),
            vec!["HEAD /h 0 -> 200 0", "HEAD /c 0 -> 200 0", "GET /n 0 -> 204 0", "GET /m 0 -> 304 0"],
        ),
        (
            "interim responses",
            close(vec![
                to_server("POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
                to_client("HTTP/1.1 100 Continue\r\n\r\n"),
                to_server("body"),
                to_client("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
                to_client(ok("done")),
            ]),
            vec!["POST /e 4 -> 200 4"],
        ),
        (
            "a body not wanted after Expect is not sent",
            close(vec![
                to_server("PUT /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n"),
                to_client("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"),
                to_server(get("/after")),
                to_client(ok("x")),
            ]),
            vec!["PUT /e 0 -> 417 0", "GET /after 0 -> 200 1"],
        ),
        (
            "a body sent all the same after the answer",
            close(vec![
                to_server("PUT /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n"),
                to_client("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
                to_server("POSTbody"),
                to_server(get("/after")),
                to_client(ok("x")),
            ]),
            vec!["PUT /e 8 -> 401 0", "GET /after 0 -> 200 1"],
        ),
        (
            "close-delimited",
            close(vec![
                to_server("GET /old HTTP/1.0\r\n\r\n"),
                to_client("HTTP/1.0 200 OK\r\n\r\nto the end"),
            ]),
            vec!["GET /old 0 -> 200 10"],
        ),
        (
            "CONNECT, then a tunnel",
            close(vec![
                to_server("CONNECT h.test:443 HTTP/1.1\r\nHost: h.test:443\r\n\r\n"),
                to_client("HTTP/1.1 200 Connection established\r\n\r\n"),
                to_server("\x16\x03\x01 GET / HTTP/1.1\r\n\r\n"),
                to_client("HTTP/1.1 200 OK\r\n\r\n"),
            ]),
            vec!["CONNECT h.test:443 0 -> 200 0"],
        ),
        (
            "a refused CONNECT leaves the connection as it is",
            close(vec![
                to_server("CONNECT h.test:443 HTTP/1.1\r\n\r\n"),
                to_client("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno"),
                to_server("CONNECT h.test:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n"),
                to_client("HTTP/1.1 200 OK\r\n\r\n"),
                to_server("anything"),
            ]),
            vec!["CONNECT h.test:443 0 -> 407 2", "CONNECT h.test:443 0 -> 200 0"],
        ),
        (
            "Upgrade, then another protocol",
            close(vec![
                to_server("GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
                to_client("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{81}\u{5}hello"),
                to_server("GET / HTTP/1.1\r\n\r\n"),
            ]),
            vec!["GET /ws 0 -> 101 0"],
        ),
        (
            "empty lines before messages, bare line feeds",
            close(vec![
                to_server("\r\n\r\nGET /lf HTTP/1.1\nHost: x\n\n\r\n"),
                to_client("HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n"),
                to_server("POST /c HTTP/1.1\nTransfer-Encoding: chunked\n\n2\nab\n0\n\n"),
                to_client("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
            ]),
            vec!["GET /lf 0 -> 200 2", "POST /c 2 -> 200 0"],
        ),
        (
            "Transfer-Encoding wins over Content-Length; equal lengths are one",
            close(vec![
                to_server(
                    "POST /t HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                ),
                to_client("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok"),
            ]),
            vec!["POST /t 3 -> 200 2"],
        ),
        (
            "an answer before the request is whole",
            close(vec![
                to_server("POST /big HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc"),
                to_client("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"),
                to_server("def"),
                to_server(get("/next")),
                to_client(ok("x")),
            ]),
            vec!["POST /big 6 -> 413 3", "GET /next 0 -> 200 1"],
        ),
        (
            "a request without response",
            close(vec![to_server(get("/1")), to_client(ok("x")), to_server(get("/2"))]),
            vec![
                "GET /1 0 -> 200 1",
                "GET /2 0 -> -, pair-not-found: no response: the connection was closed",
            ],
        ),
        (
            "a response without request",
            close(vec![to_client("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")]),
            vec!["- -> 408 0, pair-not-found: no request: the connection was closed"],
        ),
        (
            "responses to HEAD requests that were not seen",
            close(vec![
                to_client("HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n"),
                to_client("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"),
                to_client("HTTP/1.1 404 No\r\nContent-Length: 153\r\n\r\n"),
            ]),
            vec![
                "- -> 200 0, pair-not-found: no request: the connection was closed",
                "- -> 200 4, pair-not-found: no request: the connection was closed",
                "- -> 404 0, pair-not-found: no request: the connection was closed",
            ],
        ),
        (
            "bodies that end early",
            close(vec![
                to_server("POST /p HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"),
                to_client("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            ]),
            vec![
                "POST /p 3 -> 200 2, connection: the connection was closed 7 bytes before the end of the request body",
            ],
        ),
    ]
}

#[test]
fn conversations_give_their_items_in_any_pieces() {
    let mut random = Random(7);
    for (name, events, expected) in conversations() {
        let whole = items_of(&events);
        let lines: Vec<String> = whole.iter().map(line).collect();
        assert_eq!(lines, expected, "{name}");
        for round in 0..300 {
            // Byte by byte first, then random pieces. The clock stands still inside an event, so that times agree.
            let mut stream = Stream::new(Limits::default());
            for event in &events {
                match event {
                    Event::Bytes(direction, bytes) => {
                        let mut rest = &bytes[..];
                        while !rest.is_empty() {
                            let len =
                                if round == 0 { 1 } else { 1 + random.below(rest.len().min(1 + round)) };
                            stream.bytes(*direction, &rest[..len]);
                            rest = &rest[len..];
                        }
                    }
                    other => stream.event(other),
                }
                stream.now += 1_000_000;
            }
            assert_eq!(stream.pending(), 0, "{name}: bytes are left");
            assert_eq!(stream.items(), whole, "{name}: round {round}");
        }
    }
}

#[test]
fn the_dissector_keeps_nothing_of_finished_exchanges() {
    for (name, events, _) in conversations() {
        let mut stream = Stream::new(Limits::default());
        let empty = stream.memory();
        assert!(empty <= 512, "an idle connection holds {empty} bytes");
        events.iter().for_each(|event| stream.event(event));
        let grown = stream.memory() - empty;
        assert!(grown <= 1024, "{name}: {grown} bytes are still held");
    }
}

#[test]
fn sizes_and_times_are_those_of_the_wire() {
    let request = "POST /e HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (interim, body) = ("HTTP/1.1 100 Continue\r\n\r\n", "4\r\nbody\r\n0\r\n\r\n");
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n0\r\nT: 1\r\n\r\n";
    let mut stream = Stream::new(Limits::default());
    // Millisecond by millisecond: the request begins at 1000, the answer at 1004.
    for event in [
        to_server(&request[..9]),
        to_server(&request[9..]),
        to_client(interim),
        to_server(body),
        to_client(&answer[..20]),
        to_client(&answer[20..]),
    ] {
        stream.event(&event);
        stream.now += 1_000_000;
    }
    let items = stream.items();
    let [item] = items.as_slice() else { panic!("one item") };
    assert_eq!(item["requestSize"], request.len() + body.len());
    assert_eq!(item["responseSize"], interim.len() + answer.len());
    assert_eq!(item["timestamp"], 1000);
    assert_eq!(item["elapsedTime"], 4.0);
    assert_eq!((&item["request"]["bodySize"], &item["response"]["bodySize"]), (&json!(4), &json!(2)));
    assert_eq!(item["response"]["trailers"], json!({"T": "1"}));
    assert_eq!(item["src"]["port"], "1");
}

#[test]
fn the_content_tells_who_sends_requests() {
    let items = items_of(&[to_client(get("/1")), to_server(ok("x"))]);
    assert_eq!(line(&items[0]), "GET /1 0 -> 200 1");
    assert_eq!((&items[0]["src"]["port"], &items[0]["dst"]["port"]), (&json!("2"), &json!("1")));
}

#[test]
fn the_whole_shape_of_an_item() {
    let body = "a=1&b=x+y&a=%32";
    let request = format!(
        "POST http://h.test/p%20q/r?k=v&k=w&e HTTP/1.1\r\nhost: h.test\r\ncookie: s=1; t=\"2\"; s=3\r\nX-A: 1\r\nx-a: 2\r\n\
         content-type: application/x-www-form-urlencoded\r\nX-Folded: one\r\n  two\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = "HTTP/1.1 302 Found\r\nLocation: /else\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n\
                    Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    let items = items_of(&[to_server(&request), to_client(response)]);
    let expected = json!({
        "method": "POST",
        "url": "http://h.test/p%20q/r?k=v&k=w&e",
        "targetUri": "http://h.test/p%20q/r?k=v&k=w&e",
        "path": "/p%20q/r",
        "pathSegments": ["p%20q", "r"],
        "httpVersion": "HTTP/1.1",
        "headers": {
            "Host": "h.test", "Cookie": "s=1; t=\"2\"; s=3", "X-A": "1,2",
            "Content-Type": "application/x-www-form-urlencoded", "X-Folded": "one two", "Content-Length": "15",
        },
        "cookies": {"s": "1,3", "t": "2"},
        "queryString": {"k": ["v", "w"], "e": ""},
        "headersSize": -1,
        "bodySize": 15,
        "postData": {
            "mimeType": "application/x-www-form-urlencoded",
            "params": [
                {"name": "a", "value": "1", "fileName": "", "contentType": ""},
                {"name": "b", "value": "x y", "fileName": "", "contentType": ""},
                {"name": "a", "value": "2", "fileName": "", "contentType": ""},
            ],
            "text": "a=1&b=x+y&a=%32",
        },
    });
    assert_eq!(items[0]["request"], expected);
    let expected = json!({
        "httpVersion": "HTTP/1.1",
        "status": 302,
        "statusText": "Found",
        "headers": {
            "Location": "/else", "Set-Cookie": "a=b; Path=/,c=d", "Content-Type": "text/plain", "Content-Length": "5",
        },
        "cookies": {"a": "b", "c": "d"},
        "headersSize": -1,
        "bodySize": 5,
        "redirectURL": "/else",
        "content": {"size": 5, "mimeType": "text/plain", "encoding": "base64", "text": "aGVsbG8="},
    });
    assert_eq!(items[0]["response"], expected);
    assert_eq!(items[0]["protocol"]["version"], "1.1");
    assert_eq!(items[0]["error"], json!(null));
}

#[test]
fn targets_and_versions() {
    let items = items_of(&[
        to_server("OPTIONS * HTTP/1.1\r\n\r\n"),
        to_client("HTTP/1.1 204 No Content\r\n\r\n"),
        to_server("GET http://h.test HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        to_client("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        to_server("FROBNICATE /x HTTP/1.1\r\n\r\n"),
        to_client("HTTP/1.1 405\r\nContent-Length: 0\r\n\r\n"),
        to_server("GET / HTTP/2.0\r\n\r\n"),
        to_client("HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let paths: Vec<_> = items.iter().map(|item| item["request"]["path"].as_str().unwrap_or("?")).collect();
    assert_eq!(paths, ["*", "/", "/x", "/"]);
    assert_eq!(items[0]["request"]["pathSegments"], json!(["*"]));
    assert_eq!(items[1]["request"]["pathSegments"], json!([""]));
    let versions: Vec<_> =
        items.iter().map(|item| item["protocol"]["version"].as_str().unwrap_or("?")).collect();
    assert_eq!(versions, ["1.1", "1.0", "1.1", "1.1"]);
    assert_eq!(items[2]["response"]["statusText"], "");
    assert_eq!(items[3]["request"]["httpVersion"], "HTTP/2.0");
}

#[test]
fn a_body_above_its_cap_is_counted_but_not_kept() {
    let mut stream = Stream::new(Limits { http_body_bytes: 10, ..Limits::default() });
    stream.event(&to_server(get("/")));
    for piece in ["HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123", "456789", "abcdef"] {
        stream.event(&to_client(piece));
    }
    let items = stream.items();
    assert_eq!(items[0]["response"]["bodySize"], 16);
    assert_eq!(items[0]["response"]["content"]["size"], 16);
    assert_eq!(content(&items[0]), "0123456789");
    assert_eq!(stream.counters.cut_bodies, 1);
}

#[test]
fn coded_bodies_are_decoded_and_measured_as_transferred() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"plain text").expect("memory does not fail");
    let body = encoder.finish().expect("memory does not fail");
    let head =
        |start: &str| format!("{start}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut events = vec![
        to_server([head("POST / HTTP/1.1").as_bytes(), &body].concat()),
        to_client([head("HTTP/1.1 200 OK").as_bytes(), &body].concat()),
    ];
    let items = items_of(&events);
    assert_eq!(items[0]["request"]["postData"]["text"], "plain text");
    assert_eq!(items[0]["response"]["bodySize"], body.len());
    assert_eq!(items[0]["response"]["content"]["size"], 10);
    assert_eq!(content(&items[0]), "plain text");
    // With a hole inside, what came before it is decoded.
    let Event::Bytes(_, bytes) = &mut events[1] else { panic!("bytes") };
    let end = bytes.len() - 6;
    bytes.truncate(end);
    events.push(Event::Gap(ToClient, 3));
    events.push(to_client(&body[body.len() - 3..]));
    let items = items_of(&events);
    assert_eq!(
        line(&items[0]),
        format!("POST / {0} -> 200 {0}, dissection: 3 response bytes missing", body.len())
    );
    assert!("plain text".starts_with(&content(&items[0])));
}

/// The names of an object, what it lists and what it answers agree, all the way down.
fn assert_consistent(object: &dyn Object) {
    let (mut names, mut fields) = (Vec::new(), Vec::new());
    object.names(&mut |name| names.push(name.to_owned()));
    object.each(&mut |name, value| {
        let mut text = Vec::new();
        remora_dissect::json::write_value(&value, &mut text);
        fields.push((name.to_owned(), text));
    });
    assert_eq!(names, fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    for (name, text) in fields {
        let value = object.get(&name).unwrap_or_else(|| panic!("{name} is listed but not there"));
        let mut again = Vec::new();
        remora_dissect::json::write_value(&value, &mut again);
        assert_eq!(text, again, "{name}");
        if let Value::Object(object) = value {
            assert_consistent(&*object);
        }
    }
    assert!(object.get("no such field").is_none());
}

#[test]
fn what_is_listed_is_what_is_answered() {
    let form = "POST /f?a=1&a=2 HTTP/1.1\r\ncookie: a=b\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 3\r\n\r\na=1";
    let mut stream = Stream::new(Limits::default());
    for (_, events, _) in conversations() {
        events.iter().filter(|event| matches!(event, Event::Bytes(..))).for_each(|event| stream.event(event));
        for draft in stream.drafts.drain(..) {
            draft
                .request
                .iter()
                .chain(&draft.response)
                .for_each(|message| assert_consistent(message.as_ref()));
        }
        stream = Stream::new(Limits::default());
    }
    stream.event(&to_server(form));
    stream.event(&to_client(ok("x")));
    assert_eq!(stream.drafts.len(), 1);
    stream.drafts[0].request.iter().for_each(|message| assert_consistent(message.as_ref()));
}
