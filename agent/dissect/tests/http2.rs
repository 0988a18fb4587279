//! HTTP/2: the fixtures against what their clients wrote down, and conversations made by hand.

mod golden_support;
mod http2_support;
mod talk;

use std::collections::HashMap;

use golden_support::fixtures;
use http2_support::*;
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

fn of_item(item: &Value) -> Value {
    json!([
        item["request"]["method"],
        item["request"]["path"],
        item["response"]["status"],
        item["request"]["bodySize"],
        item["response"]["bodySize"]
    ])
}

#[test]
fn every_exchange_of_curl_is_found() {
    let folder = fixtures().join("http2");
    let items = items(&folder.join("http2_curl.pcap"));
    let truth = truth(&folder.join("http2_curl.gt.jsonl"));
    assert_eq!(items.len(), truth.len());
    let by_port: HashMap<&str, &Value> =
        items.iter().map(|item| (item["src"]["port"].as_str().unwrap(), item)).collect();
    for line in truth {
        let item = by_port[line["conn"].to_string().as_str()];
        let expected =
            json!([line["method"], line["path"], line["status"], line["req_body"], line["resp_body"]]);
        assert_eq!(of_item(item), expected);
        assert_eq!(item["request"]["headers"][":authority"], line["authority"]);
        assert_eq!(item["error"], Value::Null);
        assert_eq!(item["protocol"]["abbr"], "HTTP/2");
    }
}

#[test]
fn every_stream_of_python_h2_is_found() {
    let folder = fixtures().join("http2");
    let items = items(&folder.join("http2_h2py.pcap"));
    let truth: Vec<Value> = truth(&folder.join("http2_h2py.gt.jsonl"))
        .into_iter()
        .filter(|line| line["stream"].is_number())
        .collect();
    assert_eq!(items.len(), truth.len());
    for line in truth {
        let of_path = |item: &&Value| {
            item["request"]["path"] == line["path"] && item["request"]["method"] == line["method"]
        };
        let found: Vec<&Value> = items.iter().filter(of_path).collect();
        assert_eq!(found.len(), 1, "{line}");
        if line["status"].is_null() {
            assert_eq!(found[0]["error"]["msg"], "the client reset the stream: CANCEL (8)");
            assert_eq!(found[0]["response"], Value::Null);
            continue;
        }
        let expected =
            json!([line["method"], line["path"], line["status"], line["req_body"], line["resp_body"]]);
        assert_eq!(of_item(found[0]), expected);
        assert_eq!(found[0]["error"], Value::Null);
    }
}

#[test]
fn every_stream_of_nghttp_is_found() {
    let folder = fixtures().join("http2");
    let items = items(&folder.join("http2_multiplex.pcap.gz"));
    let truth = truth(&folder.join("http2_multiplex.gt.jsonl"));
    let mut found: Vec<String> = items
        .iter()
        .map(|item| {
            assert_eq!(item["error"], Value::Null);
            json!([
                item["request"]["method"],
                item["request"]["path"],
                item["response"]["status"],
                item["response"]["bodySize"]
            ])
            .to_string()
        })
        .collect();
    let mut expected: Vec<String> = truth
        .iter()
        .map(|line| json!([line["method"], line["path"], line["status"], line["resp_body"]]).to_string())
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn every_stream_of_h2load_is_found() {
    let folder = fixtures().join("http2");
    let items = items(&folder.join("http2_h2load.pcap"));
    let truth = truth(&folder.join("http2_h2load.gt.jsonl"));
    let mut found: HashMap<String, u64> = HashMap::new();
    for item in &items {
        let path = item["request"]["path"].as_str().unwrap();
        let status = if path == "/nosuch" { 404 } else { 200 };
        assert_eq!((&item["response"]["status"], &item["error"]), (&json!(status), &Value::Null));
        *found.entry(path.to_owned()).or_default() += 1;
    }
    assert_eq!(serde_json::to_value(found).unwrap(), truth[0]["requests"]);
}

#[test]
fn pushes_trailers_interim_responses_and_padding() {
    let mut talk = connected();
    talk.client(&headers(0x05, 1, &get("/page")));
    let interim = headers(0x04, 1, &literal(":status", "103"));
    let promise = frame(5, 0x0c, 1, &[&[1, 0, 0, 0, 2][..], &get("/pushed.css"), &[0]].concat());
    let head =
        [&[2, 0x80, 0, 0, 0, 16][..], &[0x88][..], &literal("content-type", "text/plain"), &[0; 2]].concat();
    talk.server(&[interim, promise, frame(HEADERS, 0x2c, 1, &head)].concat());
    talk.server(&frame(DATA, 0x08, 1, b"\x03hello\0\0\0"));
    let trailers = headers(0x05, 1, &literal("x-sum", "5"));
    talk.server(&[headers(0x04, 2, &[0x88]), trailers, frame(DATA, 1, 2, b"css")].concat());
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    let [page, pushed] = &items[..] else { panic!("two items") };
    assert_eq!(page["request"]["path"], "/page");
    assert_eq!(page["response"]["content"]["text"], "aGVsbG8=");
    assert_eq!(page["response"]["trailers"], json!({"X-Sum": "5"}));
    assert_eq!(page["response"]["headers"]["X-Sum"], "5");
    assert_eq!(pushed["request"]["path"], "/pushed.css");
    assert_eq!(pushed["request"]["pushed"], true);
    assert_eq!(pushed["response"]["content"]["text"], "Y3Nz");
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
}

#[test]
fn continuation_and_pieces_of_any_size() {
    let block = [get("/long"), literal("x-long", &"v".repeat(300))].concat();
    let mut request = PREFACE.to_vec();
    request.extend(settings());
    request.extend(frame(HEADERS, 0x01, 1, &block[..7]));
    request.extend(frame(CONTINUATION, 0, 1, &block[7..100]));
    request.extend(frame(CONTINUATION, 4, 1, &block[100..]));
    let response = [settings(), headers(0x04, 1, &[0x88]), frame(DATA, 1, 1, b"body")].concat();
    let mut expected = None;
    for piece in [1, 2, 7, 10, 100, 1_000] {
        let mut talk = Talk::open(8_080);
        request.chunks(piece).for_each(|chunk| _ = talk.client(chunk));
        response.chunks(piece).for_each(|chunk| _ = talk.server(chunk));
        let items = talk.finish();
        assert_eq!(items.len(), 1, "pieces of {piece}: {items:?}");
        let sides = [items[0]["request"].clone(), items[0]["response"].clone(), items[0]["error"].clone()];
        assert_eq!(items[0]["error"], Value::Null);
        assert_eq!(*expected.get_or_insert(sides.clone()), sides, "pieces of {piece}");
        assert_eq!(items[0]["requestSize"], 27 + block.len());
    }
}

#[test]
fn resets_and_goaway_say_why() {
    let mut talk = connected();
    talk.client(&headers(0x04, 1, &get("/upload")));
    talk.server(&[headers(0x05, 1, &[0x88]), frame(3, 0, 1, &[0; 4])].concat());
    talk.client(&headers(0x05, 3, &get("/refused")));
    talk.client(&headers(0x05, 5, &get("/late")));
    talk.server(&frame(3, 0, 3, &[0, 0, 0, 7]));
    // Its last frames were on their way.
    talk.server(&headers(0x05, 3, &[0x88]));
    talk.server(&frame(7, 0, 0, b"\0\0\0\x03\0\0\0\x0btoo_many_pings"));
    let items = talk.items();
    let messages: Vec<&str> = items.iter().map(|item| item["error"]["msg"].as_str().unwrap_or("-")).collect();
    assert_eq!(
        messages,
        [
            "the server wanted no more of the request: NO_ERROR (0)",
            "the server reset the stream: REFUSED_STREAM (7)",
            "the server ended the connection: ENHANCE_YOUR_CALM (11): too_many_pings; it read streams up to 3",
        ]
    );
    assert!(items.iter().all(|item| item["error"]["type"] == "connection"));
    assert_eq!(talk.finish().len(), 0);
}

#[test]
fn joined_in_the_middle_what_came_before_is_unknown() {
    let mut talk = Talk::new(8_080);
    // Indexes into the part of the table that nobody has seen, and an entry that is new.
    let block = [&[0x82, 0x86, 0x84, 0xc5][..], &literal("x-new", "1")].concat();
    talk.client(&[headers(0x05, 7, &block), frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0])].concat());
    talk.server(&[headers(0x04, 7, &[0x88, 0xc0]), frame(DATA, 1, 7, b"x")].concat());
    talk.client(&headers(0x05, 9, &[0x82, 0x86, 0x84, 0xbe]));
    talk.server(&headers(0x05, 9, &[0x89]));
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(items[0]["request"]["headers"]["(unknown)"], "(unknown)");
    assert_eq!(items[0]["request"]["headers"]["X-New"], "1");
    assert_eq!(items[0]["error"]["msg"], "2 header fields refer to bytes that are missing");
    assert_eq!(items[1]["request"]["headers"]["X-New"], "1");
    assert_eq!(items[1]["response"]["status"], 204);
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn a_hole_inside_a_body_costs_only_its_bytes() {
    let mut talk = connected();
    talk.client(&headers(0x05, 1, &get("/a")));
    let response = [headers(0x04, 1, &[0x88]), frame(DATA, 1, 1, &[b'x'; 1_000])].concat();
    talk.server(&response[..100]);
    talk.lose(Direction::ToClient, 500);
    talk.server(&response[600..]);
    talk.client(&headers(0x05, 3, &get("/b")));
    talk.server(&headers(0x05, 3, &[0x88]));
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["error"]["msg"], "500 response bytes missing");
    assert_eq!(items[0]["gap"], json!({"request": 0, "response": 500}));
    assert_eq!(items[0]["response"]["bodySize"], 1_000);
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn a_hole_that_takes_frames_with_it_marks_what_it_may_have_hit() {
    let mut talk = connected();
    for (stream, path) in [(1, "/open"), (3, "/waiting")] {
        talk.client(&headers(0x05, stream, &get(path)));
    }
    talk.server(&[headers(0x04, 1, &[0x88]), frame(DATA, 0, 1, b"part")].concat());
    talk.lose(Direction::ToClient, 300);
    talk.server(&[frame(DATA, 1, 1, b"end"), headers(0x05, 3, &[0x89])].concat());
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(items[0]["error"]["msg"], "bytes of the response may be missing");
    assert_eq!(items[1]["response"]["status"], 204);
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn bytes_that_are_no_frames_give_one_item_and_the_next_frames_are_found() {
    let mut talk = connected();
    talk.client(&headers(0x05, 1, &get("/a")));
    talk.server(&frame(WINDOW_UPDATE, 0, 0, b"bad"));
    for _ in 0..20 {
        talk.server(&[0xee; 500]);
    }
    talk.server(&[headers(0x04, 1, &[0x88]), frame(DATA, 1, 1, b"x")].concat());
    let items = talk.finish();
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(items[0]["error"]["msg"], "a frame of the wrong length at byte 15 of the stream");
    assert_eq!(items[1]["response"]["status"], 200);
}

#[test]
fn the_caps_hold_and_say_so() {
    let limits = Limits { http_body_bytes: 10, http_headers: 6, http_pipelined: 2, ..Limits::default() };
    let mut talk = connected_with(limits);
    let fields: Vec<u8> = (0..10).flat_map(|number| literal(&format!("x-{number}"), "v")).collect();
    talk.client(&headers(0x05, 1, &[get("/a"), fields].concat()));
    talk.server(&[headers(0x04, 1, &[0x88]), frame(DATA, 1, 1, &[b'x'; 100])].concat());
    for stream in [3, 5, 7] {
        talk.client(&headers(0x05, stream, &get("/waits")));
    }
    let items = talk.items();
    assert_eq!(items[0]["response"]["bodySize"], 100);
    assert_eq!(items[0]["response"]["content"]["text"], "eHh4eHh4eHh4eA==");
    assert_eq!(items[0]["error"]["msg"], "8 header fields were not kept");
    assert_eq!(items[1]["error"]["msg"], "no response: too many requests wait");
    assert_eq!(talk.finish().len(), 2);
}

#[test]
fn a_flood_of_continuations_is_not_kept() {
    let mut talk = connected();
    talk.client(&frame(HEADERS, 0x01, 1, &get("/a")));
    for _ in 0..2_000 {
        talk.client(&frame(CONTINUATION, 0, 1, &[0xbf; 1_000]));
        assert!(talk.memory() < 4 << 20);
    }
    talk.client(&frame(CONTINUATION, 4, 1, &[0xbf]));
    talk.client(&headers(0x05, 3, &get("/b")));
    talk.server(&headers(0x05, 3, &[0x88]));
    let items = talk.finish();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["request"]["path"], "/b");
}

#[test]
fn an_upgrade_is_followed() {
    let mut talk = Talk::open(8_080);
    talk.client(
        b"GET /first?x=1 HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nAccept: */*\r\n\r\n",
    );
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    talk.server(&[&switch[..], &settings(), &headers(4, 1, &[0x88]), &frame(DATA, 1, 1, b"one")].concat());
    talk.client(&[PREFACE, &settings(), &headers(5, 3, &get("/second"))].concat());
    talk.server(&headers(5, 3, &[0x89]));
    let items = talk.finish();
    assert_eq!(items.len(), 3, "{items:?}");
    assert_eq!(items[0]["response"]["status"], 101);
    let first = &items[1];
    assert_eq!(of_item(first), json!(["GET", "/first?x=1", 200, 0, 3]));
    assert_eq!(first["request"]["headers"][":authority"], "a.test");
    assert_eq!(first["request"]["headers"]["Upgrade"], Value::Null);
    assert_eq!(of_item(&items[2]), json!(["GET", "/second", 204, 0, 0]));
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
}

#[test]
fn graphql_is_recognised() {
    let mut talk = connected();
    let request =
        [&[0x83, 0x86][..], &literal(":path", "/graphql"), &literal("content-type", "application/json")];
    talk.client(&headers(4, 1, &request.concat()));
    talk.client(&frame(DATA, 1, 1, br#"{"query":"query Q { item(id: 1) { name } }"}"#));
    talk.server(&headers(4, 1, &[&[0x88][..], &literal("content-type", "application/json")].concat()));
    talk.server(&frame(DATA, 1, 1, br#"{"data":{"item":{"name":"x"}}}"#));
    let items = talk.finish();
    assert_eq!(items[0]["protocol"]["abbr"], "GQL");
    assert_eq!(items[0]["protocol"]["version"], "2.0");
    assert!(items[0]["request"]["graphql"].is_object() && items[0]["response"]["graphql"].is_object());
}

#[test]
fn other_protocols_are_left_alone() {
    for bytes in
        [&b"\x00\x00\x00\x14\x00\x12\x00\x00\x00\x00\x00\x01\x00\x06client"[..], &[0; 64], &[0xff; 64]]
    {
        let mut talk = Talk::open(8_080);
        talk.client(bytes).server(bytes).client(bytes).close();
        assert_eq!(talk.finish().len(), 0);
        assert_eq!(talk.counters().unknown_streams, 1);
    }
}
